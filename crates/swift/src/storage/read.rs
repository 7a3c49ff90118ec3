//! Looking at objects and reading them. Plain ones and large ones of both kinds, registry:2's among them, are read by the
//! same request.

use std::sync::Arc;

use apus_storage::{
    BoxError, ByteRange, ByteStream, ErrorKind, Freshness, ObjectInfo, ObjectName, ObjectReader, Outcome,
    Result, StageId, StageRevision, StorageError, body,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::damage::damaged;
use super::session::Session;
use super::{Backend, info_of, outcome_of};
use crate::SwiftError;
use crate::client::{Download, ObjectKind, Reading, Segment};

impl Backend {
    pub(super) async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        let object = self.place("stat", name).await?;
        let metadata = self.container.head(&object, freshness).await;
        let Some(metadata) = metadata.map_err(|error| error.into_storage("stat", name))? else {
            return Ok(None);
        };
        if self.is_damaged("stat", &object, &metadata).await? {
            return Err(damaged("stat", name));
        }
        self.read_here.meet(&object, &metadata);
        Ok(Some(info_of(metadata)))
    }

    pub(super) async fn read(
        self: &Arc<Self>,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        let object = self.place("read", name).await?;
        let reading = self.container.get(&object, range, freshness).await;
        let reading = reading.map_err(|error| {
            self.report_damage(&object, &error);
            error.into_storage("read", name)
        })?;
        let metadata = match &reading {
            Reading::Absent => {
                self.doubt_absence(&object).await;
                return Ok(None);
            }
            Reading::Beyond(metadata) | Reading::Content(Download { metadata, .. }) => metadata,
        };
        if metadata.kind == ObjectKind::Dynamic && metadata.size == 0 {
            return Err(damaged("read", name));
        }
        self.read_here.meet(&object, metadata);
        Ok(match reading {
            Reading::Absent => None,
            Reading::Beyond(metadata) => {
                let info = info_of(metadata);
                let range = range.of(info.size);
                Some(ObjectReader { info, range, stream: Box::pin(stream::empty()) })
            }
            Reading::Content(download) => Some(ObjectReader {
                info: info_of(download.metadata),
                range: download.range,
                stream: self.watched(name, object, download.stream),
            }),
        })
    }

    /// The same stream, whose error says what was read, and is looked into if it is damage.
    fn watched(self: &Arc<Self>, name: &ObjectName, object: String, stream: ByteStream) -> ByteStream {
        let (backend, name) = (Arc::clone(self), name.clone());
        Box::pin(stream.map_err(move |error| match error.downcast::<SwiftError>() {
            Ok(error) => {
                backend.report_damage(&object, &error);
                error.into_storage("read", &name).into()
            }
            Err(error) => error,
        }))
    }

    pub(super) async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        let object = self.place("touch", name).await?;
        let touched = self.container.touch(&object).await;
        touched.map(outcome_of).map_err(|error| error.into_storage("touch", name))
    }

    /// The segments, one after the other, and then the tail.
    pub(super) async fn stage_read(
        self: &Arc<Self>,
        stage: &StageId,
        revision: &StageRevision,
    ) -> Result<ByteStream> {
        self.ready("stage_read", stage).await?;
        let session = self.load_at("stage_read", stage, revision).await?;
        let Session { segments, tail, .. } = (*session).clone();
        let tail: ByteStream = if tail.is_empty() { Box::pin(stream::empty()) } else { body::once(tail) };
        let backend = Arc::clone(self);
        let stage = stage.clone();
        let segments = stream::iter(segments.into_iter().map(Ok::<_, BoxError>));
        let segments = segments.and_then(move |segment| {
            let (backend, stage) = (Arc::clone(&backend), stage.clone());
            async move { backend.read_segment(&stage, &segment).await.map_err(BoxError::from) }
        });
        Ok(Box::pin(segments.try_flatten().chain(tail)))
    }

    async fn read_segment(&self, stage: &StageId, segment: &Segment) -> Result<ByteStream> {
        let reading = self.container.get(&segment.name, ByteRange::Full, Freshness::Any).await;
        match reading.map_err(|error| error.into_storage("stage_read", stage))? {
            Reading::Content(download) if download.metadata.size == segment.size => {
                Ok(naming("stage_read", stage.to_string(), download.stream))
            }
            _ => {
                let advice = format!("its segment {} is missing or has another length", segment.name);
                Err(StorageError::new(ErrorKind::Damaged, "stage_read", stage).with_advice(advice))
            }
        }
    }
}

/// The same stream, whose error says what was read.
fn naming(operation: &'static str, object: String, stream: ByteStream) -> ByteStream {
    Box::pin(stream.map_err(move |error| match error.downcast::<SwiftError>() {
        Ok(error) => error.into_storage(operation, &object).into(),
        Err(error) => error,
    }))
}
