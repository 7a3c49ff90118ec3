//! Files as an image keeps them: names, kinds, modes, contents, and which names are links to the same file.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::support::content::digest;

/// Everything below a directory, and itself, by path from there.
pub(crate) type Tree = BTreeMap<PathBuf, Entry>;

/// One name in a tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Permissions, with setuid, setgid and sticky.
    mode: u32,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    /// The digest of what is in it, and of all its names the one that sorts first.
    File(String, PathBuf),
    /// Where it points.
    Symlink(PathBuf),
}

/// Reads a tree.
pub(crate) fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut first_names = HashMap::new();
    // The last is read next, so that of the names of a file the first comes first.
    let mut paths = vec![PathBuf::new()];
    while let Some(path) = paths.pop() {
        let place = if path.as_os_str().is_empty() { root.to_owned() } else { root.join(&path) };
        let metadata = fs::symlink_metadata(&place).unwrap();
        let kind = if metadata.is_dir() {
            let mut names: Vec<_> =
                fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort_unstable();
            paths.extend(names.into_iter().rev().map(|name| path.join(name)));
            Kind::Directory
        } else if metadata.is_symlink() {
            Kind::Symlink(fs::read_link(&place).unwrap())
        } else {
            assert!(metadata.is_file(), "{} is neither file nor directory nor link", place.display());
            let first = first_names.entry(metadata.ino()).or_insert_with(|| path.clone());
            Kind::File(digest(&fs::read(&place).unwrap()), first.clone())
        };
        found.insert(path, Entry { mode: metadata.mode() & 0o7777, kind });
    }
    found
}

/// Fails the test unless the trees are the same, and says where they are not.
#[track_caller]
pub(crate) fn assert_same(found: &Tree, wanted: &Tree) {
    let names = found.keys().chain(wanted.keys().filter(|name| !found.contains_key(*name)));
    let other: Vec<_> = names
        .filter(|name| found.get(*name) != wanted.get(*name))
        .map(|name| format!("{}: {:?} instead of {:?}", name.display(), found.get(name), wanted.get(name)))
        .collect();
    assert!(other.is_empty(), "{} of {}:\n{}", other.len(), wanted.len(), other.join("\n"));
}
