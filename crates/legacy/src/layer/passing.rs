//! What passes on its way from the old registry: its checksum, its digest, and what went wrong first.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apus_registry::{Algorithm, Digest, Hasher};
use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use tokio::sync::mpsc::{Receiver, Sender};

use super::{Outcome, Passed};
use crate::compression::Archive;
use crate::{Reason, StoredImage};

/// What passes out of the old registry, and its checksum.
pub(super) struct Passing(Arc<Mutex<State>>);

struct State {
    checksum: Hasher,
    /// Why the old registry did not give all of it.
    broken: Option<Reason>,
}

/// The thread has ended before the stream: it says why.
#[derive(Debug, thiserror::Error)]
#[error("its layer could not be decompressed")]
struct ThreadEnded;

impl Passing {
    pub(super) fn new(image: &StoredImage) -> Self {
        let mut checksum = Hasher::new(Algorithm::Sha256);
        checksum.update(&image.json);
        checksum.update(b"\n");
        Self(Arc::new(Mutex::new(State { checksum, broken: None })))
    }

    /// Lets a stream pass, and sends what passes to a thread too.
    pub(super) fn watch(&self, stream: ByteStream, to_thread: Sender<Bytes>, passed: &Passed) -> ByteStream {
        let (state, broken_off) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let passed = Arc::clone(passed);
        let stream = stream.inspect_err(move |error| held(&broken_off).broken = Some(broken_by(&**error)));
        Box::pin(stream.and_then(move |piece| {
            held(&state).checksum.update(&piece);
            passed(piece.len() as u64);
            let to_thread = to_thread.clone();
            async move {
                to_thread.send(piece.clone()).await.map_err(|_| ThreadEnded)?;
                Ok(piece)
            }
        }))
    }

    /// What has come of it, by what was wrong first: that it did not come, that it makes no sense, that it could not be taken.
    pub(super) fn outcome(&self, taken: Outcome<()>, archive: Outcome<Archive>) -> Outcome<Archive> {
        if let Some(broken) = held(&self.0).broken.take() {
            return Err(broken);
        }
        match (taken, archive) {
            (Ok(()), archive) => archive,
            (Err(_), Err(Reason::Unfit(reason))) => Err(Reason::Unfit(reason)),
            (Err(reason), _) => Err(reason),
        }
    }

    /// Whether what has passed is what the old registry kept a checksum of. The checksum of what has passed.
    pub(super) fn judge(
        &self,
        image: &StoredImage,
        archive: &Archive,
        without_checksum: bool,
    ) -> Outcome<Digest> {
        let actual = held(&self.0).checksum.clone().digest();
        let unproven = image.proofs().next().is_none() && without_checksum;
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

/// Digest and length of what is given away.
#[derive(Clone)]
pub(super) struct Summed(Arc<Mutex<(Hasher, u64)>>);

impl Default for Summed {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((Hasher::new(Algorithm::Sha256), 0))))
    }
}

impl Summed {
    pub(super) fn watch(&self, stream: ByteStream) -> ByteStream {
        let summed = self.clone();
        Box::pin(stream.inspect_ok(move |piece| {
            let (hasher, length) = &mut *held(&summed.0);
            hasher.update(piece);
            *length += piece.len() as u64;
        }))
    }

    pub(super) fn sums(&self) -> (Digest, u64) {
        let (hasher, length) = &*held(&self.0);
        (hasher.clone().digest(), *length)
    }
}

pub(super) fn found(archive: Result<io::Result<Archive>, tokio::task::JoinError>) -> Outcome<Archive> {
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
pub(super) fn broken(error: BoxError) -> Reason {
    broken_by(&*error)
}

fn broken_by(error: &(dyn std::error::Error + 'static)) -> Reason {
    Reason::Failed(format!("its layer could not be read to its end: {error}").into())
}

pub(crate) fn received(receiver: Receiver<Bytes>) -> ByteStream {
    Box::pin(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (Ok(piece), receiver))
    }))
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
