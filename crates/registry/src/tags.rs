//! Tags: the list of them, and taking one away. Moving a tag is part of putting a manifest.

use apus_storage::{ListEntry, ListRequest, ObjectName, Outcome};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::page::SortedPage;
use crate::{Digest, Error, Reference, Registry, RepositoryName, Result, Tag, layout};

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
        let mut request = ListRequest::under(layout::tags(repository)?)
            .one_level()
            .limit(limit.saturating_add(2).clamp(1000, 10_000));
        let prefix = request.prefix();
        if let Some(last) = last {
            // Whatever follows `last` in the order of tags lies behind this in the order of objects.
            request = request.after(format!("{prefix}{last}"));
        }
        let mut page = SortedPage::new(last, limit);
        let mut any = false;
        'listing: loop {
            let listed = self.links.list(&request).await?;
            for tag in listed.keys.iter().filter_map(|key| tag_of(key, &prefix)) {
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
        let listed = self.links.list(&ListRequest::under(under).after(&*own).limit(1)).await?;
        Ok(listed.keys.first().is_some_and(|key| key.starts_with(&own)))
    }

    /// Takes a tag away, at once. The manifest stays.
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`] when there is no such tag, [`Error::DeletesDisabled`].
    pub async fn delete_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<()> {
        self.may_delete()?;
        match self.unlink_tag(repository, tag).await? {
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
        let prefix = request.prefix();
        loop {
            let listed = self.links.list(&request).await?;
            let tags: Vec<Tag> =
                listed.keys.iter().filter_map(|key| Tag::parse(tag_of(key, &prefix)?).ok()).collect();
            stream::iter(tags)
                .map(|tag| async move {
                    if self.links.read(&layout::tag_link(repository, &tag)?).await?.as_ref() == Some(digest) {
                        self.unlink_tag(repository, &tag).await?;
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

    /// Removes a tag's link, and then what registry:2 keeps beside it, its history: storage would list the tag by that. This is
    /// done also where there is no link, for one who comes again after it had failed.
    async fn unlink_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<Outcome> {
        let link = layout::tag_link(repository, tag)?;
        let outcome = self.links.delete(&link).await?;
        let mut request = ListRequest::under(layout::tag(repository, tag)?);
        loop {
            let listed = self.storage.list(&request).await?;
            // The link itself may be listed still, or again: somebody has pushed the tag meanwhile.
            let history: Vec<ObjectName> =
                listed.entries.iter().map(ListEntry::name).filter(|name| **name != link).cloned().collect();
            if !history.is_empty() {
                self.storage.delete(&history).await.into_iter().collect::<Result<Vec<_>, _>>()?;
            }
            match listed.next {
                Some(next) => request = request.after(next),
                None => return Ok(outcome),
            }
        }
    }
}

/// The tag whose folder this is.
fn tag_of<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    key.strip_prefix(prefix)?.strip_suffix('/')
}

#[cfg(test)]
mod tests;
