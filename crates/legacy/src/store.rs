//! A store of docker-registry 0.x, read with types. What is damaged is told as what it is, and never taken for absence.

use std::sync::Arc;

use apus_storage::{
    ByteRange, ByteStream, ErrorKind, Freshness, ListEntry, ListRequest, ObjectInfo, ObjectName, Storage,
    StorageError, body,
};
use bytes::Bytes;
use futures_util::try_join;

use crate::layout::{self, ImagePart, RepositoryPart};
use crate::registry::LARGEST;
use crate::{Description, Error, ImageId, Reason, Repository, Result};

/// The longest chain of images: far more than any file system could mount.
pub(crate) const LONGEST_CHAIN: usize = 1000;

/// The objects of a registry 0.x. Any number of stores may read the same objects.
#[derive(Debug, Clone)]
pub struct Store(Arc<dyn Storage>);

/// What is kept of an image, but for its files.
#[derive(Debug, Clone)]
pub struct StoredImage {
    /// Its identifier.
    pub id: ImageId,
    /// What the client said of it, byte for byte.
    pub json: Bytes,
    /// The same, understood.
    pub description: Description,
    /// The checksums that it may have; empty where none is kept.
    pub checksums: Vec<String>,
    /// Whether its upload came to no end.
    pub unfinished: bool,
    /// Its files as an object; `None` if there are none.
    pub layer: Option<ObjectInfo>,
}

impl StoredImage {
    /// Whether its files can be read at all, before they are: their length in bytes, or why they cannot.
    pub(crate) fn readable(&self, without_checksum: bool) -> std::result::Result<u64, Reason> {
        if self.unfinished {
            return Err(Reason::unfit("its upload came to no end"));
        }
        let Some(layer) = &self.layer else { return Err(Reason::unfit("it has no layer")) };
        if self.proofs().next().is_none() && !without_checksum {
            return Err(Reason::unfit("no checksum of it is kept that could prove its layer"));
        }
        Ok(layer.size)
    }

    /// Those of its checksums that can prove its layer.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = &String> {
        self.checksums.iter().filter(|checksum| checksum.starts_with("sha256:"))
    }
}

/// A tag as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTag {
    /// Whose it is.
    pub repository: Repository,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub object: ObjectName,
}

/// One page of what repositories keep.
#[derive(Debug, Default)]
pub struct TagPage {
    /// Tags, those of one repository one after the other. What only looks like one, by the names of two tags that meet, is
    /// among them.
    pub tags: Vec<StoredTag>,
    /// Repositories that are marked as private.
    pub private: Vec<Repository>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// The store under the root of `storage`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(storage)
    }

    /// The tags of all repositories, page after page.
    pub async fn tags(&self, after: Option<String>) -> Result<TagPage> {
        let root = ObjectName::parse(layout::REPOSITORIES)?;
        let mut request = ListRequest::under(root);
        request.after = after;
        let listed = self.0.list(&request).await?;
        let mut page = TagPage { next: listed.next, ..TagPage::default() };
        for entry in listed.entries {
            let ListEntry::Object { name: object, .. } = entry else { continue };
            match layout::read_repository(&object) {
                Some((repository, RepositoryPart::Tag(name))) => {
                    page.tags.push(StoredTag { repository, name, object });
                }
                Some((repository, RepositoryPart::Private)) => page.private.push(repository),
                _ => {}
            }
        }
        Ok(page)
    }

    /// The image that a tag means; `None` if the tag is gone, or its object is no tag's.
    pub async fn image_of(&self, tag: &StoredTag) -> Result<Option<ImageId>> {
        // What else it may be has more bytes than an identifier; white space is allowed, for people have written tags too.
        let Some(content) = self.small(&tag.object).await? else { return Ok(None) };
        Ok(std::str::from_utf8(&content).ok().and_then(|text| ImageId::parse(text.trim())))
    }

    /// What is kept of an image.
    pub async fn image(&self, id: &ImageId) -> Result<StoredImage> {
        let unfinished = layout::image(id, ImagePart::InProgress)?;
        let layer = layout::image(id, ImagePart::Layer)?;
        let stat = async |object| Ok(self.0.stat(object, Freshness::Newest).await?);
        let ((json, description), checksums, unfinished, layer) =
            try_join!(self.description(id), self.checksums(id), stat(&unfinished), stat(&layer))?;
        let unfinished = unfinished.is_some();
        Ok(StoredImage { id: id.clone(), json, description, checksums, unfinished, layer })
    }

    /// What the client said of an image, byte for byte, and understood.
    pub(crate) async fn description(&self, id: &ImageId) -> Result<(Bytes, Description)> {
        let object = layout::image(id, ImagePart::Json)?;
        let Some(json) = self.small(&object).await? else { return Err(Error::Missing(object)) };
        let damaged = |reason| Error::Damaged { object: object.clone(), reason };
        let description = Description::parse(&json).map_err(|error| damaged(error.to_string()))?;
        if description.id != *id {
            return Err(damaged(format!("it describes the image {}", description.id)));
        }
        Ok((json, description))
    }

    /// A list in JSON, or in the oldest data one checksum as it is.
    async fn checksums(&self, id: &ImageId) -> Result<Vec<String>> {
        let object = layout::image(id, ImagePart::Checksum)?;
        let Some(content) = self.small(&object).await? else { return Ok(Vec::new()) };
        if let Ok(checksums) = serde_json::from_slice(&content) {
            return Ok(checksums);
        }
        match std::str::from_utf8(&content) {
            Ok(checksum) => Ok(vec![checksum.trim().to_owned()]),
            Err(error) => Err(Error::Damaged { object, reason: error.to_string() }),
        }
    }

    /// The files of an image, as they were sent.
    pub async fn layer(&self, id: &ImageId) -> Result<(ObjectInfo, ByteStream)> {
        let object = layout::image(id, ImagePart::Layer)?;
        match self.0.read(&object, ByteRange::Full, Freshness::Newest).await? {
            Some(reader) => Ok((reader.info, reader.stream)),
            None => Err(Error::Missing(object)),
        }
    }

    /// A small object; `None` if there is none.
    async fn small(&self, object: &ObjectName) -> Result<Option<Bytes>> {
        let Some(reader) = self.0.read(object, ByteRange::Full, Freshness::Newest).await? else {
            return Ok(None);
        };
        if reader.info.size > LARGEST as u64 {
            let reason = format!("{} bytes are too many", reader.info.size);
            return Err(Error::Damaged { object: object.clone(), reason });
        }
        let collected = body::collect(reader.stream, LARGEST).await;
        let failed = |error| StorageError::new(ErrorKind::UNAVAILABLE, "read", object).with_source(error);
        Ok(Some(collected.map_err(failed)?))
    }
}

#[cfg(test)]
mod tests;
