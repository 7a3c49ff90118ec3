//! What an operation is about: it names the errors of the operating system, and runs what blocks where blocking is allowed.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::paths::Paths;
use crate::{BoxError, ErrorKind, ObjectName, Result, StorageError};

/// Errors that say "not now" and that [`io::ErrorKind`] has no name for; the same numbers on every Unix.
const INPUT_OUTPUT_ERROR: i32 = 5;
const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];

const ROOT_IS_GONE: &str =
    "a directory of Apus's own is missing; see whether the volume of the root is mounted";

/// Whether an error says that there is no file of that name. A parent that is a file is one way to say so.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// `Ok(None)` in place of the error that says that there is nothing.
pub(super) fn absent_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An operation on an object or a stage of one store.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    operation: &'static str,
    object: String,
    paths: Arc<Paths>,
}

impl Subject {
    pub(super) fn new(operation: &'static str, object: impl Display, paths: Arc<Paths>) -> Self {
        Self { operation, object: object.to_string(), paths }
    }

    /// The same operation on something else.
    pub(super) fn of(&self, object: impl Display) -> Self {
        Self::new(self.operation, object, Arc::clone(&self.paths))
    }

    pub(super) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Where an object lies.
    pub(super) fn path(&self, name: &ObjectName) -> Result<PathBuf> {
        self.paths.object(name).ok_or_else(|| self.reserved())
    }

    pub(super) fn error(&self, kind: ErrorKind) -> StorageError {
        StorageError::new(kind, self.operation, &self.object)
    }

    pub(super) fn body(&self, error: BoxError) -> StorageError {
        StorageError::body(self.operation, &self.object, error)
    }

    pub(super) fn reserved(&self) -> StorageError {
        self.error(ErrorKind::InvalidName)
            .with_advice("names that begin with .apus/ are kept for Apus itself")
    }

    /// Lets an answer pass, but one that says that nothing is there only when the store itself is: an empty mount point is
    /// no empty store.
    pub(super) fn confirm<T>(&self, answer: T, says_absent: impl Fn(&T) -> bool) -> Result<T> {
        if says_absent(&answer) {
            self.paths.see_that_root_is_there().map_err(|error| self.io(error))?;
        }
        Ok(answer)
    }

    /// What an error of the operating system means. Whoever takes absence for an answer has looked for it before: here it
    /// is something that must be there.
    pub(super) fn io(&self, error: io::Error) -> StorageError {
        use io::ErrorKind as Io;
        let (kind, advice) = match (error.kind(), error.raw_os_error()) {
            (Io::NotADirectory | Io::IsADirectory, _) => (
                ErrorKind::InvalidName,
                Some("on a file system no name can be an object and a prefix of another at once"),
            ),
            (Io::NotFound, _) => (ErrorKind::UNAVAILABLE, Some(ROOT_IS_GONE)),
            (Io::InvalidFilename, _) => (ErrorKind::InvalidName, Some("the file system allows no such name")),
            (Io::PermissionDenied | Io::ReadOnlyFilesystem, _) => {
                (ErrorKind::Denied, Some("let the user that Apus runs as read and write under the root"))
            }
            (Io::StorageFull | Io::QuotaExceeded, _) => {
                (ErrorKind::Full, Some("free space, or raise the quota, on the file system of the root"))
            }
            (Io::FileTooLarge, _) => (ErrorKind::TooLarge, None),
            (Io::CrossesDevices, _) => (
                ErrorKind::Unexpected,
                Some("all of the root must lie on one file system; link or mount the root, not a part of it"),
            ),
            (Io::Unsupported, _) => (
                ErrorKind::Unexpected,
                Some("the file system under the root lacks something that Apus needs, such as file locks"),
            ),
            (Io::StaleNetworkFileHandle | Io::TimedOut | Io::ResourceBusy | Io::HostUnreachable, _)
            | (_, Some(INPUT_OUTPUT_ERROR)) => (
                ErrorKind::UNAVAILABLE,
                Some("look into the system's log: the disk or the network file system fails"),
            ),
            (_, Some(number)) if TOO_MANY_OPEN_FILES.contains(&number) => {
                (ErrorKind::UNAVAILABLE, Some("raise the limit of open files (LimitNOFILE, ulimit -n)"))
            }
            _ => (ErrorKind::Unexpected, None),
        };
        let named = self.error(kind).with_source(error);
        match advice {
            Some(advice) => named.with_advice(advice),
            None => named,
        }
    }

    /// Runs `work` on the threads that may block. It runs to its end even when the caller goes away.
    pub(super) async fn on_blocking_pool<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let known = self.clone();
        let outcome = tokio::task::spawn_blocking(move || work(&self)).await;
        outcome.unwrap_or_else(|error| Err(known.broken_off(error)))
    }

    /// The error of work that did not come to its end: it panicked, or the runtime is going down.
    pub(super) fn broken_off(&self, error: tokio::task::JoinError) -> StorageError {
        let kind = if error.is_panic() { ErrorKind::Unexpected } else { ErrorKind::UNAVAILABLE };
        self.error(kind).with_source(error)
    }
}
