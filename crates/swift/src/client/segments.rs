//! A stream on its way into segments: one after the other, straight from the caller, never more of it in memory than a
//! piece. What was written in vain is deleted.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use apus_storage::{BoxError, ByteStream};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};

use super::Container;
use super::object::Deletion;
use super::upload::Content;
use crate::error::SwiftError;

/// The caller's stream, and what was read of it ahead.
pub(crate) struct Source {
    lead: BytesMut,
    stream: ByteStream,
    ended: bool,
}

impl Source {
    /// These bytes, and then the stream.
    pub(crate) fn new(lead: Bytes, stream: ByteStream) -> Self {
        Self { lead: lead.into(), stream, ended: false }
    }

    /// All that is left if it is fewer bytes than `enough`; `None` when there are as many.
    pub(crate) async fn rest_below(&mut self, enough: usize) -> Result<Option<Bytes>, BoxError> {
        self.read_ahead(enough).await?;
        // A copy, so that a few bytes do not keep a large buffer alive.
        Ok((self.lead.len() < enough).then(|| Bytes::copy_from_slice(&self.lead)))
    }

    /// The content of the next segment, of this length unless the stream ends before, and where the source is to be had again
    /// when that has been read.
    pub(crate) fn segment(self, length: u64) -> (Content, Rest) {
        let rest = Rest::default();
        let content = SegmentContent { source: Some(self), left: length, rest: rest.clone() };
        (Content::stream(None, Box::pin(content)), rest)
    }

    /// Reads until there are `enough` bytes, or no more.
    async fn read_ahead(&mut self, enough: usize) -> Result<(), BoxError> {
        while self.lead.len() < enough && !self.ended {
            match self.stream.try_next().await? {
                Some(piece) => self.lead.extend_from_slice(&piece),
                None => self.ended = true,
            }
        }
        Ok(())
    }
}

/// Where a segment leaves the source when it has taken its share of it.
#[derive(Clone, Default)]
pub(crate) struct Rest(Arc<Mutex<Option<Source>>>);

impl Rest {
    /// The source, unless the segment was not read to its end.
    pub(crate) fn take(&self) -> Option<Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The next so many bytes of a source, or all that it has.
struct SegmentContent {
    source: Option<Source>,
    left: u64,
    rest: Rest,
}

impl SegmentContent {
    fn end(&mut self) -> Poll<Option<Result<Bytes, BoxError>>> {
        *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = self.source.take();
        Poll::Ready(None)
    }
}

impl Stream for SegmentContent {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(source) = &mut this.source else { return Poll::Ready(None) };
        let left = usize::try_from(this.left).unwrap_or(usize::MAX);
        if left == 0 {
            return this.end();
        }
        let piece = if !source.lead.is_empty() {
            source.lead.split_to(source.lead.len().min(left)).freeze()
        } else if source.ended {
            return this.end();
        } else {
            match source.stream.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    source.ended = true;
                    return this.end();
                }
                Poll::Ready(Some(Ok(mut piece))) => {
                    if piece.len() > left {
                        source.lead.extend_from_slice(&piece.split_off(left));
                    }
                    piece
                }
            }
        };
        this.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(piece)))
    }
}

/// Objects that nothing names yet. Unless they are released, dropping this deletes them.
pub(crate) struct Unused {
    container: Container,
    names: Vec<String>,
}

impl Unused {
    pub(crate) fn new(container: Container) -> Self {
        Self { container, names: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    /// From now on something may name them: if that cannot be told, they are left to upkeep.
    pub(crate) fn release(&mut self) -> Vec<String> {
        std::mem::take(&mut self.names)
    }
}

impl Drop for Unused {
    fn drop(&mut self) {
        let names = self.release();
        if names.is_empty() {
            return;
        }
        // Without a runtime the process is ending, and upkeep finds them.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let container = self.container.clone();
        runtime.spawn(async move { free(&container, names).await });
    }
}

/// Deletes objects that nothing needs. What cannot be deleted now is left to upkeep.
pub(crate) async fn free(container: &Container, names: Vec<String>) {
    let mut failure: Option<SwiftError> = None;
    for deletion in container.delete_many(names).await {
        match deletion {
            Ok(Deletion::Done | Deletion::Absent) => {}
            Err(error) => failure = Some(error),
        }
    }
    if let Some(error) = failure {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "segments that nothing needs are left to upkeep"
        );
    }
}

#[cfg(test)]
mod tests;
