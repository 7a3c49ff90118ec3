//! Repositories: what clients said they would push to them, whether they are private, and taking one away.

use std::collections::HashMap;

use apus_storage::{ListRequest, ObjectName};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Answer, LARGEST, LegacyRegistry, Refusal, python_json};
use crate::layout::{self, RepositoryPart};
use crate::{ImageId, Repository};

impl LegacyRegistry {
    /// The images that clients said they would push; `None` if nobody ever said any. Not to be relied on: the list never
    /// shrinks, and says nothing of what has come.
    pub async fn index_images(&self, repository: &Repository) -> Answer<Option<Bytes>> {
        self.small(&layout::repository(repository, &RepositoryPart::IndexImages)?).await
    }

    /// Adds to that list what a client sends: a list of objects, each with an `id`. The first list is kept as it is; in a later
    /// one the new come first, and of the old ones stay what is not among the new.
    pub async fn add_index_images(&self, repository: &Repository, body: &Bytes) -> Answer<()> {
        let object = layout::repository(repository, &RepositoryPart::IndexImages)?;
        let said = images(body).ok_or(Refusal::ListInvalid)?;
        let content = match self.small(&object).await? {
            None => body.clone(),
            Some(_) if said.is_empty() => return Ok(()),
            // What is there and is no list is put right.
            Some(known) => merged(said, images(&known).unwrap_or_default()).into(),
        };
        self.put(&object, content).await
    }

    /// Keeps the images of a repository as an index named them, unless that is known.
    pub async fn keep_images_list(&self, repository: &Repository, ids: &[ImageId]) -> Answer<()> {
        let object = layout::repository(repository, &RepositoryPart::ImagesList)?;
        let ids: Vec<&str> = ids.iter().map(ImageId::as_str).collect();
        let content = Bytes::from(python_json(&ids));
        if self.small(&object).await?.as_ref() == Some(&content) {
            return Ok(());
        }
        self.put(&object, content).await
    }

    /// Whether a repository is marked as private.
    pub async fn is_private(&self, repository: &Repository) -> Answer<bool> {
        self.is_there(&layout::repository(repository, &RepositoryPart::Private)?).await
    }

    /// Marks a repository as private, or takes the mark away. There need not be anything in it.
    pub async fn set_private(&self, repository: &Repository, private: bool) -> Answer<()> {
        let object = layout::repository(repository, &RepositoryPart::Private)?;
        if private { self.put(&object, Bytes::new()).await } else { self.delete(&[object]).await.map(drop) }
    }

    /// Takes a repository away, with all that is kept of it. Images stay.
    pub async fn delete_repository(&self, repository: &Repository) -> Answer<()> {
        let mut request = ListRequest::under(layout::repository_folder(repository)?);
        // Also what a listing that is behind does not show.
        let parts = [
            RepositoryPart::Json,
            RepositoryPart::IndexImages,
            RepositoryPart::ImagesList,
            RepositoryPart::Private,
        ];
        let mut objects =
            parts.iter().map(|part| layout::repository(repository, part)).collect::<Result<Vec<_>, _>>()?;
        for tag in self.recent_tags(repository) {
            objects.push(layout::repository(repository, &RepositoryPart::Tag(tag.clone()))?);
            objects.push(layout::repository(repository, &RepositoryPart::TagJson(tag))?);
        }
        let mut found = self.delete(&objects).await?;
        loop {
            let page = self.storage().list(&request).await?;
            let objects: Vec<ObjectName> = page.entries.iter().map(|entry| entry.name().clone()).collect();
            found |= self.delete(&objects).await?;
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        if found { Ok(()) } else { Err(Refusal::RepositoryUnknown) }
    }
}

type Image = Map<String, Value>;

/// A list of images; `None` where it is none, or one of them has no identifier.
fn images(content: &[u8]) -> Option<Vec<Image>> {
    let images: Vec<Image> = serde_json::from_slice(content).ok()?;
    images.iter().all(|image| image.get("id").is_some_and(Value::is_string)).then_some(images)
}

fn merged(said: Vec<Image>, mut known: Vec<Image>) -> Vec<u8> {
    for image in &mut known {
        // Where a tag stood once says nothing of where it stands.
        image.retain(|key, _| key == "id" || key == "checksum");
    }
    let (mut images, mut places): (Vec<Image>, HashMap<String, usize>) = Default::default();
    for image in said.into_iter().chain(known) {
        let id = image.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(same) = places.get(&id).and_then(|place| images.get_mut(*place)) {
            // One image is named once for each of its tags, and again in a later list: what was said of it first stands.
            for (key, value) in image {
                same.entry(key).or_insert(value);
            }
        } else {
            places.insert(id, images.len());
            images.push(image);
        }
    }
    let mut content = python_json(&images);
    while content.len() > LARGEST {
        // The oldest are the last.
        images.truncate(images.len() / 2);
        content = python_json(&images);
    }
    content
}
