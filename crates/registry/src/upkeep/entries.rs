//! What an object below `docker/registry/v2/` is, by its name alone. Whoever sorts a listing into what it shows does it here:
//! this is the only place in upkeep that takes names apart.

use crate::Digest;

/// An object of a repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Says that the repository has a blob. Without a digest where the algorithm is none of ours.
    Layer(Option<Digest>),
    /// Says that the repository has a manifest.
    Revision(Digest),
    /// Names the signature of a manifest of schema 1 (registry up to 2.3): the manifest, and the blob.
    Signature(Digest, Digest),
    /// Says what a tag points to.
    Tag(String),
    /// Says what a tag has once pointed to (registry:2).
    History(Digest),
    /// Says that a manifest has another as its subject: the subject, and the manifest.
    Referrer(Digest, Digest),
    /// Belongs to an upload of registry:2. It names nothing.
    Upload,
    /// Nothing that means anything: what others have left here.
    Other,
    /// It may name something, but only to a registry that knows more than this one.
    Unknown,
}

/// Takes apart a name below `repositories/`: the repository, and what the object is to it. `None` where the object belongs to no
/// repository.
pub(super) fn of_repository(path: &str) -> Option<(&str, Entry)> {
    // No component of a repository's name begins with an underscore, so the first that does is its own.
    let (repository, own) = path.split_once("/_")?;
    let parts: Vec<&str> = own.split('/').collect();
    let is_link = parts.last() == Some(&"link");
    let entry = match parts.as_slice() {
        ["layers", algorithm @ .., hex, "link"] => Entry::Layer(digest(&algorithm.join("/"), hex)),
        ["manifests", "revisions", algorithm, hex, "link"] => {
            digest(algorithm, hex).map_or(Entry::Unknown, Entry::Revision)
        }
        ["manifests", "revisions", algorithm, hex, "signatures", of_signature, signature, "link"] => {
            match (digest(algorithm, hex), digest(of_signature, signature)) {
                (Some(manifest), Some(signature)) => Entry::Signature(manifest, signature),
                _ => Entry::Unknown,
            }
        }
        ["manifests", "tags", tag, "current", "link"] => Entry::Tag((*tag).to_owned()),
        ["manifests", "tags", _, "index", algorithm, hex, "link"] => {
            digest(algorithm, hex).map_or(Entry::Unknown, Entry::History)
        }
        ["referrers", "1", algorithm, subject, of_referrer, referrer, "link"] => {
            match (digest(algorithm, subject), digest(of_referrer, referrer)) {
                (Some(subject), Some(referrer)) => Entry::Referrer(subject, referrer),
                _ => Entry::Unknown,
            }
        }
        ["uploads", ..] => Entry::Upload,
        ["layers" | "manifests", ..] if !is_link => Entry::Other,
        _ => Entry::Unknown,
    };
    Some((repository, entry))
}

/// Takes apart a name below `blobs/`: the digest of the blob that lies there. `None` where there is none that a manifest could
/// name.
pub(super) fn of_blob(path: &str) -> Option<Digest> {
    let mut parts = path.split('/');
    let (algorithm, shard, hex, data) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_blob = data == "data" && parts.next().is_none() && hex.get(..2) == Some(shard);
    digest(algorithm, hex).filter(|_| is_blob)
}

fn digest(algorithm: &str, hex: &str) -> Option<Digest> {
    Digest::parse(&format!("{algorithm}:{hex}")).ok()
}

#[cfg(test)]
mod tests;
