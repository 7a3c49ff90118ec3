//! Hashing in passing: content is hashed as it streams by, and a hash in progress can be put down and taken up again by
//! another process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};

use apus_storage::{BoxError, ByteStream};
use futures_util::{TryStreamExt, stream};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Algorithm, Digest};

/// A hash in progress.
#[derive(Debug, Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Which implementation's states [`Hasher::state`] gives: any 0.11 of the crate sha2 reads those of any other.
    pub(crate) const SERIES: &str = "sha2-0.11";

    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn digest(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::from_value(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::from_value(Algorithm::Sha512, &hasher.finalize()),
        }
    }

    /// The state, in the format of [`Hasher::SERIES`].
    pub(crate) fn state(&self) -> Vec<u8> {
        match self {
            Self::Sha256(hasher) => hasher.serialize().to_vec(),
            Self::Sha512(hasher) => hasher.serialize().to_vec(),
        }
    }

    /// Takes a state up again; `None` when it is none.
    pub(crate) fn resume(algorithm: Algorithm, state: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Sha256 => {
                let state = SerializedState::<Sha256>::try_from(state).ok()?;
                Sha256::deserialize(&state).ok().map(Self::Sha256)
            }
            Algorithm::Sha512 => {
                let state = SerializedState::<Sha512>::try_from(state).ok()?;
                Sha512::deserialize(&state).ok().map(Self::Sha512)
            }
        }
    }
}

/// Content that is hashed as it passes, with a second handle for whoever waits for the verdict.
#[derive(Clone)]
pub(crate) struct HashedContent(Arc<Mutex<Passing>>);

struct Passing {
    stream: ByteStream,
    hasher: Hasher,
}

impl HashedContent {
    pub(crate) fn new(stream: ByteStream, hasher: Hasher) -> Self {
        Self(Arc::new(Mutex::new(Passing { stream, hasher })))
    }

    /// The content. Every handle's stream takes from the same source.
    pub(crate) fn stream(&self) -> ByteStream {
        let passing = self.clone();
        Box::pin(stream::poll_fn(move |context| {
            let mut passing = passing.lock();
            let piece = ready!(passing.stream.as_mut().poll_next(context));
            if let Some(Ok(piece)) = &piece {
                passing.hasher.update(piece);
            }
            Poll::Ready(piece)
        }))
    }

    /// The hash of all that has passed until now.
    pub(crate) fn hasher(&self) -> Hasher {
        self.lock().hasher.clone()
    }

    /// Lets pass what nobody has taken yet.
    pub(crate) async fn drain(&self) -> Result<(), BoxError> {
        self.stream().try_for_each(|_| std::future::ready(Ok(()))).await
    }

    fn lock(&self) -> MutexGuard<'_, Passing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
