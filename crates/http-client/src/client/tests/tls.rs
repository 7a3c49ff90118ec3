//! Against peers with certificates of a private authority.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::tls::ClientCertificate;

/// A certificate authority with a directory for what it signs.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, directory: tempfile::tempdir().unwrap() };
        std::fs::write(authority.ca_file(), authority.issuer.pem()).unwrap();
        authority
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for a name and its key, in one file.
    fn certificate_file(&self, name: &str) -> PathBuf {
        let key = KeyPair::generate().unwrap();
        let certificate = self.sign(name, &key);
        let file = self.directory.path().join(format!("{name}.pem"));
        std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
        file
    }

    fn sign(&self, name: &str, key: &KeyPair) -> rcgen::Certificate {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.signed_by(key, &self.issuer).unwrap()
    }

    /// What a server of this name needs; with `clients` it wants a certificate of this authority from everyone.
    pub(super) fn acceptor(&self, name: &str, clients: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let chain = vec![self.sign(name, &key).der().clone()];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if clients {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key.into()).unwrap()))
    }
}

/// One TLS connection, over which one request is answered.
async fn tls_peer(acceptor: TlsAcceptor) -> String {
    let (url, _peer) = peer(1, move |socket| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut socket) = acceptor.accept(socket).await {
                read_until(&mut socket, "\r\n\r\n").await;
                socket.write_all(OK).await.unwrap();
                socket.shutdown().await.unwrap();
            }
            String::new()
        }
    })
    .await;
    url.replace("http:", "https:")
}

async fn answer(client: &HttpClient, url: &str) -> Result<Bytes, Error> {
    client.send(get(url)).await.map_err(|failure| failure.error)?.body.collect(2).await
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_unless_told_otherwise() {
    let authority = Authority::new();
    let url = tls_peer(authority.acceptor("127.0.0.1", false)).await;
    let error = answer(&client(|_| ()), &url).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    let url = tls_peer(authority.acceptor("127.0.0.1", false)).await;
    let insecure = client(|options| options.tls.insecure = true);
    assert_eq!(answer(&insecure, &url).await.unwrap(), "ok");
}

#[tokio::test]
async fn the_authorities_of_a_file_are_believed_and_only_for_the_names_they_sign() {
    let authority = Authority::new();
    let believing = client(|options| options.tls.ca_file = Some(authority.ca_file()));
    let url = tls_peer(authority.acceptor("127.0.0.1", false)).await;
    assert_eq!(answer(&believing, &url).await.unwrap(), "ok");
    let url = tls_peer(authority.acceptor("swift.example", false)).await;
    let error = answer(&believing, &url).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_who_asks_for_one() {
    let authority = Authority::new();
    let file = authority.certificate_file("client.example");
    let known = client(|options| {
        options.tls.ca_file = Some(authority.ca_file());
        let certificate = ClientCertificate { certificate: file.clone(), key: file };
        options.tls.client_certificate = Some(certificate);
    });
    let url = tls_peer(authority.acceptor("127.0.0.1", true)).await;
    assert_eq!(answer(&known, &url).await.unwrap(), "ok");
    let unknown = client(|options| options.tls.ca_file = Some(authority.ca_file()));
    let url = tls_peer(authority.acceptor("127.0.0.1", true)).await;
    answer(&unknown, &url).await.unwrap_err();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let directory = authority.directory.path();
    let file = authority.certificate_file("client.example");
    let (text, missing) = (directory.join("text.pem"), directory.join("missing.pem"));
    std::fs::write(&text, "no certificate").unwrap();
    let only_key = directory.join("key.pem");
    std::fs::write(&only_key, KeyPair::generate().unwrap().serialize_pem()).unwrap();

    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        HttpClient::new(options).unwrap_err()
    };
    let own = |certificate: &PathBuf, key: &PathBuf| {
        let own = ClientCertificate { certificate: certificate.clone(), key: key.clone() };
        with(&|options| options.tls.client_certificate = Some(own.clone()))
    };
    for (error, what, why) in [
        (with(&|options| options.tls.ca_file = Some(missing.clone())), "missing.pem", "No such file"),
        (with(&|options| options.tls.ca_file = Some(text.clone())), "text.pem", "none in it"),
        (own(&missing, &file), "missing.pem", "No such file"),
        (own(&only_key, &file), "key.pem", "none in it"),
        (own(&file, &authority.ca_file()), "ca.pem", "none in it"),
        (own(&file, &only_key), "client.example.pem", ""),
    ] {
        let Error::Settings { what: said, source } = error else { panic!("{error:?}") };
        assert!(said.contains(what) && source.to_string().contains(why), "{said}: {source}");
    }
}
