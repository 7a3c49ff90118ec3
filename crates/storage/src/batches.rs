//! Small pieces of a stream gathered into big ones, for backends whose every write has a price of its own.
//! What is gathered is bounded; what a single piece holds is its maker's choice.

use bytes::{Bytes, BytesMut};
use futures_util::stream::{Fuse, StreamExt, TryStreamExt};

use crate::{BoxError, ByteStream};

/// Hands out a stream in batches of at least [`Batches::SIZE`] bytes, the last one excepted. Empty batches do not occur.
pub(crate) struct Batches {
    stream: Fuse<ByteStream>,
    pending: BytesMut,
}

impl Batches {
    /// Bytes that make a batch. At most twice as many are held.
    pub(crate) const SIZE: usize = 1 << 20;

    pub(crate) fn new(stream: ByteStream) -> Self {
        Self { stream: stream.fuse(), pending: BytesMut::new() }
    }

    /// The next batch; `None` when the stream has ended. After an error there is nothing more to ask for.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        while self.pending.len() < Self::SIZE {
            match self.stream.try_next().await? {
                // Big enough as it is: no copy.
                Some(piece) if self.pending.is_empty() && piece.len() >= Self::SIZE => {
                    return Ok(Some(piece));
                }
                Some(piece) => self.pending.extend_from_slice(&piece),
                None => break,
            }
        }
        Ok((!self.pending.is_empty()).then(|| self.pending.split().freeze()))
    }
}

#[cfg(test)]
mod tests;
