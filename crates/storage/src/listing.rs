//! Listings: names under a prefix, page after page, in the order of their bytes.

use std::time::SystemTime;

use crate::{InvalidName, ObjectName};

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    prefix: Option<ObjectName>,
    /// Only names after this one, by bytes. It need not exist.
    pub after: Option<String>,
    /// One level only: what lies deeper is folded into one [`ListEntry::Prefix`].
    pub one_level: bool,
    /// At most this many entries in a page. A backend may give fewer, and at least one if there is one.
    pub limit: usize,
}

impl ListRequest {
    /// Entries in a page unless told otherwise: what a stock Swift gives at most.
    pub const DEFAULT_LIMIT: usize = 10_000;

    /// Everything that lies under `prefix`, itself not included, at all depths.
    #[must_use]
    pub fn under(prefix: ObjectName) -> Self {
        Self { prefix: Some(prefix), ..Self::everything() }
    }

    /// Every object of the store.
    #[must_use]
    pub fn everything() -> Self {
        Self { prefix: None, after: None, one_level: false, limit: Self::DEFAULT_LIMIT }
    }

    /// Fold what lies deeper than one level.
    #[must_use]
    pub fn one_level(mut self) -> Self {
        self.one_level = true;
        self
    }

    /// Begin after this name.
    #[must_use]
    pub fn after(mut self, name: impl Into<String>) -> Self {
        self.after = Some(name.into());
        self
    }

    /// At most `limit` entries; 0 counts as 1.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// The prefix as text, with its closing `/`; empty for the whole store. It is always a directory boundary.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.prefix.as_ref().map_or_else(String::new, |prefix| format!("{prefix}/"))
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// In the order of their bytes, a prefix counted with its closing `/`.
    pub entries: Vec<ListEntry>,
    /// Where to go on ([`ListRequest::after`]); `None` only when the listing is complete.
    pub next: Option<String>,
}

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListEntry {
    /// An object. On Swift a listing may lag behind the objects, and show a size that is no longer true.
    Object {
        /// Its whole name.
        name: ObjectName,
        /// Bytes of content.
        size: u64,
        /// When it was written or touched last.
        modified: SystemTime,
    },
    /// At least one object lies deeper under this name ([`ListRequest::one_level`]).
    Prefix(ObjectName),
}

impl ListEntry {
    /// The name of the object, or the prefix without its closing `/`.
    #[must_use]
    pub fn name(&self) -> &ObjectName {
        match self {
            Self::Object { name, .. } | Self::Prefix(name) => name,
        }
    }

    /// The key by which entries are ordered and listings go on: the name, a prefix with its closing `/`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Object { name, .. } => name.to_string(),
            Self::Prefix(name) => format!("{name}/"),
        }
    }

    /// Takes a prefix as a listing shows it, with or without its closing `/`.
    pub fn prefix(text: &str) -> Result<Self, InvalidName> {
        ObjectName::parse(text.strip_suffix('/').unwrap_or(text)).map(Self::Prefix)
    }
}
