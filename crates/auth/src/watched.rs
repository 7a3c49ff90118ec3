//! A small file that is read again when it has changed. What was read holds until the file is seen to be another; a file that
//! cannot be read, or not be understood, closes the door: what it said before may have been taken back.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a file is taken to be what it was: looking costs a system call, and a request may need many answers.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// A file of which nothing is known. Until it can be used again, nobody is let in by it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} cannot be used: {reason}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, and what to do about it. It holds nothing of the file's content.
    pub reason: Arc<str>,
}

/// What is made of a file's content, together with what was passed over in it.
type Parse<T> = fn(&[u8]) -> Result<Parsed<T>, String>;

/// What a file says.
#[derive(Debug)]
pub(crate) struct Parsed<T> {
    pub(crate) value: T,
    /// What was passed over, and why; without secrets.
    pub(crate) complaints: Vec<String>,
}

/// A file, and what was made of it.
pub(crate) struct Watched<T> {
    path: PathBuf,
    max_bytes: u64,
    parse: Parse<T>,
    look_after: Duration,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// `None` when the file could not even be looked at.
    stamp: Option<Stamp>,
    content: Result<Arc<Parsed<T>>, FileError>,
    looked: Instant,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads a file of at most `max_bytes` bytes, in this thread: for the start of a program.
    pub(crate) fn open(path: &Path, max_bytes: u64, parse: Parse<T>) -> Result<Self, FileError> {
        let (stamp, content) = read(path, max_bytes, parse);
        content.as_ref().map_err(Clone::clone)?;
        Ok(Self {
            path: path.to_owned(),
            max_bytes,
            parse,
            look_after: LOOK_AFTER,
            state: Mutex::new(State { stamp, content, looked: Instant::now() }),
        })
    }

    /// Looks at the file each time.
    #[cfg(test)]
    pub(crate) fn impatient(mut self) -> Self {
        self.look_after = Duration::ZERO;
        self
    }

    /// What the file says, as it was a second ago at the most. One caller at a time looks, off the event loop; the others
    /// take what is known by then.
    pub(crate) async fn get(&self) -> Result<Arc<Parsed<T>>, FileError> {
        let known = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.looked.elapsed() < self.look_after {
                return state.content.clone();
            }
            state.looked = Instant::now();
            state.content.as_ref().ok().and(state.stamp)
        };
        let (path, max_bytes, parse) = (self.path.clone(), self.max_bytes, self.parse);
        let looked = tokio::task::spawn_blocking(move || {
            let unchanged = known.is_some() && stamp(&path).is_some_and(|stamp| Some(stamp) == known);
            if unchanged { None } else { Some(read(&path, max_bytes, parse)) }
        })
        .await;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match looked {
            Ok(None) => {}
            Ok(Some((stamp, content))) => {
                let known = state.content.as_ref().err().map(|error| &error.reason);
                if content.as_ref().err().is_none_or(|error| Some(&error.reason) != known) {
                    report(&self.path, &content);
                }
                state.stamp = stamp;
                state.content = content;
            }
            Err(error) => state.content = Err(failed(&self.path, &error)),
        }
        state.content.clone()
    }

    /// What was passed over in the file when it was read last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.content.as_ref().map(|parsed| parsed.complaints.clone()).unwrap_or_default()
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

/// The stamp is that of the file that was opened, taken before it was read: a change in between is found the next time.
fn read<T>(
    path: &Path,
    max_bytes: u64,
    parse: Parse<T>,
) -> (Option<Stamp>, Result<Arc<Parsed<T>>, FileError>) {
    let opened = File::open(path).and_then(|file| Ok((Stamp::of(&file.metadata()?), file)));
    let (stamp, file) = match opened {
        Ok(opened) => opened,
        Err(error) => return (None, Err(failed(path, &error))),
    };
    let mut content = Vec::new();
    let content = match file.take(max_bytes + 1).read_to_end(&mut content) {
        Err(error) => Err(failed(path, &error)),
        Ok(_) if content.len() as u64 > max_bytes => {
            Err(failed(path, &format!("it is larger than {max_bytes} bytes")))
        }
        Ok(_) => parse(&content).map(Arc::new).map_err(|reason| failed(path, &reason)),
    };
    (Some(stamp), content)
}

fn failed(path: &Path, reason: &dyn fmt::Display) -> FileError {
    FileError { path: path.to_owned(), reason: reason.to_string().into() }
}

fn report<T>(path: &Path, content: &Result<Arc<Parsed<T>>, FileError>) {
    match content {
        Ok(parsed) => {
            tracing::info!(file = %path.display(), "read again, for it has changed");
            for complaint in &parsed.complaints {
                tracing::warn!(file = %path.display(), "{complaint}");
            }
        }
        Err(error) => tracing::error!("{error}; nobody is let in by it until it is mended"),
    }
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watched").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
