//! What uploads have left that came to nothing: segments that no session names, as after the death of a process in an
//! upload's first append, or in a body that is too large for one object. Only the segments themselves tell of it.
//!
//! The record tells whether they are needed. Where there is none, nothing published them, unless records have been lost, as by
//! a copy of a container without its `apus/`; then the segments of every large object look so. The objects themselves
//! tell that: each names the upload that it was published from. Whatever cannot be told is kept.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use apus_storage::{ErrorKind, Freshness, Remnants, Result, StageId};
use futures_util::TryStreamExt;

use super::Backend;
use super::record::{Record, stage_of};
use crate::SwiftError;
use crate::client::{ListingEntry, ObjectKind};

const OPERATION: &str = "free_remnants";
const EVERYTHING: &str = "what uploads have left";
/// Requests at once.
const AT_ONCE: usize = 16;
/// Bytes in a link to a blob of SHA-512, the longest: what is listed with no more has no segments.
const LONGEST_LINK: u64 = 135;

/// The segments of an upload, as a listing shows them.
struct Listed {
    bytes: u64,
    /// When the youngest was written.
    modified: SystemTime,
}

/// How the segments of an upload stand.
enum Standing {
    /// A session or an object has them.
    Needed,
    /// They are for no object that is there.
    Unneeded,
    /// Nothing that belongs to the upload says what they are for.
    Unrecorded,
}

/// What an object says of an upload.
struct Use {
    object: String,
    /// The upload that it was published from.
    stage: Option<StageId>,
    /// It has segments of ours, and there is no record of them.
    is_unrecorded: bool,
}

impl Backend {
    pub(super) async fn free_remnants(&self, min_age: Duration, dry_run: bool) -> Result<Remnants> {
        self.ready(OPERATION, &EVERYTHING).await?;
        let mut remnants = Remnants::default();
        let (mut unneeded, mut unrecorded) = (BTreeMap::new(), BTreeMap::new());
        let mut standings = self
            .container
            .entries(self.names.segments(), true)
            .map_err(unlisted)
            .try_filter_map(|entry| std::future::ready(Ok(self.stage_of_folder(&entry))))
            .map_ok(|stage| async move { Ok((self.standing(&stage).await, stage)) })
            .try_buffer_unordered(AT_ONCE);
        while let Some((standing, stage)) = standings.try_next().await? {
            let kind = match standing {
                Ok(Standing::Needed) => continue,
                Ok(Standing::Unneeded) => &mut unneeded,
                Ok(Standing::Unrecorded) => &mut unrecorded,
                // Its record cannot be read, by us or by anyone.
                Err(error) if matches!(error.kind(), ErrorKind::Damaged | ErrorKind::UnknownVersion) => {
                    remnants.failures.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let listed = self.listed(&stage).await?;
            kind.insert(stage, listed);
        }
        drop(standings);
        let old_before = SystemTime::now().checked_sub(min_age).unwrap_or(SystemTime::UNIX_EPOCH);
        let is_old = |listed: &Listed| min_age.is_zero() || listed.modified <= old_before;
        // Where one is old the young ones are looked for as well: that an object uses one of them tells as much.
        if unrecorded.values().any(is_old) {
            match self.look_for_uses(&mut unrecorded).await? {
                Some(object) => remnants.doubt = Some(self.lost_records(unrecorded.len(), &object)),
                None => unneeded.append(&mut unrecorded),
            }
        }
        for (stage, listed) in unneeded.into_iter().filter(|(_, listed)| is_old(listed)) {
            let freed = if dry_run { Ok(()) } else { self.free_remnant(&stage).await };
            match freed {
                Ok(()) => {
                    remnants.stages += 1;
                    remnants.bytes += listed.bytes;
                }
                Err(error) => remnants.failures.push(error),
            }
        }
        Ok(remnants)
    }

    async fn free_remnant(&self, stage: &StageId) -> Result<()> {
        let _turn = self.turns.of(stage).await;
        self.stage_drop(stage).await?;
        Ok(())
    }

    /// The upload that segments below this name are of. What is none of ours is left alone.
    fn stage_of_folder(&self, folder: &ListingEntry) -> Option<StageId> {
        let name = folder.name().strip_prefix(self.names.segments())?;
        StageId::parse(name.strip_suffix('/')?).ok()
    }

    async fn standing(&self, stage: &StageId) -> Result<Standing> {
        let session = self.container.look(&self.names.session(stage), Freshness::Newest).await;
        if session.map_err(|error| error.into_storage(OPERATION, stage))?.is_some() {
            return Ok(Standing::Needed);
        }
        Ok(match self.load_record(OPERATION, stage).await? {
            None => Standing::Unrecorded,
            Some(record) if self.may_be_published(stage, &record).await? => Standing::Needed,
            Some(_) => Standing::Unneeded,
        })
    }

    /// Whether the object that a record speaks of may use the segments. One that has lost its metadata may.
    async fn may_be_published(&self, stage: &StageId, record: &Record) -> Result<bool> {
        if record.is_of_dropped() {
            return Ok(false);
        }
        let target = self.container.look(&record.target, Freshness::Newest).await;
        let target = target.map_err(|error| error.into_storage(OPERATION, stage))?;
        Ok(target.is_some_and(|target| {
            target.kind == ObjectKind::Static && stage_of(&target).is_none_or(|other| other == *stage)
        }))
    }

    async fn listed(&self, stage: &StageId) -> Result<Listed> {
        let mut listed = Listed { bytes: 0, modified: SystemTime::UNIX_EPOCH };
        let mut segments = self.container.entries(self.names.segments_of(stage), false);
        while let Some(entry) = segments.try_next().await.map_err(unlisted)? {
            if let ListingEntry::Object { size, modified, .. } = entry {
                listed.bytes += size;
                listed.modified = listed.modified.max(modified);
            }
        }
        Ok(listed)
    }

    /// Asks every object that may have segments, and takes from these uploads those that one names. Answers an object whose
    /// record is missing, if there is one: then nothing is certain of any upload without a record.
    ///
    /// All below the prefix is asked, for what is kept there under other names may have segments here too.
    async fn look_for_uses(&self, unrecorded: &mut BTreeMap<StageId, Listed>) -> Result<Option<String>> {
        let capabilities = self.container.client().capabilities().await;
        let capabilities = capabilities.map_err(|error| error.into_storage(OPERATION, EVERYTHING))?;
        let least = if capabilities.lists_large_objects_whole() { LONGEST_LINK + 1 } else { 0 };
        let mut uses = self
            .container
            .entries(self.names.root(), false)
            .map_err(unlisted)
            .try_filter_map(|entry| std::future::ready(Ok(self.may_have_segments(entry, least))))
            .map_ok(|object| self.use_by(object))
            .try_buffer_unordered(AT_ONCE);
        while let Some(found) = uses.try_next().await? {
            let Some(Use { object, stage, is_unrecorded }) = found else { continue };
            let is_one = stage.as_ref().is_some_and(|stage| unrecorded.contains_key(stage));
            // Below another prefix the record is another's.
            if is_unrecorded && (is_one || stage.is_none() || object.starts_with(self.names.files())) {
                return Ok(Some(object));
            }
            if let Some(stage) = stage {
                unrecorded.remove(&stage);
            }
        }
        Ok(None)
    }

    fn may_have_segments(&self, entry: ListingEntry, least: u64) -> Option<String> {
        match entry {
            ListingEntry::Object { name, size, .. } => {
                (size >= least && !self.names.is_of_uploads(&name)).then_some(name)
            }
            ListingEntry::Folder(_) => None,
        }
    }

    /// What an object says of an upload; `None` when it says nothing.
    async fn use_by(&self, object: String) -> Result<Option<Use>> {
        let failed = |error: SwiftError| error.into_storage(OPERATION, &object);
        let Some(found) = self.container.look(&object, Freshness::Newest).await.map_err(failed)? else {
            return Ok(None);
        };
        let is_large = found.kind == ObjectKind::Static;
        let stage = stage_of(&found);
        let is_unrecorded = match &stage {
            _ if !is_large => false,
            Some(stage) => {
                let record = self.container.look(&self.names.record(stage), Freshness::Newest).await;
                record.map_err(failed)?.is_none()
            }
            // It is another's, or has lost its metadata. Its manifest tells, where the cluster shows it.
            None => self.container.manifest(&object).await.map_err(failed)?.is_some_and(|segments| {
                let is_ours = |name: &str| name.starts_with(self.names.segments());
                segments.is_empty() || segments.iter().any(|segment| is_ours(&segment.name))
            }),
        };
        Ok((stage.is_some() || is_unrecorded).then_some(Use { object, stage, is_unrecorded }))
    }

    fn lost_records(&self, uploads: usize, object: &str) -> String {
        let records = self.names.records();
        format!(
            "there are segments of {uploads} uploads without a record, but {object} has segments without a record too, so \
             records have been lost and these segments may be needed: they are kept. If the container was copied, copy \
             what lies under {records} too, and run it again"
        )
    }
}

fn unlisted(error: SwiftError) -> apus_storage::StorageError {
    error.into_storage(OPERATION, EVERYTHING)
}
