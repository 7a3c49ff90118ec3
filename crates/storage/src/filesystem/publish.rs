//! How a finished file becomes an object: in one step, and for good. And how an object goes.
//!
//! A file is flushed to disk before it gets its name, and the directory that holds the name afterwards; so after a power
//! cut there is the whole object or none. New directories are flushed into their parents as they are made.
//!
//! Deleting removes directories that became empty. So a directory may vanish between its making and its use; whoever
//! finds it gone makes it again.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::draft::Draft;
use super::paths::Paths;
use super::read;
use super::subject::{Subject, absent_as_none, is_absence};
use crate::{ObjectInfo, Outcome, Publication, Result, WriteMode};

/// How often somebody else may get in between before we give up. Each time is a deletion that fell into microseconds.
const ATTEMPTS: usize = 100;

/// Publishes a draft that lies under a temporary name.
pub(super) fn draft(
    mut draft: Draft,
    target: &Path,
    mode: WriteMode,
    subject: &Subject,
) -> Result<Publication> {
    let published = try_publish(&mut draft, target, mode, subject.paths());
    // Takes away the temporary name that a link left, and all of a draft that did not become the object.
    draft.discard();
    published.map_err(|error| subject.io(error))
}

fn try_publish(draft: &mut Draft, target: &Path, mode: WriteMode, paths: &Paths) -> io::Result<Publication> {
    draft.file().sync_all()?;
    match mode {
        WriteMode::Replace => {
            place(paths, target, || fs::rename(draft.path(), target))?;
            draft.keep();
        }
        WriteMode::IfAbsent => {
            if let Some(existing) = link_if_absent(paths, draft.path(), target)? {
                return Ok(Publication::Existing(existing));
            }
        }
    }
    Ok(Publication::Published(read::info(&draft.file().metadata()?)))
}

/// Gives `source` the name `target` too, unless there is something of that name: then that is the answer.
pub(super) fn link_if_absent(paths: &Paths, source: &Path, target: &Path) -> io::Result<Option<ObjectInfo>> {
    link_if_absent_by(paths, source, target, |source, target| fs::hard_link(source, target))
}

fn link_if_absent_by(
    paths: &Paths,
    source: &Path,
    target: &Path,
    hard_link: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<Option<ObjectInfo>> {
    let link = || match hard_link(source, target) {
        Err(error) if lacks_hard_links(&error) => rename_if_absent(source, target),
        other => other,
    };
    for _ in 0..ATTEMPTS {
        match place(paths, target, link) {
            Ok(()) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let Some(existing) = absent_as_none(fs::metadata(target))? else {
            continue; // It was deleted a moment ago.
        };
        if !existing.is_file() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Whoever put it there may not have come to this yet, and our caller will rely on it.
        sync_nearest(target)?;
        return Ok(Some(read::info(&existing)));
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Gives `source` the name `target` too, in place of what had it, by way of a name `between` that only this may use. Where
/// there are no hard links, `source` itself goes.
pub(super) fn link_over(paths: &Paths, source: &Path, between: &Path, target: &Path) -> io::Result<()> {
    absent_as_none(fs::remove_file(between))?;
    match fs::hard_link(source, between) {
        Ok(()) => place(paths, target, || fs::rename(between, target)),
        Err(error) if lacks_hard_links(&error) => place(paths, target, || fs::rename(source, target)),
        Err(error) => Err(error),
    }
}

/// Not every file system has hard links (exFAT, some of FUSE and SMB), and the kernel may forbid to link what another user
/// owns. The errors differ; one that means something else comes again from the rename.
fn lacks_hard_links(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// The second best: two writers that come here at once may both rename, and the later wins. The contract allows that, for
/// names that are derived from their content; readers see one or the other whole.
fn rename_if_absent(source: &Path, target: &Path) -> io::Result<()> {
    match absent_as_none(fs::symlink_metadata(target))? {
        Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        None => fs::rename(source, target),
    }
}

/// Does what gives `target` its content, makes the directories that it turns out to need, and makes the name durable.
pub(super) fn place(paths: &Paths, target: &Path, act: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let mut attempts = 0;
    loop {
        match act() {
            Ok(()) => return sync_nearest(target),
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {
                attempts += 1;
                make_directory_of(paths, target)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes the directory that `path` lies in, with those above it. That one of them vanished meanwhile is no error here: the
/// caller will find out.
fn make_directory_of(paths: &Paths, path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent().filter(|directory| directory.starts_with(paths.root())) else {
        return Ok(());
    };
    let made = match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory_of(paths, directory)?;
            fs::create_dir(directory)
        }
        other => other,
    };
    match made {
        // Another writer may use the directory, and flush it, before this is done. On a file system with a journal the
        // directory's own entry is in the journal by then, so flushing what lies in it takes it along.
        Ok(()) => sync_nearest(directory),
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Makes what happened to the entry `path` of its directory durable. When that directory is gone, its going is what is to
/// be made durable, and so on upwards.
pub(super) fn sync_nearest(path: &Path) -> io::Result<()> {
    for directory in path.ancestors().skip(1) {
        match File::open(directory) {
            Ok(directory) => return sync_directory(&directory),
            Err(error) if is_absence(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync_directory(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        // Some file systems know no such thing as flushing a directory (FUSE, SMB), and there is nothing else to call.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

/// Deletes the object at `path`, and the directories that are empty without it.
pub(super) fn delete(path: &Path, subject: &Subject) -> Result<Outcome> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if is_absence(&error) || path.is_dir() => {
            return subject.confirm(Outcome::Absent, |_| true);
        }
        Err(error) => return Err(subject.io(error)),
    }
    let root = subject.paths().root();
    let mut removed = path;
    for directory in path.ancestors().skip(1).take_while(|directory| *directory != root) {
        // Not an empty one, or one that somebody else removes just now: either way there is no more to do.
        if fs::remove_dir(directory).is_err() {
            break;
        }
        removed = directory;
    }
    sync_nearest(removed).map_err(|error| subject.io(error))?;
    Ok(Outcome::Done)
}

/// Makes the object at `path` count as written now.
pub(super) fn touch(path: &Path) -> io::Result<Outcome> {
    let Some((file, _)) = read::open(path)? else { return Ok(Outcome::Absent) };
    file.set_modified(SystemTime::now())?;
    file.sync_all()?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests;
