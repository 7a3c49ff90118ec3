//! A file that nobody sees yet, and how a stream gets into it. Giving a draft up, by an error or by dropping the future that
//! fills it, leaves no trace.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::subject::{Subject, is_absence};
use crate::batches::Batches;
use crate::{ByteStream, Result};

/// What becomes of a draft that is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    /// The file goes.
    Remove,
    /// The file is cut to what it was.
    CutTo(u64),
    /// It stays as it is: the draft was accepted, or nobody can tell any more.
    Nothing,
}

/// A file under construction.
///
/// It moves into each blocking step and out again, so that there is never a step under way that nobody owns: when the
/// future around it is dropped, the step ends first, and then the draft is undone. A lock on the file is held as long.
#[derive(Debug)]
pub(super) struct Draft {
    file: Arc<File>,
    path: PathBuf,
    length: u64,
    undo: Undo,
}

impl Draft {
    /// An empty draft under a temporary name.
    pub(super) fn temporary(subject: &Subject) -> Result<Self> {
        let path = subject.paths().temporary();
        let file = File::create_new(&path).map_err(|error| subject.io(error))?;
        Ok(Self::new(file, path, 0, Undo::Remove))
    }

    /// A draft in `file`, which is known as `path` and is `length` bytes long.
    pub(super) fn new(file: File, path: PathBuf, length: u64, undo: Undo) -> Self {
        Self { file: Arc::new(file), path, length, undo }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// From here on it stays.
    pub(super) fn keep(&mut self) {
        self.undo = Undo::Nothing;
    }

    /// Gives it up now. Blocks.
    pub(super) fn discard(mut self) {
        undo(&self.file, &self.path, std::mem::replace(&mut self.undo, Undo::Nothing));
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.undo == Undo::Nothing {
            return;
        }
        let (file, path, how) = (Arc::clone(&self.file), std::mem::take(&mut self.path), self.undo);
        // Freeing gigabytes takes a file system a while: not on a thread that serves others.
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || undo(&file, &path, how))),
            Err(_) => undo(&file, &path, how),
        }
    }
}

fn undo(file: &File, path: &Path, how: Undo) {
    let undone = match how {
        Undo::Remove => fs::remove_file(path),
        Undo::CutTo(length) => file.set_len(length),
        Undo::Nothing => Ok(()),
    };
    if let Err(error) = undone
        && !is_absence(&error)
    {
        // What stays is never taken for content, and is removed later.
        tracing::warn!(path = %path.display(), %error, "cannot remove what an unfinished write left");
    }
}

/// Writes a stream to the end of a draft, in big batches. While one is written the next is gathered: two are in memory at
/// most.
pub(super) async fn pour(mut draft: Draft, stream: ByteStream, subject: &Subject) -> Result<Draft> {
    let mut batches = Batches::new(stream);
    let mut next = batches.next().await;
    loop {
        match next {
            Ok(Some(batch)) => {
                let writing = spawn_blocking(move || match draft.append(&batch) {
                    Ok(()) => Ok(draft),
                    Err(error) => {
                        draft.discard();
                        Err(error)
                    }
                });
                next = batches.next().await;
                let written = writing.await.map_err(|error| subject.broken_off(error))?;
                draft = written.map_err(|error| subject.io(error))?;
            }
            Ok(None) => return Ok(draft),
            Err(error) => {
                // Before the answer, not at some time after it.
                let discarding = spawn_blocking(move || draft.discard());
                discarding.await.map_err(|error| subject.broken_off(error))?;
                return Err(subject.body(error));
            }
        }
    }
}
