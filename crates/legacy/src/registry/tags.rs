//! Tags: names that mean images. They are found by a listing, and each is asked what it means: the listing may be behind, and
//! the names of two objects can meet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use apus_storage::{ListEntry, ListRequest, ObjectName};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value};

use super::{Answer, LegacyRegistry, Refusal, python_json};
use crate::layout::{self, RepositoryPart};
use crate::{ImageId, Repository};

/// Tags that are asked at once what they mean.
const ASKED_AT_ONCE: usize = 16;

/// The tag whose client is kept for the repository as a whole, too.
const LATEST: &str = "latest";

/// Which client sets a tag: what its `User-Agent` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client(BTreeMap<&'static str, String>);

impl Client {
    /// Reads a `User-Agent`: words such as `docker/1.3.2`, of which five are kept.
    #[must_use]
    pub fn read(user_agent: &str) -> Self {
        let mut said = BTreeMap::new();
        for (name, value) in user_agent.split_whitespace().filter_map(|word| word.split_once('/')) {
            let value = value.split('/').next().unwrap_or_default();
            let (key, value) = match name {
                "docker" => ("docker_version", value.to_owned()),
                "go" => ("docker_go_version", value.to_owned()),
                "arch" => ("arch", value.to_lowercase()),
                "kernel" => ("kernel", value.to_lowercase()),
                "os" => ("os", value.to_lowercase()),
                _ => continue,
            };
            if !value.is_empty() {
                said.insert(key, value);
            }
        }
        Self(said)
    }

    /// What is kept of a tag, as the original wrote it, in the order of its sample.
    fn json(&self, now: SystemTime) -> Vec<u8> {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut said: Map<String, Value> =
            self.0.iter().map(|(key, value)| ((*key).to_owned(), value.clone().into())).collect();
        said.insert("last_update".to_owned(), seconds.into());
        python_json(&said)
    }
}

/// Whether a new tag may have this name: what docker takes for one. Older ones may have any.
fn is_tag(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().next().is_some_and(word)
        && name.len() <= 128
        && name.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

/// The identifier in a tag's object; `None` where the object is something else. White space is allowed, for people have
/// written tags too.
fn meaning(content: &[u8]) -> Option<ImageId> {
    std::str::from_utf8(content).ok().and_then(|text| ImageId::parse(text.trim()))
}

impl LegacyRegistry {
    /// The tags of a repository and what they mean.
    pub async fn tags(&self, repository: &Repository) -> Answer<BTreeMap<String, ImageId>> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut request = ListRequest::under(layout::repository_folder(repository)?).one_level();
        let mut is_empty = true;
        loop {
            let page = self.storage().list(&request).await?;
            is_empty &= page.entries.is_empty();
            let objects = page.entries.iter().filter(|entry| matches!(entry, ListEntry::Object { .. }));
            names.extend(objects.filter_map(|entry| match layout::read_repository(entry.name()) {
                Some((_, RepositoryPart::Tag(tag))) => Some(tag),
                _ => None,
            }));
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        names.extend(self.recent_tags(repository));
        let asked = stream::iter(names.into_iter().map(|name| async {
            let meaning = self.find_tag(repository, &name).await?;
            Ok::<_, Refusal>(meaning.map(|id| (name, id)))
        }));
        let tags: BTreeMap<_, _> = asked
            .buffer_unordered(ASKED_AT_ONCE)
            .try_filter_map(|tag| async { Ok(tag) })
            .try_collect()
            .await?;
        if tags.is_empty() && is_empty { Err(Refusal::RepositoryUnknown) } else { Ok(tags) }
    }

    /// The image that a tag means.
    pub async fn tag(&self, repository: &Repository, tag: &str) -> Answer<ImageId> {
        self.find_tag(repository, tag).await?.ok_or(Refusal::TagUnknown)
    }

    async fn find_tag(&self, repository: &Repository, tag: &str) -> Answer<Option<ImageId>> {
        let object = layout::repository(repository, &RepositoryPart::Tag(tag.to_owned()))?;
        Ok(self.small(&object).await?.and_then(|content| meaning(&content)))
    }

    /// Gives a tag a meaning: an image that is here, and finished.
    pub async fn put_tag(
        &self,
        repository: &Repository,
        tag: &str,
        id: &ImageId,
        client: &Client,
    ) -> Answer<()> {
        if !is_tag(tag) {
            return Err(Refusal::TagInvalid);
        }
        if !self.has_image(id).await? {
            return Err(Refusal::ImageUnknown);
        }
        self.check_finished(id).await?;
        let object = layout::repository(repository, &RepositoryPart::Tag(tag.to_owned()))?;
        self.put(&object, id.to_string()).await?;
        self.remember_tag(repository, tag);
        let json = Bytes::from(client.json(SystemTime::now()));
        if let Some(object) = self.tag_json_object(repository, tag).await? {
            self.put(&object, json.clone()).await?;
        }
        if tag == LATEST {
            self.put(&layout::repository(repository, &RepositoryPart::Json)?, json).await?;
        }
        Ok(())
    }

    /// Where it is kept who set a tag; `None` where another tag lies: what belongs to the tag `_x` has the name of the tag
    /// `x_json`.
    async fn tag_json_object(&self, repository: &Repository, tag: &str) -> Answer<Option<ObjectName>> {
        let object = layout::repository(repository, &RepositoryPart::TagJson(tag.to_owned()))?;
        if tag.starts_with('_')
            && self.small(&object).await?.is_some_and(|content| meaning(&content).is_some())
        {
            return Ok(None);
        }
        Ok(Some(object))
    }

    /// Takes a tag away. Images stay.
    pub async fn delete_tag(&self, repository: &Repository, tag: &str) -> Answer<()> {
        let object = layout::repository(repository, &RepositoryPart::Tag(tag.to_owned()))?;
        // What only has the name of this tag belongs to another one.
        if self.find_tag(repository, tag).await?.is_none() {
            return Err(Refusal::TagUnknown);
        }
        let mut objects = vec![object];
        objects.extend(self.tag_json_object(repository, tag).await?);
        if tag == LATEST {
            objects.push(layout::repository(repository, &RepositoryPart::Json)?);
        }
        self.delete(&objects).await?;
        Ok(())
    }

    /// Which client set a tag, or the tag `latest` where none is named; unknown is as good as never set.
    pub async fn client_of(&self, repository: &Repository, tag: Option<&str>) -> Answer<Map<String, Value>> {
        let object = match tag {
            Some(tag) => self.tag_json_object(repository, tag).await?,
            None => Some(layout::repository(repository, &RepositoryPart::Json)?),
        };
        let content = match object {
            Some(object) => self.small(&object).await?,
            None => None,
        };
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_else(|| {
            let unknown = ["docker_version", "docker_go_version", "kernel", "last_update"];
            let mut client: Map<String, Value> =
                unknown.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
            client.insert("arch".to_owned(), "amd64".into());
            client.insert("os".to_owned(), "linux".into());
            client
        }))
    }
}
