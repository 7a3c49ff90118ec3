//! The data: objects, and apart from them the containers' listings, as Swift keeps them on different servers.
//!
//! A listing follows a write by one call, `Container::list`, so that a store whose listings lag or disagree can be
//! made of this one there. Nothing in here knows about HTTP but headers, which Swift keeps as they come.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::HeaderName;

use crate::clock::{Clock, Timestamp};
use crate::manifest::Manifest;
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
}

impl State {
    pub(crate) fn new() -> Self {
        let mut clock = Clock::new();
        let created = clock.tick();
        Self {
            clock,
            tokens: Tokens::default(),
            created,
            metadata: HeaderMap::new(),
            containers: BTreeMap::new(),
        }
    }

    /// Creates a container; `false` if there is one of the name.
    pub(crate) fn create_container(&mut self, name: &str) -> bool {
        if self.containers.contains_key(name) {
            return false;
        }
        let created = self.clock.tick();
        self.containers.insert(name.to_owned(), Container::new(created));
        true
    }

    /// The object of this name that a reader gets.
    pub(crate) fn object(&self, container: &str, name: &str) -> Option<&Arc<StoredObject>> {
        self.containers.get(container)?.object(name, self.clock.now())
    }

    /// Deletes an object; `false` if there was none to be read.
    pub(crate) fn delete_object(&mut self, container: &str, name: &str) -> bool {
        let now = self.clock.tick();
        self.containers.get_mut(container).is_some_and(|container| container.delete(name, now))
    }
}

/// A container: its objects, and its listing of them.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) created: Timestamp,
    /// `X-Container-Meta-` headers.
    pub(crate) metadata: HeaderMap,
    objects: BTreeMap<String, Arc<StoredObject>>,
    /// When a name was last deleted: a PUT that began before must not bring it back.
    tombstones: BTreeMap<String, Timestamp>,
    rows: BTreeMap<String, Row>,
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

impl Container {
    fn new(created: Timestamp) -> Self {
        Self {
            created,
            metadata: HeaderMap::new(),
            objects: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    /// What the listing's objects take to store, in bytes.
    pub(crate) fn bytes_used(&self) -> u64 {
        self.rows.values().map(|row| row.stored).sum()
    }

    /// The listing.
    pub(crate) fn rows(&self) -> &BTreeMap<String, Row> {
        &self.rows
    }

    /// Names of all objects, as the object servers have them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.objects.keys()
    }

    /// The object of this name that a reader gets: not one that has expired.
    pub(crate) fn object(&self, name: &str, now: Timestamp) -> Option<&Arc<StoredObject>> {
        self.objects.get(name).filter(|object| !object.has_expired(now))
    }

    /// Stores an object whole, unless a newer write or delete has overtaken it.
    pub(crate) fn put(&mut self, name: &str, object: StoredObject) {
        let overtaken = self.objects.get(name).is_some_and(|other| other.written > object.written)
            || self.tombstones.get(name).is_some_and(|deleted| *deleted > object.written);
        if !overtaken {
            self.list(name, Some(object.row()));
            self.objects.insert(name.to_owned(), Arc::new(object));
        }
    }

    /// Deletes an object; `false` if there was none to be read.
    pub(crate) fn delete(&mut self, name: &str, now: Timestamp) -> bool {
        let found = self.object(name, now).is_some();
        self.objects.remove(name);
        self.tombstones.insert(name.to_owned(), now);
        self.list(name, None);
        found
    }

    /// Tells the listing of a write (its new row) or a delete (none).
    fn list(&mut self, name: &str, row: Option<Row>) {
        match row {
            Some(row) => self.rows.insert(name.to_owned(), row),
            None => self.rows.remove(name),
        };
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
