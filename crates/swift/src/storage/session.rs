//! A stage between its appends: one object that says all there is to know, so that any process can go on with it.
//!
//! Its first line is JSON: the version of this format, the revision, the offset, the checkpoint in Base64, the segments,
//! whether some of them were made of others (`compact`), and how many bytes of the tail follow the line. The tail is what is not yet worth a segment.
//!
//! Sessions that this process wrote are kept in memory, up to a bound, so that the next append need not read what the last
//! one wrote. Such a copy is used only for the revision it is of, and is forgotten when the stage is seen to stand
//! elsewhere. Until then a stage can be gone on with that another process has gone on with too; such a fork is read and
//! published as itself, and the record of segments sees to it that only one of the two is (`record`).

use std::sync::Arc;

use apus_storage::{
    ByteRange, ErrorKind, Freshness, Result, StageId, StageRevision, StageState, StorageError, body,
};
use bytes::{BufMut, Bytes, BytesMut};
use data_encoding::BASE64;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use serde::{Deserialize, Serialize};

use super::{Backend, moved};
use crate::client::{Reading, Segment};

/// The version of the format that is written.
const VERSION: u32 = 1;
/// A session of a thousand segments with long names, and a tail.
const LONGEST: usize = 8 << 20;
/// Bytes of sessions that are kept in memory.
const CACHED: u64 = 16 << 20;

/// What a stage consists of at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) revision: StageRevision,
    pub(super) checkpoint: Bytes,
    pub(super) segments: Vec<Segment>,
    /// There are other segments beside these, which became one of these.
    pub(super) compacted: bool,
    pub(super) tail: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    revision: String,
    offset: u64,
    checkpoint: String,
    segments: Vec<Segment>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    compacted: bool,
    tail: u64,
}

/// What every version of a format of ours has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

/// Why an object of ours could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("its format has version {0}, and this one knows {VERSION}")]
    Version(u32),
    #[error("{0}")]
    Garbage(String),
}

impl Unreadable {
    pub(super) fn into_storage(self, operation: &'static str, stage: &StageId, what: &str) -> StorageError {
        let (kind, advice) = match self {
            Self::Version(_) => (
                ErrorKind::UnknownVersion,
                format!("its {what} was written by a newer version of Apus: use that one, or a newer one"),
            ),
            Self::Garbage(_) => {
                (ErrorKind::Damaged, format!("its {what} is not what Apus writes: drop the upload"))
            }
        };
        StorageError::new(kind, operation, stage).with_advice(advice).with_source(self)
    }
}

/// Checks the version of a JSON text of ours before anything else is read of it.
pub(super) fn check_version(json: &[u8]) -> Result<(), Unreadable> {
    match serde_json::from_slice(json) {
        Ok(AnyVersion { version: VERSION }) => Ok(()),
        Ok(AnyVersion { version }) => Err(Unreadable::Version(version)),
        Err(error) => Err(Unreadable::Garbage(error.to_string())),
    }
}

impl Session {
    /// What a stage consists of before it is begun.
    pub(super) fn nothing() -> Self {
        Self {
            revision: StageRevision::from_text(""),
            checkpoint: Bytes::new(),
            segments: Vec::new(),
            compacted: false,
            tail: Bytes::new(),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum::<u64>() + self.tail.len() as u64
    }

    pub(super) fn state(&self) -> StageState {
        StageState {
            revision: self.revision.clone(),
            offset: self.offset(),
            checkpoint: self.checkpoint.clone(),
        }
    }

    pub(super) fn encode(&self) -> Result<Bytes, serde_json::Error> {
        let header = serde_json::to_vec(&Header {
            version: VERSION,
            revision: self.revision.as_str().to_owned(),
            offset: self.offset(),
            checkpoint: BASE64.encode(&self.checkpoint),
            segments: self.segments.clone(),
            compacted: self.compacted,
            tail: self.tail.len() as u64,
        })?;
        let mut object = BytesMut::with_capacity(header.len() + 1 + self.tail.len());
        object.put_slice(&header);
        object.put_u8(b'\n');
        object.put_slice(&self.tail);
        Ok(object.freeze())
    }

    pub(super) fn decode(mut object: Bytes) -> Result<Self, Unreadable> {
        let garbage = |reason: &str| Unreadable::Garbage(reason.to_owned());
        let end = object.iter().position(|byte| *byte == b'\n').ok_or_else(|| garbage("it has no header"))?;
        let header = object.split_to(end);
        let tail = object.split_off(1);
        check_version(&header)?;
        let header: Header =
            serde_json::from_slice(&header).map_err(|error| Unreadable::Garbage(error.to_string()))?;
        if header.tail != tail.len() as u64 {
            return Err(garbage("its tail has another length than its header says"));
        }
        let checkpoint = BASE64.decode(header.checkpoint.as_bytes());
        let session = Self {
            revision: StageRevision::from_text(header.revision),
            checkpoint: checkpoint.map_err(|_| garbage("its checkpoint is no Base64"))?.into(),
            segments: header.segments,
            compacted: header.compacted,
            tail,
        };
        if session.offset() != header.offset {
            return Err(garbage("its parts do not add up to its offset"));
        }
        Ok(session)
    }
}

impl Backend {
    /// The stage as it stands now, by all replicas. A copy in memory that is of another revision is forgotten.
    pub(super) async fn load(&self, operation: &'static str, stage: &StageId) -> Result<Option<Session>> {
        let found = self.fetch(operation, stage).await;
        if let Ok(found) = &found {
            self.sessions.forget_others(stage, found.as_ref().map(|session| &session.revision));
        }
        found
    }

    async fn fetch(&self, operation: &'static str, stage: &StageId) -> Result<Option<Session>> {
        let reading =
            self.container.get(&self.names.session(stage), ByteRange::Full, Freshness::Newest).await;
        let unreadable = |unreadable: Unreadable| unreadable.into_storage(operation, stage, "session");
        match reading.map_err(|error| error.into_storage(operation, stage))? {
            Reading::Absent => Ok(None),
            Reading::Beyond(_) => Err(unreadable(Unreadable::Garbage("it is empty".to_owned()))),
            Reading::Content(download) => {
                let object = collected(operation, stage, download.stream, LONGEST).await?;
                Session::decode(object).map(Some).map_err(unreadable)
            }
        }
    }

    /// The stage at this revision, or the error that it does not stand there.
    pub(super) async fn load_at(
        &self,
        operation: &'static str,
        stage: &StageId,
        revision: &StageRevision,
    ) -> Result<Arc<Session>> {
        if let Some(session) = self.sessions.get(stage, revision) {
            return Ok(session);
        }
        match self.load(operation, stage).await? {
            Some(session) if session.revision == *revision => Ok(Arc::new(session)),
            _ => Err(moved(operation, stage)),
        }
    }

    pub(super) async fn stage_state(
        &self,
        stage: &StageId,
        known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        if let Some(session) = known.and_then(|revision| self.sessions.get(stage, revision)) {
            return Ok(Some(session.state()));
        }
        self.ready("stage_state", stage).await?;
        Ok(self.load("stage_state", stage).await?.map(|session| session.state()))
    }
}

/// All bytes of an object of ours.
pub(super) async fn collected(
    operation: &'static str,
    stage: &StageId,
    stream: body::ByteStream,
    limit: usize,
) -> Result<Bytes> {
    body::collect(stream, limit).await.map_err(|error| {
        let kind =
            if error.is::<body::LengthMismatch>() { ErrorKind::Damaged } else { ErrorKind::UNAVAILABLE };
        StorageError::new(kind, operation, stage).with_source(error)
    })
}

/// Sessions that this process wrote last.
pub(super) struct SessionCache(Cache<StageId, Arc<Session>, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<StageId, Arc<Session>> for Weight {
    fn weight(&self, _stage: &StageId, session: &Arc<Session>) -> u64 {
        let segments: usize = session.segments.iter().map(|segment| segment.name.len() + 128).sum();
        (session.tail.len() + session.checkpoint.len() + segments + 512) as u64
    }
}

impl SessionCache {
    #[expect(clippy::expect_used, reason = "it fails only without the two capacities, and both are given")]
    pub(super) fn new() -> Self {
        // One shard: a session may weigh more than a share of many would hold.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(1000)
            .weight_capacity(CACHED)
            .build()
            .expect("both capacities are given");
        Self(Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default()))
    }

    pub(super) fn get(&self, stage: &StageId, revision: &StageRevision) -> Option<Arc<Session>> {
        self.0.get(stage).filter(|session| session.revision == *revision)
    }

    /// Whether this process has seen the stage go on from this revision.
    pub(super) fn stands_elsewhere(&self, stage: &StageId, revision: &StageRevision) -> bool {
        self.0.get(stage).is_some_and(|session| session.revision != *revision)
    }

    pub(super) fn keep(&self, stage: &StageId, session: Arc<Session>) {
        self.0.insert(stage.clone(), session);
    }

    pub(super) fn forget(&self, stage: &StageId) {
        self.0.remove(stage);
    }

    fn forget_others(&self, stage: &StageId, revision: Option<&StageRevision>) {
        self.0.remove_if(stage, |session| Some(&session.revision) != revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            revision: StageRevision::random(),
            checkpoint: Bytes::from_static(b"\0\xff state"),
            segments: vec![Segment {
                name: "segments/apus/s/00000000-x".to_owned(),
                etag: "e".to_owned(),
                size: 5,
            }],
            compacted: false,
            tail: Bytes::from_static(b"tail\nwith a line"),
        }
    }

    #[test]
    fn a_session_comes_back_as_it_was() {
        for session in [session(), Session { compacted: true, ..session() }, Session::nothing()] {
            assert_eq!(Session::decode(session.encode().unwrap()).unwrap(), session);
        }
    }

    #[test]
    fn the_format_is_as_documented() {
        let mut session = session();
        session.revision = StageRevision::from_text("r1");
        let expected = concat!(
            r#"{"version":1,"revision":"r1","offset":21,"checkpoint":"AP8gc3RhdGU=","#,
            r#""segments":[{"name":"segments/apus/s/00000000-x","etag":"e","size":5}],"tail":16}"#,
            "\ntail\nwith a line"
        );
        assert_eq!(session.encode().unwrap(), expected);
        session.compacted = true;
        let expected = expected.replace(r#""tail""#, r#""compacted":true,"tail""#);
        assert_eq!(session.encode().unwrap(), expected);
    }

    #[test]
    fn what_is_no_session_of_this_version_is_refused() {
        let decode = |text: &str| Session::decode(Bytes::copy_from_slice(text.as_bytes()));
        assert!(matches!(decode("{\"version\":2,\"what\":0}\n").unwrap_err(), Unreadable::Version(2)));
        let header = r#"{"version":1,"revision":"r","offset":4,"checkpoint":"","segments":[],"tail":4}"#;
        assert_eq!(decode(&format!("{header}\ntail")).unwrap().tail, "tail");
        let garbage = [
            "",
            "\n",
            "{}\n",
            "no header",
            &format!("{header}\nlonger tail"),
            &format!("{}\ntail", header.replace("\"offset\":4", "\"offset\":5")),
            &format!("{}\ntail", header.replace("\"checkpoint\":\"\"", "\"checkpoint\":\"?\"")),
        ];
        for text in garbage {
            assert!(matches!(decode(text).unwrap_err(), Unreadable::Garbage(_)), "{text:?}");
        }
    }

    #[test]
    fn the_cache_gives_only_the_revision_that_is_asked_for() {
        let cache = SessionCache::new();
        let stage = StageId::parse("s").unwrap();
        let session = Arc::new(session());
        cache.keep(&stage, Arc::clone(&session));
        assert_eq!(cache.get(&stage, &session.revision), Some(Arc::clone(&session)));
        assert_eq!(cache.get(&stage, &StageRevision::random()), None);
        cache.forget_others(&stage, Some(&session.revision));
        assert!(cache.get(&stage, &session.revision).is_some());
        cache.forget_others(&stage, Some(&StageRevision::random()));
        assert_eq!(cache.get(&stage, &session.revision), None);
    }

    #[test]
    fn the_cache_is_bounded_by_bytes() {
        let cache = SessionCache::new();
        for number in 0..100 {
            let tail = Bytes::from(vec![0; 1 << 20]);
            let session = Session { tail, ..session() };
            cache.keep(&StageId::parse(format!("s{number}")).unwrap(), Arc::new(session));
        }
        assert!((8 << 20..=CACHED).contains(&cache.0.weight()), "{}", cache.0.weight());
    }
}
