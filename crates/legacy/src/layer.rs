//! The files of one image: read once from the store of docker-registry 0.x, hashed in passing by all that must be known of them, and
//! given away in the form in which images of today may have them: as they are where that may be. Whoever takes them keeps nothing
//! before all has been proven by the checksum that the old registry kept.

mod passing;

use std::sync::Arc;

use apus_registry::Digest;
use apus_storage::{BoxError, ByteStream};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use tokio::sync::mpsc;

use crate::compression::{Archive, Compression, TELLING, decompress};
use crate::{Reason, Store, StoredImage};
pub(crate) use passing::received;
use passing::{Passing, Summed, broken, found};

/// Pieces between a stream and the thread that decompresses it.
const PIECES: usize = 4;

/// What became of the files of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layer {
    /// They are this layer.
    Files(Descriptor),
    /// There were none: the image has changed only what is said of it.
    NoFiles,
}

/// A layer of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Of the blob.
    pub(crate) digest: Digest,
    /// Of the blob, in bytes.
    pub(crate) size: u64,
    /// The digest of the archive without its compression.
    pub(crate) archive: Digest,
    /// What the blob is.
    pub(crate) form: Form,
}

/// What a layer of today is, beside that of the old registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The same: the archive, not compressed.
    Archive,
    /// The same: the archive in gzip.
    Gzip,
    /// The archive in gzip, which was compressed otherwise.
    CompressedAnew,
}

impl Layer {
    pub(crate) fn descriptor(&self) -> Option<&Descriptor> {
        match self {
            Self::Files(descriptor) => Some(descriptor),
            Self::NoFiles => None,
        }
    }
}

/// A layer that was read to its end and is what was pushed.
pub(crate) struct Proven {
    pub(crate) layer: Layer,
    /// Of description and layer, as the old registry computes it.
    pub(crate) checksum: Digest,
}

pub(crate) type Outcome<T> = Result<T, Reason>;

/// Where the bytes of a layer of today go while they are not proven yet.
pub(crate) trait Destination: Send {
    /// Takes them all.
    fn take(&mut self, content: ByteStream) -> impl Future<Output = Outcome<()>> + Send;
}

/// Nothing is kept.
pub(crate) struct Nowhere;

impl Destination for Nowhere {
    async fn take(&mut self, content: ByteStream) -> Outcome<()> {
        content.try_for_each(|_| future::ok(())).await.map_err(broken)
    }
}

/// Is told of so many bytes that were read.
pub(crate) type Passed = Arc<dyn Fn(u64) + Send + Sync>;

/// How layers are read.
pub(crate) struct Reading<'a> {
    pub(crate) store: &'a Store,
    /// Whether layers are taken too of which no checksum is kept, as long as their archives can be read to their ends.
    pub(crate) without_checksum: bool,
    pub(crate) passed: Passed,
}

impl Reading<'_> {
    /// Reads the layer of an image, and gives to `destination` what it is today. That is worth something only when this has
    /// answered, and has found files.
    pub(crate) async fn read(
        &self,
        image: &StoredImage,
        destination: &mut impl Destination,
    ) -> Outcome<Proven> {
        let (_, stream) = self.store.layer(&image.id).await?;
        let (beginning, stream) = peek(stream).await.map_err(broken)?;
        let compression = Compression::of(&beginning)
            .ok_or_else(|| Reason::unfit("its layer is no tar archive, nor one in gzip, bzip2 or xz"))?;
        let passing = Passing::new(image);
        let form = form(compression);
        let (archive, written) = if form == Form::CompressedAnew {
            self.compressed_anew(compression, stream, &passing, destination).await
        } else {
            self.as_it_is(compression, stream, &passing, destination).await
        };
        let archive = archive?;
        let checksum = passing.judge(image, &archive, self.without_checksum)?;
        if archive.is_empty {
            return Ok(Proven { layer: Layer::NoFiles, checksum });
        }
        let (digest, size) = written.sums();
        let descriptor = Descriptor { digest, size, archive: archive.digest, form };
        Ok(Proven { layer: Layer::Files(descriptor), checksum })
    }

    /// The layer goes through as it is, and past the thread that looks into it.
    async fn as_it_is(
        &self,
        compression: Compression,
        stream: ByteStream,
        passing: &Passing,
        destination: &mut impl Destination,
    ) -> (Outcome<Archive>, Summed) {
        let (to_thread, coming) = mpsc::channel(PIECES);
        let archive = tokio::task::spawn_blocking(move || decompress(compression, coming, None));
        let summed = Summed::default();
        let content = summed.watch(passing.watch(stream, to_thread, &self.passed));
        let taken = destination.take(content).await;
        (passing.outcome(taken, found(archive.await)), summed)
    }

    /// The layer goes through the thread, and comes out in gzip.
    async fn compressed_anew(
        &self,
        compression: Compression,
        stream: ByteStream,
        passing: &Passing,
        destination: &mut impl Destination,
    ) -> (Outcome<Archive>, Summed) {
        let (to_thread, coming) = mpsc::channel(PIECES);
        let (out, going) = mpsc::channel(PIECES);
        let archive = tokio::task::spawn_blocking(move || decompress(compression, coming, Some(out)));
        let summed = Summed::default();
        let passed = passing.watch(stream, to_thread, &self.passed);
        // At its end the stream is dropped, by which the thread knows that nothing more will come.
        let pumped = async { passed.try_for_each(|_| future::ok(())).await.map_err(broken) };
        let (pumped, taken) = future::join(pumped, destination.take(summed.watch(received(going)))).await;
        (passing.outcome(taken.and(pumped), found(archive.await)), summed)
    }
}

fn form(compression: Compression) -> Form {
    match compression {
        Compression::None => Form::Archive,
        Compression::Gzip => Form::Gzip,
        Compression::Bzip2 | Compression::Xz => Form::CompressedAnew,
    }
}

/// The first bytes of a stream, and the whole stream.
async fn peek(mut stream: ByteStream) -> Result<(Bytes, ByteStream), BoxError> {
    let mut beginning = BytesMut::new();
    while beginning.len() < TELLING {
        match stream.try_next().await? {
            Some(piece) => beginning.extend_from_slice(&piece),
            None => break,
        }
    }
    let beginning = beginning.freeze();
    let whole = stream::once(future::ready(Ok(beginning.clone()))).chain(stream);
    let whole = whole.try_filter(|piece| future::ready(!piece.is_empty()));
    Ok((beginning, Box::pin(whole)))
}
