//! Listings, of objects and of stages.

use std::time::SystemTime;

use apus_storage::{
    Freshness, ListEntry, ListPage, ListRequest, ObjectName, Result, StageEntry, StageId, StorageError,
};
use futures_util::TryStreamExt;

use super::Backend;
use crate::SwiftError;
use crate::client::{ListingEntry, ListingRequest};

impl Backend {
    pub(super) async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        let shown = request.prefix();
        let failed = |error: SwiftError| -> StorageError {
            error.into_storage("list", if shown.is_empty() { "the whole store" } else { &*shown })
        };
        self.container.ensure().await.map_err(failed)?;
        let root = self.names.files();
        let prefix = format!("{root}{shown}");
        let after = request.after.as_deref().unwrap_or_default();
        let mut marker = if after.is_empty() { String::new() } else { format!("{root}{after}") };
        loop {
            let page = self
                .container
                .list(&ListingRequest {
                    prefix: &prefix,
                    marker: &marker,
                    one_level: request.one_level,
                    limit: request.limit,
                })
                .await
                .map_err(failed)?;
            let last = page.entries.last().map(|entry| entry.name().to_owned());
            let entries: Vec<ListEntry> = page
                .entries
                .into_iter()
                .filter_map(|entry| translated(entry, root))
                // Swift shows a folder again when the listing begins inside of it.
                .filter(|entry| entry.key().as_str() > after)
                .collect();
            let next = last.filter(|_| !page.is_last);
            match next {
                Some(last) if entries.is_empty() => marker = last,
                // What is asked for begins with the root, and so does what comes.
                next => {
                    let next = next.map(|last| last.strip_prefix(root).unwrap_or(&last).to_owned());
                    return Ok(ListPage { entries, next });
                }
            }
        }
    }

    /// The later of the session's time and that of the segment which a listing shows to be the youngest: an append that is
    /// under way has written segments that no session names yet.
    pub(super) async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        let failed = |error: SwiftError| error.into_storage("stage_modified", stage);
        self.container.ensure().await.map_err(failed)?;
        let session = self.container.look(&self.names.session(stage), Freshness::Newest).await;
        let Some(session) = session.map_err(failed)? else { return Ok(None) };
        let mut latest = session.modified;
        let mut segments = self.container.entries(self.names.segments_of(stage), false);
        while let Some(entry) = segments.try_next().await.map_err(failed)? {
            if let ListingEntry::Object { modified, .. } = entry {
                latest = latest.max(modified);
            }
        }
        Ok(Some(latest))
    }

    pub(super) async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        let failed = |error: SwiftError| error.into_storage("stage_list", "the uploads");
        self.container.ensure().await.map_err(failed)?;
        let prefix = self.names.sessions();
        let mut marker = after.map_or_else(String::new, |after| self.names.session(after));
        let mut stages = Vec::new();
        loop {
            let request = ListingRequest {
                prefix,
                marker: &marker,
                one_level: false,
                limit: limit.saturating_sub(stages.len()).max(1),
            };
            let page = self.container.list(&request).await.map_err(failed)?;
            if let Some(last) = page.entries.last() {
                last.name().clone_into(&mut marker);
            }
            stages.extend(page.entries.into_iter().filter_map(|entry| match entry {
                ListingEntry::Object { name, modified, .. } => {
                    let id = StageId::parse(name.strip_prefix(prefix)?).ok()?;
                    Some(StageEntry { id, modified })
                }
                ListingEntry::Folder(_) => None,
            }));
            if page.is_last || stages.len() >= limit {
                stages.truncate(limit);
                return Ok(stages);
            }
        }
    }
}

/// The entry in the contract's terms; `None` when its name is none of ours.
fn translated(entry: ListingEntry, root: &str) -> Option<ListEntry> {
    match entry {
        ListingEntry::Object { name, size, modified } => {
            let name = ObjectName::parse(name.strip_prefix(root)?).ok()?;
            Some(ListEntry::Object { name, size, modified })
        }
        ListingEntry::Folder(name) => ListEntry::prefix(name.strip_prefix(root)?).ok(),
    }
}
