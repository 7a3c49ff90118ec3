//! The files of one image: read once from the old registry, hashed in passing by all that must be known of them, and written on
//! the way into the new one. They become a blob only when everything has been proven.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apus_registry::{Algorithm, Digest, Error as RegistryError, Hasher, RepositoryName, Upload};
use apus_storage::{BoxError, ByteStream};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{ImportEvent, Importer, Reason};
use crate::compression::{Archive, Compression, TELLING, decompress};
use crate::{Error, ImageId, Repository, StoredImage};

/// Pieces between a stream and the thread that decompresses it.
const PIECES: usize = 4;

/// What became of the files of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layer {
    /// They are this layer.
    Files(Descriptor),
    /// There were none: the image has changed only what is said of it.
    NoFiles,
}

/// A layer of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// Of the blob.
    pub(super) digest: Digest,
    /// Of the blob, in bytes.
    pub(super) size: u64,
    /// The digest of the archive without its compression.
    pub(super) archive: Digest,
    /// Whether the blob is in gzip; else it is the archive itself.
    pub(super) compressed: bool,
}

impl Layer {
    pub(super) fn descriptor(&self) -> Option<&Descriptor> {
        match self {
            Self::Files(descriptor) => Some(descriptor),
            Self::NoFiles => None,
        }
    }
}

/// The files of an image are there.
pub(super) struct Brought {
    pub(super) layer: Layer,
    /// Since an earlier run.
    pub(super) known: bool,
    pub(super) source_size: u64,
}

type Outcome<T> = Result<T, Reason>;

impl Importer<'_> {
    /// Brings the files of an image, to a repository of the old registry or to whichever has them already.
    pub(super) async fn bring_layer(&self, id: &ImageId, home: &Repository) -> Outcome<Brought> {
        let image = self.store.image(id).await?;
        let home = self.name_of(home)?;
        let source_size = image.layer.as_ref().map_or(0, |info| info.size);
        if let Some(layer) = self.records.find(&image).await?
            && self.is_there(&layer, &home).await?
        {
            return Ok(Brought { layer, known: true, source_size });
        }
        let (layer, checksum) = self.carry(&image, &home).await?;
        if !self.options.dry_run {
            self.records.keep(&image, &checksum, &layer).await?;
        }
        Ok(Brought { layer, known: false, source_size })
    }

    async fn is_there(&self, layer: &Layer, home: &RepositoryName) -> Outcome<bool> {
        match layer {
            Layer::NoFiles => Ok(true),
            Layer::Files(descriptor) => self.has_blob(home, &descriptor.digest).await,
        }
    }

    /// Whether a repository has a blob, or can have it from another one.
    pub(super) async fn has_blob(&self, repository: &RepositoryName, digest: &Digest) -> Outcome<bool> {
        match self.registry.blob_info(repository, digest).await {
            Ok(_) => Ok(true),
            Err(RegistryError::BlobUnknown { .. }) if self.options.dry_run => Ok(false),
            Err(RegistryError::BlobUnknown { .. }) => {
                let mounted = self.registry.mount_blob_from_anywhere(digest, repository).await;
                Ok(mounted.map_err(Error::from)?.is_some())
            }
            Err(error) => Err(Error::from(error).into()),
        }
    }

    async fn carry(&self, image: &StoredImage, home: &RepositoryName) -> Outcome<(Layer, Digest)> {
        let (_, stream) = self.store.layer(&image.id).await?;
        let (beginning, stream) = peek(stream).await.map_err(broken)?;
        let compression = Compression::of(&beginning)
            .ok_or_else(|| Reason::unfit("its layer is no tar archive, nor one in gzip, bzip2 or xz"))?;
        let passing = Passing::new(self, image);
        let mut upload = Staging { importer: self, home, upload: None };
        let (archive, written) = if compression.is_known_today() {
            self.as_it_is(compression, stream, &passing, &mut upload).await
        } else {
            self.compressed_anew(compression, stream, &passing, &mut upload).await
        };
        let judged = archive.and_then(|archive| Ok((passing.judge(image, &archive)?, archive)));
        let (checksum, archive) = match judged {
            Ok(judged) => judged,
            Err(reason) => {
                upload.drop().await;
                return Err(reason);
            }
        };
        if archive.is_empty {
            upload.drop().await;
            return Ok((Layer::NoFiles, checksum));
        }
        let (digest, size) = written.sums();
        upload.publish(&digest).await?;
        let compressed = compression != Compression::None;
        Ok((Layer::Files(Descriptor { digest, size, archive: archive.digest, compressed }), checksum))
    }

    /// The layer goes through as it is, and past the thread that looks into it.
    async fn as_it_is(
        &self,
        compression: Compression,
        stream: ByteStream,
        passing: &Passing<'_>,
        upload: &mut Staging<'_>,
    ) -> (Outcome<Archive>, Summed) {
        let (to_thread, coming) = mpsc::channel(PIECES);
        let archive = tokio::task::spawn_blocking(move || decompress(compression, coming, None));
        let summed = Summed::default();
        let content = summed.watch(passing.watch(stream, to_thread));
        let staged = upload.stage(content).await;
        (passing.outcome(staged, found(archive.await)), summed)
    }

    /// The layer goes through the thread, and comes out in gzip.
    async fn compressed_anew(
        &self,
        compression: Compression,
        stream: ByteStream,
        passing: &Passing<'_>,
        upload: &mut Staging<'_>,
    ) -> (Outcome<Archive>, Summed) {
        let (to_thread, coming) = mpsc::channel(PIECES);
        let (out, going) = mpsc::channel(PIECES);
        let archive = tokio::task::spawn_blocking(move || decompress(compression, coming, Some(out)));
        let summed = Summed::default();
        let passed = passing.watch(stream, to_thread);
        // At its end the stream is dropped, by which the thread knows that nothing more will come.
        let pumped = async { passed.try_for_each(|_| future::ok(())).await.map_err(broken) };
        let (pumped, staged) = future::join(pumped, upload.stage(summed.watch(received(going)))).await;
        (passing.outcome(staged.and(pumped), found(archive.await)), summed)
    }
}

fn found(archive: Result<io::Result<Archive>, tokio::task::JoinError>) -> Outcome<Archive> {
    match archive {
        Ok(Ok(archive)) => Ok(archive),
        // Whoever took what it made has gone.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Reason::Failed(error.to_string().into()))
        }
        Ok(Err(error)) => Err(Reason::unfit(format!("its layer cannot be decompressed: {error}"))),
        Err(error) => Err(Reason::Failed(error.to_string().into())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn broken(error: BoxError) -> Reason {
    broken_by(&*error)
}

fn broken_by(error: &(dyn std::error::Error + 'static)) -> Reason {
    Reason::Failed(format!("its layer could not be read to its end: {error}").into())
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

fn received(receiver: Receiver<Bytes>) -> ByteStream {
    Box::pin(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (Ok(piece), receiver))
    }))
}

/// What passes out of the old registry, and its checksum.
struct Passing<'a> {
    importer: &'a Importer<'a>,
    passed: Arc<Mutex<Passed>>,
}

struct Passed {
    checksum: Hasher,
    /// Why the old registry did not give all of it.
    broken: Option<Reason>,
}

/// The thread has ended before the stream: it says why.
#[derive(Debug, thiserror::Error)]
#[error("its layer could not be decompressed")]
struct ThreadEnded;

impl<'a> Passing<'a> {
    fn new(importer: &'a Importer<'a>, image: &StoredImage) -> Self {
        let mut checksum = Hasher::new(Algorithm::Sha256);
        checksum.update(&image.json);
        checksum.update(b"\n");
        Self { importer, passed: Arc::new(Mutex::new(Passed { checksum, broken: None })) }
    }

    /// Lets a stream pass, and sends what passes to a thread too.
    fn watch(&self, stream: ByteStream, to_thread: Sender<Bytes>) -> ByteStream {
        let (passed, broken_off) = (Arc::clone(&self.passed), Arc::clone(&self.passed));
        let report = Arc::clone(&self.importer.report);
        let stream = stream.inspect_err(move |error| held(&broken_off).broken = Some(broken_by(&**error)));
        Box::pin(stream.and_then(move |piece| {
            held(&passed).checksum.update(&piece);
            report(ImportEvent::Read(piece.len() as u64));
            let to_thread = to_thread.clone();
            async move {
                to_thread.send(piece.clone()).await.map_err(|_| ThreadEnded)?;
                Ok(piece)
            }
        }))
    }

    /// What has come of it, by what was wrong first: that it did not come, that it makes no sense, that it could not be written.
    fn outcome(&self, staged: Outcome<()>, archive: Outcome<Archive>) -> Outcome<Archive> {
        if let Some(broken) = held(&self.passed).broken.take() {
            return Err(broken);
        }
        match (staged, archive) {
            (Ok(()), archive) => archive,
            (Err(_), Err(Reason::Unfit(reason))) => Err(Reason::Unfit(reason)),
            (Err(reason), _) => Err(reason),
        }
    }

    /// Whether what has passed is what the old registry kept a checksum of. The checksum of what has passed.
    fn judge(&self, image: &StoredImage, archive: &Archive) -> Outcome<Digest> {
        let actual = held(&self.passed).checksum.clone().digest();
        let unproven = image.proofs().next().is_none() && self.importer.options.without_checksum;
        if image.proofs().any(|checksum| *checksum == actual.to_string()) || (unproven && archive.has_end) {
            Ok(actual)
        } else if unproven {
            Err(Reason::unfit("its layer is cut off: the archive has no end"))
        } else {
            Err(Reason::unfit(format!(
                "its layer is damaged: its checksum is {actual}, and not what was kept of it"
            )))
        }
    }
}

/// Digest and length of what is written.
#[derive(Clone)]
struct Summed(Arc<Mutex<(Hasher, u64)>>);

impl Default for Summed {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((Hasher::new(Algorithm::Sha256), 0))))
    }
}

impl Summed {
    fn watch(&self, stream: ByteStream) -> ByteStream {
        let summed = self.clone();
        Box::pin(stream.inspect_ok(move |piece| {
            let (hasher, length) = &mut *held(&summed.0);
            hasher.update(piece);
            *length += piece.len() as u64;
        }))
    }

    fn sums(&self) -> (Digest, u64) {
        let (hasher, length) = &*held(&self.0);
        (hasher.clone().digest(), *length)
    }
}

/// A blob on its way in. With a dry run nothing is kept of it.
struct Staging<'a> {
    importer: &'a Importer<'a>,
    home: &'a RepositoryName,
    upload: Option<Upload>,
}

impl Staging<'_> {
    async fn stage(&mut self, content: ByteStream) -> Outcome<()> {
        let Importer { registry, options, .. } = self.importer;
        if options.dry_run {
            return content.try_for_each(|_| future::ok(())).await.map_err(broken);
        }
        let position = registry.begin_upload(self.home, Algorithm::Sha256);
        let token = registry.upload_token(&position).await.map_err(Error::from)?;
        let upload =
            registry.upload(self.home, position.id().as_str(), Some(&token)).await.map_err(Error::from)?;
        self.upload = Some(registry.append(upload, None, content).await.map_err(Error::from)?);
        Ok(())
    }

    async fn publish(self, digest: &Digest) -> Outcome<()> {
        let Some(upload) = self.upload else { return Ok(()) };
        let nothing = Box::pin(stream::empty());
        let published = self.importer.registry.finish(upload, None, Some(0), nothing, digest).await;
        published.map_err(Error::from)?;
        Ok(())
    }

    /// What is left if this fails is found by the purging of uploads.
    async fn drop(self) {
        if let Some(upload) = &self.upload {
            let id = upload.position().id().as_str();
            if let Err(error) = self.importer.registry.cancel_upload(self.home, id, None).await {
                tracing::debug!(%error, "an upload was not dropped");
            }
        }
    }
}
