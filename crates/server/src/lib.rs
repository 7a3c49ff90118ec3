//! The registry's HTTP: what a path means, which headers an answer carries, and how an error is told. What a registry does
//! lives in [`apus_registry`]; which sockets it does it on lives in [`serve`].
//!
//! A request walks through these rooms in order:
//!
//! | room | what happens there |
//! |---|---|
//! | [`Listener`], [`serve()`], `drain` | connections are accepted; a drain lets their requests end |
//! | [`CurrentApp`] | the application that answers now |
//! | `connection`, [`Tls`] | one of them: with TLS or without, HTTP/1.1 or HTTP/2, its limits |
//! | `access_log`, `forwarded`, [`RequestId`] | whom the request came from, which it is, and a line in the log when it is over |
//! | `measured` | it is counted, from here to the last byte of its answer |
//! | [`Route`] | the path becomes typed: a pure function, for names hold slashes |
//! | [`Action`] | the method and the route become what is to be done |
//! | [`Authorization`], `token` | whether this client may do it; a token by which it may |
//! | `blobs`, `uploads`, `manifests`, `lists` | it is done, one file for each sort |
//! | [`Version1`] | or it is for version 1 of the protocol, which [`apus_v1`] speaks |
//! | `source` | content comes from the registry, or from a cache of other registries in front of it |
//! | `events` | it is told to whoever wants to know |
//! | `answer`, `errors`, `warning` | the answer, or the error in the form of the specification |
//!
//! Beside them, [`serve_debug`] shows on an address of its own what operators ask: [`DebugPages`].
//!
//! What stands in a request is read by pure functions in `accept`, `parameters`, `ranges` and `elements`; `received` is its
//! content, `budget` the memory that content may take, `limits` how much one client may ask for, [`Locations`] where the URLs in the answer begin.

mod accept;
mod access_log;
mod action;
mod answer;
mod app;
mod authorization;
mod blobs;
mod budget;
mod connection;
mod current;
mod debug;
mod drain;
mod elements;
mod errors;
mod events;
mod forwarded;
mod limits;
mod listener;
mod lists;
mod locations;
mod manifests;
mod measured;
mod parameters;
mod ranges;
mod received;
mod request;
mod request_id;
mod route;
mod serve;
mod shown;
mod source;
mod tls;
mod token;
mod uploads;
mod version_1;
mod warning;

pub use access_log::REQUEST_SPAN;
pub use action::Action;
pub use answer::AnswerBody;
pub use app::{App, AppOptions};
pub use authorization::Authorization;
pub use current::CurrentApp;
pub use debug::{DebugPages, serve_debug};
pub use errors::ErrorCode;
pub use limits::{ClientLimits, RequestRate};
pub use listener::Listener;
pub use locations::Locations;
pub use request_id::RequestId;
pub use route::{Route, RouteError};
pub use rustls::CipherSuite;
pub use serve::{ServeOptions, serve};
pub use tls::{ClientAuth, ClientAuthMode, Tls, TlsError, TlsOptions, TlsVersion};
pub use version_1::Version1;
