//! Which object holds what: the thirteen kinds of docker-registry-core 2.0, by its names, under the root that `storage_path`
//! names. Nothing here reads or writes.

use apus_storage::{InvalidName, ObjectName};

use crate::encoding::{component, quote_plus, read_component, unquote_plus};
use crate::{ImageId, Repository};

/// Under which all images lie.
pub const IMAGES: &str = "images";
/// Under which all repositories lie.
pub const REPOSITORIES: &str = "repositories";

/// What is kept of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImagePart {
    /// What the client said of it, byte for byte: the checksum depends on it.
    Json,
    /// Its files, byte for byte as they were sent: a tar archive, compressed or not.
    Layer,
    /// JSON: its identifier, its parent's, and so on to the one without a parent.
    Ancestry,
    /// JSON: the checksums that it may have; in very old data one checksum without JSON around it.
    Checksum,
    /// Is there for as long as the upload is unfinished.
    InProgress,
    /// JSON, made by the registry itself: what files there are.
    Files,
    /// JSON, made by the registry itself: which files differ from the parent's.
    Diff,
}

impl ImagePart {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Json, Self::Layer, Self::Ancestry, Self::Checksum, Self::InProgress, Self::Files, Self::Diff];

    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Layer => "layer",
            Self::Ancestry => "ancestry",
            Self::Checksum => "_checksum",
            Self::InProgress => "_inprogress",
            Self::Files => "_files",
            Self::Diff => "_diff",
        }
    }
}

/// What is kept of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryPart {
    /// The identifier of the image that a tag means, and nothing around it.
    Tag(String),
    /// JSON: which client set the tag.
    TagJson(String),
    /// JSON: the same of the tag `latest`.
    Json,
    /// JSON: the images that clients said they would push. Not to be relied on: it never shrinks.
    IndexImages,
    /// JSON: the images of the repository as an index named them.
    ImagesList,
    /// Is there, and empty, if the repository is private.
    Private,
}

/// Where a part of an image lies.
pub fn image(id: &ImageId, part: ImagePart) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{IMAGES}/{id}/{}", part.name()))
}

/// Under which all that is kept of an image lies.
pub fn image_folder(id: &ImageId) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{IMAGES}/{id}"))
}

/// Under which all repositories of a namespace lie.
pub fn namespace_folder(namespace: &str) -> Result<ObjectName, InvalidName> {
    ObjectName::parse(format!("{REPOSITORIES}/{}", component(namespace)))
}

/// Under which all that is kept of a repository lies. The name is quoted twice, the namespace once: so the original did.
pub fn repository_folder(repository: &Repository) -> Result<ObjectName, InvalidName> {
    let (namespace, name) = (component(repository.namespace()), component(&quote_plus(repository.name())));
    ObjectName::parse(format!("{REPOSITORIES}/{namespace}/{name}"))
}

/// Where a part of a repository lies.
pub fn repository(repository: &Repository, part: &RepositoryPart) -> Result<ObjectName, InvalidName> {
    let name = match part {
        RepositoryPart::Tag(tag) => format!("tag_{}", component(tag)),
        RepositoryPart::TagJson(tag) => format!("tag{}_json", component(tag)),
        RepositoryPart::Json => "json".to_owned(),
        RepositoryPart::IndexImages => "_index_images".to_owned(),
        RepositoryPart::ImagesList => "_images_list".to_owned(),
        RepositoryPart::Private => "_private".to_owned(),
    };
    ObjectName::parse(format!("{}/{name}", repository_folder(repository)?))
}

/// The repository and the part that an object under [`REPOSITORIES`] is; `None` for what the original did not write.
///
/// The names of two tags can meet: `tag_x_json` is the tag `x_json`, or what is known of the tag `_x`. As in the original it is
/// the tag, and its content tells: it is an image's identifier, or it is not.
#[must_use]
pub fn read_repository(name: &ObjectName) -> Option<(Repository, RepositoryPart)> {
    let mut components = name.components();
    let [root, namespace, repository, part] =
        [components.next()?, components.next()?, components.next()?, components.next()?];
    if root != REPOSITORIES || components.next().is_some() {
        return None;
    }
    let repository = read_names(namespace, repository)?;
    let part = match part {
        "json" => RepositoryPart::Json,
        "_index_images" => RepositoryPart::IndexImages,
        "_images_list" => RepositoryPart::ImagesList,
        "_private" => RepositoryPart::Private,
        other => {
            if let Some(tag) = other.strip_prefix("tag_") {
                RepositoryPart::Tag(read_component(tag)?)
            } else {
                let tag = other.strip_prefix("tag")?.strip_suffix("_json")?;
                RepositoryPart::TagJson(read_component(tag)?)
            }
        }
    };
    Some((repository, part))
}

/// The repository whose folder this is; `None` for what the original did not write.
#[must_use]
pub fn read_repository_folder(name: &ObjectName) -> Option<Repository> {
    let mut components = name.components();
    let [root, namespace, repository] = [components.next()?, components.next()?, components.next()?];
    let is_folder = root == REPOSITORIES && components.next().is_none();
    if is_folder { read_names(namespace, repository) } else { None }
}

fn read_names(namespace: &str, repository: &str) -> Option<Repository> {
    let repository = unquote_plus(&read_component(repository)?)?;
    Repository::new(&read_component(namespace)?, &repository)
}

#[cfg(test)]
mod tests;
