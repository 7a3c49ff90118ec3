//! What can go wrong with data of docker-registry 0.x.

use apus_storage::{InvalidName, ObjectName, StorageError};

/// A result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. The first three are answers about what is stored; with the others nobody knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An object is not there that must be.
    #[error("{0} is not there")]
    Missing(ObjectName),
    /// It is there, and makes no sense.
    #[error("{object} is damaged: {reason}")]
    Damaged {
        /// Where it lies.
        object: ObjectName,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that no storage of this time takes.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The storage of the old registry could not tell, or that of the new one could not do.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The registry that images are brought into refused.
    #[error(transparent)]
    Registry(#[from] apus_registry::Error),
}

impl Error {
    /// Whether this is how things are, so that trying again changes nothing.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Damaged { .. } | Self::Name(_))
    }
}
