//! `http.tls`: the registry's certificate, and those that it asks of its clients.

use std::path::PathBuf;

/// TLS on the registry's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// What the registry shows to its clients.
    pub certificate: TlsCertificate,
    /// `clientcas` and `clientauth`; `None` to ask clients for nothing.
    pub client_auth: Option<ClientAuth>,
    /// `minimumtls`. Default 1.2.
    pub minimum_version: TlsVersion,
    /// `ciphersuites`, in the order of the file; empty for the library's own choice.
    pub cipher_suites: Vec<CipherSuite>,
}

/// Where the registry's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsCertificate {
    /// PEM files.
    Files {
        /// `certificate`: the certificate with those between it and its authority.
        certificate: PathBuf,
        /// `key`
        key: PathBuf,
    },
    /// `letsencrypt`: an authority that is asked by ACME, RFC 8555.
    Acme {
        /// `cachefile`: the directory where account, key and certificate are kept.
        cache: PathBuf,
        /// `email`: whom the authority warns.
        email: Option<String>,
        /// `hosts`: the names of this registry, at least one.
        hosts: Vec<String>,
        /// `directoryurl`; `None` for Let's Encrypt.
        directory_url: Option<String>,
    },
}

/// What clients must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// `clientcas`: PEM files of the authorities that are believed, at least one.
    pub authorities: Vec<PathBuf>,
    /// `clientauth`
    pub mode: ClientAuthMode,
}

/// `clientauth`, in registry 3's words. registry:2 has the last alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthMode {
    /// `request-client-cert`: ask, take any certificate or none, and believe nothing of it.
    Request,
    /// `require-any-client-cert`: any certificate will do.
    RequireAny,
    /// `verify-client-cert-if-given`: none will do, but one that is shown must be of an authority.
    VerifyIfGiven,
    /// `require-and-verify-client-cert`
    #[default]
    RequireAndVerify,
}

/// The oldest version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2
    #[default]
    V1_2,
    /// TLS 1.3
    V1_3,
}

/// The suites that are safe today, by IANA's names; the others that registry:2 knows are never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are IANA's")]
pub enum CipherSuite {
    Aes128GcmSha256,
    Aes256GcmSha384,
    ChaCha20Poly1305Sha256,
    EcdheEcdsaWithAes128GcmSha256,
    EcdheEcdsaWithAes256GcmSha384,
    EcdheEcdsaWithChaCha20Poly1305Sha256,
    EcdheRsaWithAes128GcmSha256,
    EcdheRsaWithAes256GcmSha384,
    EcdheRsaWithChaCha20Poly1305Sha256,
}
