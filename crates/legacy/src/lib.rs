//! docker-registry 0.x, the registry that spoke version 1 of the protocol: what it kept, and the way out of it.
//!
//! | room | what lives there |
//! |---|---|
//! | [`ImageId`], [`Repository`] | names, as clients said them |
//! | [`layout`], `encoding` | which object holds what, and how names became paths |
//! | [`Description`] | what a client said of an image |
//! | [`Store`] | the objects, read with types |
//! | [`LegacyRegistry`] | the rules of the original: pushing and reading images, tags, repositories, searching |
//! | `compression` | how a layer is compressed, told by its first bytes |
//! | [`import()`] | its images become images of today, in a registry of today |

mod compression;
mod description;
mod encoding;
mod error;
mod import;
pub mod layout;
mod names;
mod registry;
mod store;
#[cfg(test)]
mod testing;

pub use description::{Description, DescriptionError, Step};
pub use error::{Error, Result};
pub use import::{ImportEvent, ImportOptions, ImportReport, ImportSummary, Reason, TagOutcome, import};
pub use names::{ImageId, Repository};
pub use registry::{
    Answer, Client, FileEntry, FoundRepository, ImageState, LARGEST, LayerPlace, LegacyRegistry, Listing,
    Looked, Refusal, SaidImage, python_json,
};
pub use store::{Store, StoredImage, StoredTag, TagPage};
