//! What an operator can choose of TLS.

use std::path::PathBuf;
use std::time::Duration;

use crate::CipherSuite;

/// What an operator can choose of TLS.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// The registry's certificate, with those between it and its authority: a file in PEM.
    pub certificate: PathBuf,
    /// The key of the certificate, without a passphrase: a file in PEM, which may be the same.
    pub key: PathBuf,
    /// What clients must show; `None` to ask them for nothing.
    pub client_auth: Option<ClientAuth>,
    /// The oldest version that is spoken.
    pub minimum_version: TlsVersion,
    /// The suites that may be spoken; empty for all that are safe. If those of TLS 1.3 are not mentioned all of them stay: lists
    /// were written for older versions, and for registry:2 they never meant this one.
    pub cipher_suites: Vec<CipherSuite>,
    /// Whether HTTP/2 is offered beside HTTP/1.1.
    pub http2: bool,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// Handshakes at once, at least one. When another client comes the oldest makes room: one that has lasted that long is not
    /// meant to end.
    pub handshakes: usize,
    /// How often the files are looked at.
    pub reload_interval: Duration,
}

impl TlsOptions {
    /// A certificate and its key, and the defaults for all else.
    #[must_use]
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            certificate,
            key,
            client_auth: None,
            minimum_version: TlsVersion::default(),
            cipher_suites: Vec::new(),
            http2: true,
            handshake_timeout: Duration::from_secs(10),
            handshakes: 512,
            reload_interval: Duration::from_secs(10),
        }
    }
}

/// What clients must show.
#[derive(Debug, Clone)]
pub struct ClientAuth {
    /// PEM files of the authorities that are believed.
    pub authorities: Vec<PathBuf>,
    /// What is asked, and what is done with what is shown.
    pub mode: ClientAuthMode,
}

/// What is asked of clients, and what is done with what they show. Whoever shows a certificate has to prove that the key is
/// theirs, in any mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthMode {
    /// Any certificate will do, and none.
    Request,
    /// Any certificate will do.
    RequireAny,
    /// None will do, but one that is shown must be of an authority.
    VerifyIfGiven,
    /// It must be of an authority.
    RequireAndVerify,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2
    #[default]
    V1_2,
    /// TLS 1.3
    V1_3,
}
