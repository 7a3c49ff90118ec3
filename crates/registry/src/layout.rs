//! Which object holds what. The names are those of registry:2, so that either registry reads what the other wrote;
//! `docs/layout.md` fixes them, and what Apus adds.

use apus_storage::{InvalidName, ObjectName};

use crate::{Digest, RepositoryName, Tag};

/// Where everything of the protocol's version 2 lies.
pub const ROOT: &str = "docker/registry/v2";

/// The key that signs upload URLs, for replicas that share no secret by configuration. Added by Apus; registry:2 looks only
/// at what lies under `docker/`.
pub const UPLOAD_SECRET: &str = "apus/upload-secret";

/// The content of a blob or a manifest, shared by all repositories.
pub fn blob_data(digest: &Digest) -> Result<ObjectName, InvalidName> {
    let (algorithm, hex) = (digest.algorithm().name(), digest.hex());
    let shard = hex.get(..2).unwrap_or(hex);
    ObjectName::parse(format!("{ROOT}/blobs/{algorithm}/{shard}/{hex}/data"))
}

/// Under which all blobs lie.
pub fn blobs() -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/blobs"))
}

/// Says that a repository has a blob.
pub fn layer_link(repository: &RepositoryName, digest: &Digest) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}/_layers/{}/link", path(digest)))
}

/// Says that a repository has a manifest.
pub fn revision_link(repository: &RepositoryName, digest: &Digest) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}/_manifests/revisions/{}/link", path(digest)))
}

/// Says which manifest a tag points to.
pub fn tag_link(repository: &RepositoryName, tag: &Tag) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}/_manifests/tags/{tag}/current/link"))
}

/// Under which everything of a tag lies: its link, and where registry:2 wrote it, its history.
pub fn tag(repository: &RepositoryName, tag: &Tag) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}/_manifests/tags/{tag}"))
}

/// Under which the tags of a repository lie.
pub fn tags(repository: &RepositoryName) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}/_manifests/tags"))
}

/// Under which all repositories lie.
pub fn repositories() -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories"))
}

/// Under which everything of a repository lies, and what belongs to those nested in its name.
pub fn repository(repository: &RepositoryName) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}"))
}

/// Says that a manifest of the repository has another as its subject. Added by Apus; the `1` is the version of the format.
pub fn referrer_link(
    repository: &RepositoryName,
    subject: &Digest,
    referrer: &Digest,
) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{}/{}/link", referrers(repository, subject)?, path(referrer)))
}

/// Under which the referrers of a subject lie.
pub fn referrers(repository: &RepositoryName, subject: &Digest) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{ROOT}/repositories/{repository}/_referrers/1/{}", path(subject)))
}

/// The digest that a link's name ends in.
#[must_use]
pub fn digest_of_link(link: &str) -> Option<Digest> {
    let (rest, _) = link.rsplit_once("/link")?;
    let (rest, hex) = rest.rsplit_once('/')?;
    let (_, algorithm) = rest.rsplit_once('/')?;
    Digest::parse(&format!("{algorithm}:{hex}")).ok()
}

fn path(digest: &Digest) -> String {
    format!("{}/{}", digest.algorithm().name(), digest.hex())
}
