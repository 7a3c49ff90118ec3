//! The vocabulary of staging: an upload that grows, across requests and processes, until it is published or dropped.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;

use crate::{InvalidName, StorageError};

/// Names a stage: 1 to 64 of `A-Z a-z 0-9 - _`. The caller makes it, unguessable and never the same twice
/// ([`StageId::random`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(String);

impl StageId {
    /// The longest identifier, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Takes an identifier in, or says why it is none.
    pub fn parse(id: impl Into<String>) -> Result<Self, InvalidName> {
        let id = id.into();
        let fits = (1..=Self::MAX_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if fits {
            Ok(Self(id))
        } else {
            Err(InvalidName {
                name: id.chars().take(200).collect(),
                reason: "a stage is named by 1 to 64 letters, digits, hyphens and underscores",
            })
        }
    }

    /// A new identifier, unlike any other: 32 hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        Self(data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>()))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for StageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// Names one state of a stage. The backend makes it anew at each append, so that two appends that began at the same
/// state, in two processes, end in two revisions of which the stage keeps one.
///
/// Opaque, at most 64 URL-safe characters; it may travel in an upload URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StageRevision(String);

impl StageRevision {
    /// A new revision, unlike any other.
    #[must_use]
    pub fn random() -> Self {
        Self(data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>()))
    }

    /// A revision as it came back from where the caller kept it. One that the backend never made simply does not match.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The revision as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where the caller believes a stage to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StagePosition<'a> {
    /// It does not exist yet: the append creates it.
    Start,
    /// It stands at this revision.
    At(&'a StageRevision),
}

/// Where a stage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageState {
    /// Names this state.
    pub revision: StageRevision,
    /// Bytes appended so far.
    pub offset: u64,
    /// What the caller wanted kept with exactly these bytes; opaque to the backend. At most
    /// [`StageState::MAX_CHECKPOINT_BYTES`].
    pub checkpoint: Bytes,
}

impl StageState {
    /// The longest checkpoint, in bytes.
    pub const MAX_CHECKPOINT_BYTES: usize = 4096;
}

/// Gives the checkpoint that belongs to a stage after an append. Called once, when the last byte of the body was taken,
/// and before the append is committed: the checkpoint and the offset change as one.
pub type Checkpoint = Box<dyn FnOnce() -> Bytes + Send>;

/// A stage in a list of stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageEntry {
    /// Which.
    pub id: StageId,
    /// When it was appended to last.
    pub modified: SystemTime,
}

/// What was found by [`Storage::free_remnants`](crate::Storage::free_remnants).
#[derive(Debug, Default)]
pub struct Remnants {
    /// Stages that had left something, and it was freed; or in a dry run would be.
    pub stages: u64,
    /// Bytes in that.
    pub bytes: u64,
    /// Why some of it was kept though nothing is known to need it, and what to do.
    pub doubt: Option<String>,
    /// What could not be freed, or not be read so that it was kept; one for each stage.
    pub failures: Vec<StorageError>,
}
