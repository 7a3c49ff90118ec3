//! The files of a queue. One thread works on them; nothing here waits for anything but the disk.
//!
//! A file is called by a number that grows and holds some events, one on each line, in their order:
//!
//! ```text
//! +<first 16 hexadecimal digits of the event's SHA-256> <the event in JSON>
//! ```
//!
//! When an event was delivered, `+` becomes `-` where it stands. A file of which all is delivered is deleted. A process begins a
//! file of its own, and never adds to those it finds: only the last line of any can be half a one. A line that is not as it was
//! written is passed over and counted as lost, and its file is kept under a name that ends in `.damaged`, for people to look at.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::Reports;
use super::place::private;

/// A file of so many bytes gets no more events.
const FILE: u64 = 4 << 20;
/// No file of ours is larger, for no event is.
const LARGEST_FILE: u64 = 64 << 20;
const SUFFIX: &str = "events";
/// Hexadecimal digits of the checksum.
const CHECKSUM: usize = 16;

const WAITING: u8 = b'+';
const DELIVERED: u8 = b'-';

/// Events that wait in files.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    /// Bytes that may wait.
    limit: u64,
    /// Oldest first; the last one is the one that is written, if one is.
    files: VecDeque<Waiting>,
    writing: Option<File>,
    reading: Option<Reading>,
    /// The number of the next file.
    next: u64,
    reports: Reports,
}

/// A file, and what waits in it.
#[derive(Debug)]
struct Waiting {
    number: u64,
    events: u64,
    bytes: u64,
    damaged: bool,
}

/// The first file, being read.
#[derive(Debug)]
struct Reading {
    file: BufReader<File>,
    /// Where the next line begins.
    at: u64,
    first: Option<First>,
}

/// The first event, which begins at this place.
#[derive(Debug)]
struct First {
    at: u64,
    line: u64,
    event: Bytes,
}

/// Why an event is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("too many wait for the endpoint (notifications.queue.maxsize); see that it takes them")]
    Full,
    #[error("notifications.queue.directory cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// What a line holds.
enum Line {
    Event(Bytes),
    Delivered,
    Damaged { waiting: bool },
}

impl Journal {
    /// Counts what waits there.
    pub(crate) fn open(directory: PathBuf, limit: u64, reports: Reports) -> io::Result<Self> {
        let mut numbers = Vec::new();
        let mut next = 1;
        for entry in fs::read_dir(&directory)? {
            let name = entry?.file_name();
            // A number is never used again while a file bears it, damaged or not.
            let number = number(Path::new(&name));
            next = next.max(number.unwrap_or_default().saturating_add(1));
            numbers.extend(number.filter(|number| path(&directory, *number).ends_with(&name)));
        }
        numbers.sort_unstable();
        let mut journal =
            Self { directory, limit, files: VecDeque::new(), writing: None, reading: None, next, reports };
        for number in numbers {
            let file = journal.count(number)?;
            journal.files.push_back(file);
        }
        journal.report();
        Ok(journal)
    }

    fn count(&self, number: u64) -> io::Result<Waiting> {
        let mut waiting = Waiting { number, events: 0, bytes: 0, damaged: false };
        let file = File::open(path(&self.directory, number))?;
        if file.metadata()?.len() > LARGEST_FILE {
            // It is none of ours, and is set aside when its turn comes.
            return Ok(waiting);
        }
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            if line.first() == Some(&WAITING) {
                waiting.events += 1;
                waiting.bytes += line.len() as u64;
            }
            line.clear();
        }
        Ok(waiting)
    }

    /// How many events wait.
    pub(crate) fn events(&self) -> u64 {
        self.files.iter().map(|file| file.events).sum()
    }

    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn report(&self) {
        self.reports.pending(self.events());
    }

    /// Adds an event at the end. It outlives this process when this returns; it outlives the machine after [`Journal::unsaved`].
    pub(crate) fn append(&mut self, event: &[u8]) -> Result<(), Refused> {
        let line = [&[WAITING], checksum(event).as_bytes(), b" ", event, b"\n"].concat();
        let length = line.len() as u64;
        if self.bytes() + length > self.limit || length > LARGEST_FILE - FILE {
            return Err(Refused::Full);
        }
        let mut file = match self.writing.take() {
            Some(file) if file.metadata()?.len() < FILE => file,
            _ => self.begin_file()?,
        };
        let before = file.metadata()?.len();
        let written = file.write_all(&line);
        // Half a line goes; where that fails too, it is passed over when it is read, and the next event begins a file.
        if written.is_ok() || file.set_len(before).is_ok() {
            self.writing = Some(file);
        }
        written?;
        if let Some(waiting) = self.files.back_mut() {
            waiting.events += 1;
            waiting.bytes += length;
        }
        self.report();
        Ok(())
    }

    fn begin_file(&mut self) -> io::Result<File> {
        let file = private().append(true).create_new(true).open(path(&self.directory, self.next))?;
        self.files.push_back(Waiting { number: self.next, events: 0, bytes: 0, damaged: false });
        self.next += 1;
        Ok(file)
    }

    /// The first event, if there is one. It stays the first until it is [taken](Self::take).
    pub(crate) fn first(&mut self) -> Option<Bytes> {
        loop {
            let is_written = self.files.len() == 1 && self.writing.is_some();
            let waiting = self.files.front_mut()?;
            let path = path(&self.directory, waiting.number);
            let read = match &mut self.reading {
                Some(reading) => reading.first(),
                None => {
                    Reading::open(&path).map(|reading| self.reading.insert(reading)).and_then(Reading::first)
                }
            };
            match read {
                Ok(Some(Line::Event(event))) => return Some(event),
                Ok(Some(Line::Delivered)) => {}
                Ok(Some(Line::Damaged { waiting: counted })) => {
                    if counted {
                        waiting.events = waiting.events.saturating_sub(1);
                    }
                    if !std::mem::replace(&mut waiting.damaged, true) {
                        tracing::error!(file = %path.display(), "this file of events is damaged; what is whole in it is delivered, and then it is set aside");
                    }
                    self.reports.losses.add(1, &"they could not be read from their file");
                    self.report();
                }
                Ok(None) if is_written => return None,
                Ok(None) => self.end_file(),
                Err(error) => {
                    tracing::error!(file = %path.display(), %error, "this file of events cannot be read");
                    self.reports.losses.add(waiting.events.max(1), &"their file could not be read");
                    waiting.damaged = true;
                    self.end_file();
                }
            }
        }
    }

    /// The first event was delivered.
    pub(crate) fn take(&mut self) {
        let (Some(reading), Some(waiting)) = (&mut self.reading, self.files.front_mut()) else { return };
        let Some(First { at, line, .. }) = reading.first.take() else { return };
        if let Err(error) = reading.file.get_ref().write_all_at(&[DELIVERED], at) {
            tracing::warn!(%error, endpoint = self.reports.endpoint, "that an event was delivered could not be kept: it will be sent again after a restart");
        }
        waiting.events = waiting.events.saturating_sub(1);
        waiting.bytes = waiting.bytes.saturating_sub(line);
        if self.events() == 0 && self.files.len() == 1 {
            // Where nothing waits there is no file.
            self.writing = None;
            self.end_file();
        }
        self.report();
    }

    /// The first file has been read to its end.
    fn end_file(&mut self) {
        self.reading = None;
        let Some(Waiting { number, damaged, .. }) = self.files.pop_front() else { return };
        let path = path(&self.directory, number);
        let ended = if damaged {
            fs::rename(&path, path.with_extension(format!("{SUFFIX}.damaged")))
        } else {
            fs::remove_file(&path)
        };
        if let Err(error) = ended {
            tracing::warn!(file = %path.display(), %error, "a file of events that was delivered stays: it will be read again after a restart");
        }
        self.report();
    }

    /// What must be synced to the disk for what was added to outlive the machine: the file that is written, and the directory.
    pub(crate) fn unsaved(&self) -> io::Result<Option<[File; 2]>> {
        let Some(file) = &self.writing else { return Ok(None) };
        Ok(Some([file.try_clone()?, File::open(&self.directory)?]))
    }
}

impl Reading {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        if file.metadata()?.len() > LARGEST_FILE {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is larger than any that Apus writes",
            ));
        }
        Ok(Self { file: BufReader::new(file), at: 0, first: None })
    }

    /// The next line, or the one before it while that is the first event; `None` at the end.
    fn first(&mut self) -> io::Result<Option<Line>> {
        if let Some(first) = &self.first {
            return Ok(Some(Line::Event(first.event.clone())));
        }
        let mut line = Vec::new();
        let length = self.file.by_ref().take(LARGEST_FILE).read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            return Ok(None);
        }
        let at = self.at;
        self.at += length;
        let line = parse(line);
        if let Line::Event(event) = &line {
            self.first = Some(First { at, line: length, event: event.clone() });
        }
        Ok(Some(line))
    }
}

fn parse(mut line: Vec<u8>) -> Line {
    let whole = line.pop_if(|last| *last == b'\n').is_some();
    let waiting = line.first() == Some(&WAITING);
    match (line.first(), line.split_at_checked(CHECKSUM + 2)) {
        (Some(&DELIVERED), _) if whole => Line::Delivered,
        (Some(&WAITING), Some((head, event)))
            if whole && head.get(1..) == Some(format!("{} ", checksum(event)).as_bytes()) =>
        {
            Line::Event(Bytes::from(line).slice(CHECKSUM + 2..))
        }
        _ => Line::Damaged { waiting },
    }
}

fn checksum(event: &[u8]) -> String {
    let mut text = data_encoding::HEXLOWER.encode(&Sha256::digest(event));
    text.truncate(CHECKSUM);
    text
}

fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.{SUFFIX}"))
}

/// The number of a file, by its name.
fn number(name: &Path) -> Option<u64> {
    let (number, suffix) = name.to_str()?.split_once('.')?;
    if suffix.starts_with(SUFFIX) { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
