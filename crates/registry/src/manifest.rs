//! Reading manifests: just enough to know what a document is and what it refers to. A manifest is stored and served byte for
//! byte; nothing is ever written from what is parsed here.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::{Digest, Error, Platform, Result};

/// The most blobs and manifests that a manifest may name, each counted once: images have hundreds of layers at most, and to
/// look for one costs up to two requests at storage.
pub(crate) const MOST_REFERENCES: usize = 10_000;

/// The media type of a manifest: any text that can stand in a header, without parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MediaType(String);

/// `application/vnd.oci.image.manifest.v1+json`
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// `application/vnd.oci.image.index.v1+json`
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// `application/vnd.docker.distribution.manifest.v2+json`
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// `application/vnd.docker.distribution.manifest.list.v2+json`
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// `application/vnd.docker.distribution.manifest.v1+prettyjws`
const SCHEMA_1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// `application/vnd.docker.distribution.manifest.v1+json`
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";

impl MediaType {
    /// Takes the value of a `Content-Type` in, without its parameters; `None` when there is nothing that could be one.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let essence = value.split(';').next().unwrap_or_default().trim();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
        let is_type = essence.len() <= 255
            && essence.split_once('/').is_some_and(|(kind, subtype)| {
                !kind.is_empty() && !subtype.is_empty() && !subtype.contains('/')
            })
            && essence.bytes().all(token);
        is_type.then(|| Self(essence.to_owned()))
    }

    /// The media type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Docker's list of manifests, one for each platform.
    #[must_use]
    pub fn is_docker_list(&self) -> bool {
        self.0 == DOCKER_LIST
    }

    /// Docker's image manifest, schema 1, signed or not. It is served where it is stored, and no longer taken in.
    #[must_use]
    pub fn is_schema_1(&self) -> bool {
        self.0 == SCHEMA_1 || self.0 == SCHEMA_1_SIGNED
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a manifest says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    pub(crate) media_type: MediaType,
    says_its_type: bool,
    /// Blobs that must be in the repository.
    pub(crate) blobs: Vec<Digest>,
    /// Whether it names a config or layers, be it none.
    is_image: bool,
    /// Where blobs lie that need not be.
    pub(crate) urls: Vec<String>,
    /// Whether it names manifests, be it none.
    pub(crate) is_index: bool,
    /// The manifests that it names.
    pub(crate) manifests: Vec<Child>,
    /// The manifest that this one says something about; it need not exist.
    pub(crate) subject: Option<Digest>,
    /// What sort of artifact it is: its own word for it, else its config's.
    pub(crate) artifact_type: Option<String>,
    /// As they stand in the document.
    pub(crate) annotations: Option<Box<RawValue>>,
}

/// A manifest that an index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) digest: Digest,
    /// Whether the index says that it is one too, or leaves it open. It may be one all the same.
    pub(crate) may_be_index: bool,
    pub(crate) platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: Option<u64>,
    media_type: Option<String>,
    #[serde(borrow)]
    config: Option<Descriptor<'a>>,
    layers: Option<Vec<Descriptor<'a>>>,
    blobs: Option<Vec<Descriptor<'a>>>,
    manifests: Option<Vec<Descriptor<'a>>>,
    fs_layers: Option<IgnoredAny>,
    signatures: Option<IgnoredAny>,
    subject: Option<Descriptor<'a>>,
    artifact_type: Option<String>,
    annotations: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: Option<String>,
    digest: String,
    urls: Option<Vec<String>>,
    #[serde(borrow)]
    platform: Option<&'a RawValue>,
}

impl Descriptor<'_> {
    /// Layers that may lie elsewhere (OCI image specification, "Non-Distributable Layers"; Docker's foreign layers).
    fn may_be_elsewhere(&self) -> bool {
        let foreign = self.media_type.as_deref().is_some_and(|media_type| {
            media_type.contains(".nondistributable.") || media_type.ends_with(".foreign.diff.tar.gzip")
        });
        foreign || self.urls.as_ref().is_some_and(|urls| !urls.is_empty())
    }

    fn digest(&self) -> Result<Digest> {
        Digest::parse(&self.digest)
            .map_err(|error| invalid(format!("a descriptor cannot be followed: {error}")))
    }

    fn child(&self) -> Result<Child> {
        Ok(Child {
            digest: self.digest()?,
            may_be_index: self
                .media_type
                .as_deref()
                .is_none_or(|kind| kind == OCI_INDEX || kind == DOCKER_LIST),
            // A platform that is none is no reason to refuse what is stored already.
            platform: self.platform.and_then(|platform| serde_json::from_str(platform.get()).ok()),
        })
    }
}

impl Outline {
    /// Reads a manifest that a client pushes under `declared`, its `Content-Type`.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`] with the reason.
    pub(crate) fn of_pushed(content: &[u8], declared: Option<&MediaType>) -> Result<Self> {
        let outline = Self::of(content)?;
        if outline.media_type.is_schema_1() || declared.is_some_and(MediaType::is_schema_1) {
            return Err(invalid(
                "image manifest schema 1 is no longer accepted; push with a client that writes schema 2 or OCI manifests"
                    .to_owned(),
            ));
        }
        let blobs: HashSet<&Digest> = outline.blobs.iter().collect();
        let manifests: HashSet<&Digest> = outline.manifests.iter().map(|child| &child.digest).collect();
        if blobs.len() + manifests.len() > MOST_REFERENCES {
            return Err(invalid(format!("it names more than {MOST_REFERENCES} blobs and manifests")));
        }
        if let Some(declared) = declared
            && *declared != outline.media_type
            && outline.says_its_type
        {
            return Err(invalid(format!(
                "its mediaType is {}, it was sent as {declared}",
                outline.media_type
            )));
        }
        // Whoever goes by the type must not read it otherwise than who goes by the shape (CVE-2021-41190).
        if [Some(&outline.media_type), declared].into_iter().flatten().any(|kind| outline.contradicts(kind)) {
            let shape = if outline.is_index { "an index" } else { "an image" };
            return Err(invalid(format!("it has the shape of {shape}, and its type is another")));
        }
        Ok(outline)
    }

    fn contradicts(&self, media_type: &MediaType) -> bool {
        match media_type.as_str() {
            OCI_INDEX | DOCKER_LIST => self.is_image,
            OCI_MANIFEST | DOCKER_MANIFEST => self.is_index,
            _ => false,
        }
    }

    /// Reads a manifest that is stored.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`] with the reason.
    pub(crate) fn of(content: &[u8]) -> Result<Self> {
        let document: Document<'_> = serde_json::from_slice(content)
            .map_err(|error| invalid(format!("it is no manifest in JSON: {error}")))?;
        let is_image = document.config.is_some() || document.layers.is_some();
        if document.manifests.is_some() && (is_image || document.fs_layers.is_some()) {
            return Err(invalid("it is an image and an index at once".to_owned()));
        }
        let media_type = document.media_type()?;
        let (mut blobs, mut urls) = (Vec::new(), Vec::new());
        for descriptor in document.layers.iter().flatten().chain(document.blobs.iter().flatten()) {
            let digest = descriptor.digest()?;
            if !descriptor.may_be_elsewhere() {
                blobs.push(digest);
            }
            urls.extend(descriptor.urls.iter().flatten().cloned());
        }
        if let Some(config) = &document.config {
            blobs.push(config.digest()?);
        }
        let manifests = document.manifests.iter().flatten().map(Descriptor::child).collect::<Result<_>>()?;
        let of_config = document.config.and_then(|config| config.media_type);
        Ok(Self {
            media_type,
            says_its_type: document.media_type.is_some(),
            blobs,
            is_image,
            urls,
            is_index: document.manifests.is_some(),
            manifests,
            subject: document.subject.as_ref().map(Descriptor::digest).transpose()?,
            artifact_type: document.artifact_type.filter(|own| !own.is_empty()).or(of_config),
            annotations: document.annotations,
        })
    }
}

impl Document<'_> {
    fn media_type(&self) -> Result<MediaType> {
        if let Some(media_type) = &self.media_type {
            return MediaType::parse(media_type).ok_or_else(|| invalid("its mediaType is none".to_owned()));
        }
        let media_type = match self.schema_version {
            // registry:2 stores them without the signatures that they came with.
            Some(1) if self.signatures.is_some() => SCHEMA_1_SIGNED,
            Some(1) => SCHEMA_1,
            _ if self.manifests.is_some() => OCI_INDEX,
            // Written by Docker before it wrote mediaType into every manifest.
            _ if self.config.as_ref().is_some_and(|config| {
                config.media_type.as_deref() == Some("application/vnd.docker.container.image.v1+json")
            }) =>
            {
                DOCKER_MANIFEST
            }
            _ => OCI_MANIFEST,
        };
        Ok(MediaType(media_type.to_owned()))
    }
}

/// The manifest for Linux on AMD64 in a list of manifests: what clients get that know no lists.
pub(crate) fn default_platform(list: &[u8]) -> Option<Digest> {
    let default = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned() };
    let children = Outline::of(list).ok()?.manifests;
    children.into_iter().find(|child| child.platform.as_ref() == Some(&default)).map(|child| child.digest)
}

pub(crate) fn invalid(reason: String) -> Error {
    Error::ManifestInvalid { reason }
}

#[cfg(test)]
mod tests;
