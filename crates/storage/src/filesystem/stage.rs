//! A stage: one file with its bytes, and a small record that says how many of them count.
//!
//! An append writes behind the committed offset, flushes the data, and then replaces the record; whatever a broken append
//! left behind the offset is cut away by the next. A stage exists when both files do.
//!
//! **Who may change it.** Appending and publishing need a lock on the data file. The system lets it go when a process dies.
//!
//! **What is published never changes.** Publishing gives the data file a second name, the object's, and then takes away the
//! stage's two names. Between these steps, and for ever if the process dies there, both names mean one file. So:
//!
//! - Nothing is written to a data file that has more than one name: an append counts the names (the link count, which the
//!   file system changes in the same step as it makes the name) while it holds the lock that publishing needs too. Such an
//!   append is told that the stage has moved. A name that is still on its way to an object is taken back first.
//! - A stage is dropped by removing its names, never by cutting its file.
//! - A repeated publish finds that the object is its own data file, and finishes what was begun.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use super::draft::{self, Draft, Undo};
use super::paths::{self, Paths};
use super::subject::{Subject, absent_as_none, is_absence};
use super::{publish as publishing, read as reading};
use crate::{
    ByteStream, Checkpoint, ErrorKind, Outcome, Publication, Result, StageEntry, StageId, StagePosition,
    StageRevision, StageState, StorageError, WriteMode,
};
use lock::{Attempt, Locked, is_same_file, lock, patiently};
use record::read_record;

mod lock;
mod record;

/// Where a stage stands.
pub(super) fn state(stage: &StageId, subject: &Subject) -> Result<Option<StageState>> {
    let Some(state) = read_record(stage, subject)? else { return Ok(None) };
    let data =
        absent_as_none(fs::metadata(subject.paths().stage_data(stage))).map_err(|error| subject.io(error))?;
    // A record without data is what is left of a stage that was published or dropped.
    let Some(data) = data else { return Ok(None) };
    check_length(&data, &state, subject)?;
    Ok(Some(state))
}

/// All bytes of a stage.
pub(super) fn read(stage: &StageId, revision: &StageRevision, subject: &Subject) -> Result<ByteStream> {
    let state = at_revision(stage, revision, subject)?;
    let opened = reading::open(&subject.paths().stage_data(stage)).map_err(|error| subject.io(error))?;
    let Some((file, metadata)) = opened else { return Err(moved(subject)) };
    check_length(&metadata, &state, subject)?;
    reading::stream(file, 0..state.offset, subject)
}

/// Appends a stream and commits it with its checkpoint.
pub(super) async fn append(
    stage: &StageId,
    position: StagePosition<'_>,
    stream: ByteStream,
    checkpoint: Checkpoint,
    subject: Subject,
) -> Result<StageState> {
    let expected = match position {
        StagePosition::Start => None,
        StagePosition::At(revision) => Some(revision.clone()),
    };
    let draft = {
        let stage = stage.clone();
        patiently(&subject, move |subject| begin(&stage, expected.as_ref(), subject)).await?
    };
    let draft = draft::pour(draft, stream, &subject).await?;
    let checkpoint = checkpoint();
    if checkpoint.len() > StageState::MAX_CHECKPOINT_BYTES {
        return Err(subject.error(ErrorKind::TooLarge).with_advice("a checkpoint may have 4,096 bytes"));
    }
    let stage = stage.clone();
    subject.on_blocking_pool(move |subject| commit(&stage, draft, checkpoint, subject)).await
}

/// Publishes what a stage holds as the file `target`.
pub(super) async fn publish(
    stage: &StageId,
    revision: &StageRevision,
    target: PathBuf,
    mode: WriteMode,
    subject: Subject,
) -> Result<Publication> {
    let (stage, revision) = (stage.clone(), revision.clone());
    patiently(&subject, move |subject| try_publish(&stage, &revision, &target, mode, subject)).await
}

/// Removes what there is of a stage, and nothing of what was published.
pub(super) fn remove(stage: &StageId, paths: &Paths) -> io::Result<Outcome> {
    let outcome = unlink(stage, paths)?;
    publishing::sync_nearest(&paths.stage_record(stage))?;
    Ok(outcome)
}

/// One page of stages: at most `limit`, and fewer only when there are no more. What a first append that never came to its
/// end has left is listed as well, so that upkeep finds it; such a stage has no state.
pub(super) fn list(after: Option<&StageId>, limit: usize, paths: &Paths) -> io::Result<Vec<StageEntry>> {
    let mut entries = Vec::new();
    let mut after = after.cloned();
    loop {
        let wanted = limit - entries.len();
        let stages = smallest(after.as_ref(), wanted, paths)?;
        let is_last = stages.len() < wanted;
        after = stages.last().cloned();
        for id in stages {
            // It may have ended since its name was read: the page is filled up with others then.
            if let Some(modified) = modified(&id, paths)? {
                entries.push(StageEntry { id, modified });
            }
        }
        if is_last || entries.len() == limit {
            return Ok(entries);
        }
    }
}

fn smallest(after: Option<&StageId>, limit: usize, paths: &Paths) -> io::Result<BTreeSet<StageId>> {
    let mut stages = BTreeSet::new();
    for entry in fs::read_dir(paths.stages_directory())? {
        let Some(stage) = paths::stage_of(&entry?.file_name()) else { continue };
        if after.is_none_or(|after| stage > *after) {
            stages.insert(stage);
            if stages.len() > limit {
                stages.pop_last();
            }
        }
    }
    Ok(stages)
}

/// The later of the two files' times: an append that is under way counts.
pub(super) fn modified(stage: &StageId, paths: &Paths) -> io::Result<Option<SystemTime>> {
    let mut latest = None;
    for path in [paths.stage_data(stage), paths.stage_record(stage)] {
        if let Some(metadata) = absent_as_none(fs::metadata(path))? {
            latest = latest.max(Some(metadata.modified()?));
        }
    }
    Ok(latest)
}

fn moved(subject: &Subject) -> StorageError {
    match subject.confirm((), |()| true) {
        Ok(()) => subject.error(ErrorKind::StageMoved),
        Err(unknown) => unknown,
    }
}

fn check_length(data: &Metadata, state: &StageState, subject: &Subject) -> Result<()> {
    if data.len() < state.offset {
        return Err(subject
            .error(ErrorKind::Damaged)
            .with_advice("bytes of this upload are lost from the disk; the client must begin anew"));
    }
    Ok(())
}

fn at_revision(stage: &StageId, revision: &StageRevision, subject: &Subject) -> Result<StageState> {
    let state = read_record(stage, subject)?;
    state.filter(|state| state.revision == *revision).ok_or_else(|| moved(subject))
}

/// Locks a stage for an append at `expected`, or as a new one.
fn begin(stage: &StageId, expected: Option<&StageRevision>, subject: &Subject) -> Result<Attempt<Draft>> {
    // The first look spares a stage that exists the making of a file; the one that counts is under the lock.
    if expected.is_none() && read_record(stage, subject)?.is_some() {
        return Err(moved(subject));
    }
    let data = match lock(stage, expected.is_none(), subject)? {
        Attempt::Done(data) => data,
        Attempt::Held => return Ok(Attempt::Held),
    };
    let state = read_record(stage, subject)?;
    let (offset, undo) = match (expected, &state) {
        (None, None) => (0, Undo::Remove),
        (Some(expected), Some(state)) if state.revision == *expected => {
            check_length(&data.metadata, state, subject)?;
            (state.offset, Undo::CutTo(state.offset))
        }
        _ => return Err(moved(subject)),
    };
    if is_published(stage, &data.file, subject.paths()).map_err(|error| subject.io(error))? {
        return Err(moved(subject).with_advice("it was published already"));
    }
    data.file.set_len(offset).map_err(|error| subject.io(error))?;
    Ok(Attempt::Done(Draft::new(data.file, data.path, offset, undo)))
}

/// Whether the data file, which is locked, is an object too.
fn is_published(stage: &StageId, data: &File, paths: &Paths) -> io::Result<bool> {
    if data.metadata()?.nlink() > 1 {
        absent_as_none(fs::remove_file(paths.stage_link(stage)))?;
    }
    Ok(data.metadata()?.nlink() > 1)
}

fn commit(stage: &StageId, mut draft: Draft, checkpoint: Bytes, subject: &Subject) -> Result<StageState> {
    let state = StageState { revision: StageRevision::random(), offset: draft.length(), checkpoint };
    let flushed = draft.file().sync_all().and_then(|()| draft.file().metadata());
    let metadata = flushed.map_err(|error| subject.io(error))?;
    let named = absent_as_none(fs::metadata(draft.path())).map_err(|error| subject.io(error))?;
    if !named.is_some_and(|named| is_same_file(&named, &metadata)) {
        // It was dropped while it was appended to.
        return Err(moved(subject));
    }
    let record = record::prepare(&state, subject.paths()).map_err(|error| subject.io(error))?;
    // When the step that follows fails, nobody can tell whether it happened. Either way no committed byte may go; bytes
    // that do not count are cut away by the next append.
    draft.keep();
    let name = subject.paths().stage_record(stage);
    let committed = fs::rename(&record, &name).and_then(|()| publishing::sync_nearest(&name));
    committed.map_err(|error| subject.io(error))?;
    Ok(state)
}

fn try_publish(
    stage: &StageId,
    revision: &StageRevision,
    target: &Path,
    mode: WriteMode,
    subject: &Subject,
) -> Result<Attempt<Publication>> {
    let data = match lock(stage, false, subject)? {
        Attempt::Done(data) => data,
        Attempt::Held => return Ok(Attempt::Held),
    };
    let state = at_revision(stage, revision, subject)?;
    check_length(&data.metadata, &state, subject)?;
    let link = subject.paths().stage_link(stage);
    let publication = match put_in_place(&data, state.offset, target, mode, &link, subject.paths()) {
        Ok(publication) => publication,
        // It was dropped while it was published.
        Err(error) if is_absence(&error) && !data.path.exists() => return Err(moved(subject)),
        Err(error) => return Err(subject.io(error)),
    };
    if let Publication::Published(_) = publication {
        // Not flushed: names that come back after a power cut are a stage that can be published again, or dropped.
        if let Err(error) = unlink(stage, subject.paths()) {
            tracing::warn!(%stage, %error, "cannot remove what is left of a published upload");
        }
    }
    Ok(Attempt::Done(publication))
}

/// Makes the first `length` bytes of a stage the object `target`.
fn put_in_place(
    data: &Locked,
    length: u64,
    target: &Path,
    mode: WriteMode,
    link: &Path,
    paths: &Paths,
) -> io::Result<Publication> {
    let there = absent_as_none(fs::metadata(target))?;
    if there.is_some_and(|there| is_same_file(&there, &data.metadata)) {
        // An earlier publish came that far.
        publishing::sync_nearest(target)?;
        return Ok(Publication::Published(reading::info(&data.metadata)));
    }
    if data.metadata.len() > length {
        data.file.set_len(length)?;
    }
    // It counts as written now, not when its last byte came.
    data.file.set_modified(SystemTime::now())?;
    data.file.sync_all()?;
    match mode {
        WriteMode::Replace => publishing::link_over(paths, &data.path, link, target)?,
        WriteMode::IfAbsent => {
            if let Some(existing) = publishing::link_if_absent(paths, &data.path, target)? {
                return Ok(Publication::Existing(existing));
            }
        }
    }
    Ok(Publication::Published(reading::info(&data.file.metadata()?)))
}

/// Takes the stage's names away. The data's goes first: a stage without data is none.
fn unlink(stage: &StageId, paths: &Paths) -> io::Result<Outcome> {
    absent_as_none(fs::remove_file(paths.stage_link(stage)))?;
    let data = absent_as_none(fs::remove_file(paths.stage_data(stage)))?;
    let record = absent_as_none(fs::remove_file(paths.stage_record(stage)))?;
    Ok(if data.or(record).is_some() { Outcome::Done } else { Outcome::Absent })
}

#[cfg(test)]
mod tests;
