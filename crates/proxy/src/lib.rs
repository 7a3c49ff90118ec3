//! A cache of other registries: what is not here is fetched once for all who ask for it, streamed to them as it arrives, and
//! kept when its digest is proven.
//!
//! | room | what lives there |
//! |---|---|
//! | [`Cache`] | manifests, blobs and tags as clients ask for them; its methods live in `manifests`, `blobs`, `tags` and `referrers` |
//! | [`CacheOptions`], [`UpstreamOptions`], [`Credentials`] | what an operator can choose |
//! | `routes` | which upstream a repository's name belongs to, and what it is called there |
//! | `upstream` | another registry's HTTP: requests, redirects, its answers |
//! | `tokens`, `challenge`, `credentials` | who Apus is there; credentials go to the configured host alone |
//! | `guard` | which addresses an upstream may send Apus to |
//! | `source` | the bytes of an upstream's blob, taken up again where the connection broke |
//! | `window`, `flights`, `reader` | one stream of bytes, followed by many in bounded memory |
//! | `shared` | one answer for all who ask the same at the same time |
//! | `records`, `expiry` | what came from where and when it was last wanted; what nobody wants any more goes |
//! | [`Error`] | what can go wrong beside what can in a registry |
//!
//! It knows the registry and the HTTP client. What a client of Apus is told, and in which words, is the server's business.

mod blobs;
mod cache;
mod challenge;
mod credentials;
mod error;
mod expiry;
mod flights;
mod guard;
mod manifests;
mod options;
mod reader;
mod records;
mod referrers;
mod routes;
mod shared;
mod source;
mod tags;
#[cfg(test)]
mod testing;
mod tokens;
mod upstream;
mod window;

pub use apus_http_client::{Error as HttpError, Proxies};
pub use cache::Cache;
pub use error::{Error, Result, UpstreamError, UpstreamErrorKind};
pub use options::{CacheOptions, Credentials, UpstreamOptions};
