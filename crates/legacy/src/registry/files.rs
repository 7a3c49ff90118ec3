//! What lies in a layer, and in what it differs from those below: the layer is read as a tar archive, in a thread of its own and
//! in bounded memory, and what was found is kept beside it, as the original did.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;

use apus_storage::{BoxError, ByteRange, ErrorKind, ObjectName, ObjectReader, StorageError, body};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use tar::EntryType;
use tokio::sync::mpsc;

use super::{Answer, LARGEST, LegacyRegistry, Refusal, python_json};
use crate::compression::{Coming, Compression, TELLING, decompressing};
use crate::layout::{self, ImagePart};
use crate::{Error, ImageId};

/// Pieces between a stream and the thread that reads the archive.
const PIECES: usize = 4;

/// Bytes that the heads of one entry may have, long names and extensions included.
const HEADS: u64 = 1 << 20;

/// Bytes that all names of a layer may have together, so that the list of them stays one that is read back.
const NAMES: usize = 24 << 20;

/// The largest list of files that is read or kept, in bytes.
const LARGEST_LIST: usize = 8 * LARGEST;

/// One file, as the original listed it: its path, type (`f`, `l`, `s`, `c`, `b`, `d`, `i`, `t`, `L`, `K`, `S` or `u`), whether it is
/// deleted, size, time, mode, owner and group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry(String, char, bool, u64, u64, u32, u64, u64);

/// What is said of a file beside its path.
type FileInfo = (char, bool, u64, u64, u32, u64, u64);

/// What is wanted of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Its files.
    Files,
    /// What it differs in from those below it.
    Diff,
}

impl Looked {
    fn part(self) -> ImagePart {
        match self {
            Self::Files => ImagePart::Files,
            Self::Diff => ImagePart::Diff,
        }
    }
}

/// What was found in a layer, as JSON.
#[derive(Debug)]
pub enum Listing {
    /// As it is kept.
    Kept(ObjectReader),
    /// It could not be kept.
    Found(Bytes),
}

#[derive(Serialize, Default)]
struct Difference {
    changed: BTreeMap<String, FileInfo>,
    created: BTreeMap<String, FileInfo>,
    deleted: BTreeMap<String, FileInfo>,
}

impl FileEntry {
    fn info(self) -> (String, FileInfo) {
        let Self(path, kind, deleted, size, time, mode, owner, group) = self;
        // Lists that the original kept have paths as archives had them.
        (rooted(&path), (kind, deleted, size, time, mode, owner, group))
    }
}

impl LegacyRegistry {
    /// The files of a layer, or what it differs in from those below it: which files are new, changed, or deleted. As JSON, which
    /// is kept beside the layer.
    pub async fn listing(&self, id: &ImageId, what: Looked) -> Answer<Listing> {
        self.check_finished(id).await?;
        let object = layout::image(id, what.part())?;
        if let Some(kept) = self.kept(&object).await? {
            return Ok(Listing::Kept(kept));
        }
        // Never closed.
        let _turn = self.0.looking.acquire().await;
        let found = match what {
            Looked::Files => self.files(id).await?,
            Looked::Diff => self.diff(id).await?,
        };
        self.keep(&object, &found).await;
        Ok(self.kept(&object).await?.map_or(Listing::Found(found), Listing::Kept))
    }

    async fn files(&self, id: &ImageId) -> Answer<Bytes> {
        let object = layout::image(id, ImagePart::Files)?;
        if let Some(kept) = self.kept(&object).await? {
            let content = body::collect(kept.stream, LARGEST_LIST).await;
            return content.map_err(|error| unreadable(&object, ErrorKind::UNAVAILABLE, error));
        }
        let files = Bytes::from(python_json(&self.look(id).await?));
        self.keep(&object, &files).await;
        Ok(files)
    }

    async fn diff(&self, id: &ImageId) -> Answer<Bytes> {
        let mut files = self.files_of(id).await?;
        let mut difference = Difference::default();
        for ancestor in self.ancestry(id).await?.iter().skip(1) {
            if files.is_empty() {
                break;
            }
            let below = self.files_of(ancestor).await?;
            files.retain(|path, info| {
                let there = below.get(path);
                if info.1 {
                    difference.deleted.insert(path.clone(), *info);
                } else if there.is_some_and(|there| !there.1) {
                    difference.changed.insert(path.clone(), *info);
                } else if there.is_some() {
                    difference.created.insert(path.clone(), *info);
                }
                !info.1 && there.is_none()
            });
        }
        for (path, info) in files {
            let kind = if info.1 { &mut difference.deleted } else { &mut difference.created };
            kind.insert(path, info);
        }
        Ok(python_json(&difference).into())
    }

    async fn files_of(&self, id: &ImageId) -> Answer<BTreeMap<String, FileInfo>> {
        let content = self.files(id).await?;
        let files: Vec<FileEntry> = serde_json::from_slice(&content).map_err(|error| {
            layout::image(id, ImagePart::Files).map_or_else(Refusal::from, |object| {
                Refusal::Failed(Error::Damaged { object, reason: error.to_string() })
            })
        })?;
        Ok(files.into_iter().map(FileEntry::info).collect())
    }

    async fn kept(&self, object: &ObjectName) -> Answer<Option<ObjectReader>> {
        let kept = self.open(object, ByteRange::Full).await?;
        // The original kept an empty object where it had not been asked before.
        Ok(kept.filter(|kept| (1..=LARGEST_LIST as u64).contains(&kept.info.size)))
    }

    /// Keeps what was found. Who only looks need not be able to write.
    async fn keep(&self, object: &ObjectName, content: &Bytes) {
        if content.len() <= LARGEST_LIST
            && let Err(error) = self.put(object, content.clone()).await
        {
            tracing::warn!(%object, %error, "what was found in a layer is not kept");
        }
    }

    /// Reads a layer.
    async fn look(&self, id: &ImageId) -> Answer<Vec<FileEntry>> {
        let layer = layout::image(id, ImagePart::Layer)?;
        let Some(reader) = self.open(&layer, ByteRange::Full).await? else {
            return Err(Refusal::ImageUnknown);
        };
        let (to_thread, coming) = mpsc::channel(PIECES);
        let looking = tokio::task::spawn_blocking(move || list(Coming::new(coming)));
        let mut content = reader.stream;
        let broken = loop {
            match content.try_next().await {
                Ok(Some(piece)) => {
                    if to_thread.send(piece).await.is_err() {
                        // The thread has seen enough.
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        drop(to_thread);
        let looked = looking.await;
        match broken {
            Some(error) => Err(unreadable(&layer, ErrorKind::UNAVAILABLE, error)),
            None => looked.map_err(|error| unreadable(&layer, ErrorKind::Unexpected, error.into()))?,
        }
    }
}

fn unreadable(object: &ObjectName, kind: ErrorKind, error: BoxError) -> Refusal {
    StorageError::new(kind, "read", object).with_source(error).into()
}

/// Lists what is in an archive. Blocks.
fn list(mut coming: Coming) -> Answer<Vec<FileEntry>> {
    let mut beginning = Vec::new();
    let unreadable = |error: io::Error| {
        tracing::debug!(%error, "a layer that cannot be looked into");
        Refusal::LayerFormat
    };
    (&mut coming).take(TELLING as u64).read_to_end(&mut beginning).map_err(unreadable)?;
    if beginning.is_empty() {
        return Ok(Vec::new());
    }
    let compression = Compression::of(&beginning).ok_or(Refusal::LayerFormat)?;
    let allowance = Rc::new(Cell::new(HEADS));
    let reader = decompressing(compression, io::Cursor::new(beginning).chain(coming));
    let mut archive = tar::Archive::new(Allowed { reader, left: Rc::clone(&allowance) });
    let (mut files, mut names) = (Vec::new(), 0);
    for entry in archive.entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let header = entry.header();
        // The content is skipped when the next entry is asked for.
        let content = if header.entry_type().is_gnu_sparse() {
            header.entry_size().map_err(unreadable)?
        } else {
            entry.size()
        };
        allowance.set(content.saturating_add(HEADS));
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        names += path.len() + 64;
        if names > NAMES {
            return Err(Refusal::TooManyFiles);
        }
        if header.entry_type().is_pax_global_extensions() {
            continue;
        }
        let Some((path, deleted)) = whiteout(&rooted(&path)) else { continue };
        files.push(FileEntry(
            path,
            kind(header.entry_type()),
            deleted,
            entry.size(),
            header.mtime().unwrap_or_default(),
            header.mode().unwrap_or_default(),
            header.uid().unwrap_or_default(),
            header.gid().unwrap_or_default(),
        ));
    }
    Ok(files)
}

/// A path from the root, whatever the archive had in front of it.
fn rooted(path: &str) -> String {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix('/')) {
        path = rest;
    }
    let path = path.trim_end_matches('/');
    if path == "." { "/".to_owned() } else { format!("/{path}") }
}

/// The path that a marker of deletion stands for, and whether it is one; `None` for what aufs kept for itself.
fn whiteout(path: &str) -> Option<(String, bool)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name.strip_prefix(".wh.") {
        Some(own) if own.starts_with(".wh.") => None,
        Some(deleted) => Some((format!("{folder}/{deleted}"), true)),
        None if path.split('/').any(|component| component.starts_with(".wh..wh.")) => None,
        None => Some((path.to_owned(), false)),
    }
}

fn kind(kind: EntryType) -> char {
    match kind {
        EntryType::Regular => 'f',
        EntryType::Link => 'l',
        EntryType::Symlink => 's',
        EntryType::Char => 'c',
        EntryType::Block => 'b',
        EntryType::Directory => 'd',
        EntryType::Fifo => 'i',
        EntryType::Continuous => 't',
        EntryType::GNULongName => 'L',
        EntryType::GNULongLink => 'K',
        EntryType::GNUSparse => 'S',
        _ => 'u',
    }
}

/// A reader that gives no more than it is allowed to: the heads of an entry, which are kept in memory, cannot be of any length.
struct Allowed<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Allowed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("an entry's head is too long"));
        }
        let read = self.reader.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}
