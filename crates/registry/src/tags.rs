//! Tags: the list of them. Moving a tag is part of putting a manifest.

use apus_storage::{ListEntry, ListRequest};

use crate::{Error, Registry, RepositoryName, Result, Tag, layout};

/// One page of the tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// In the order of their bytes.
    pub tags: Vec<Tag>,
    /// Whether more follow.
    pub more: bool,
}

impl Registry {
    /// The tags of a repository after `last`, at most `limit` of them; all of them without a limit.
    ///
    /// # Errors
    /// [`Error::RepositoryUnknown`] when the repository has no tag at all.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: Option<usize>,
    ) -> Result<TagPage> {
        let mut request = ListRequest::under(layout::tags(repository)?).one_level();
        let mut tags = Vec::new();
        loop {
            let page = self.storage.list(&request).await?;
            tags.extend(page.entries.iter().filter_map(|entry| match entry {
                ListEntry::Prefix(name) => Tag::parse(name.components().last()?).ok(),
                ListEntry::Object { .. } => None,
            }));
            match page.next {
                Some(next) => request = request.after(next),
                None => break,
            }
        }
        if tags.is_empty() {
            return Err(Error::RepositoryUnknown { repository: repository.clone() });
        }
        // Storage lists `1.0-rc/` before `1.0/`, for it compares whole names; tags are compared without the slash.
        tags.sort_unstable();
        let begin = last.map_or(0, |last| tags.partition_point(|tag| tag.as_str() <= last));
        let mut tags = tags.split_off(begin);
        let more = limit.is_some_and(|limit| tags.len() > limit);
        tags.truncate(limit.unwrap_or(usize::MAX));
        Ok(TagPage { tags, more })
    }
}
