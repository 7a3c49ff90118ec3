//! The server over the memory backend, from outside: as a service that is called, as sockets on which bytes are written, and as
//! connections of HTTP/2.
//!
//! | file | what it shows |
//! |---|---|
//! | `routes` | what every path answers, HEAD as GET; warnings |
//! | `paging` | lists, page after page |
//! | `read_only` | a registry that is only read |
//! | `redirects` | clients that are sent to storage itself for blobs |
//! | `pushing` | contents that have to be held whole; whom `100 Continue` invites to send |
//! | `limits` | how much one client may ask for |
//! | `locations` | where URLs in answers begin, with proxies and without; what the log says of them |
//! | `http1` | requests one after the other, heads that are too large |
//! | `http2` | the same over HTTP/2, beside HTTP/1.1 |
//! | `patience` | clients that are slow in one way or another |
//! | `tls` | HTTPS: versions, suites, protocols, certificates of clients, files that change, handshakes that do not end |
//! | `unix` | the same server on a socket in the file system |
//! | `headers` | what an operator adds to every answer |
//!
//! Where a test waits for a connection to be broken, there is place for only one: the next is served when it is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod authority;
mod frames;
mod headers;
mod http1;
mod http2;
mod limits;
mod locations;
mod paging;
mod patience;
mod pushing;
mod read_only;
mod redirects;
mod routes;
mod support;
mod tls;
mod unix;
