//! The record of a large object's segments: written before the object, deleted after it. It says for which object the
//! segments of a stage were meant, so that what nobody needs can be told from what somebody does; and it names the segments
//! where a cluster does not (Ceph RGW answers with an empty manifest).

use std::time::Duration;

use apus_storage::{ByteRange, ErrorKind, Freshness, Result, StageId, StorageError};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::drop::under_way;
use super::session::{Unreadable, check_version, collected};
use super::{Backend, moved};
use crate::client::{ObjectKind, ObjectMetadata, Reading, Segment, Upload, Uploaded};

/// The version of the format that is written.
const VERSION: u32 = 1;
/// A thousand segments with long names.
const LONGEST: usize = 8 << 20;
/// The user metadata by which an object says which stage it was published from.
const STAGE: &str = "apus-stage";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// The object that the segments are for: its name in the container. Empty when the stage is being dropped.
    pub(super) target: String,
    pub(super) segments: Vec<Segment>,
}

/// The header by which an object says which stage it was published from.
pub(super) fn stage_header(stage: &StageId) -> Option<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(stage.as_str()).ok()?;
    Some((HeaderName::from_static("x-object-meta-apus-stage"), value))
}

/// The stage that an object was published from.
pub(super) fn stage_of(metadata: &ObjectMetadata) -> Option<StageId> {
    metadata.user(STAGE).and_then(|stage| StageId::parse(stage).ok())
}

/// Whether the object is a large one that was published from this stage.
pub(super) fn uses_segments_of(metadata: &ObjectMetadata, stage: &StageId) -> bool {
    metadata.kind == ObjectKind::Static && stage_of(metadata).as_ref() == Some(stage)
}

impl Record {
    /// The record of a stage that is being dropped: it is for no object.
    pub(super) fn of_dropped() -> Self {
        Self { version: VERSION, target: String::new(), segments: Vec::new() }
    }

    pub(super) fn is_of_dropped(&self) -> bool {
        self.target.is_empty()
    }
}

impl Backend {
    pub(super) async fn load_record(
        &self,
        operation: &'static str,
        stage: &StageId,
    ) -> Result<Option<Record>> {
        Ok(self.load_record_with_age(operation, stage).await?.map(|(record, _)| record))
    }

    /// The record, and since when it is there by the cluster's clock.
    pub(super) async fn load_record_with_age(
        &self,
        operation: &'static str,
        stage: &StageId,
    ) -> Result<Option<(Record, Duration)>> {
        let unreadable =
            |unreadable: Unreadable| unreadable.into_storage(operation, stage, "record of segments");
        let reading = self.container.get(&self.names.record(stage), ByteRange::Full, Freshness::Newest).await;
        let download = match reading.map_err(|error| error.into_storage(operation, stage))? {
            Reading::Absent => return Ok(None),
            Reading::Beyond(_) => return Err(unreadable(Unreadable::Garbage("it is empty".to_owned()))),
            Reading::Content(download) => download,
        };
        let age = download.metadata.age();
        let object = collected(operation, stage, download.stream, LONGEST).await?;
        check_version(&object).map_err(unreadable)?;
        let record = serde_json::from_slice(&object);
        let record = record.map_err(|error| unreadable(Unreadable::Garbage(error.to_string())))?;
        Ok(Some((record, age)))
    }

    /// Writes a record. Answers whether it was written.
    pub(super) async fn put_record(
        &self,
        operation: &'static str,
        stage: &StageId,
        record: &Record,
        if_absent: bool,
    ) -> Result<bool> {
        let text = serde_json::to_vec(record)
            .map_err(|error| StorageError::new(ErrorKind::Unexpected, operation, stage).with_source(error))?;
        let upload = Upload::new(self.names.record(stage), Bytes::from(text)).if_absent(if_absent);
        let put = self.container.put(upload).await;
        let put = put.map_err(|error| error.into_storage(operation, stage))?;
        Ok(matches!(put, Uploaded::Stored(_)))
    }

    /// Writes down what the segments of a stage are for, before anything names them.
    ///
    /// A stage is published once. Two processes may each believe to know how it stands, one of them from before the other
    /// appended; were both to publish, under two names, the two objects would share segments, and to delete one would
    /// damage the other. So whoever finds another record here has come too late, unless nothing was published by that; or
    /// must wait, as long as that may still happen.
    pub(super) async fn write_record(
        &self,
        operation: &'static str,
        stage: &StageId,
        target: &str,
        segments: &[Segment],
    ) -> Result<()> {
        let record = Record { version: VERSION, target: target.to_owned(), segments: segments.to_vec() };
        if self.put_record(operation, stage, &record, true).await? {
            return Ok(());
        }
        if let Some((found, age)) = self.load_record_with_age(operation, stage).await? {
            if found == record {
                return Ok(());
            }
            if found.is_of_dropped() || self.is_published(operation, stage, &found).await? {
                return Err(moved(operation, stage));
            }
            let left = self.lease.checked_sub(age).filter(|left| !left.is_zero() && found.target != target);
            if let Some(left) = left {
                return Err(under_way(operation, stage, left));
            }
        }
        self.put_record(operation, stage, &record, false).await?;
        Ok(())
    }

    /// Whether the object that a record speaks of is there and uses the segments. A failure to find out is an error.
    pub(super) async fn is_published(
        &self,
        operation: &'static str,
        stage: &StageId,
        record: &Record,
    ) -> Result<bool> {
        let target = self.container.head(&record.target, Freshness::Newest).await;
        let target = target.map_err(|error| error.into_storage(operation, stage))?;
        Ok(target.is_some_and(|target| uses_segments_of(&target, stage)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_as_documented() {
        let record = Record {
            version: VERSION,
            target: "files/a".to_owned(),
            segments: vec![Segment {
                name: "segments/apus/s/00000000-x".to_owned(),
                etag: "e".to_owned(),
                size: 5,
            }],
        };
        let expected = concat!(
            r#"{"version":1,"target":"files/a","#,
            r#""segments":[{"name":"segments/apus/s/00000000-x","etag":"e","size":5}]}"#
        );
        assert_eq!(serde_json::to_string(&record).unwrap(), expected);
        assert_eq!(serde_json::from_str::<Record>(expected).unwrap(), record);
        let dropped = r#"{"version":1,"target":"","segments":[]}"#;
        assert_eq!(serde_json::to_string(&Record::of_dropped()).unwrap(), dropped);
    }
}
