//! The lock on a stage's data file: who holds it may append or publish. The system lets it go when the file is closed, so
//! also when the process dies.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::moved;
use crate::filesystem::subject::{Subject, absent_as_none};
use crate::{Result, StageId};

/// How long we wait for a lock. An append whose client went away ends with the batch that it is writing; one whose client
/// is there goes on for as long as that client likes, and is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// The data file of a stage, locked for as long as it is open.
pub(super) struct Locked {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// As it was when the lock was taken.
    pub(super) metadata: Metadata,
}

/// What an attempt came to that needs the lock.
pub(super) enum Attempt<T> {
    Done(T),
    Held,
}

/// Makes attempts until one finds the lock free, for a while.
pub(super) async fn patiently<T: Send + 'static>(
    subject: &Subject,
    attempt: impl Fn(&Subject) -> Result<Attempt<T>> + Clone + Send + 'static,
) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Attempt::Done(value) = subject.clone().on_blocking_pool(attempt.clone()).await? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            return Err(moved(subject).with_advice("another request is at work on this upload"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Locks a stage's data file, which is created if it is `new` and there is none; else the stage has moved.
pub(super) fn lock(stage: &StageId, new: bool, subject: &Subject) -> Result<Attempt<Locked>> {
    let path = subject.paths().stage_data(stage);
    match try_lock(path, new).map_err(|error| subject.io(error))? {
        Some(attempt) => Ok(attempt),
        None => Err(moved(subject)),
    }
}

fn try_lock(path: PathBuf, create: bool) -> io::Result<Option<Attempt<Locked>>> {
    let opened = OpenOptions::new().read(true).write(true).create(create).truncate(false).open(&path);
    let Some(file) = absent_as_none(opened)? else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Some(Attempt::Held)),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Whoever held the lock may have taken the name away: then this is a lock on a file that nobody looks at.
    let named = absent_as_none(fs::metadata(&path))?;
    let metadata = file.metadata()?;
    if named.is_some_and(|named| is_same_file(&named, &metadata)) {
        Ok(Some(Attempt::Done(Locked { file, path, metadata })))
    } else {
        Ok(Some(Attempt::Held))
    }
}

pub(super) fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
