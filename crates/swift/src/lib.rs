//! OpenStack Object Storage: a client of Swift's API that stands alone, and the storage backend of Apus on top of it.
//!
//! | room | what lives there |
//! |---|---|
//! | [`SwiftConfig`] | what an operator has to say |
//! | [`SwiftClient`], [`Container`] | Swift's API: objects, listings, static large objects; the token, tries and time-outs |
//! | [`Capabilities`] | what a cluster says of itself |
//! | [`SwiftError`] | what can go wrong, in Swift's terms |
//! | [`SwiftStorage`] | the contract of [`apus_storage::Storage`], kept by a Swift |
//!
//! Signing in (version 1, and version 3 with a password) happens with the first request and whenever it must; nothing here
//! needs a Swift that is up to be made.
//!
//! The client, by itself:
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use apus_storage::{ByteRange, Freshness};
//! use apus_swift::{Reading, SwiftClient, SwiftConfig, Upload};
//! use bytes::Bytes;
//! use futures_util::TryStreamExt;
//!
//! let mut config = SwiftConfig::new("https://keystone.example:5000/v3", "user", "password", "photos");
//! config.tenant = Some("project".to_owned());
//! let photos = SwiftClient::new(&config)?.container("photos");
//! photos.ensure().await?;
//! photos.put(Upload::new("2026/swift.jpg", Bytes::from_static(b"..."))).await?;
//! if let Reading::Content(download) = photos.get("2026/swift.jpg", ByteRange::Full, Freshness::Any).await? {
//!     let mut stream = download.stream;
//!     while let Some(piece) = stream.try_next().await.map_err(|error| error.to_string())? {
//!         println!("{} bytes", piece.len());
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod auth;
mod client;
mod config;
mod error;
mod etag;
mod info;
mod retry;
mod storage;

pub use client::{
    Connected, Container, Content, Deletion, Download, Listing, ListingEntry, ListingRequest, ObjectKind,
    ObjectMetadata, Reading, Segment, SloManifest, Stored, SwiftClient, Upload, Uploaded,
};
pub use config::{AuthVersion, ConfigError, Interface, SwiftConfig};
pub use error::{SwiftError, SwiftErrorKind};
pub use info::Capabilities;
pub use storage::{Checked, SwiftStorage};
