//! TLS: what the registry shows to its clients, what it asks of them, and that both follow their files. What happens on one
//! connection is `connection`'s matter.
//!
//! | room | what is there |
//! |---|---|
//! | `options` | what an operator can choose |
//! | `files` | certificate, key and authorities, as they were read, and what rustls makes of them |
//! | `clients` | which certificates of clients are taken |
//! | `challenges` | what is shown to an authority that looks whose a host is |
//! | `handshakes` | how many handshakes may be under way |

mod challenges;
mod clients;
mod files;
mod handshakes;
mod options;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use apus_storage::BoxError;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ClientHello;

use crate::answer::chain;
use crate::tls::challenges::Challenges;
pub(crate) use crate::tls::challenges::PROTOCOL as CHALLENGE;
use crate::tls::files::Files;
pub(crate) use crate::tls::handshakes::Handshakes;
pub use crate::tls::options::{ClientAuth, ClientAuthMode, TlsOptions, TlsVersion};

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or holds something else.
    #[error("{what} in {} cannot be used", file.display())]
    File {
        /// What should be in it.
        what: &'static str,
        /// Which.
        file: PathBuf,
        /// Why not.
        source: BoxError,
    },
    /// The versions, the cipher suites and the authorities do not go together.
    #[error("TLS cannot be set up as it is configured")]
    Settings(#[source] BoxError),
}

/// TLS as it is spoken now. Cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    options: TlsOptions,
    handshakes: Handshakes,
    challenges: Challenges,
    current: RwLock<Current>,
}

/// What is spoken, and what it was made of.
struct Current {
    files: Files,
    configuration: Arc<ServerConfig>,
}

impl Current {
    fn new(files: Files, options: &TlsOptions) -> Result<Self, TlsError> {
        let configuration = Arc::new(files.configuration(options)?);
        Ok(Self { files, configuration })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tls").field(&self.0.options).finish()
    }
}

impl Tls {
    /// Reads the files. Fails when they are not there or do not fit together.
    pub fn open(options: TlsOptions) -> Result<Self, TlsError> {
        let current = RwLock::new(Current::new(Files::read(&options)?, &options)?);
        let handshakes = Handshakes::new(options.handshakes);
        Ok(Self(Arc::new(Inner { options, handshakes, challenges: Challenges::default(), current })))
    }

    /// What a connection that begins so speaks.
    pub(crate) fn configuration(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let current =
            || Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner).configuration);
        self.0.challenges.configuration(hello).unwrap_or_else(current)
    }

    /// Shows this certificate to an authority that looks whether `host` is this registry: to who offers the protocol `acme-tls/1`
    /// and nothing else (RFC 8737 section 3). It is asked for no certificate of its own, and served nothing.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn show_challenge(
        &self,
        host: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), TlsError> {
        self.0.challenges.add(host, certificate, key).map_err(|error| TlsError::Settings(error.into()))
    }

    /// Shows none of them any more.
    pub fn show_no_challenge(&self) {
        self.0.challenges.clear();
    }

    pub(crate) fn handshakes(&self) -> &Handshakes {
        &self.0.handshakes
    }

    pub(crate) fn handshake_timeout(&self) -> Duration {
        self.0.options.handshake_timeout
    }

    /// Follows the files for as long as it is polled. What cannot be used is told once, and changes nothing.
    pub(crate) async fn follow(self) {
        let mut told = None;
        loop {
            tokio::time::sleep(self.0.options.reload_interval).await;
            let tls = self.clone();
            // The thread fails with the runtime only.
            let Ok(reloaded) = tokio::task::spawn_blocking(move || tls.reload()).await else { return };
            let failure = reloaded.err().map(|error| chain(&error));
            if let Some(error) = failure.as_ref().filter(|_| told != failure) {
                tracing::error!(
                    error,
                    "the new files of http.tls cannot be used: the old ones stay in force"
                );
            }
            told = failure;
        }
    }

    /// Looks at the files now; what has changed is in force for connections that begin from now on. It blocks.
    ///
    /// # Errors
    /// When they cannot be used: the old ones stay in force.
    pub fn reload(&self) -> Result<(), TlsError> {
        let Inner { options, current, .. } = &*self.0;
        let files = Files::read(options)?;
        if current.read().unwrap_or_else(PoisonError::into_inner).files == files {
            return Ok(());
        }
        let new = Current::new(files, options)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = new;
        let certificate = options.certificate.display();
        tracing::info!(%certificate, "the files of http.tls have changed: the new ones are in force");
        Ok(())
    }
}
