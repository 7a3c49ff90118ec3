//! The one outgoing HTTP stack of Apus, for object stores, identity services and other registries.
//!
//! HTTP/1.1 over TCP or TLS, directly or through a proxy, connections kept and bounded, a time-out for every stage in which a peer can keep us waiting
//! and none for a transfer that goes on, bodies as streams in both directions.
//!
//! | room | what lives there |
//! |---|---|
//! | [`HttpClient`], [`Options`] | sends a request, answers when the head of the answer is there |
//! | [`Tls`], [`ClientCertificate`] | whom to believe, and as whom to show oneself |
//! | [`Proxies`] | which proxies to go through |
//! | [`Reach`] | which addresses may be connected to |
//! | [`RequestBody`] | bytes, or a stream with or without a known length |
//! | [`Response`], [`ResponseBody`] | the answer, its body as a stream |
//! | [`Error`], [`Failure`] | what can go wrong, and the body that was not sent |
//!
//! A body of which nothing was read comes back with the answer or the error ([`Response::unsent`], [`Failure::unsent`]):
//! the caller can send it again. With [`HttpClient::send_expecting`] that is the rule for every request that is refused.
//!
//! Nothing is repeated here, and no policy lives here: no retries, no redirects, no cookies, no decompression.

mod body;
mod client;
mod connect;
mod error;
mod proxy;
mod reach;
mod response;
mod tls;
mod traffic;

pub use body::{BoxError, ByteStream, RequestBody};
pub use client::{HttpClient, Options};
pub use error::{Error, Failure, Stage};
pub use proxy::Proxies;
pub use reach::Reach;
pub use response::{Response, ResponseBody};
pub use tls::{ClientCertificate, Tls};
