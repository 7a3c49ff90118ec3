//! One page of a listing. A directory is compared as its name with a slash, so that walking each directory in this order
//! is walking the whole tree in the order of the names' bytes.
//!
//! Of each directory on the way down only as many names are held as the page still needs, whatever its size; a page goes on
//! in the middle of the tree by leaving out what lies before its marker without entering it.

use std::collections::BinaryHeap;
use std::fs;
use std::io;

use super::paths;
use super::read;
use super::subject::{Subject, absent_as_none};
use crate::{ListEntry, ListPage, ListRequest, ObjectName, Result, StorageError};

/// At least so many names of a directory are held. A directory of many empty directories is read again for each so many.
const LEAST_HELD: usize = 500;

/// The page that `request` asks for.
pub(super) fn page(request: &ListRequest, subject: &Subject) -> Result<ListPage> {
    let prefix = request.prefix();
    let after = request.after.as_deref().unwrap_or_default();
    let marker = match after.strip_prefix(&prefix) {
        Some(marker) => marker,
        None if after < prefix.as_str() => "",
        None => return Ok(ListPage::default()),
    };
    let limit = request.limit.max(1);
    // One more than asked for: it tells whether there is another page.
    let mut walk =
        Walk { subject, one_level: request.one_level, wanted: limit.saturating_add(1), entries: Vec::new() };
    walk.directory(&prefix, marker)?;
    let mut page = ListPage { entries: walk.entries, next: None };
    if page.entries.len() > limit {
        page.entries.truncate(limit);
        page.next = page.entries.last().map(ListEntry::key);
    }
    Ok(page)
}

struct Walk<'a> {
    subject: &'a Subject,
    one_level: bool,
    wanted: usize,
    entries: Vec<ListEntry>,
}

/// A file as its name, a directory as its name with a slash.
type Key = String;

impl Walk<'_> {
    /// Takes in what lies in the directory `prefix` (empty, or with its closing slash) after `marker`, which is relative
    /// to it.
    fn directory(&mut self, prefix: &str, marker: &str) -> Result<()> {
        let mut seen = Key::new();
        loop {
            let room = self.missing().max(LEAST_HELD);
            let (keys, is_all) =
                self.keys(prefix, marker, &seen, room).map_err(|error| self.failed(prefix, error))?;
            for key in &keys {
                self.take(prefix, key, marker)?;
                if self.missing() == 0 {
                    return Ok(());
                }
            }
            match keys.into_iter().next_back() {
                Some(last) if !is_all => seen = last,
                _ => return Ok(()),
            }
        }
    }

    fn missing(&self) -> usize {
        self.wanted.saturating_sub(self.entries.len())
    }

    /// The `room` smallest keys of a directory that come after `marker`, or have it within them, and after `seen`; and
    /// whether that is all.
    fn keys(&self, prefix: &str, marker: &str, seen: &str, room: usize) -> io::Result<(Vec<Key>, bool)> {
        let mut smallest = BinaryHeap::new();
        let mut is_all = true;
        // No such directory, or none any more: nothing lies in it.
        let Some(listing) = absent_as_none(fs::read_dir(self.subject.paths().root().join(prefix)))? else {
            return Ok((Vec::new(), true));
        };
        for entry in listing {
            let Some(key) = key(&entry?)? else { continue };
            let is_ours = prefix.is_empty() && paths::is_reserved(&key);
            let is_behind = key.as_str() > marker || (marker.starts_with(&key) && key.ends_with('/'));
            if is_ours || !is_behind || key.as_str() <= seen {
                continue;
            }
            smallest.push(key);
            if smallest.len() > room {
                smallest.pop();
                is_all = false;
            }
        }
        Ok((smallest.into_sorted_vec(), is_all))
    }

    fn take(&mut self, prefix: &str, key: &str, marker: &str) -> Result<()> {
        let path = format!("{prefix}{key}");
        let (name, is_directory) = match path.strip_suffix('/') {
            Some(directory) => (directory, true),
            None => (path.as_str(), false),
        };
        // What nobody can ask for by its name is not ours.
        let Ok(name) = ObjectName::parse(name) else { return Ok(()) };
        if !is_directory {
            let found = read::stat(&self.subject.paths().root().join(&path))
                .map_err(|error| self.failed(&path, error))?;
            if let Some(info) = found {
                self.entries.push(ListEntry::Object { name, size: info.size, modified: info.modified });
            }
        } else if !self.one_level {
            self.directory(&path, marker.strip_prefix(key).unwrap_or_default())?;
        } else if key > marker && self.holds_object(&path)? {
            self.entries.push(ListEntry::Prefix(name));
        }
        Ok(())
    }

    /// What failed is a place below the one that was asked for.
    fn failed(&self, path: &str, error: io::Error) -> StorageError {
        self.subject.of(path).io(error)
    }

    fn holds_object(&self, prefix: &str) -> Result<bool> {
        let mut walk = Walk { subject: self.subject, one_level: false, wanted: 1, entries: Vec::new() };
        walk.directory(prefix, "")?;
        Ok(!walk.entries.is_empty())
    }
}

/// The key of a file or directory; `None` for anything else, and for names that are not UTF-8.
fn key(entry: &fs::DirEntry) -> io::Result<Option<Key>> {
    let Ok(name) = entry.file_name().into_string() else { return Ok(None) };
    let mut kind = entry.file_type()?;
    if kind.is_symlink() {
        match absent_as_none(fs::metadata(entry.path()))? {
            Some(metadata) => kind = metadata.file_type(),
            None => return Ok(None),
        }
    }
    Ok(if kind.is_dir() { Some(name + "/") } else { kind.is_file().then_some(name) })
}
