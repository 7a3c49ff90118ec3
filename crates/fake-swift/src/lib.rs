//! An OpenStack Swift in one process, for tests: never shipped.
//!
//! [`FakeSwift::start`] binds two ports of the loopback interface and serves, from memory, what an object store's
//! client meets: TempAuth and Keystone (versions 2.0 and 3), containers and listings, objects with ranges and
//! conditions, static and dynamic large objects, bulk deletes, temporary URLs, `/info`. Its answers (statuses,
//! headers, bodies, odd corners) were compared, request by request, with those of a real Swift 2.30.1 behind TempAuth
//! and behind Keystone; only version 2.0, which no Keystone of today has, and [`Dialect::Ceph`] come from documents
//! and source.
//!
//! Beyond what Swift does, a test may ask it four things:
//! - **what was asked of it**: [`FakeSwift::requests`], so that a budget of requests is an assertion;
//! - **to fail on a script**: [`FakeSwift::fault`], and [`FakeSwift::go_away`] for the whole store;
//! - **to show what was**: [`FakeSwift::freeze_listings`], [`FakeSwift::split_listings`], [`FakeSwift::split_reads`],
//!   [`FakeSwift::add_ghost`], [`Options::listing_lag`] and [`Options::read_lag`];
//! - **what was left behind**: [`FakeSwift::object_names`], [`FakeSwift::object`].
//!
//! What it does not model it refuses with 501 rather than guess: server-side copies, XML, reversed listings,
//! asynchronous deletes, versions, cross-origin requests. Where it differs from Swift in what it does: counts and
//! listings are up to date at once, unless a test says otherwise; an object without a content type is
//! `application/octet-stream`, whatever its name ends in.
//!
//! ```
//! use apus_fake_swift::{Action, Fault, FakeSwift, Options};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let fake = FakeSwift::start(Options { containers: vec!["registry".into()], ..Options::default() }).await?;
//! fake.fault(Fault { method: Some(http::Method::PUT), ..Fault::once(Action::Reset) });
//! // ... drive the client at fake.auth_url_v3() ...
//! assert!(fake.object_names("registry").is_empty());
//! assert_eq!(fake.count(|request| request.kind.is_storage()), 0);
//! # std::io::Result::Ok(()) }).unwrap();
//! ```
//!
//! A request walks this way, a module each:
//!
//! | step | modules |
//! |---|---|
//! | the ports; a request is logged, a fault may take it | `server`, `service`, `log`, `faults` |
//! | what it is about; its body | `request`, `body` |
//! | signing in, and who may | `auth`, `keystone`, `tokens`, `tempurl` |
//! | what is asked | `account`, `container`, `object` (writes), `reading`, `bulk`, `info` |
//! | large objects | `slo`, `manifest`, `dlo`, `representation` |
//! | rules shared by these | `metadata`, `conditions`, `range`, `listing`, `accept` |
//! | the data, their past, who shows which of it | `state`, `history`, `replicas`, `clock` |
//! | the answer | `answer`, `sending`, `json` |
//! | what Ceph's gateway does otherwise | `ceph` |
//! | what a test chooses, asks, and does | `options`, `inspect`, `lagging` |

mod accept;
mod account;
mod answer;
mod auth;
mod body;
mod bulk;
mod ceph;
mod clock;
mod conditions;
mod container;
mod dlo;
mod faults;
mod history;
mod info;
mod inspect;
mod json;
mod keystone;
mod lagging;
mod listing;
mod log;
mod manifest;
mod metadata;
mod object;
mod options;
mod range;
mod reading;
mod replicas;
mod representation;
mod request;
mod sending;
mod server;
mod service;
mod slo;
mod state;
mod tempurl;
mod tokens;

pub use faults::{Action, Fault};
pub use inspect::ObjectSnapshot;
pub use log::{Interface, RequestKind, RequestRecord};
pub use options::{Dialect, Feature, Options};
pub use replicas::Replica;
pub use server::FakeSwift;
pub use tempurl::Digest;
