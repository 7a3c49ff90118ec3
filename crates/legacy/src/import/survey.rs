//! What there is: every tag, and for each the images that it rests on, from the lowest on, or why it cannot come over.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{ImportEvent, Importer};
use crate::store::LONGEST_CHAIN;
use crate::{ImageId, Reason, Repository, Result, StoredTag};

/// Requests at once.
const PARALLEL: usize = 16;

/// What was found.
pub(super) struct Survey {
    pub(super) repositories: u64,
    /// In the order of their names.
    pub(super) tags: Vec<Wanted>,
    /// Every image that a tag rests on, once, and a repository that it is wanted in.
    pub(super) images: Vec<(ImageId, Repository)>,
}

/// A tag, and what it rests on.
pub(super) struct Wanted {
    pub(super) repository: Repository,
    pub(super) tag: String,
    /// From the lowest image on; at least one.
    pub(super) chain: std::result::Result<Vec<ImageId>, Reason>,
}

/// What is known of an image that was looked at.
type Seen = std::result::Result<(Option<ImageId>, u64), Reason>;

impl Survey {
    pub(super) async fn of(importer: &Importer<'_>) -> Result<Self> {
        let mut survey = Self { repositories: 0, tags: Vec::new(), images: Vec::new() };
        let (mut seen, mut listed, mut bytes) = (HashMap::new(), HashSet::new(), 0);
        let mut next = None;
        loop {
            let page = importer.store.tags(next).await?;
            for repository in &page.private {
                (importer.report)(ImportEvent::Private(repository));
            }
            let found: Vec<_> = stream::iter(page.tags)
                .map(|tag| async move { Ok::<_, crate::Error>((importer.store.image_of(&tag).await?, tag)) })
                .buffered(PARALLEL)
                .try_collect()
                .await?;
            for (image, tag) in found {
                let Some(chain) = chain_of(importer, image, &tag, &mut seen).await else { continue };
                // Nothing is brought for a tag that could not be written.
                let chain = importer.reference_of(&tag.repository, &tag.name).and(chain);
                let StoredTag { repository, name, .. } = tag;
                if survey.tags.last().is_none_or(|last| last.repository != repository) {
                    survey.repositories += 1;
                }
                for image in chain.iter().flatten() {
                    if listed.insert(image.clone()) {
                        bytes +=
                            seen.get(image).and_then(|seen| seen.as_ref().ok()).map_or(0, |(_, size)| *size);
                        survey.images.push((image.clone(), repository.clone()));
                    }
                }
                survey.tags.push(Wanted { repository, tag: name, chain });
            }
            (importer.report)(ImportEvent::Surveying(survey.tags.len() as u64));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let (tags, images) = (survey.tags.len() as u64, survey.images.len() as u64);
        (importer.report)(ImportEvent::Surveyed { repositories: survey.repositories, tags, images, bytes });
        Ok(survey)
    }
}

/// The images that a tag rests on; `None` for what is no tag.
async fn chain_of(
    importer: &Importer<'_>,
    image: Option<ImageId>,
    tag: &StoredTag,
    seen: &mut HashMap<ImageId, Seen>,
) -> Option<std::result::Result<Vec<ImageId>, Reason>> {
    let Some(image) = image else {
        // What is known of a tag that begins with an underscore has the name of a tag.
        let is_tag = !tag.name.ends_with("_json");
        return is_tag.then(|| Err(Reason::unfit("it holds no identifier of an image")));
    };
    let mut chain = Vec::new();
    let mut above = Some(image);
    while let Some(image) = above {
        if chain.len() == LONGEST_CHAIN || chain.contains(&image) {
            return Some(Err(Reason::unfit(format!(
                "its images form a circle, or more than {LONGEST_CHAIN} steps"
            ))));
        }
        let looked = if let Some(looked) = seen.get(&image) {
            looked.clone()
        } else {
            let looked = look_at(importer, &image).await;
            seen.insert(image.clone(), looked.clone());
            looked
        };
        match looked {
            Ok((parent, _)) => above = parent,
            Err(reason) => return Some(Err(reason.about(&image))),
        }
        chain.push(image);
    }
    chain.reverse();
    Some(Ok(chain))
}

async fn look_at(importer: &Importer<'_>, id: &ImageId) -> Seen {
    let image = importer.store.image(id).await?;
    let size = image.readable(importer.options.without_checksum)?;
    Ok((image.description.parent, size))
}
