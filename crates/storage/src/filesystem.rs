//! The backend that keeps objects as files under a directory, laid out as the registry before us did it: the object
//! `a/b` is the file `<root>/a/b`, and its bytes are the file's bytes. What is only ours lies under `<root>/.apus`.
//!
//! What each part promises:
//!
//! - `paths`: which file is which, and nothing outside the root.
//! - `draft`: a file that nobody sees yet. It is filled on the blocking pool, and undone when it is given up.
//! - `publish`: a draft becomes an object in one step that survives a power cut; the way back, and no empty directory
//!   stays behind.
//! - `read`: positioned reads; a slow reader holds memory for two pieces and no thread.
//! - `stage`: an upload as a data file and a record. Who may change them is decided by a lock on the data file.
//! - `listing`: one page of names in the order of their bytes, with memory for one page.
//! - `subject`: what an operation is about, for its errors.
//!
//! Any number of processes may use one root at once, on one machine or over a network file system that has locks.

use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::{
    Body, ByteRange, ByteStream, Checkpoint, Freshness, ListPage, ListRequest, ObjectInfo, ObjectName,
    ObjectReader, Outcome, Publication, Result, StageEntry, StageId, StagePosition, StageRevision,
    StageState, Storage, WriteMode,
};
use draft::Draft;
use paths::Paths;
use subject::{Subject, absent_as_none};

mod draft;
mod listing;
mod paths;
mod publish;
mod read;
mod stage;
mod subject;

/// What a dead process left half written is removed after this time. No write goes without a byte for so long.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// Storage in a directory of this machine.
#[derive(Debug, Clone)]
pub struct FilesystemStorage {
    paths: Arc<Paths>,
}

impl FilesystemStorage {
    /// Opens the store under `root`, which is created if there is none, and clears away what writes of dead processes
    /// left there a day ago or earlier. It is called before there is anybody to be kept waiting: it blocks.
    ///
    /// # Errors
    /// When `root` cannot be created, is no directory, or cannot be written to.
    pub fn open(root: PathBuf) -> Result<Self> {
        let storage = Self::at(root);
        storage.prepare_to_write()?;
        Ok(storage)
    }

    fn at(root: PathBuf) -> Self {
        // A root given relative to the working directory stays where it was when that changes.
        let root = std::path::absolute(&root).unwrap_or(root);
        Self { paths: Arc::new(Paths::new(root)) }
    }

    /// Does what [`open`](Self::open) does before anybody writes, for a store that was opened to read. Idempotent. It blocks.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn prepare_to_write(&self) -> Result<()> {
        self.prepare().map_err(|error| {
            let subject = self.subject("open", self.paths.root().display());
            subject
                .io(error)
                .with_advice("the root must be a directory that Apus may create, read and write in")
        })
    }

    /// The store under `root` for one who only reads: nothing is made or cleared away, so that the directory may be one that
    /// nobody may write in. Writing is not prevented, and may fail. It blocks.
    ///
    /// # Errors
    /// When `root` is no directory that can be read.
    pub fn open_to_read(root: PathBuf) -> Result<Self> {
        let root = std::path::absolute(&root).unwrap_or(root);
        let opened = fs::read_dir(&root).and_then(|_| Paths::of_what_is_there(root.clone()));
        let paths = opened.map_err(|error| {
            let subject = Subject::new("open", root.display(), Arc::new(Paths::new(root.clone())));
            subject.io(error).with_advice("the root must be a directory that Apus may read")
        })?;
        Ok(Self { paths: Arc::new(paths) })
    }

    fn prepare(&self) -> io::Result<()> {
        let is_new = !self.paths.root().exists();
        fs::create_dir_all(self.paths.temporary_directory())?;
        fs::create_dir_all(self.paths.stages_directory())?;
        // What a write makes durable begins below these directories.
        let mut made = self.paths.stages_directory().ancestors().take(if is_new { 3 } else { 2 });
        made.try_for_each(publish::sync_nearest)?;
        let probe = self.paths.temporary();
        File::create_new(&probe)?;
        fs::remove_file(&probe)?;
        remove_abandoned(self.paths.temporary_directory())
    }

    fn subject(&self, operation: &'static str, object: impl Display) -> Subject {
        Subject::new(operation, object, Arc::clone(&self.paths))
    }
}

/// Removes temporary files that nobody can be writing any more.
fn remove_abandoned(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // Another process may be at the same; and what cannot be removed does no harm but to take up room.
        let Some(metadata) = absent_as_none(fs::metadata(&path))? else { continue };
        let age = SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default();
        if age > ABANDONED_AFTER {
            match fs::remove_file(&path) {
                Ok(()) => tracing::info!(path = %path.display(), "removed what an unfinished write left"),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove what an unfinished write left");
                }
            }
        }
    }
    Ok(())
}

#[async_trait]
impl Storage for FilesystemStorage {
    fn backend(&self) -> &'static str {
        "filesystem"
    }

    async fn stat(&self, name: &ObjectName, _freshness: Freshness) -> Result<Option<ObjectInfo>> {
        let subject = self.subject("stat", name);
        let path = subject.path(name)?;
        let work = move |subject: &Subject| {
            let info = read::stat(&path).map_err(|error| subject.io(error))?;
            subject.confirm(info, Option::is_none)
        };
        subject.on_blocking_pool(work).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        _freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        let subject = self.subject("read", name);
        let path = subject.path(name)?;
        let work = move |subject: &Subject| {
            let reader = read::object(&path, range, subject)?;
            subject.confirm(reader, Option::is_none)
        };
        subject.on_blocking_pool(work).await
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        let subject = self.subject("write", name);
        let target = subject.path(name)?;
        let draft = subject.clone().on_blocking_pool(Draft::temporary).await?;
        let draft = draft::pour(draft, body.into_stream(), &subject).await?;
        subject.on_blocking_pool(move |subject| publish::draft(draft, &target, mode, subject)).await
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        let subject = self.subject("touch", name);
        let path = subject.path(name)?;
        let work = move |subject: &Subject| {
            let outcome = publish::touch(&path).map_err(|error| subject.io(error))?;
            subject.confirm(outcome, |outcome| *outcome == Outcome::Absent)
        };
        subject.on_blocking_pool(work).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        let mut outcomes = Vec::with_capacity(names.len());
        for name in names {
            let subject = self.subject("delete", name);
            let outcome = match subject.path(name) {
                Ok(path) => subject.on_blocking_pool(move |subject| publish::delete(&path, subject)).await,
                Err(error) => Err(error),
            };
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        let subject = self.subject("list", request.prefix());
        if paths::is_reserved(&request.prefix()) {
            return Err(subject.reserved());
        }
        let request = request.clone();
        let work = move |subject: &Subject| {
            let page = listing::page(&request, subject)?;
            subject.confirm(page, |page| page.entries.is_empty())
        };
        subject.on_blocking_pool(work).await
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        _known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        let (subject, stage) = (self.subject("stage_state", stage), stage.clone());
        let work = move |subject: &Subject| {
            let state = stage::state(&stage, subject)?;
            subject.confirm(state, Option::is_none)
        };
        subject.on_blocking_pool(work).await
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        let subject = self.subject("stage_append", stage);
        stage::append(stage, position, stream, checkpoint, subject).await
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        let (subject, stage, revision) = (self.subject("stage_read", stage), stage.clone(), revision.clone());
        subject.on_blocking_pool(move |subject| stage::read(&stage, &revision, subject)).await
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        let target = self.subject("stage_publish", name).path(name)?;
        let subject = self.subject("stage_publish", stage);
        stage::publish(stage, revision, target, mode, subject).await
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        let (subject, stage) = (self.subject("stage_drop", stage), stage.clone());
        let work = move |subject: &Subject| {
            let outcome = stage::remove(&stage, subject.paths()).map_err(|error| subject.io(error))?;
            subject.confirm(outcome, |outcome| *outcome == Outcome::Absent)
        };
        subject.on_blocking_pool(work).await
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        let (subject, stage) = (self.subject("stage_modified", stage), stage.clone());
        let work = move |subject: &Subject| {
            let modified = stage::modified(&stage, subject.paths()).map_err(|error| subject.io(error))?;
            subject.confirm(modified, Option::is_none)
        };
        subject.on_blocking_pool(work).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        let (subject, after) = (self.subject("stage_list", "all stages"), after.cloned());
        let work = move |subject: &Subject| {
            let listed = stage::list(after.as_ref(), limit.max(1), subject.paths());
            listed.map_err(|error| subject.io(error))
        };
        subject.on_blocking_pool(work).await
    }
}

#[cfg(test)]
mod tests;
