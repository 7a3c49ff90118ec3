//! Which object of a registry of version 2 is asked for: the names in [`apus_registry::layout`], read.

use apus_registry::{Digest, Tag, layout};
use apus_storage::ObjectName;

use crate::Repository;

/// An object of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// Says which manifest a tag points to.
    Tag(Repository, String),
    /// Says that a repository has a manifest.
    Manifest(Repository, Digest),
    /// Says that a repository has a blob.
    Blob(Repository, Digest),
    /// The bytes of a blob or manifest.
    Content(Digest),
}

impl Shown {
    /// `None` for what no image of an old registry can have.
    pub(super) fn parse(name: &ObjectName) -> Option<Self> {
        let name = name.as_str().strip_prefix(layout::ROOT)?.strip_prefix('/')?;
        if let Some(content) = name.strip_prefix("blobs/") {
            let (algorithm, rest) = content.strip_suffix("/data")?.split_once('/')?;
            let (_, hex) = rest.split_once('/')?;
            return Some(Self::Content(digest(algorithm, hex)?));
        }
        let (repository, own) = name.strip_prefix("repositories/")?.split_once("/_")?;
        let repository = Repository::of_familiar(repository)?;
        if let Some(tag) = own.strip_prefix("manifests/tags/") {
            let tag = Tag::parse(tag.strip_suffix("/current/link")?).ok()?;
            return Some(Self::Tag(repository, tag.to_string()));
        }
        let link = |link: &str| {
            let (algorithm, hex) = link.strip_suffix("/link")?.split_once('/')?;
            digest(algorithm, hex)
        };
        if let Some(manifest) = own.strip_prefix("manifests/revisions/") {
            return Some(Self::Manifest(repository, link(manifest)?));
        }
        Some(Self::Blob(repository, link(own.strip_prefix("layers/")?)?))
    }
}

fn digest(algorithm: &str, hex: &str) -> Option<Digest> {
    Digest::parse(&format!("{algorithm}:{hex}")).ok()
}

#[cfg(test)]
mod tests;
