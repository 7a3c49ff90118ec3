//! The blobs as they lie in storage, read past Apus: what lies under the name of a digest must have this digest.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::content;
use crate::support::swift::Container;

/// Below which blobs lie, as `<first two digits>/<all digits>/data`.
const BLOBS: &str = "docker/registry/v2/blobs/sha256/";
/// The longest listing that a Swift gives in one answer.
const LISTING: usize = 10_000;

enum Store {
    Directory(PathBuf),
    Container(Container),
}

/// The blobs that have been found in storage.
pub(super) struct Audit {
    store: Store,
    found: BTreeSet<String>,
}

impl Audit {
    pub(super) fn of_directory(directory: &Path) -> Self {
        Self { store: Store::Directory(directory.to_owned()), found: BTreeSet::new() }
    }

    pub(super) async fn of_container(name: &str) -> Self {
        Self { store: Store::Container(Container::open(name).await), found: BTreeSet::new() }
    }

    /// Reads every blob that has not been read before.
    pub(super) async fn look_at_what_is_new(&mut self) {
        for name in self.store.names().await {
            let Some(hex) = digits(&name) else { continue };
            let digest = format!("sha256:{hex}");
            if !self.found.contains(&digest) {
                let actual = self.store.digest(&name).await;
                assert_eq!(actual, digest, "{name} holds something else");
                self.found.insert(digest);
            }
        }
    }

    /// Reads every blob.
    pub(super) async fn look_at_all(&mut self) {
        self.found.clear();
        self.look_at_what_is_new().await;
    }

    pub(super) fn has_found(&self, digest: &str) -> bool {
        self.found.contains(digest)
    }

    /// The digests of all that have been found.
    pub(super) fn found(&self) -> &BTreeSet<String> {
        &self.found
    }
}

impl Store {
    /// The names of all objects.
    async fn names(&self) -> Vec<String> {
        match self {
            Self::Directory(directory) => {
                let mut names = Vec::new();
                walk(directory, &mut names);
                names
            }
            Self::Container(container) => {
                let names = container.names().await;
                assert!(names.len() < LISTING, "the listing may have another page");
                names
            }
        }
    }

    /// The digest of an object's content.
    async fn digest(&self, name: &str) -> String {
        match self {
            Self::Directory(_) => content::digest(&fs::read(name).unwrap()),
            Self::Container(container) => content::digest(&container.get(name).await.expect(200).body),
        }
    }
}

/// The digits of the digest, when this is the name of a blob.
fn digits(name: &str) -> Option<&str> {
    let (_, blob) = name.split_once(BLOBS)?;
    blob.strip_suffix("/data")?.split_once('/').map(|(_, hex)| hex)
}

/// The paths of all files below a directory.
fn walk(directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), files);
        } else {
            files.push(entry.path().into_os_string().into_string().unwrap());
        }
    }
}
