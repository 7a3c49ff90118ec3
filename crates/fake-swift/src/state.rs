//! The data: objects, and apart from them the containers' listings, as Swift keeps them on different servers.
//!
//! Both are kept as a [`History`], and [`Replicas`] say which moment of it an answer shows. Whatever writes takes the
//! truth, [`Timestamp::LATEST`]. Nothing in here knows about HTTP but headers, which Swift keeps as they come.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, StatusCode};

use crate::answer::md5_hex;
use crate::clock::{Clock, Timestamp};
use crate::history::History;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::replicas::{Replica, Replicas};
use crate::tokens::Tokens;

pub(crate) const X_DELETE_AT: HeaderName = HeaderName::from_static("x-delete-at");

/// All that the store holds.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    /// When the account came into being.
    pub(crate) created: Timestamp,
    /// The account's `X-Account-Meta-` headers.
    pub(crate) metadata: HeaderMap,
    pub(crate) containers: BTreeMap<String, Container>,
    /// The account's listing: its containers, and when each was created.
    listed: History<Timestamp>,
    /// The servers that answer for listings, of the account and of containers.
    pub(crate) listings: Replicas,
    /// The servers that answer for objects.
    pub(crate) reads: Replicas,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        let mut clock = Clock::new();
        let created = clock.tick();
        let mut state = Self {
            clock,
            tokens: Tokens::default(),
            created,
            metadata: HeaderMap::new(),
            containers: BTreeMap::new(),
            listed: History::default(),
            listings: Replicas::new(options.listing_lag),
            reads: Replicas::new(options.read_lag),
        };
        for container in &options.containers {
            state.containers.insert(container.clone(), Container::new(created));
            // However far listings are behind, they have these.
            state.listed.set(container, Some(created), Timestamp::EARLIEST, Timestamp::EARLIEST);
        }
        state
    }

    /// Creates a container; `false` if there is one of the name.
    pub(crate) fn create_container(&mut self, name: &str) -> bool {
        if self.containers.contains_key(name) {
            return false;
        }
        let Change { now, listings, .. } = self.change();
        self.listed.set(name, Some(now), now, listings);
        self.containers.insert(name.to_owned(), Container::new(now));
        true
    }

    /// Deletes a container, whatever is in it; `false` if there was none.
    pub(crate) fn delete_container(&mut self, name: &str) -> bool {
        let found = self.containers.remove(name).is_some();
        if found {
            let Change { now, listings, .. } = self.change();
            self.listed.set(name, None, now, listings);
        }
        found
    }

    /// The moment that the next listing shows. Unless a replica is told, each call takes a turn of one.
    pub(crate) fn next_listing(&self, told: Option<Replica>) -> Timestamp {
        self.listings.next(told, &self.clock)
    }

    /// The account's listing at a moment.
    pub(crate) fn listed(&self) -> &History<Timestamp> {
        &self.listed
    }

    /// How many objects the account's listing gives a container at a moment, and how many bytes.
    pub(crate) fn usage(&self, container: &str, at: Timestamp) -> (u64, u64) {
        self.containers.get(container).map(|container| container.usage(at)).unwrap_or_default()
    }

    /// The object of this name, in truth.
    pub(crate) fn object(&self, container: &str, name: &str) -> Option<&Arc<StoredObject>> {
        self.object_at(container, name, Timestamp::LATEST)
    }

    /// The object that the next reader gets who does not insist on the truth. Unless a replica is told, each call takes
    /// a turn of one.
    pub(crate) fn next_read(
        &self,
        container: &str,
        name: &str,
        told: Option<Replica>,
    ) -> Option<&Arc<StoredObject>> {
        self.object_at(container, name, self.reads.next(told, &self.clock))
    }

    fn object_at(&self, container: &str, name: &str, at: Timestamp) -> Option<&Arc<StoredObject>> {
        let object = self.containers.get(container)?.objects.get(name, at)?;
        (!object.has_expired(self.clock.now())).then_some(object)
    }

    /// A change that is made now.
    fn change(&mut self) -> Change {
        Change {
            now: self.clock.tick(),
            listings: self.listings.oldest(&self.clock),
            reads: self.reads.oldest(&self.clock),
        }
    }

    /// Stores an object whole, unless a newer write or delete has overtaken it. Not if there is no such container.
    pub(crate) fn put_object(&mut self, container: &str, name: &str, object: StoredObject) {
        let change = self.change();
        if let Some(container) = self.containers.get_mut(container) {
            container.put(name, object, change);
        }
    }

    /// Whether there is something of this name that is newer than a write of this moment: by the clock of another
    /// proxy, or because the two met.
    pub(crate) fn has_newer(&self, container: &str, name: &str, than: Timestamp) -> bool {
        self.object(container, name).is_some_and(|object| object.modified > than)
    }

    /// Deletes an object.
    pub(crate) fn delete_object(&mut self, container: &str, name: &str) -> Deletion {
        let found = self.object(container, name).is_some();
        let change = self.change();
        if self.has_newer(container, name, change.now) {
            return Deletion::Conflict;
        }
        if let Some(container) = self.containers.get_mut(container) {
            container.delete(name, change);
        }
        if found { Deletion::Done } else { Deletion::NotFound }
    }

    /// Takes an object away, if there is one, and leaves it in the listing, or brings it there.
    pub(crate) fn make_ghost(&mut self, container: &str, name: &str) {
        let change = self.change();
        if let Some(container) = self.containers.get_mut(container) {
            container.make_ghost(name, change);
        }
    }
}

/// What came of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    Done,
    /// There was none to be read.
    NotFound,
    /// It is newer than the delete, and stays.
    Conflict,
}

impl Deletion {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Done => StatusCode::NO_CONTENT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
        }
    }
}

/// When a change is made, and since when the past must be kept that others may show.
#[derive(Debug, Clone, Copy)]
struct Change {
    now: Timestamp,
    listings: Timestamp,
    reads: Timestamp,
}

/// A container: its objects, and its listing of them.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) created: Timestamp,
    /// `X-Container-Meta-` headers.
    pub(crate) metadata: HeaderMap,
    objects: History<Arc<StoredObject>>,
    /// When a name was last deleted: a PUT that began before must not bring it back.
    tombstones: BTreeMap<String, Timestamp>,
    rows: History<Row>,
}

/// What a listing has of an object.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Size as a reader finds it, but for a dynamic large object, which is listed as it is stored.
    pub(crate) bytes: u64,
    /// Size of what is stored, which is what the account is charged for.
    pub(crate) stored: u64,
    /// MD5 of what is stored, so that of the manifest in the case of a static large object.
    pub(crate) hash: String,
    pub(crate) content_type: String,
    pub(crate) modified: Timestamp,
    /// ETag of a static large object, without quotes.
    pub(crate) slo_etag: Option<String>,
}

impl Row {
    fn of_nothing(modified: Timestamp) -> Self {
        Self {
            bytes: 0,
            stored: 0,
            hash: md5_hex(b""),
            content_type: "application/octet-stream".into(),
            modified,
            slo_etag: None,
        }
    }
}

impl Container {
    fn new(created: Timestamp) -> Self {
        Self {
            created,
            metadata: HeaderMap::new(),
            objects: History::default(),
            tombstones: BTreeMap::new(),
            rows: History::default(),
        }
    }

    /// How many objects the listing has at a moment, and what they take to store, in bytes.
    pub(crate) fn usage(&self, at: Timestamp) -> (u64, u64) {
        self.rows.at(at).fold((0, 0), |(count, bytes), (_, row)| (count + 1, bytes + row.stored))
    }

    /// The listing.
    pub(crate) fn rows(&self) -> &History<Row> {
        &self.rows
    }

    /// The rows of a listing whose names begin with `prefix`.
    pub(crate) fn rows_with<'a>(
        &'a self,
        prefix: &'a str,
        at: Timestamp,
    ) -> impl Iterator<Item = (&'a str, &'a Row)> {
        self.rows
            .range((Bound::Included(prefix), Bound::Unbounded), at)
            .take_while(move |(name, _)| name.starts_with(prefix))
    }

    /// Names of all objects, as the object servers have them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.objects.at(Timestamp::LATEST).map(|(name, _)| name)
    }

    fn put(&mut self, name: &str, object: StoredObject, change: Change) {
        let newest = self.objects.get(name, Timestamp::LATEST);
        let overtaken = newest.is_some_and(|other| other.written > object.written)
            || self.tombstones.get(name).is_some_and(|deleted| *deleted > object.written);
        if !overtaken {
            self.rows.set(name, Some(object.row()), change.now, change.listings);
            self.objects.set(name, Some(Arc::new(object)), change.now, change.reads);
        }
    }

    fn delete(&mut self, name: &str, change: Change) {
        self.objects.set(name, None, change.now, change.reads);
        self.tombstones.insert(name.to_owned(), change.now);
        self.rows.set(name, None, change.now, change.listings);
    }

    fn make_ghost(&mut self, name: &str, change: Change) {
        self.objects.set(name, None, change.now, change.reads);
        if self.rows.get(name, Timestamp::LATEST).is_none() {
            self.rows.set(name, Some(Row::of_nothing(change.now)), change.now, change.listings);
        }
    }
}

/// An object, complete. A change makes a new one.
#[derive(Debug, Clone)]
pub(crate) struct StoredObject {
    /// The content; of a static large object, its manifest in JSON.
    pub(crate) data: Bytes,
    /// MD5 of `data`, in hex.
    pub(crate) etag: String,
    pub(crate) content_type: String,
    /// The headers that are kept and given back, user metadata among them.
    pub(crate) headers: HeaderMap,
    pub(crate) manifest: Option<Manifest>,
    /// When the PUT began that stored the content.
    pub(crate) written: Timestamp,
    /// When content or metadata last changed.
    pub(crate) modified: Timestamp,
}

impl StoredObject {
    /// A plain object without a header.
    pub(crate) fn plain(data: Bytes, written: Timestamp) -> Self {
        Self {
            etag: md5_hex(&data),
            data,
            content_type: "application/octet-stream".into(),
            headers: HeaderMap::new(),
            manifest: None,
            written,
            modified: written,
        }
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        let at = self.headers.get(X_DELETE_AT).and_then(|at| at.to_str().ok()?.parse().ok());
        at.is_some_and(|at| Timestamp::from_seconds(at) <= now)
    }

    fn row(&self) -> Row {
        Row {
            bytes: self.manifest.as_ref().map_or(self.data.len() as u64, Manifest::size),
            stored: self.data.len() as u64,
            hash: self.etag.clone(),
            content_type: self.content_type.clone(),
            modified: self.modified,
            slo_etag: self.manifest.as_ref().map(Manifest::etag),
        }
    }
}

#[cfg(test)]
mod tests;
