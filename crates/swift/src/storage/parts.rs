//! Segments being written: straight from the caller's stream, one after the other, none of them under a name that was ever
//! used before. What was written in vain is deleted.

use apus_storage::{ByteStream, ErrorKind, Result, StageId, StorageError};
use bytes::Bytes;

use super::{Backend, Limits};
use crate::client::{Content, Segment, Source, Unused, Upload, Uploaded};

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
        let small = usize::try_from(self.limits.small).unwrap_or(usize::MAX);
        let mut source = Source::new(rest, stream);
        loop {
            match source.rest_below(small).await {
                Err(error) => return Err(StorageError::body(self.operation, self.stage, error)),
                Ok(Some(rest)) => return Ok(rest),
                Ok(None) => {}
            }
            source = self.write_segment(source).await?;
        }
    }

    async fn write_segment(&mut self, source: Source) -> Result<Source> {
        self.require_room()?;
        let number = self.segments.len();
        let name = self.backend.names.new_segment(self.stage, number);
        let (content, rest) = source.segment(self.limits.segment_after(number));
        let size = self.put(name, content).await?;
        tracing::debug!(stage = %self.stage, number, size, "wrote a segment");
        rest.take().ok_or_else(|| StorageError::new(ErrorKind::Unexpected, self.operation, self.stage))
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
