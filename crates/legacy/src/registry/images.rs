//! Images: how one comes in, part by part, and how its parts are read. What is under way has a mark, and is shown to nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apus_registry::{Algorithm, Hasher};
use apus_storage::{
    Body, ByteRange, ByteStream, Freshness, ObjectName, ObjectReader, StageId, StagePosition, UrlMethod,
    WriteMode,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, future};
use serde_json::{Map, Value};

use super::{Answer, LARGEST, LegacyRegistry, Refusal, python_json};
use crate::layout::{self, ImagePart};
use crate::{Error, ImageId};

/// What a client says of an image that it is about to push.
#[derive(Debug, Clone)]
pub struct SaidImage {
    id: ImageId,
    parent: Option<ImageId>,
    pub(super) json: Bytes,
}

/// What is known of an image whose upload has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageState {
    /// The checksums that it may have; none for what came from a mirror of the original.
    pub checksums: Vec<String>,
    /// Bytes of its layer as they are stored, and so compressed; `None` where there is no layer.
    pub layer_size: Option<u64>,
}

/// Where a layer is to be had.
#[derive(Debug)]
pub enum LayerPlace {
    /// Here.
    Here(ObjectReader),
    /// At storage itself, under this URL.
    Elsewhere(String),
}

impl SaidImage {
    /// Takes in what a client says of the image `id`. Kept as it is, byte for byte: the checksum depends on it.
    pub fn parse(id: &ImageId, json: Bytes) -> Answer<Self> {
        let refuse = |text| Err(Refusal::Description(text));
        let said: Map<String, Value> = match serde_json::from_slice(&json) {
            Ok(Value::Object(said)) if !said.is_empty() => said,
            _ => return refuse("Invalid JSON"),
        };
        match said.get("id") {
            None => return refuse("Missing key `id' in JSON"),
            Some(Value::String(said)) if *said == id.as_str() => {}
            Some(_) => return refuse("JSON data contains invalid id"),
        }
        let parent = match said.get("parent") {
            None | Some(Value::Null) => None,
            Some(Value::String(parent)) if parent.is_empty() => None,
            Some(Value::String(parent)) => Some(ImageId::parse(parent).ok_or(Refusal::ParentUnknown)?),
            Some(_) => return Err(Refusal::ParentUnknown),
        };
        if parent.as_ref() == Some(id) {
            return Err(Refusal::ParentUnknown);
        }
        Ok(Self { id: id.clone(), parent, json })
    }

    /// The image below it.
    #[must_use]
    pub fn parent(&self) -> Option<&ImageId> {
        self.parent.as_ref()
    }
}

impl LegacyRegistry {
    /// That the upload of an image is not under way.
    pub async fn check_finished(&self, id: &ImageId) -> Answer<()> {
        let unfinished = self.is_there(&layout::image(id, ImagePart::InProgress)?).await?;
        if unfinished { Err(Refusal::ImageUnfinished) } else { Ok(()) }
    }

    /// Whether there is an image of this name, finished or not.
    pub async fn has_image(&self, id: &ImageId) -> Answer<bool> {
        self.is_there(&layout::image(id, ImagePart::Json)?).await
    }

    /// What is known of an image beside its description.
    pub async fn image_state(&self, id: &ImageId) -> Answer<ImageState> {
        let layer = layout::image(id, ImagePart::Layer)?;
        let (checksums, layer) = future::try_join(self.checksums(id), async {
            Ok(self.storage().stat(&layer, Freshness::Newest).await?)
        })
        .await?;
        Ok(ImageState { checksums, layer_size: layer.map(|info| info.size) })
    }

    /// A part of an image whose upload has come to its end.
    pub async fn open_part(&self, id: &ImageId, part: ImagePart, range: ByteRange) -> Answer<ObjectReader> {
        let object = layout::image(id, part)?;
        let (finished, reader) = future::join(self.check_finished(id), self.open(&object, range)).await;
        finished?;
        reader?.ok_or(Refusal::ImageUnknown)
    }

    /// The layer of an image, or a URL of it that is good for `lifetime`, if that is given and storage has such a thing.
    pub async fn open_layer(
        &self,
        id: &ImageId,
        range: ByteRange,
        lifetime: Option<Duration>,
    ) -> Answer<LayerPlace> {
        if let Some(lifetime) = lifetime {
            let layer = layout::image(id, ImagePart::Layer)?;
            self.check_finished(id).await?;
            if let Some(info) = self.storage().stat(&layer, Freshness::Newest).await?
                && !range.of(info.size).is_empty()
                && let Some(url) = self.storage().temporary_url(&layer, UrlMethod::Get, lifetime).await?
            {
                return Ok(LayerPlace::Elsewhere(url));
            }
        }
        Ok(LayerPlace::Here(self.open_part(id, ImagePart::Layer, range).await?))
    }

    /// An image's identifier, its parent's, and so on to the one without a parent.
    pub async fn ancestry(&self, id: &ImageId) -> Answer<Vec<ImageId>> {
        let object = layout::image(id, ImagePart::Ancestry)?;
        let Some(content) = self.small(&object).await? else { return Err(Refusal::ImageUnknown) };
        let damaged = |reason: String| Refusal::Failed(Error::Damaged { object: object.clone(), reason });
        let texts: Vec<String> =
            serde_json::from_slice(&content).map_err(|error| damaged(error.to_string()))?;
        let ids = texts.iter().map(|text| {
            ImageId::parse(text).ok_or_else(|| damaged(format!("{text:?} is no identifier of an image")))
        });
        ids.collect()
    }

    /// A list in JSON, or in the oldest data one checksum as it is. None where none is kept.
    async fn checksums(&self, id: &ImageId) -> Answer<Vec<String>> {
        let object = layout::image(id, ImagePart::Checksum)?;
        let Some(content) = self.small(&object).await? else { return Ok(Vec::new()) };
        Ok(serde_json::from_slice(&content)
            .unwrap_or_else(|_| vec![String::from_utf8_lossy(&content).trim().to_owned()]))
    }

    /// Begins the upload of an image, or begins it anew where one is unfinished. Its parent must have been looked for, by
    /// [`LegacyRegistry::has_image`].
    pub async fn begin_image(&self, said: &SaidImage) -> Answer<()> {
        let part = |part| layout::image(&said.id, part);
        let (json, mark) = (part(ImagePart::Json)?, part(ImagePart::InProgress)?);
        if self.is_there(&json).await? && !self.is_there(&mark).await? {
            return Err(Refusal::ImageExists);
        }
        let mut ancestry = vec![said.id.to_string()];
        if let Some(parent) = &said.parent {
            ancestry.extend(self.ancestry(parent).await?.iter().map(ToString::to_string));
        }
        let ancestry = python_json(&ancestry);
        if ancestry.len() > LARGEST || said.json.len() > LARGEST {
            return Err(Refusal::Description("Image is too large to be described"));
        }
        // The mark comes first: from here on nobody is shown the image until its checksum was proven.
        self.put(&mark, "true").await?;
        self.delete(&[part(ImagePart::Checksum)?]).await?;
        self.put(&json, said.json.clone()).await?;
        self.put(&part(ImagePart::Ancestry)?, ancestry).await
    }

    /// Takes in the layer of an image, as it is: whole, or not at all. Then what was sent has a checksum, which the client has
    /// to name, too. Of a known length or not, nothing is kept of it but in storage.
    pub async fn put_layer(&self, id: &ImageId, content: ByteStream, length: Option<u64>) -> Answer<()> {
        let part = |part| layout::image(id, part);
        let (layer, mark) = (part(ImagePart::Layer)?, part(ImagePart::InProgress)?);
        let Some(json) = self.small(&part(ImagePart::Json)?).await? else {
            return Err(Refusal::ImageUnknown);
        };
        if self.is_there(&layer).await? && !self.is_there(&mark).await? {
            return Err(Refusal::ImageExists);
        }
        let checksum = part(ImagePart::Checksum)?;
        // What is kept of a layer before it is not what this one has.
        self.delete(std::slice::from_ref(&checksum)).await?;
        let (content, summed) = summing(&json, content);
        self.write_layer(&layer, content, length, WriteMode::Replace).await?;
        self.put(&checksum, python_json(&[summed.checksum()])).await
    }

    pub(super) async fn write_layer(
        &self,
        layer: &ObjectName,
        content: ByteStream,
        length: Option<u64>,
        mode: WriteMode,
    ) -> Answer<()> {
        if let Some(length) = length {
            self.storage().write(layer, Body::stream(length, content), mode).await?;
            return Ok(());
        }
        let stage = StageId::random();
        let staged = async {
            let begun = StagePosition::Start;
            let state = self.storage().stage_append(&stage, begun, content, Box::new(Bytes::new)).await?;
            self.storage().stage_publish(&stage, &state.revision, layer, mode).await
        };
        let published = staged.await;
        // Also where another one's object is there: then the stage has stayed.
        if !matches!(published, Ok(apus_storage::Publication::Published(_)))
            && let Err(error) = self.storage().stage_drop(&stage).await
        {
            // The purging of uploads finds it.
            tracing::debug!(error = %error.report(), "the rest of an upload was not dropped");
        }
        published?;
        Ok(())
    }

    /// Ends the upload of an image, if the checksum that the client names is that of what it has sent.
    pub async fn finish_image(&self, id: &ImageId, checksum: &str) -> Answer<()> {
        if !self.has_image(id).await? {
            return Err(Refusal::ImageUnknown);
        }
        let mark = layout::image(id, ImagePart::InProgress)?;
        if !self.is_there(&mark).await? {
            return Err(Refusal::NotUploading);
        }
        let checksums = self.checksums(id).await?;
        if checksums.is_empty() || !self.is_there(&layout::image(id, ImagePart::Layer)?).await? {
            return Err(Refusal::LayerMissing);
        }
        if !checksums.iter().any(|known| known == checksum) {
            return Err(Refusal::ChecksumMismatch);
        }
        // Cached by whoever looked into an earlier attempt.
        let cached = [layout::image(id, ImagePart::Files)?, layout::image(id, ImagePart::Diff)?];
        self.delete(&cached).await?;
        self.delete(&[mark]).await?;
        Ok(())
    }

    /// Keeps the description of an image of another registry, with its checksums, unless there is one.
    pub async fn keep_json(&self, id: &ImageId, json: Bytes, checksums: &[String]) -> Answer<()> {
        let part = |part| layout::image(id, part);
        if !checksums.is_empty() {
            let checksums = Bytes::from(python_json(&checksums));
            self.storage().write(&part(ImagePart::Checksum)?, checksums.into(), WriteMode::IfAbsent).await?;
        }
        self.storage().write(&part(ImagePart::Json)?, json.into(), WriteMode::IfAbsent).await?;
        Ok(())
    }

    /// Keeps the ancestry of an image of another registry, unless there is one.
    pub async fn keep_ancestry(&self, id: &ImageId, ancestry: Bytes) -> Answer<()> {
        let object = layout::image(id, ImagePart::Ancestry)?;
        self.storage().write(&object, ancestry.into(), WriteMode::IfAbsent).await?;
        Ok(())
    }

    /// Keeps the layer of an image of another registry, unless there is one. Where it is known which checksums the image may
    /// have, only a layer that has one of them is kept.
    pub async fn keep_layer(&self, id: &ImageId, content: ByteStream, length: u64) -> Answer<()> {
        let layer = layout::image(id, ImagePart::Layer)?;
        let json = self.small(&layout::image(id, ImagePart::Json)?).await?;
        let checksums = self.checksums(id).await?;
        let mut content = content;
        if let Some(json) = json.filter(|_| checksums.iter().any(|known| known.starts_with("sha256:"))) {
            let (passing, summed) = summing(&json, content);
            content = apus_storage::body::hold_back(passing, length, move || {
                let actual = summed.checksum();
                if checksums.contains(&actual) { Ok(()) } else { Err(Refusal::ChecksumMismatch.into()) }
            });
        }
        self.write_layer(&layer, content, Some(length), WriteMode::IfAbsent).await
    }
}

/// What passes, and its checksum: the SHA-256 of the description, a line feed, and the layer as it was sent.
#[derive(Debug, Clone)]
struct Summed(Arc<Mutex<Hasher>>);

impl Summed {
    fn checksum(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().digest().to_string()
    }
}

fn summing(json: &[u8], content: ByteStream) -> (ByteStream, Summed) {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(json);
    hasher.update(b"\n");
    let summed = Summed(Arc::new(Mutex::new(hasher)));
    let summing = summed.clone();
    let content = content.inspect_ok(move |piece| {
        summing.0.lock().unwrap_or_else(PoisonError::into_inner).update(piece);
    });
    (content.boxed(), summed)
}
