//! The contract that every storage backend of Apus fulfils, and the two backends that need nothing but this machine.
//!
//! The contract is that of an object store, not of a file system: whole objects appear and disappear at once, there is
//! no move and no append to what is published, and a large upload is *staged* under an identifier of its own until it is
//! published under its final name. [`Storage`] is the contract; everything else here is its vocabulary.
//!
//! | room | what lives there |
//! |---|---|
//! | [`ObjectName`], [`StageId`] | names, and what may be one |
//! | [`Storage`] | the contract |
//! | [`Body`], [`body`] | bytes on their way in: known length, refusal before the last byte |
//! | [`ObjectReader`], [`ObjectInfo`], [`ListPage`] | what comes back |
//! | [`StorageError`] | what can go wrong, and what to do about it |
//! | [`MemoryStorage`], [`FilesystemStorage`] | backends |
//! | [`MeasuredStorage`] | any backend, measured |
//! | `conformance` (feature) | one suite of tests that any backend runs in three lines |
//! | `testing` (feature) | a storage that tests of other rooms can watch, and make fail |
//!
//! Nothing here knows what a registry is: no digests, no repositories, no HTTP.

mod batches;
pub mod body;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
mod error;
mod filesystem;
mod listing;
mod measured;
mod memory;
mod name;
mod object;
mod stage;
#[cfg(feature = "testing")]
pub mod testing;

pub use body::{Body, BoxError, ByteStream};
pub use contract::Storage;
pub use error::{ErrorKind, Result, StorageError};
pub use filesystem::FilesystemStorage;
pub use listing::{ListEntry, ListPage, ListRequest};
pub use measured::MeasuredStorage;
pub use memory::MemoryStorage;
pub use name::{InvalidName, ObjectName};
pub use object::{
    ByteRange, Freshness, ObjectInfo, ObjectReader, Outcome, Publication, UrlMethod, WriteMode,
};
pub use stage::{Checkpoint, Remnants, StageEntry, StageId, StagePosition, StageRevision, StageState};
