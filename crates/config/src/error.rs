//! What can be wrong with a configuration, and where: [`ConfigError`], [`Warning`], [`Place`], [`Source`].
//!
//! The line of the file itself is never quoted, and the value of a secret is never kept: either could end in a log.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Source {
    /// A file, by the name that it was given.
    File(Arc<str>),
    /// A variable of the environment, by its name.
    Variable(Arc<str>),
    /// Nobody: what holds where nothing is said.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) | Self::Variable(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A place in a configuration: in a file, or in the value of a variable.
///
/// In a file it displays as `file:line:column`, which editors and terminals can jump to; of a variable and of a default the
/// name is enough, unless it is something inside of a value of several parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file or the variable.
    pub source: Source,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// Where a file or the value of a variable begins.
    pub(crate) fn beginning(source: Source) -> Self {
        Self { source, line: 1, column: 1 }
    }

    /// No text that is read has more lines or columns than these numbers can count.
    pub(crate) fn new(source: Source, line: usize, column: usize) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { source, line: count(line), column: count(column) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line, column } = self;
        match source {
            Source::Default => write!(f, "{source}"),
            Source::Variable(_) if (*line, *column) == (1, 1) => write!(f, "{source}"),
            Source::File(_) | Source::Variable(_) => write!(f, "{source}:{line}:{column}"),
        }
    }
}

/// Why a configuration cannot be used. Displays as one line that says where, which key, what was found and what is
/// expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be opened or read, or it is far too large to be a configuration.
    #[error("cannot read the configuration file {}: {error}", path.display())]
    Unreadable {
        /// The file, as it was given.
        path: PathBuf,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// The text is not YAML, or is YAML of a kind that has no meaning in a configuration.
    #[error("{place}: not a valid YAML configuration: {reason}")]
    Syntax {
        /// Where the parser stopped.
        place: Place,
        /// What it did not understand.
        reason: String,
    },
    /// A mapping holds the same key twice.
    #[error("{place}: {key}: given twice, first at {first}")]
    Duplicate {
        /// The second occurrence.
        place: Place,
        /// The key; only its last part when the mapping itself was being read.
        key: String,
        /// The first occurrence.
        first: Place,
    },
    /// A key that must be there is absent or empty.
    #[error("{place}: {key}: missing, expected {expected}")]
    Missing {
        /// The section that ought to hold the key.
        place: Place,
        /// The path of the key, such as `storage.swift.password`.
        key: String,
        /// What belongs there.
        expected: String,
    },
    /// A value does not fit its key.
    #[error("{place}: {key}: found {found}, expected {expected}")]
    Invalid {
        /// The value.
        place: Place,
        /// The path of the key, such as `storage.swift.chunksize`.
        key: String,
        /// What stands there, shortened; never a secret.
        found: String,
        /// What fits.
        expected: String,
    },
    /// Two storage drivers were given where one is needed.
    #[error("{place}: {key}: a second storage driver beside {first_key} at {first}; give exactly one")]
    TwoDrivers {
        /// The second driver.
        place: Place,
        /// The path of the second driver.
        key: String,
        /// The first driver.
        first: Place,
        /// The path of the first driver.
        first_key: String,
    },
    /// The setting is understood, but this version cannot do what it asks, and to ignore it would be wrong.
    #[error("{place}: {key}: {reason}")]
    Unsupported {
        /// The key.
        place: Place,
        /// The path of the key.
        key: String,
        /// What cannot be done and what to do instead.
        reason: String,
    },
}

impl ConfigError {
    /// Where the fault lies; `None` when the file could not be read at all.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Syntax { place, .. }
            | Self::Duplicate { place, .. }
            | Self::Missing { place, .. }
            | Self::Invalid { place, .. }
            | Self::TwoDrivers { place, .. }
            | Self::Unsupported { place, .. } => Some(place),
        }
    }
}

/// Something in a file or a variable that does not stop the start, but that its writer ought to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The key that it is about.
    pub place: Place,
    /// The path of the key, such as `storage.filesystem.maxthreads`.
    pub key: String,
    /// What the writer ought to know.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.key, self.message)
    }
}
