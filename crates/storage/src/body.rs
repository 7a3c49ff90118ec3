//! Bytes on their way into storage. A refusal travels as an error of the stream: a backend that sees one publishes nothing,
//! so whoever makes the stream has the last word until the last byte is handed out ([`hold_back`]).

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, TryStreamExt};

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes in pieces. The first error ends it.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Content of known length.
pub struct Body {
    length: u64,
    content: Content,
}

enum Content {
    Bytes(Bytes),
    Stream(ByteStream),
}

impl Body {
    /// Content that will come as a stream of exactly `length` bytes.
    ///
    /// A stream that ends early, goes on for longer, or ends in an error fails the write that it was given to, and
    /// nothing changes.
    #[must_use]
    pub fn stream(length: u64, stream: ByteStream) -> Self {
        Self { length, content: Content::Stream(stream) }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes themselves, when they are all in memory: such a body can be sent again.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Stream(_) => None,
        }
    }

    /// The content as a stream that ends in [`LengthMismatch`] unless it has the length that was promised. That error comes
    /// in place of the last piece, never after all bytes were handed out.
    #[must_use]
    pub fn into_stream(self) -> ByteStream {
        match self.content {
            Content::Bytes(bytes) if bytes.is_empty() => Box::pin(stream::empty()),
            Content::Bytes(bytes) => once(bytes),
            Content::Stream(stream) => hold_back(stream, self.length, || Ok(())),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, content: Content::Bytes(bytes) }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A stream that was not as long as promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LengthMismatch {
    /// It ended early.
    #[error("the content ended after {actual} of {expected} bytes")]
    Short {
        /// Bytes that were promised.
        expected: u64,
        /// Bytes that came.
        actual: u64,
    },
    /// It went on.
    #[error("the content goes on past {expected} bytes")]
    Long {
        /// Bytes that were promised, or allowed.
        expected: u64,
    },
}

/// One piece.
#[must_use]
pub fn once(bytes: Bytes) -> ByteStream {
    Box::pin(stream::once(std::future::ready(Ok(bytes))))
}

/// Holds back the last piece of a stream of `length` bytes until `verdict` allows it. The verdict is asked for once, when
/// all bytes have been seen and the stream has ended, and a refusal comes in the place of the last piece: whoever reads the
/// stream has then been given fewer than `length` bytes and an error. An empty stream is judged as well.
///
/// A stream of another length ends in [`LengthMismatch`], and the verdict is not asked for.
#[must_use]
pub fn hold_back<F>(stream: ByteStream, length: u64, verdict: F) -> ByteStream
where
    F: FnOnce() -> Result<(), BoxError> + Send + 'static,
{
    struct State<F> {
        stream: ByteStream,
        held: Option<Bytes>,
        seen: u64,
        verdict: Option<F>,
    }
    let state = State { stream, held: None, seen: 0, verdict: Some(verdict) };
    Box::pin(stream::try_unfold(state, move |mut state| async move {
        loop {
            if state.verdict.is_none() {
                return Ok(None);
            }
            let Some(piece) = state.stream.try_next().await? else {
                if state.seen < length {
                    return Err(LengthMismatch::Short { expected: length, actual: state.seen }.into());
                }
                if let Some(verdict) = state.verdict.take() {
                    verdict()?;
                }
                return Ok(state.held.take().map(|held| (held, state)));
            };
            if piece.is_empty() {
                continue;
            }
            state.seen += piece.len() as u64;
            if state.seen > length {
                return Err(LengthMismatch::Long { expected: length }.into());
            }
            if let Some(ready) = state.held.replace(piece) {
                return Ok(Some((ready, state)));
            }
        }
    }))
}

/// All bytes of a stream when they are no more than `limit`, else [`LengthMismatch::Long`]: at most one piece too many is
/// taken in.
pub async fn collect(mut stream: ByteStream, limit: usize) -> Result<Bytes, BoxError> {
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.try_next().await? {
        if whole.len() + piece.len() > limit {
            return Err(LengthMismatch::Long { expected: limit as u64 }.into());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests;
