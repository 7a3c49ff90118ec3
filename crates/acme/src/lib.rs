//! A certificate from an authority that speaks ACME (RFC 8555), such as Let's Encrypt: fetched when there is none, renewed when a
//! third of its life is left, kept in a directory over restarts. Who a host belongs to is proven on the registry's own port, by
//! TLS-ALPN-01 (RFC 8737).
//!
//! | room | what lives there |
//! |---|---|
//! | [`Acme`], [`AcmeOptions`] | keeps one certificate good for as long as it is polled |
//! | [`Challenges`] | who shows what the authority looks for, and is told of a new certificate |
//! | `certificate` | which certificate is good for whom until when, and those that are made here |
//! | `directory` | the files: the certificate with its key, the account |
//! | `transport` | the protocol's requests over [`apus_http_client`] |
//!
//! The protocol itself is spoken by the crate instant-acme. Nothing here listens: the certificate is a file in PEM, which whoever
//! speaks TLS follows.

mod acme;
mod certificate;
mod directory;
mod transport;

pub use acme::{Acme, AcmeError, AcmeOptions, Challenges};
pub use directory::DirectoryError;

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
