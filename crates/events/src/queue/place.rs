//! Where queues are made: in memory, or in a directory that one process alone has. Each endpoint has a directory in it, which
//! is called as the endpoint is.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::disk::DiskQueue;
use super::journal::Journal;
use super::memory::MemoryQueue;
use super::{Queue, Reports};
use crate::loss::Losses;
use crate::{EventsError, QueueOptions};

/// What stands encoded in the name of a directory.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// The same, without dots that stand for something.
const DOTTED: &AsciiSet = &ENCODED.remove(b'.');

/// The directory of all queues, if there is one.
#[derive(Debug)]
pub(crate) struct Place {
    options: QueueOptions,
    /// Held for as long as the directory is ours; the system gives it back when the process ends, however it ends.
    lock: Option<File>,
}

impl Place {
    /// For endpoints of these names. Tells of what lies in the directory for others.
    pub(crate) fn open(options: &QueueOptions, endpoints: &[String]) -> Result<Self, EventsError> {
        let mut place = Self { options: options.clone(), lock: None };
        let Some(directory) = &options.directory else {
            tracing::warn!(
                "events wait in memory: those that were not delivered are lost when this process ends; \
                 notifications.queue.directory keeps them"
            );
            return Ok(place);
        };
        let names = place.directories(endpoints)?;
        let failed = |source| EventsError::Directory { directory: directory.clone(), source };
        create(directory).map_err(failed)?;
        let lock = private().write(true).create(true).truncate(false).open(directory.join("lock"));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EventsError::Taken { directory: directory.clone() }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        tell_of_strangers(directory, &names).map_err(failed)?;
        place.lock = Some(lock);
        Ok(place)
    }

    /// Whether this is the place that the options mean, with room for endpoints of these names.
    pub(crate) fn check(&self, options: &QueueOptions, endpoints: &[String]) -> Result<(), EventsError> {
        if *options != self.options {
            return Err(EventsError::OtherQueue);
        }
        self.directories(endpoints).map(drop)
    }

    /// What the directories of endpoints are called: each has its own.
    fn directories(&self, endpoints: &[String]) -> Result<HashSet<String>, EventsError> {
        let mut names = HashSet::new();
        let twice = endpoints.iter().find(|name| !names.insert(file_name(name)));
        match twice.filter(|_| self.options.directory.is_some()) {
            Some(twice) => Err(EventsError::SameName { name: twice.clone() }),
            None => Ok(names),
        }
    }

    /// The queue of an endpoint.
    pub(crate) fn queue(&self, endpoint: &str, losses: Arc<Losses>) -> Result<Queue, EventsError> {
        let reports = Reports::of(endpoint, losses);
        let QueueOptions { directory, limit } = &self.options;
        let Some(directory) = directory else {
            return Ok(Queue::Memory(MemoryQueue::new(*limit, reports)));
        };
        let directory = directory.join(file_name(endpoint));
        let failed = |source| EventsError::Directory { directory: directory.clone(), source };
        create(&directory).map_err(failed)?;
        let journal = Journal::open(directory.clone(), *limit, reports.clone()).map_err(failed)?;
        if journal.events() > 0 {
            tracing::info!(endpoint, events = journal.events(), "events wait from before");
        }
        Ok(Queue::Disk(DiskQueue::start(journal, reports).map_err(failed)?))
    }

    /// Lets another process have the directory.
    pub(crate) fn close(&self) {
        if let Some(Err(error)) = self.lock.as_ref().map(File::unlock) {
            tracing::debug!(%error, "the directory of events stays locked until this process ends");
        }
    }
}

/// The name of an endpoint's directory: no two endpoints have the same.
fn file_name(endpoint: &str) -> String {
    let encoded = if endpoint.starts_with('.') { ENCODED } else { DOTTED };
    utf8_percent_encode(endpoint, encoded).to_string()
}

/// Of events that wait for endpoints that there are no more.
fn tell_of_strangers(directory: &Path, ours: &HashSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let known = entry.file_name().to_str().is_some_and(|name| ours.contains(name));
        if !known && entry.file_type()?.is_dir() && fs::read_dir(entry.path())?.next().is_some() {
            let path = entry.path();
            tracing::warn!(
                directory = %path.display(),
                "these events are for an endpoint that is not configured; they stay until you delete them"
            );
        }
    }
    Ok(())
}

/// A directory that nobody else may read: events say who did what from where.
fn create(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Files that nobody else may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}
