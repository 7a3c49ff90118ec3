//! OpenStack Object Storage: a client of Swift's API that stands alone, and the storage backend of Apus on top of it.
//!
//! | room | what lives there |
//! |---|---|
//! | [`SwiftConfig`] | what an operator has to say; where the tools of OpenStack find it |
//! | [`Password`], [`ApplicationCredential`], [`Token`] | the ways to sign in, with an example for each |
//! | [`SwiftClient`], [`Container`] | Swift's API: objects, listings, static large objects; the token, tries and time-outs |
//! | [`Capabilities`] | what a cluster says of itself |
//! | [`SwiftError`] | what can go wrong, in Swift's terms |
//! | [`TemporaryUrls`] | URLs by which others fetch an object from the cluster itself |
//! | [`SwiftStorage`] | the contract of [`apus_storage::Storage`], kept by a Swift |
//! | [`doctor`] | tries all that the storage needs, and says what to change |
//!
//! Signing in happens with the first request and whenever it must; nothing here needs a Swift that is up to be made.
//!
//! The client, by itself:
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use apus_storage::{ByteRange, Freshness};
//! use apus_swift::{Password, Reading, SwiftClient, SwiftConfig, Upload};
//! use bytes::Bytes;
//! use futures_util::TryStreamExt;
//!
//! let user = Password::new("user", "password").for_project("project");
//! let config = SwiftConfig::new("https://keystone.example:5000/v3", user, "photos");
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
pub mod doctor;
mod error;
mod etag;
mod info;
mod retry;
mod storage;

pub use apus_http_client::{ClientCertificate, Proxies, Tls};
pub use client::{
    Connected, Container, Content, Deletion, Download, DynamicManifest, Listing, ListingEntry,
    ListingRequest, ObjectKind, ObjectMetadata, Reading, Segment, SloManifest, Stored, SwiftClient,
    TemporaryUrlDigest, TemporaryUrlError, TemporaryUrlOptions, TemporaryUrlProof, TemporaryUrlScope,
    TemporaryUrls, Upload, Uploaded, Usage,
};
pub use config::{
    ApplicationCredential, AuthVersion, ConfigError, Credentials, Domain, Entity, Interface, Password, Scope,
    Secret, SwiftConfig, Token,
};
pub use error::{SwiftError, SwiftErrorKind};
pub use info::{Capabilities, CapabilityOverrides, TemporaryUrlSupport};
pub use storage::{Checked, SwiftStorage};
