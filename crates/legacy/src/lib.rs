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
//! | `layer`, `image`, `record` | what a layer and an image of its are today: found out by reading, and remembered |
//! | [`import()`] | its images become images of today, in a registry of today |
//! | [`View`] | its images are shown as those of today, where they are |

mod compression;
mod description;
mod encoding;
mod error;
mod image;
mod import;
mod layer;
pub mod layout;
mod names;
mod reason;
mod record;
mod registry;
mod store;
#[cfg(test)]
mod testing;
mod view;

pub use description::{Description, DescriptionError, Step};
pub use error::{Error, Result};
pub use import::{ImportEvent, ImportOptions, ImportReport, ImportSummary, TagOutcome, import};
pub use names::{ImageId, Repository};
pub use reason::Reason;
pub use registry::{
    Answer, Client, FileEntry, FoundRepository, ImageState, LARGEST, LayerPlace, LegacyRegistry, Listing,
    Looked, Refusal, SaidImage, python_json,
};
pub use store::{Store, StoredImage, StoredTag, TagPage};
pub use view::{View, ViewOptions};
