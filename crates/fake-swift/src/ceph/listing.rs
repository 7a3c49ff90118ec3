//! Listings in JSON as the gateway writes them: without spaces, names as they are, times in UTC that say so.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::json::compact;
use crate::listing::Entry;
use crate::state::Row;

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Object { name: &'a str, hash: &'a str, bytes: u64, content_type: &'a str, last_modified: String },
    Container { name: &'a str, count: u64, bytes: u64 },
    Subdir { subdir: &'a str },
}

/// The objects on a page. A large object is listed with the size of what is stored for it, which is its manifest.
pub(crate) fn objects(entries: &[Entry<'_, Row>]) -> Vec<u8> {
    let lines = entries.iter().map(|entry| match entry {
        Entry::Name(name, row) => Line::Object {
            name,
            hash: &row.hash,
            bytes: row.stored,
            content_type: &row.content_type,
            last_modified: row.modified.as_iso_in_millis(),
        },
        Entry::Subdir(subdir) => Line::Subdir { subdir },
    });
    compact(&lines.collect::<Vec<_>>())
}

/// The containers on a page, with what `usage` says of each: how many objects, how many bytes.
pub(crate) fn containers(entries: &[Entry<'_, Timestamp>], usage: impl Fn(&str) -> (u64, u64)) -> Vec<u8> {
    let lines = entries.iter().map(|entry| match entry {
        Entry::Name(name, _) => {
            let (count, bytes) = usage(name);
            Line::Container { name, count, bytes }
        }
        Entry::Subdir(subdir) => Line::Subdir { subdir },
    });
    compact(&lines.collect::<Vec<_>>())
}
