//! A cache of other registries, in front of scripted ones. Real clients of a cache of real registries are in `clients`.
//!
//! | file | what it shows |
//! |---|---|
//! | `crowd` | 300 clients, one layer, one request, bounded memory |
//! | `routes` | several upstreams by prefix and by `?ns=`; what a cache refuses |
//! | `broken` | upstreams that break off, that poison, that send elsewhere |
//! | `scripted` | a registry that plays a script and counts |

mod broken;
mod crowd;
mod routes;
mod scripted;

use crate::support::{Apus, Backend};

/// A cache of one registry over a store.
pub(crate) fn cache_of(url: &str, backend: &Backend) -> Apus {
    cache(backend, &format!("  remoteurl: {url}\n"))
}

/// The same by whole lines below `proxy:`.
fn cache(backend: &Backend, lines: &str) -> Apus {
    Apus::start_with(backend.storage(), &format!("proxy:\n{lines}"))
}
