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

/// Which tags must stay what they are, whatever else a request does. The default is none.
#[derive(Clone, Copy, Default)]
pub struct KeptTags<'a>(Option<&'a (dyn Fn(&Tag) -> bool + Sync)>);

impl<'a> KeptTags<'a> {
    /// None of them.
    pub const NONE: Self = Self(None);

    /// Those of which this is true.
    #[must_use]
    pub fn those(which: &'a (dyn Fn(&Tag) -> bool + Sync)) -> Self {
        Self(Some(which))
    }

    fn hold(self, tag: &Tag) -> bool {
        self.0.is_some_and(|which| which(tag))
    }
}

impl std::fmt::Debug for KeptTags<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "KeptTags(some)" } else { "KeptTags(none)" })
    }
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

    /// Takes away the tags that point to a manifest, and tells `gone` of each.
    pub(crate) async fn delete_tags_of(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        gone: &(dyn Fn(Reference) + Sync),
    ) -> Result<()> {
        let unlink = |tag: Tag| async move {
            self.unlink_tag(repository, &tag).await?;
            gone(Reference::Tag(tag));
            Ok(())
        };
        self.for_tags_of(repository, digest, KeptTags::those(&|_| true), unlink).await
    }

    /// Fails where a manifest could not go without a tag that must stay.
    pub(crate) async fn refuse_for_tags_of(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        kept: KeptTags<'_>,
    ) -> Result<()> {
        if kept.0.is_none() {
            return Ok(());
        }
        let refuse = |tag: Tag| async move { Err(Error::TagKept { repository: repository.clone(), tag }) };
        self.for_tags_of(repository, digest, kept, refuse).await
    }

    /// Does something to those of some tags that point to a manifest.
    async fn for_tags_of<F: Future<Output = Result<()>>>(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        among: KeptTags<'_>,
        act: impl Fn(Tag) -> F,
    ) -> Result<()> {
        let act = &act;
        let mut request = ListRequest::under(layout::tags(repository)?).one_level();
        let prefix = request.prefix();
        loop {
            let listed = self.links.list(&request).await?;
            let tags: Vec<Tag> = listed
                .keys
                .iter()
                .filter_map(|key| Tag::parse(tag_of(key, &prefix)?).ok())
                .filter(|tag| among.hold(tag))
                .collect();
            stream::iter(tags)
                .map(|tag| async move {
                    if self.links.read(&layout::tag_link(repository, &tag)?).await?.as_ref() == Some(digest) {
                        act(tag).await?;
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

    /// Fails where a tag that must stay means another manifest than this one.
    pub(crate) async fn refuse_to_move(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        kept: KeptTags<'_>,
    ) -> Result<()> {
        if !kept.hold(tag) {
            return Ok(());
        }
        match self.links.read(&layout::tag_link(repository, tag)?).await? {
            Some(other) if other != *digest => {
                Err(Error::TagKept { repository: repository.clone(), tag: tag.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Lets a tag mean a manifest. One that must stay is only made: of several requests that make it at once one is heard, as far
    /// as storage can tell them apart.
    pub(crate) async fn write_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        kept: KeptTags<'_>,
    ) -> Result<()> {
        let link = layout::tag_link(repository, tag)?;
        if !kept.hold(tag) {
            return self.links.write(&link, digest).await;
        }
        if self.links.make(&link, digest).await? {
            return Ok(());
        }
        self.refuse_to_move(repository, tag, digest, kept).await
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
