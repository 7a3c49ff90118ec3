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
//! # Signing in
//!
//! The URL tells the version, or is asked for it; the credentials say as whom. A secret may be a text or a [`Secret::file`],
//! which is read again at each sign-in. Where the object store is, sign-in tells.
//!
//! ```
//! use apus_swift::{ApplicationCredential, Credentials, Domain, Entity, Password, Secret, SwiftConfig, Token};
//!
//! let keystone = "https://keystone.example:5000/v3";
//! let domain = || Domain::Name("people".to_owned());
//! let user = || Entity::named("user").in_domain(domain());
//! let project = Entity::named("project").in_domain(domain());
//! let ways: [(&str, Credentials); 8] = [
//!     // Version 1: TempAuth, Ceph RGW.
//!     ("http://swift.example:8080/auth/v1.0", Password::new("account:user", "key").into()),
//!     // Version 2: an old Keystone.
//!     ("https://keystone.example:5000/v2.0", Password::new("user", "password").for_project("tenant").into()),
//!     // Version 3: a user, for a project or by a trust; an application credential; a token that is there already.
//!     (keystone, Password::new(user(), "password").for_project(project).into()),
//!     (keystone, Password::new(user(), Secret::file("/run/secrets/swift")).by_trust("9c1d5f0a").into()),
//!     (keystone, ApplicationCredential::new("21dced0fd20347869b93710d2b98aae0", "secret").into()),
//!     (keystone, ApplicationCredential::named("backup", user(), "secret").into()),
//!     (keystone, Token::new("gAAAAABo").into()),
//!     // For another project than it was made for.
//!     (keystone, Token::new(Secret::file("/run/secrets/token")).for_project("project").into()),
//! ];
//! for (url, credentials) in ways {
//!     SwiftConfig::new(url, credentials, "photos").validate()?;
//! }
//! # Ok::<(), apus_swift::ConfigError>(())
//! ```
//!
//! Or as the tools of OpenStack do, by the environment (`OS_*`, `ST_*`, `OS_CLOUD`) or by `clouds.yaml`:
//!
//! ```no_run
//! use apus_swift::{Interface, SwiftClient, SwiftConfig};
//!
//! let here = SwiftClient::new(&SwiftConfig::from_env("photos")?)?;
//!
//! let mut config = SwiftConfig::from_cloud("mycloud", "photos")?;
//! config.interface = Interface::Internal;
//! config.tls.ca_file = Some("/etc/ssl/mycloud.pem".into());
//! let there = SwiftClient::new(&config)?;
//! # Ok::<(), apus_swift::ConfigError>(())
//! ```
//!
//! # The client, by itself
//!
//! A stream in and out, whatever its length, and no more of it in memory than a piece:
//!
//! ```no_run
//! # async fn run(video: impl futures_util::Stream<Item = std::io::Result<bytes::Bytes>> + Send + 'static)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use apus_swift::{ByteRange, Freshness, LargeUpload, Password, Reading, SwiftClient, SwiftConfig};
//! use futures_util::TryStreamExt;
//!
//! let user = Password::new("user", "password").for_project("project");
//! let config = SwiftConfig::new("https://keystone.example:5000/v3", user, "films");
//! let films = SwiftClient::new(&config)?.container("films");
//! films.ensure().await?;
//!
//! // Nobody knows yet how long it is. Up to 1 MiB it becomes a plain object, else a static large one.
//! films.put_large(LargeUpload::new("2026/swifts.mkv", video)).await?;
//!
//! // Read on over another connection if one breaks; ranges work on any kind of object.
//! let all_but_the_first_byte = ByteRange::From(1);
//! match films.get("2026/swifts.mkv", all_but_the_first_byte, Freshness::Any).await? {
//!     Reading::Content(mut download) => {
//!         println!("{} of {} bytes follow", download.range.end - download.range.start, download.metadata.size);
//!         while let Some(piece) = download.stream.try_next().await.map_err(|error| error.to_string())? {
//!             println!("{} bytes", piece.len());
//!         }
//!     }
//!     Reading::Beyond(metadata) => println!("it has no more than {} bytes", metadata.size),
//!     Reading::Absent => println!("there is no such film"),
//! }
//!
//! // With its segments.
//! films.delete_whole("2026/swifts.mkv").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Small objects, listings, metadata:
//!
//! ```no_run
//! # async fn run(client: apus_swift::SwiftClient) -> Result<(), Box<dyn std::error::Error>> {
//! use apus_swift::{Freshness, ListingEntry, Upload, Uploaded};
//! use bytes::Bytes;
//! use futures_util::TryStreamExt;
//! use http::HeaderValue;
//! use http::header::{CONTENT_TYPE, HeaderName};
//!
//! let notes = client.container("notes");
//! let color = HeaderName::from_static("x-object-meta-color");
//! let upload = Upload::new("swift.txt", Bytes::from_static(b"apus apus"))
//!     .headers([(CONTENT_TYPE, HeaderValue::from_static("text/plain")), (color, HeaderValue::from_static("black"))])
//!     .if_absent(true);
//! match notes.put(upload).await? {
//!     Uploaded::Stored(stored) => println!("written, with the entity tag {}", stored.entity_tag),
//!     Uploaded::Exists { .. } => println!("there is one already, and it stays"),
//!     Uploaded::Superseded => println!("somebody wrote a newer one in the same moment"),
//! }
//! if let Some(metadata) = notes.head("swift.txt", Freshness::Newest).await? {
//!     println!("{} bytes, {}", metadata.size, metadata.user("color").unwrap_or("of no color"));
//! }
//! let mut entries = notes.entries("2026/", true);
//! while let Some(entry) = entries.try_next().await? {
//!     match entry {
//!         ListingEntry::Object { name, size, .. } => println!("{name}: {size} bytes"),
//!         ListingEntry::Folder(name) => println!("{name}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What can go wrong
//!
//! Absence is no error: it comes as `None`, [`Reading::Absent`] or [`Deletion::Absent`], and only where Swift has said so.
//! Every error is a [`SwiftError`]: which request it was, what was found, under which transaction, and what to do about it.
//! What may be better the next time was tried again by then ([`SwiftConfig::max_tries`], [`SwiftConfig::total_timeout`]),
//! with pauses that grow, or as long as the cluster asks for; a stream is sent again only if nothing of it was read.
//!
//! | [`SwiftErrorKind`] | what it means | what to do |
//! |---|---|---|
//! | `Unavailable` | no answer, or one that says to come back: it is not known whether it was done | try again, after `retry_after` where it is told |
//! | `Denied` | signing in failed, or the user may not do this | an operator must act |
//! | `Full` | a quota, or the cluster's disks; nothing was stored | make room |
//! | `TooLarge` | more than the cluster takes in one object, or in one of so many segments | write it as a large object, in larger segments |
//! | `Damaged` | what was stored is not what was sent, or a large object misses a segment | write it again |
//! | `Body` | the content that was given ended in an error, which is the source; nothing was stored | it is the caller's |
//! | `Unexpected` | an answer that no documentation foresees | tell us |
//!
//! ```no_run
//! # async fn run(client: apus_swift::SwiftClient) -> Result<(), apus_swift::SwiftError> {
//! use apus_swift::{Freshness, SwiftErrorKind};
//!
//! let container = client.container("notes");
//! match container.head("swift.txt", Freshness::Any).await {
//!     Ok(Some(metadata)) => println!("{} bytes", metadata.size),
//!     Ok(None) => println!("Swift says that there is none"),
//!     Err(error) => match error.kind() {
//!         SwiftErrorKind::Unavailable { retry_after } => println!("cannot tell; again after {retry_after:?}"),
//!         // Such as: HEAD notes/swift.txt: answered 403 Forbidden (transaction tx7f3a); give the user a role ...
//!         _ => println!("{error}; {}", error.advice().unwrap_or("no advice")),
//!     },
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
pub use apus_storage::{BoxError, ByteRange, ByteStream, Freshness};
pub use client::{
    Connected, Container, ContainerEntry, Content, Deletion, Download, DynamicManifest, LargeUpload, Listing,
    ListingEntry, ListingRequest, ObjectKind, ObjectMetadata, Reading, Segment, SloManifest, Stored,
    SwiftClient, TemporaryUrlDigest, TemporaryUrlError, TemporaryUrlOptions, TemporaryUrlProof,
    TemporaryUrlScope, TemporaryUrls, Upload, Uploaded, Usage,
};
pub use config::{
    ApplicationCredential, AuthVersion, ConfigError, Credentials, Domain, Entity, Interface, Naming,
    Password, Scope, Secret, SwiftConfig, Token,
};
pub use error::{SwiftError, SwiftErrorKind};
pub use info::{Capabilities, CapabilityOverrides, TemporaryUrlSupport};
pub use storage::{Checked, SwiftStorage};
