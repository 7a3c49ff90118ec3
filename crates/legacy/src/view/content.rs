//! The bytes of what is shown. Layers are those of the old registry, read where they lie; but those in xz or bzip2 are compressed anew
//! as they are read, and proven again on the way: their last piece is given away only when all were what was promised.

use std::sync::Arc;
use std::time::Duration;

use apus_storage::{
    ByteRange, ByteStream, ErrorKind, Freshness, ObjectInfo, ObjectName, ObjectReader, StorageError, body,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc::{self, Sender};

use super::View;
use crate::layer::{Descriptor, Destination, Form, Outcome, Reading, received};
use crate::layout::{self, ImagePart};
use crate::{ImageId, Reason, Store};

/// Pieces between the reading of a layer and who reads what it becomes.
const PIECES: usize = 4;

/// How long a client may take nothing of a layer that is compressed anew for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is made, and not stored, has no time.
pub(super) fn info(size: u64) -> ObjectInfo {
    ObjectInfo { size, modified: std::time::SystemTime::UNIX_EPOCH, entity_tag: None }
}

/// A part of something that is all there.
pub(super) fn read_bytes(content: &Bytes, range: ByteRange) -> ObjectReader {
    let size = content.len() as u64;
    let range = range.of(size);
    let part = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    // A range of it lies within it.
    let part = part.map(|(start, end)| content.slice(start..end)).unwrap_or_default();
    let stream: ByteStream = if part.is_empty() { Box::pin(stream::empty()) } else { body::once(part) };
    ObjectReader { info: info(size), range, stream }
}

impl View {
    /// The object of the old registry that is a layer byte for byte; `None` where there is none.
    pub(super) fn object_of(
        source: &ImageId,
        layer: &Descriptor,
    ) -> Result<Option<ObjectName>, StorageError> {
        if layer.form == Form::CompressedAnew {
            return Ok(None);
        }
        let object = layout::image(source, ImagePart::Layer);
        let invalid = |error| StorageError::new(ErrorKind::InvalidName, "name", source).with_source(error);
        object.map(Some).map_err(invalid)
    }

    pub(super) async fn stat_layer(
        &self,
        source: &ImageId,
        layer: &Descriptor,
        freshness: Freshness,
    ) -> Result<Option<ObjectInfo>, StorageError> {
        let Some(object) = Self::object_of(source, layer)? else { return Ok(Some(info(layer.size))) };
        let info = self.0.storage.stat(&object, freshness).await?;
        info.map(|info| still(info, &object, layer)).transpose()
    }

    pub(super) async fn read_layer(
        &self,
        source: &ImageId,
        layer: &Descriptor,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>, StorageError> {
        let Some(object) = Self::object_of(source, layer)? else {
            return Ok(Some(self.compressed_anew(source, layer, range)));
        };
        let Some(reader) = self.0.storage.read(&object, range, freshness).await? else { return Ok(None) };
        still(reader.info.clone(), &object, layer)?;
        Ok(Some(reader))
    }

    fn compressed_anew(&self, source: &ImageId, layer: &Descriptor, range: ByteRange) -> ObjectReader {
        let range = range.of(layer.size);
        let stream: ByteStream = if range.is_empty() {
            Box::pin(stream::empty())
        } else {
            let whole = self.clone().compress(source.clone(), layer.clone());
            part(whole, range.start, range.end - range.start)
        };
        ObjectReader { info: info(layer.size), range, stream }
    }

    /// The whole of a layer in gzip. Ends in an error unless it is what was promised.
    fn compress(self, source: ImageId, layer: Descriptor) -> ByteStream {
        let (pieces, coming) = mpsc::channel(PIECES);
        let size = layer.size;
        // Who does not want it any more drops the stream, by which the reading ends.
        let reading = tokio::spawn(async move { self.read_to(&source, &layer, pieces).await });
        let end = stream::once(async move {
            match reading.await {
                Ok(Ok(())) => Ok(Bytes::new()),
                Ok(Err(error)) => Err(error.into()),
                Err(error) => Err(error.into()),
            }
        });
        body::hold_back(Box::pin(received(coming).chain(end)), size, || Ok(()))
    }

    async fn read_to(
        &self,
        source: &ImageId,
        layer: &Descriptor,
        mut pieces: Sender<Bytes>,
    ) -> Result<(), StorageError> {
        let failed = |reason: String| {
            StorageError::new(ErrorKind::UNAVAILABLE, "read layer", source).with_source(reason)
        };
        // It is never closed.
        let _turn = self.0.compressing.acquire().await.ok();
        if pieces.is_closed() {
            return Err(failed("whoever wanted it has gone".to_owned()));
        }
        let store: &Store = &self.0.store;
        let image = store.image(source).await.map_err(|error| failed(error.to_string()))?;
        let reading = Reading { store, without_checksum: false, passed: Arc::new(|_| {}) };
        let proven = reading.read(&image, &mut pieces).await.map_err(|reason| failed(reason.to_string()))?;
        if proven.layer.descriptor() == Some(layer) {
            return Ok(());
        }
        // Another version of Apus may have compressed it otherwise.
        self.0.images.forget(source).await;
        Err(failed("it is not what it was taken for; ask again by the tag".to_owned()))
    }
}

/// What is known of a layer's object, if it can be the layer still.
fn still(info: ObjectInfo, object: &ObjectName, layer: &Descriptor) -> Result<ObjectInfo, StorageError> {
    if info.size == layer.size {
        return Ok(info);
    }
    let reason = format!("it has {} bytes, and had {} when its digest was computed", info.size, layer.size);
    Err(StorageError::new(ErrorKind::Damaged, "read layer", object).with_source(reason))
}

impl Destination for Sender<Bytes> {
    async fn take(&mut self, content: ByteStream) -> Outcome<()> {
        let gone = || Reason::Failed("whoever wanted it has gone".into());
        let broken = |error| Reason::Failed(format!("{error}").into());
        let mut content = content.map_err(broken);
        while let Some(piece) = content.try_next().await? {
            // A client that takes nothing holds up others.
            self.send_timeout(piece, PATIENCE).await.map_err(|_| gone())?;
        }
        Ok(())
    }
}

/// `length` bytes of a stream, after the first `skipped`.
fn part(stream: ByteStream, skipped: u64, length: u64) -> ByteStream {
    Box::pin(stream::try_unfold(
        (stream, skipped, length),
        |(mut stream, mut skipped, mut length)| async move {
            while length > 0 {
                let Some(mut piece) = stream.try_next().await? else { break };
                let before = usize::try_from(skipped).unwrap_or(usize::MAX).min(piece.len());
                skipped -= before as u64;
                let mut piece = piece.split_off(before);
                piece.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                length -= piece.len() as u64;
                if !piece.is_empty() {
                    return Ok(Some((piece, (stream, skipped, length))));
                }
            }
            Ok(None)
        },
    ))
}
