//! TLS: whom we believe, and as whom we show ourselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
};

use crate::body::BoxError;
use crate::error::Error;

/// Whom to believe, and as whom to show oneself. The files are read once, when the client is made.
///
/// The default believes the machine's certificate authorities, and shows no certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// A file of certificate authorities in PEM, who are believed in place of the machine's own.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show to a peer who asks for one.
    pub client_certificate: Option<ClientCertificate>,
    /// Believe any certificate. For trying things out.
    pub insecure: bool,
}

/// A certificate of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// A file in PEM: the certificate, and those that vouch for it.
    pub certificate: PathBuf,
    /// The file in PEM that holds its key, without a passphrase. It may be the same file.
    pub key: PathBuf,
}

/// The TLS configuration of all connections.
pub(crate) fn configuration(tls: &Tls) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS", error))?;
    let builder = if tls.insecure {
        let verifier = Arc::new(AnyCertificate { provider });
        builder.dangerous().with_custom_certificate_verifier(verifier)
    } else if let Some(file) = &tls.ca_file {
        builder.with_root_certificates(authorities(file)?)
    } else {
        believe_the_machine(builder)
    };
    match &tls.client_certificate {
        None => Ok(builder.with_no_client_auth()),
        Some(ClientCertificate { certificate, key }) => {
            let chain = certificates(certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| in_file("the key of the client certificate", key, pem_error(error)))?;
            builder
                .with_client_auth_cert(chain, secret)
                .map_err(|error| in_file("the client certificate", certificate, error.into()))
        }
    }
}

/// A machine without certificate authorities is fine as long as nobody asks for `https`.
fn believe_the_machine(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
) -> ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    match builder.clone().with_native_roots() {
        Ok(builder) => builder,
        Err(error) => {
            tracing::warn!(%error, "this machine has no certificate authorities: https will fail; \
                install the package ca-certificates or set SSL_CERT_FILE");
            builder.with_root_certificates(RootCertStore::empty())
        }
    }
}

/// Old bundles hold certificates of forms that are no longer understood; one that is understood is enough.
fn authorities(file: &Path) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    let (taken, ignored) = store.add_parsable_certificates(certificates(file)?);
    if taken == 0 {
        return Err(in_file("the certificate authorities", file, "none of them can be understood".into()));
    }
    if ignored > 0 {
        tracing::warn!(file = %file.display(), ignored, "certificate authorities that cannot be understood");
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |error| in_file("the certificates", file, pem_error(error));
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if found.is_empty() { Err(failed(pem::Error::NoItemsFound)) } else { Ok(found) }
}

/// What the operating system said is said as it is.
fn pem_error(error: pem::Error) -> BoxError {
    match error {
        pem::Error::Io(error) => error.into(),
        pem::Error::NoItemsFound => "there is none in it".into(),
        error => error.into(),
    }
}

fn in_file(what: &str, file: &Path, source: BoxError) -> Error {
    Error::Settings { what: format!("{what} in {}", file.display()), source }
}

fn unusable(what: &str, error: rustls::Error) -> Error {
    Error::Settings { what: what.to_owned(), source: error.into() }
}

/// Believes any certificate. That the peer holds the certificate's key is still checked.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
