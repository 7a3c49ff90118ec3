//! Searching: over the names of repositories, as storage has them. There is no other list of them that could be stale.

use apus_storage::{ListEntry, ListRequest, ObjectName};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Answer, LegacyRegistry, Refusal};
use crate::layout;
use crate::{Repository, layout::REPOSITORIES};

/// Pages of listings that one search may cost. Whoever has more repositories than these show finds those of the first
/// namespaces.
const MOST_PAGES: usize = 200;

/// Repositories that are looked at at once.
const LOOKED_AT_ONCE: usize = 8;

/// A repository that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRepository {
    /// Which.
    pub repository: Repository,
    /// Whether it is marked as private.
    pub private: bool,
}

impl LegacyRegistry {
    /// The repositories whose names hold a text, whatever the case of its letters, in the order of their names in storage; at
    /// most so many of them, and of those that are private only if they are wanted.
    pub async fn search(&self, text: &str, most: usize, private_too: bool) -> Answer<Vec<FoundRepository>> {
        let text = text.to_lowercase();
        let mut pages = MOST_PAGES;
        let mut found = Vec::new();
        let root = ObjectName::parse(REPOSITORIES)?;
        for namespace in self.folders(root, &mut pages).await? {
            if found.len() >= most {
                break;
            }
            let named: Vec<Repository> = self
                .folders(namespace, &mut pages)
                .await?
                .iter()
                .filter_map(layout::read_repository_folder)
                .filter(|repository| repository.to_string().to_lowercase().contains(&text))
                .collect();
            let looked = stream::iter(named.into_iter().map(|repository| async {
                let private = self.is_private(&repository).await?;
                Ok::<_, Refusal>(FoundRepository { repository, private })
            }));
            let looked = looked.buffered(LOOKED_AT_ONCE);
            let wanted = looked.try_filter(|found| std::future::ready(private_too || !found.private));
            let room = most - found.len();
            found.extend(wanted.take(room).try_collect::<Vec<_>>().await?);
        }
        Ok(found)
    }

    /// What lies one level below.
    async fn folders(&self, below: ObjectName, pages: &mut usize) -> Answer<Vec<ObjectName>> {
        let mut request = ListRequest::under(below).one_level();
        let mut folders = Vec::new();
        while *pages > 0 {
            *pages -= 1;
            let page = self.storage().list(&request).await?;
            folders.extend(page.entries.into_iter().filter_map(|entry| match entry {
                ListEntry::Prefix(name) => Some(name),
                ListEntry::Object { .. } => None,
            }));
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(folders),
            }
        }
        tracing::warn!(
            pages = MOST_PAGES,
            "a search was ended: there are more repositories than it may list"
        );
        Ok(folders)
    }
}
