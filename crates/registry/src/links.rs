//! Links: small objects whose content is a digest. They are what a repository has; the bytes belong to all repositories.
//!
//! What exists is decided by the links themselves, read as the newest. Only listings of them may lag, as Swift's do. So that
//! this replica's own changes show in its lists all the same, it remembers the latest of them ([`Recent`]), and asks the
//! object wherever a listing says otherwise. Whoever lists links does it here; what a list means is the caller's business.

mod merge;
mod recent;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use apus_storage::{
    ByteRange, ErrorKind, Freshness, ListRequest, ObjectName, Outcome, Publication, Storage, StorageError,
    WriteMode, body,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{Digest, Error, Result};
use merge::{Doubt, Draft};
use recent::Recent;

/// A link is 71 bytes, or 135 with SHA-512; what is longer than this is none.
const MAX_BYTES: usize = 512;

/// Objects that are asked at once where a listing and the memory disagree.
const PARALLEL_QUESTIONS: usize = 8;

/// Objects that are asked for one page at most. Beyond, the memory is believed: it is of what was done here, and listings
/// that lag so far behind would make one list cost as many requests as it has entries.
const MOST_QUESTIONS: usize = 100;

/// The links of all repositories.
#[derive(Debug)]
pub(crate) struct Links {
    storage: Arc<dyn Storage>,
    recent: Mutex<Recent>,
}

/// One page of a listing, as this replica knows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LinkPage {
    /// The names of objects, and of what was folded, with its closing `/`; in the order of their bytes. Not empty where
    /// more follow.
    pub(crate) keys: Vec<String>,
    /// Where to go on; `None` when the listing is complete.
    pub(crate) next: Option<String>,
}

impl Links {
    /// The links in `storage`. Asks nothing of it yet.
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, recent: Mutex::default() }
    }

    /// Follows a link; `None` when there is none. Always asks for the newest: links are what deletions delete and tags move.
    pub(crate) async fn read(&self, name: &ObjectName) -> Result<Option<Digest>> {
        let Some(reader) = self.storage.read(name, ByteRange::Full, Freshness::Newest).await? else {
            return Ok(None);
        };
        if reader.info.size > MAX_BYTES as u64 {
            return Err(damaged(name, "it is too long").into());
        }
        let content = body::collect(reader.stream, MAX_BYTES)
            .await
            .map_err(|error| StorageError::new(ErrorKind::UNAVAILABLE, "read", name).with_source(error))?;
        let text = std::str::from_utf8(&content).map_err(|_| damaged(name, "it is no text"))?;
        match Digest::parse(text.trim()) {
            Ok(digest) => Ok(Some(digest)),
            Err(error) => Err(damaged(name, &error.to_string()).into()),
        }
    }

    /// Makes a link, or moves it.
    pub(crate) async fn write(&self, name: &ObjectName, digest: &Digest) -> Result<()> {
        self.put(name, digest, WriteMode::Replace).await.map(drop)
    }

    /// Makes a link, unless there is one. Answers whether it did.
    pub(crate) async fn make(&self, name: &ObjectName, digest: &Digest) -> Result<bool> {
        Ok(matches!(self.put(name, digest, WriteMode::IfAbsent).await?, Publication::Published(_)))
    }

    async fn put(&self, name: &ObjectName, digest: &Digest, mode: WriteMode) -> Result<Publication> {
        self.remember(name, true);
        let published = self.storage.write(name, Bytes::from(digest.to_string()).into(), mode).await?;
        // A list may have asked the object before it was there.
        self.remember(name, true);
        Ok(published)
    }

    /// Removes a link.
    pub(crate) async fn delete(&self, name: &ObjectName) -> Result<Outcome> {
        self.remember(name, false);
        let mut outcomes = self.storage.delete(std::slice::from_ref(name)).await;
        match outcomes.pop() {
            Some(outcome) => {
                let outcome = outcome?;
                self.remember(name, false);
                Ok(outcome)
            }
            None => Err(StorageError::new(ErrorKind::Unexpected, "delete", name).into()),
        }
    }

    /// One page of a listing, in which this replica's own changes show.
    ///
    /// It costs the request of storage's own listing, and one more for each object about which that and the memory disagree:
    /// another replica may have changed it since. A folder ([`ListRequest::one_level`]) is taken for what the link in it is:
    /// once this replica has deleted that, the folder is gone, whatever else lies in it.
    pub(crate) async fn list(&self, request: &ListRequest) -> Result<LinkPage> {
        let (mut request, limit) = (request.clone(), request.limit);
        loop {
            let page = self.storage.list(&request).await?;
            let draft = self.recent().merge(&request, page, limit, Instant::now());
            let page = self.settle(draft, limit).await?;
            match page.next {
                // Deleted here, all of it. The way to what is left may be long.
                Some(next) if page.keys.is_empty() => {
                    request = request.after(next).limit(ListRequest::DEFAULT_LIMIT);
                }
                _ => return Ok(page),
            }
        }
    }

    /// Leaves out of a draft what is not there, and cuts it to `limit` keys.
    async fn settle(&self, draft: Draft, limit: usize) -> Result<LinkPage> {
        let Draft { mut keys, mut next, doubts } = draft;
        let gone: HashSet<String> = stream::iter(doubts.into_iter().enumerate())
            .map(|(place, doubt)| async move {
                let is_there =
                    if place < MOST_QUESTIONS { self.ask(&doubt).await? } else { doubt.is_present };
                Ok::<_, Error>((!is_there).then_some(doubt.key))
            })
            .buffer_unordered(PARALLEL_QUESTIONS)
            .try_filter_map(|gone| std::future::ready(Ok(gone)))
            .try_collect()
            .await?;
        if !gone.is_empty() {
            keys.retain(|key| !gone.contains(key));
        }
        if keys.len() > limit {
            keys.truncate(limit);
            next = keys.last().cloned();
        }
        Ok(LinkPage { keys, next })
    }

    /// Whether the object is there, by the object itself. What is learned is remembered.
    async fn ask(&self, doubt: &Doubt) -> Result<bool> {
        let name = ObjectName::parse(&*doubt.object)?;
        let is_there = self.storage.stat(&name, Freshness::Newest).await?.is_some();
        self.recent().correct(doubt, is_there);
        Ok(is_there)
    }

    /// Remembers a change before it is tried: whatever becomes of it, the object is asked where a listing says otherwise.
    fn remember(&self, name: &ObjectName, is_present: bool) {
        self.recent().remember(name, is_present, Instant::now());
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // A change that is lost by a panic elsewhere shows as late as listings do, no worse.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn damaged(name: &ObjectName, reason: &str) -> StorageError {
    StorageError::new(ErrorKind::Damaged, "read", name)
        .with_source(format!("it should hold one digest: {reason}"))
        .with_advice("push the image again, or remove the object")
}

#[cfg(test)]
mod tests;
