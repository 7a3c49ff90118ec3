//! Tags: the list of them, and taking one away. Moving a tag is part of putting a manifest.

use apus_storage::{ListEntry, ListRequest, Outcome};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::page::SortedPage;
use crate::{Digest, Error, Reference, Registry, RepositoryName, Result, Tag, layout, link};

/// Links of tags that are read at once.
const PARALLEL_READS: usize = 8;

/// One page of the tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// In the order of their bytes.
    pub tags: Vec<Tag>,
    /// Whether more follow.
    pub more: bool,
}

impl Registry {
    /// The tags of a repository after `last`, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::RepositoryUnknown`] when there is nothing in the repository.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<TagPage> {
        let under = layout::tags(repository)?;
        let mut request =
            ListRequest::under(under.clone()).one_level().limit(limit.saturating_add(2).clamp(1000, 10_000));
        if let Some(last) = last {
            // Whatever follows `last` in the order of tags lies behind this in the order of objects.
            request = request.after(format!("{under}/{last}"));
        }
        let mut page = SortedPage::new(last, limit);
        let mut any = false;
        'listing: loop {
            let listed = self.storage.list(&request).await?;
            for entry in &listed.entries {
                let ListEntry::Prefix(name) = entry else { continue };
                let Some(tag) = name.components().last() else { continue };
                if page.is_settled(&format!("{tag}/"), "/") {
                    break 'listing;
                }
                any = true;
                page.offer(tag);
            }
            match listed.next {
                Some(next) => request = request.after(next),
                None => break,
            }
        }
        if !any && !self.has_anything(repository).await? {
            return Err(Error::RepositoryUnknown { repository: repository.clone() });
        }
        let (names, more) = page.into_names();
        Ok(TagPage { tags: names.filter_map(|tag| Tag::parse(&tag).ok()).collect(), more })
    }

    async fn has_anything(&self, repository: &RepositoryName) -> Result<bool> {
        // What is its own begins with an underscore, and so lies behind this; what is nested in its name may lie there too.
        let under = layout::repository(repository)?;
        let own = format!("{under}/_");
        let listed = self.storage.list(&ListRequest::under(under).after(&*own).limit(1)).await?;
        Ok(listed.entries.first().is_some_and(|entry| entry.name().as_str().starts_with(&own)))
    }

    /// Takes a tag away, at once. The manifest stays.
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`] when there is no such tag, [`Error::DeletesDisabled`].
    pub async fn delete_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<()> {
        self.may_delete()?;
        match link::delete(&*self.storage, layout::tag_link(repository, tag)?).await? {
            Outcome::Done => Ok(()),
            Outcome::Absent => Err(Error::ManifestUnknown {
                repository: repository.clone(),
                reference: Reference::Tag(tag.clone()),
            }),
        }
    }

    /// Takes away the tags that point to a manifest.
    pub(crate) async fn delete_tags_of(&self, repository: &RepositoryName, digest: &Digest) -> Result<()> {
        let mut request = ListRequest::under(layout::tags(repository)?).one_level();
        loop {
            let listed = self.storage.list(&request).await?;
            let tags: Vec<Tag> = listed
                .entries
                .iter()
                .filter_map(|entry| Tag::parse(entry.name().components().last()?).ok())
                .collect();
            stream::iter(tags)
                .map(|tag| async move {
                    let name = layout::tag_link(repository, &tag)?;
                    if link::read(&*self.storage, &name).await?.as_ref() == Some(digest) {
                        link::delete(&*self.storage, name).await?;
                    }
                    Ok::<_, Error>(())
                })
                .buffer_unordered(PARALLEL_READS)
                .try_collect::<()>()
                .await?;
            match listed.next {
                Some(next) => request = request.after(next),
                None => return Ok(()),
            }
        }
    }
}
