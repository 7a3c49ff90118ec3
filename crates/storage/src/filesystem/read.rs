//! Reading files in pieces on the blocking pool. Between two pieces nothing but memory is held: no thread waits for a slow
//! reader. A file that turns out shorter than it was is an error, never a silent end.

use std::fs::{self, File, Metadata};
use std::future::ready;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream;

use super::subject::{Subject, absent_as_none};
use crate::{ByteRange, ByteStream, ErrorKind, ObjectInfo, ObjectReader, Result, StorageError};

/// Bytes that one read asks for. Smaller reads cost more threads' time than the reading itself.
const PIECE: u64 = 512 * 1024;

/// What is known of an object; a directory is none.
pub(super) fn stat(path: &Path) -> io::Result<Option<ObjectInfo>> {
    let metadata = absent_as_none(fs::metadata(path))?;
    Ok(metadata.filter(Metadata::is_file).map(|metadata| info(&metadata)))
}

/// An object's information out of a file's.
pub(super) fn info(metadata: &Metadata) -> ObjectInfo {
    // Every publication is a new file, and while the old one is there its number is not used again; the time tells apart
    // those that follow later.
    let entity_tag = format!(
        "{:x}-{:x}-{:x}.{:x}",
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec()
    );
    ObjectInfo {
        size: metadata.len(),
        // A system without times of modification is none that has inode numbers.
        modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        entity_tag: Some(entity_tag),
    }
}

/// A file for reading; `None` when there is none, or it is no regular file.
pub(super) fn open(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    let Some(file) = absent_as_none(File::open(path))? else { return Ok(None) };
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some((file, metadata)))
}

/// Opens an object for reading.
pub(super) fn object(path: &Path, range: ByteRange, subject: &Subject) -> Result<Option<ObjectReader>> {
    let Some((file, metadata)) = open(path).map_err(|error| subject.io(error))? else { return Ok(None) };
    let range = range.of(metadata.len());
    let stream = stream(file, range.clone(), subject)?;
    Ok(Some(ObjectReader { info: info(&metadata), range, stream }))
}

type Piece = Pin<Box<dyn Future<Output = Result<Bytes>> + Send>>;

/// The bytes of `range`. Blocks for the first piece, so that a small file is read in one go with its opening; the others
/// are each read while the one before is with the reader.
pub(super) fn stream(file: File, range: Range<u64>, subject: &Subject) -> Result<ByteStream> {
    let first = read_piece(&file, &range, subject)?;
    let file = Arc::new(file);
    let start = (Box::pin(ready(Ok(first))) as Piece, range, subject.clone());
    Ok(Box::pin(stream::try_unfold(start, move |(coming, mut rest, subject)| {
        let file = Arc::clone(&file);
        async move {
            let piece = coming.await?;
            if piece.is_empty() {
                return Ok(None);
            }
            rest.start += piece.len() as u64;
            let ahead = read_ahead(file, rest.clone(), subject.clone());
            Ok(Some((piece, (ahead, rest, subject))))
        }
    })))
}

fn read_ahead(file: Arc<File>, range: Range<u64>, subject: Subject) -> Piece {
    if range.is_empty() {
        return Box::pin(ready(Ok(Bytes::new())));
    }
    let known = subject.clone();
    let reading = tokio::task::spawn_blocking(move || read_piece(&file, &range, &subject));
    Box::pin(async move { reading.await.unwrap_or_else(|error| Err(known.broken_off(error))) })
}

/// The first piece of `range`, whole; empty only when the range is.
fn read_piece(file: &File, range: &Range<u64>, subject: &Subject) -> Result<Bytes> {
    let mut piece = vec![0; (range.end - range.start).min(PIECE) as usize];
    match file.read_exact_at(&mut piece, range.start) {
        Ok(()) => Ok(piece.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(cut_short(subject)),
        Err(error) => Err(subject.io(error)),
    }
}

fn cut_short(subject: &Subject) -> StorageError {
    subject
        .error(ErrorKind::Damaged)
        .with_advice("the file became shorter while it was read; Apus never does that")
}
