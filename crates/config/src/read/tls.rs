//! `http.tls`

use std::path::PathBuf;

use super::common::path;
use super::{web_url, word};
use crate::section::{Key, Section};
use crate::{
    CipherSuite, ClientAuth, ClientAuthMode, ConfigError, TlsCertificate, TlsConfig, TlsVersion, Warning,
};

/// `None` where nothing at all is said: whoever says anything of TLS must not be served without.
pub(super) fn read(
    http: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<TlsConfig>, ConfigError> {
    let wanted = http.given("tls").is_some();
    let mut section = http.section("tls")?;
    let tls = wanted.then(|| given(&mut section, warnings)).transpose()?;
    if wanted {
        section.finish(warnings);
    }
    Ok(tls)
}

fn given(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<TlsConfig, ConfigError> {
    Ok(TlsConfig {
        certificate: certificate(section, warnings)?,
        client_auth: client_auth(section, warnings)?,
        minimum_version: minimum_version(section, warnings)?,
        cipher_suites: cipher_suites(section, warnings)?,
    })
}

/// registry:2 asks no authority when a certificate is given.
fn certificate(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<TlsCertificate, ConfigError> {
    let file = path(section, "certificate")?;
    let key = path(section, "key")?;
    let acme_key = section.given("letsencrypt");
    let mut letsencrypt = section.section("letsencrypt")?;
    match (acme_key, file, key) {
        (Some(_), None, None) => acme(letsencrypt, warnings),
        (unused, certificate, key) => {
            let expected = "a PEM file with the certificate of this registry";
            let files = TlsCertificate::Files {
                certificate: section.required("certificate", expected, certificate)?,
                key: section.required("key", "a PEM file with the key of the certificate", key)?,
            };
            if let Some(unused) = unused {
                letsencrypt.take_rest();
                warnings.push(unused.warning("without effect, for a certificate is given"));
            }
            Ok(files)
        }
    }
}

fn acme(mut section: Section, warnings: &mut Vec<Warning>) -> Result<TlsCertificate, ConfigError> {
    const DIRECTORY: &str = "an http or https URL, such as https://acme-v02.api.letsencrypt.org/directory";
    let cache = path(&mut section, "cachefile")?;
    let hosts = Some(section.texts("hosts")?).filter(|hosts| !hosts.is_empty());
    let acme = TlsCertificate::Acme {
        cache: section.required("cachefile", "a directory to keep account, key and certificate in", cache)?,
        email: section.text("email")?,
        hosts: section.required("hosts", "a list of the names of this registry", hosts)?,
        directory_url: section.parse("directoryurl", DIRECTORY, |text| web_url(text).map(str::to_owned))?,
    };
    section.finish(warnings);
    Ok(acme)
}

const MODES: [(&str, ClientAuthMode); 4] = [
    ("request-client-cert", ClientAuthMode::Request),
    ("require-any-client-cert", ClientAuthMode::RequireAny),
    ("verify-client-cert-if-given", ClientAuthMode::VerifyIfGiven),
    ("require-and-verify-client-cert", ClientAuthMode::RequireAndVerify),
];

fn client_auth(
    section: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<ClientAuth>, ConfigError> {
    const EXPECTED: &str = "request-client-cert, require-any-client-cert, verify-client-cert-if-given or \
                            require-and-verify-client-cert";
    let authorities: Vec<_> = section.texts("clientcas")?.into_iter().map(PathBuf::from).collect();
    let mode_key = section.given("clientauth");
    let mode = section.parse("clientauth", EXPECTED, |text| word(text, &MODES))?;
    if !authorities.is_empty() {
        return Ok(Some(ClientAuth { authorities, mode: mode.unwrap_or_default() }));
    }
    if let Some(key) = mode_key {
        warnings.push(key.warning("without effect, as in registry 3, for there are no clientcas"));
    }
    Ok(None)
}

/// Whether rustls speaks it, and as what.
const VERSIONS: [(&str, Option<TlsVersion>); 4] = [
    ("tls1.0", None),
    ("tls1.1", None),
    ("tls1.2", Some(TlsVersion::V1_2)),
    ("tls1.3", Some(TlsVersion::V1_3)),
];

fn minimum_version(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<TlsVersion, ConfigError> {
    let key = section.given("minimumtls");
    let version = section.parse("minimumtls", "tls1.2 or tls1.3", |text| word(text, &VERSIONS))?;
    if let (Some(None), Some(key)) = (version, key) {
        warnings.push(key.warning("taken as tls1.2: Apus does not speak what is older"));
    }
    Ok(version.flatten().unwrap_or_default())
}

const SUITES: [(&str, CipherSuite); 9] = [
    ("TLS_AES_128_GCM_SHA256", CipherSuite::Aes128GcmSha256),
    ("TLS_AES_256_GCM_SHA384", CipherSuite::Aes256GcmSha384),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::ChaCha20Poly1305Sha256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::EcdheEcdsaWithAes128GcmSha256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::EcdheEcdsaWithAes256GcmSha384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::EcdheEcdsaWithChaCha20Poly1305Sha256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::EcdheRsaWithAes128GcmSha256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::EcdheRsaWithAes256GcmSha384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::EcdheRsaWithChaCha20Poly1305Sha256),
];

/// What registry:2 knows besides: without forward secrecy, or in CBC mode, or with broken ciphers.
const WEAK_SUITES: [&str; 16] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
];

fn cipher_suites(
    section: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<CipherSuite>, ConfigError> {
    const EXPECTED: &str = "a suite by its IANA name, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    let key = section.given("ciphersuites");
    let named = section.list("ciphersuites", EXPECTED, |text| {
        if WEAK_SUITES.contains(&text) { Some(None) } else { word(text, &SUITES).map(Some) }
    })?;
    let named = named.unwrap_or_default();
    let suites: Vec<_> = named.iter().copied().flatten().collect();
    match key {
        Some(key) if suites.is_empty() => Err(key.unsupported(&all_weak())),
        Some(key) if suites.len() < named.len() => {
            warnings.push(weak_left_out(&key, named.len() - suites.len()));
            Ok(suites)
        }
        _ => Ok(suites),
    }
}

fn all_weak() -> String {
    let names = SUITES.map(|(name, _)| name).join(", ");
    format!("Apus speaks none of these suites, they are weak; expected some of {names}")
}

fn weak_left_out(key: &Key, count: usize) -> Warning {
    key.warning(&format!("{count} of these suites are left out: they are weak, and Apus does not speak them"))
}
