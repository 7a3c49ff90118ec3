//! The rules of a container registry, over any [`Storage`](apus_storage::Storage): what a name, a digest and a manifest
//! are, where everything lies, and in which order it is written so that a reader never meets half of something.
//!
//! | room | what lives there |
//! |---|---|
//! | [`RepositoryName`], [`Tag`], [`Reference`], [`Digest`] | the grammar, from the OCI distribution and image specifications |
//! | [`layout`] | which object holds what: registry:2's layout, and what Apus adds |
//! | [`Registry`] | the registry; its methods live in `blobs`, `uploads`, `manifests`, `referrers`, `tags` and `catalog` |
//! | [`ReferenceChecks`] | which of the things that a manifest names must be there |
//! | [`Upload`], [`UploadPosition`] | an upload session, and what travels in its URL |
//! | [`Registry::purge_uploads`] | dropping uploads that nobody goes on with |
//! | [`Registry::collect_garbage`] | deleting what no manifest needs |
//! | [`Error`] | what a registry has to say when it cannot do what it was asked |
//!
//! Nothing here knows HTTP, and nothing here knows which backend holds the objects.

mod blobs;
mod cache;
mod catalog;
mod checkpoint;
mod contents;
mod digest;
mod error;
mod hashing;
pub mod layout;
mod links;
mod manifest;
mod manifests;
mod name;
mod page;
mod purge;
mod references;
mod referrers;
mod registry;
mod tags;
#[cfg(test)]
mod testing;
mod token;
mod upkeep;
mod uploads;
mod walk;

pub use blobs::{Blob, BlobInfo, BlobUrl};
pub use catalog::RepositoryPage;
pub use digest::{Algorithm, Digest};
pub use error::{Error, Result};
pub use hashing::Hasher;
pub use manifest::MediaType;
pub use manifests::{Manifest, PutManifest, StoredManifest};
pub use name::{Reference, RepositoryName, Tag};
pub use purge::{PurgeOptions, PurgeSummary};
pub use references::{IndexPlatforms, LayerUrls, Platform, ReferenceChecks};
pub use referrers::{Descriptor, ReferrerPage};
pub use registry::{Registry, RegistryOptions};
pub use tags::{KeptTags, TagPage};
pub use upkeep::{CollectError, CollectEvent, CollectOptions, CollectReport, CollectSummary};
pub use uploads::{Upload, UploadOwner, UploadPosition};
