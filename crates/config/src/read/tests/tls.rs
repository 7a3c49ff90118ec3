//! `http.tls`

use std::path::PathBuf;

use super::parse;
use crate::{CipherSuite, ClientAuth, ClientAuthMode, TlsCertificate, TlsConfig, TlsVersion};

const FILES: &str = "certificate: /c.pem, key: /k.pem";

/// What `http: {tls: {...}}` means, and the warnings.
fn tls(keys: &str) -> (Option<TlsConfig>, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nhttp: {{tls: {{{keys}}}}}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.http.tls, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn with_files(keys: &str) -> (TlsConfig, Vec<String>) {
    let (tls, warnings) = tls(&format!("{FILES}, {keys}"));
    (tls.unwrap(), warnings)
}

fn error(keys: &str) -> String {
    let text = format!("version: 0.1\nstorage: inmemory\nhttp: {{tls: {{{keys}}}}}\n");
    parse(&text).expect_err(keys).to_string()
}

#[test]
fn none() {
    for nothing in ["", "certificate: '', key: ''", "clientcas: [], letsencrypt: {hosts: []}, minimumtls: "] {
        assert_eq!(tls(nothing), (None, vec![]), "{nothing}");
    }
}

#[test]
fn a_certificate_of_files() {
    let (tls, warnings) = tls(FILES);
    let expected = TlsConfig {
        certificate: TlsCertificate::Files { certificate: "/c.pem".into(), key: "/k.pem".into() },
        client_auth: None,
        minimum_version: TlsVersion::V1_2,
        cipher_suites: vec![],
    };
    assert_eq!((tls, warnings), (Some(expected), vec![]));
}

#[test]
fn a_certificate_of_an_authority() {
    let (tls, warnings) = tls(
        "letsencrypt: {cachefile: /a, email: me@example.org, hosts: [r.example], directoryurl: 'https://acme.example/d'}",
    );
    let expected = TlsCertificate::Acme {
        cache: "/a".into(),
        email: Some("me@example.org".into()),
        hosts: vec!["r.example".into()],
        directory_url: Some("https://acme.example/d".into()),
    };
    assert_eq!(tls.unwrap().certificate, expected);
    assert!(warnings.is_empty(), "{warnings:?}");

    let (tls, warnings) = with_files("letsencrypt: {email: me@example.org}");
    assert!(matches!(tls.certificate, TlsCertificate::Files { .. }));
    assert_eq!(
        warnings,
        ["config.yml:3:48: http.tls.letsencrypt: without effect, for a certificate is given"]
    );
}

#[test]
fn certificates_of_clients() {
    let client_auth = |keys: &str| with_files(keys).0.client_auth;
    let authorities = || vec![PathBuf::from("/a.pem"), PathBuf::from("/b.pem")];
    for (word, mode) in [
        ("", ClientAuthMode::RequireAndVerify),
        ("request-client-cert", ClientAuthMode::Request),
        ("require-any-client-cert", ClientAuthMode::RequireAny),
        ("verify-client-cert-if-given", ClientAuthMode::VerifyIfGiven),
        ("require-and-verify-client-cert", ClientAuthMode::RequireAndVerify),
    ] {
        let told = client_auth(&format!("clientcas: [/a.pem, /b.pem], clientauth: {word}"));
        assert_eq!(told, Some(ClientAuth { authorities: authorities(), mode }), "{word}");
    }
    let (tls, warnings) = with_files("clientauth: require-any-client-cert");
    assert_eq!(tls.client_auth, None);
    assert_eq!(
        warnings,
        [
            "config.yml:3:48: http.tls.clientauth: without effect, as in registry 3, for there are no clientcas"
        ]
    );
}

#[test]
fn versions() {
    for (word, version, told) in [
        ("tls1.0", TlsVersion::V1_2, 1),
        ("tls1.1", TlsVersion::V1_2, 1),
        ("tls1.2", TlsVersion::V1_2, 0),
        ("TLS1.3", TlsVersion::V1_3, 0),
    ] {
        let (tls, warnings) = with_files(&format!("minimumtls: {word}"));
        assert_eq!((tls.minimum_version, warnings.len()), (version, told), "{word}: {warnings:?}");
    }
}

#[test]
fn cipher_suites() {
    let (tls, warnings) = with_files(
        "ciphersuites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_RSA_WITH_RC4_128_SHA, TLS_AES_128_GCM_SHA256]",
    );
    assert_eq!(tls.cipher_suites, [CipherSuite::EcdheRsaWithAes256GcmSha384, CipherSuite::Aes128GcmSha256]);
    assert_eq!(
        warnings,
        [
            "config.yml:3:48: http.tls.ciphersuites: 1 of these suites are left out: they are weak, and Apus does not \
             speak them"
        ]
    );
    let none_left = error(&format!("{FILES}, ciphersuites: [TLS_RSA_WITH_RC4_128_SHA]"));
    let expected = "config.yml:3:48: http.tls.ciphersuites: Apus speaks none of these suites, they are weak; expected some \
                    of TLS_AES_128_GCM_SHA256, ";
    assert!(none_left.starts_with(expected), "{none_left}");
}

/// Whoever says anything of TLS must not be served without.
#[test]
fn what_is_missing_or_wrong() {
    let no_certificate =
        "8: http.tls.certificate: missing, expected a PEM file with the certificate of this registry";
    for (keys, told) in [
        ("minimumtls: tls1.3", no_certificate),
        ("clientcas: [/a.pem]", no_certificate),
        ("key: /k.pem", no_certificate),
        (
            "certificate: /c.pem",
            "8: http.tls.key: missing, expected a PEM file with the key of the certificate",
        ),
        (
            "certificate: /c, key: /k, clientauth: maybe",
            "52: http.tls.clientauth: found \"maybe\", expected request-client-cert, require-any-client-cert, \
             verify-client-cert-if-given or require-and-verify-client-cert",
        ),
        (
            "certificate: /c, key: /k, minimumtls: 1.2",
            "52: http.tls.minimumtls: found \"1.2\", expected tls1.2 or tls1.3",
        ),
        (
            "certificate: /c, key: /k, ciphersuites: [FAST]",
            "55: http.tls.ciphersuites[0]: found \"FAST\", expected a suite by its IANA name, such as \
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ),
        (
            "certificate: /c, key: /k, clientcas: /a",
            "51: http.tls.clientcas: found \"/a\", expected a list of texts",
        ),
        (
            "letsencrypt: {hosts: [a]}",
            "14: http.tls.letsencrypt.cachefile: missing, expected a directory to keep account, key and certificate in",
        ),
        (
            "letsencrypt: {cachefile: /a}",
            "14: http.tls.letsencrypt.hosts: missing, expected a list of the names of this registry",
        ),
    ] {
        assert_eq!(error(keys), format!("config.yml:3:{told}"), "{keys}");
    }
    assert_eq!(
        with_files("clientca: [/a]").1,
        ["config.yml:3:48: http.tls.clientca: unknown key, ignored; did you mean \"clientcas\"?"]
    );
}
