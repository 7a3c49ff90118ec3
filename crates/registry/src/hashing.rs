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
pub struct Hasher(State);

#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Which implementation's states [`Hasher::state`] gives: any 0.11 of the crate sha2 reads those of any other.
    pub(crate) const SERIES: &str = "sha2-0.11";

    /// The hash of nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match &self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// More of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all of it.
    #[must_use]
    pub fn digest(self) -> Digest {
        match self.0 {
            State::Sha256(hasher) => Digest::from_value(Algorithm::Sha256, &hasher.finalize()),
            State::Sha512(hasher) => Digest::from_value(Algorithm::Sha512, &hasher.finalize()),
        }
    }

    /// The state, in the format of [`Hasher::SERIES`].
    pub(crate) fn state(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(hasher) => hasher.serialize().to_vec(),
            State::Sha512(hasher) => hasher.serialize().to_vec(),
        }
    }

    /// Takes a state up again; `None` when it is none.
    pub(crate) fn resume(algorithm: Algorithm, state: &[u8]) -> Option<Self> {
        let state = match algorithm {
            Algorithm::Sha256 => {
                let state = SerializedState::<Sha256>::try_from(state).ok()?;
                State::Sha256(Sha256::deserialize(&state).ok()?)
            }
            Algorithm::Sha512 => {
                let state = SerializedState::<Sha512>::try_from(state).ok()?;
                State::Sha512(Sha512::deserialize(&state).ok()?)
            }
        };
        Some(Self(state))
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
