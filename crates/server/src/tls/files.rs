//! Certificate, key and authorities, as they were read, and what rustls makes of them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apus_storage::BoxError;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use super::{TlsError, TlsOptions, TlsVersion, clients};
use crate::CipherSuite;

/// The most that is read of a file, in bytes: more than all authorities of the world.
const LARGEST: u64 = 16 << 20;

/// The files, byte for byte. It has no `Debug`, for it holds a key.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Vec<Vec<u8>>,
}

const CERTIFICATE: &str = "the certificate";
const KEY: &str = "the key";
const AUTHORITIES: &str = "the certificate authorities of clients";

impl Files {
    pub(super) fn read(options: &TlsOptions) -> Result<Self, TlsError> {
        let authorities = options.client_auth.iter().flat_map(|auth| &auth.authorities);
        Ok(Self {
            certificate: read(CERTIFICATE, &options.certificate)?,
            key: read(KEY, &options.key)?,
            authorities: authorities.map(|file| read(AUTHORITIES, file)).collect::<Result<_, _>>()?,
        })
    }

    /// What a connection speaks with these files.
    pub(super) fn configuration(&self, options: &TlsOptions) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: suites(&options.cipher_suites),
            ..aws_lc_rs::default_provider()
        });
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(options.minimum_version))
            .map_err(|error| TlsError::Settings(error.into()))?;
        let builder = match &options.client_auth {
            None => builder.with_no_client_auth(),
            Some(auth) => {
                let roots = self.roots(&auth.authorities)?;
                let verifier = clients::verifier(auth.mode, roots, provider)
                    .map_err(|error| TlsError::Settings(error.into()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = certificates(&self.certificate)
            .map_err(|error| unusable(CERTIFICATE, &options.certificate, error))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                unusable(KEY, &options.key, "there is none in it that needs no passphrase".into())
            }
            error => unusable(KEY, &options.key, error.into()),
        })?;
        let mut configuration =
            builder.with_single_cert(chain, key).map_err(|error| fit_together(options, error))?;
        configuration.alpn_protocols = if options.http2 {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };
        Ok(configuration)
    }

    fn roots(&self, paths: &[PathBuf]) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for (content, path) in self.authorities.iter().zip(paths) {
            let failed = |error: BoxError| unusable(AUTHORITIES, path, error);
            for authority in certificates(content).map_err(failed)? {
                roots.add(authority).map_err(|error| failed(error.into()))?;
            }
        }
        Ok(roots)
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut content = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut content))
        .map_err(|error| unusable(what, path, error.into()))?;
    Ok(content)
}

fn certificates(content: &[u8]) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(content).collect::<Result<_, _>>()?;
    if found.is_empty() { Err("there is none in it".into()) } else { Ok(found) }
}

fn unusable(what: &'static str, path: &Path, source: BoxError) -> TlsError {
    TlsError::File { what, file: path.to_owned(), source }
}

fn fit_together(options: &TlsOptions, error: rustls::Error) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            let message =
                format!("it does not belong to the certificate in {}", options.certificate.display());
            unusable(KEY, &options.key, message.into())
        }
        error => unusable(CERTIFICATE, &options.certificate, error.into()),
    }
}

fn versions(minimum: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    match minimum {
        TlsVersion::V1_2 => vec![&TLS13, &TLS12],
        TlsVersion::V1_3 => vec![&TLS13],
    }
}

fn suites(wanted: &[CipherSuite]) -> Vec<SupportedCipherSuite> {
    let is_new = |suite: &SupportedCipherSuite| matches!(suite, SupportedCipherSuite::Tls13(_));
    let names_new =
        aws_lc_rs::DEFAULT_CIPHER_SUITES.iter().any(|suite| is_new(suite) && wanted.contains(&suite.suite()));
    let keep = |suite: &SupportedCipherSuite| {
        wanted.is_empty() || wanted.contains(&suite.suite()) || (is_new(suite) && !names_new)
    };
    aws_lc_rs::DEFAULT_CIPHER_SUITES.iter().filter(|suite| keep(suite)).copied().collect()
}

#[cfg(test)]
mod tests;
