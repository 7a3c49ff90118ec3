//! Segments being written: straight from the caller's stream, one after the other, none of them under a name that was ever
//! used before. What was written in vain is deleted.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use apus_storage::{BoxError, ByteStream, ErrorKind, Result, StageId, StorageError};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};

use super::{Backend, Limits};
use crate::SwiftError;
use crate::client::{Container, Content, Deletion, Segment, Upload, Uploaded};

/// Writes the segments of a stage.
pub(super) struct Parts<'a> {
    pub(super) backend: &'a Backend,
    pub(super) operation: &'static str,
    pub(super) stage: &'a StageId,
    pub(super) limits: Limits,
    /// What the stage had before, and what was written since.
    pub(super) segments: Vec<Segment>,
    pub(super) unused: Unused,
}

impl Parts<'_> {
    /// Takes a stream to its end, after what is left from before, and gives the rest that is too small for a segment.
    pub(super) async fn take(&mut self, rest: Bytes, stream: ByteStream) -> Result<Bytes> {
        let mut source = Source { lead: rest.into(), stream, ended: false };
        loop {
            let small = usize::try_from(self.limits.small).unwrap_or(usize::MAX);
            if let Err(error) = source.read_ahead(small).await {
                return Err(StorageError::body(self.operation, self.stage, error));
            }
            if source.lead.len() < small {
                // A copy, so that a few bytes do not keep a large buffer alive.
                return Ok(Bytes::copy_from_slice(&source.lead));
            }
            source = self.write_segment(source).await?;
        }
    }

    async fn write_segment(&mut self, source: Source) -> Result<Source> {
        self.require_room()?;
        let number = self.segments.len();
        let name = self.backend.names.new_segment(self.stage, number);
        let returned = Returned::default();
        let content = SegmentContent {
            source: Some(source),
            left: self.limits.segment_after(number),
            returned: Arc::clone(&returned),
        };
        let size = self.put(name, Content::stream(None, Box::pin(content))).await?;
        tracing::debug!(stage = %self.stage, number, size, "wrote a segment");
        let source = returned.lock().unwrap_or_else(PoisonError::into_inner).take();
        source.ok_or_else(|| StorageError::new(ErrorKind::Unexpected, self.operation, self.stage))
    }

    /// One more segment after this one is always possible: for the rest.
    fn require_room(&self) -> Result<()> {
        let most = self.limits.segments;
        let error = StorageError::new(ErrorKind::TooLarge, self.operation, self.stage);
        if self.limits.lacks_large_objects {
            Err(error.with_advice("enable the middleware slo in Swift's proxy"))
        } else if self.segments.len() + 1 >= most {
            Err(error.with_advice(format!(
                "it has {most} segments, more than the cluster allows: send it in larger chunks, or raise chunksize"
            )))
        } else {
            Ok(())
        }
    }

    /// Writes the next segment under this name.
    pub(super) async fn put(&mut self, name: String, content: Content) -> Result<u64> {
        let segment = self.store(name, content).await?;
        let size = segment.size;
        self.segments.push(segment);
        Ok(size)
    }

    /// Writes a segment that is not yet one of the stage's.
    pub(super) async fn store(&mut self, name: String, content: Content) -> Result<Segment> {
        self.unused.add(&name);
        let uploaded = self.backend.container.put(Upload::new(&name, content)).await;
        match uploaded.map_err(|error| error.into_storage(self.operation, self.stage))? {
            Uploaded::Stored(stored) => Ok(Segment { name, etag: stored.entity_tag, size: stored.size }),
            Uploaded::Exists { .. } | Uploaded::Superseded => {
                let error = StorageError::new(ErrorKind::Unexpected, self.operation, self.stage);
                Err(error.with_advice(format!("something else writes {name}, which is Apus's own")))
            }
        }
    }
}

/// The caller's stream, and what was read of it ahead.
struct Source {
    lead: BytesMut,
    stream: ByteStream,
    ended: bool,
}

impl Source {
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

/// Where a segment leaves the stream when it has taken its share of it.
type Returned = Arc<Mutex<Option<Source>>>;

/// The next so many bytes of a source, or all that it has.
struct SegmentContent {
    source: Option<Source>,
    left: u64,
    returned: Returned,
}

impl SegmentContent {
    fn end(&mut self) -> Poll<Option<Result<Bytes, BoxError>>> {
        *self.returned.lock().unwrap_or_else(PoisonError::into_inner) = self.source.take();
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
pub(super) struct Unused {
    container: Container,
    names: Vec<String>,
}

impl Unused {
    pub(super) fn new(container: Container) -> Self {
        Self { container, names: Vec::new() }
    }

    pub(super) fn add(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    /// From now on something may name them: if that cannot be told, they are left to upkeep.
    pub(super) fn release(&mut self) -> Vec<String> {
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
pub(super) async fn free(container: &Container, names: Vec<String>) {
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
