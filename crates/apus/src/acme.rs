//! From what the configuration says of an authority to a certificate that is kept good, and the registry's port that proves its hosts.

use std::path::{Path, PathBuf};

use apus_acme::{Acme, AcmeError, AcmeOptions, BoxError, Challenges};
use apus_config::TlsCertificate;
use apus_server::Tls;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Whom registry 3 asks, too.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Where the registry's certificate and its key are, and who keeps them good, if not the operator. It blocks.
pub(crate) fn open(certificate: &TlsCertificate) -> Result<(PathBuf, PathBuf, Option<Acme>), AcmeError> {
    match certificate {
        TlsCertificate::Files { certificate, key } => Ok((certificate.clone(), key.clone(), None)),
        TlsCertificate::Acme { cache, email, hosts, directory_url } => {
            let acme = Acme::open(AcmeOptions {
                authority: directory_url.clone().unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
                email: email.clone(),
                hosts: hosts.clone(),
                directory: cache.clone(),
            })?;
            Ok((acme.file(), acme.file(), Some(acme)))
        }
    }
}

/// The registry's own port.
pub(crate) struct Port(pub(crate) Tls);

impl Challenges for Port {
    fn show(
        &self,
        host: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), BoxError> {
        Ok(self.0.show_challenge(host, certificate, key)?)
    }

    fn show_none(&self) {
        self.0.show_no_challenge();
    }

    fn renewed(&self, file: &Path) {
        if let Err(error) = self.0.reload() {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, file = %file.display(), "the new certificate cannot be used");
        }
    }
}
