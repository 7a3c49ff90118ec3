use std::error::Error as _;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::answer::chain;
use crate::{ClientAuth, ClientAuthMode, Tls};

/// A certificate and its key in PEM, and where they are.
struct Pair {
    certificate: String,
    key: String,
    directory: TempDir,
}

impl Pair {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["r.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let pair = Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            directory: tempfile::tempdir().unwrap(),
        };
        pair.write("c.pem", &pair.certificate);
        pair.write("k.pem", &pair.key);
        pair
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn options(&self) -> TlsOptions {
        TlsOptions::new(self.path("c.pem"), self.path("k.pem"))
    }

    /// Why there is no TLS, without the directory.
    fn complaint(&self, options: TlsOptions) -> String {
        let error = Tls::open(options).unwrap_err();
        assert!(error.source().is_some());
        chain(&error).replace(&format!("{}/", self.directory.path().display()), "")
    }
}

#[test]
fn one_file_may_hold_both() {
    let pair = Pair::new();
    let both = pair.write("both.pem", &format!("{}{}{}", pair.key, pair.certificate, pair.certificate));
    Tls::open(TlsOptions::new(both.clone(), both)).unwrap();
}

#[test]
fn what_cannot_be_used_is_told_with_its_file() {
    let (pair, other) = (Pair::new(), Pair::new());
    let (empty, none) = (pair.write("empty", ""), pair.path("none"));
    let broken = pair.write("broken", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n");
    let locked = pair.write("locked", &pair.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
    let (certificate, key) = (pair.path("c.pem"), pair.path("k.pem"));
    for (certificate, key, told) in [
        (&none, &key, "the certificate in none cannot be used: No such file or directory (os error 2)"),
        (&empty, &key, "the certificate in empty cannot be used: there is none in it"),
        (&key, &key, "the certificate in k.pem cannot be used: there is none in it"),
        (
            &certificate,
            &empty,
            "the key in empty cannot be used: there is none in it that needs no passphrase",
        ),
        (
            &certificate,
            &locked,
            "the key in locked cannot be used: there is none in it that needs no passphrase",
        ),
    ] {
        assert_eq!(pair.complaint(TlsOptions::new(certificate.clone(), key.clone())), told);
    }
    let told = pair.complaint(TlsOptions::new(broken, key.clone()));
    assert!(told.starts_with("the certificate in broken cannot be used: "), "{told}");
    let foreign = pair.write("foreign", &other.key);
    assert_eq!(
        pair.complaint(TlsOptions::new(certificate, foreign)),
        "the key in foreign cannot be used: it does not belong to the certificate in c.pem"
    );
}

#[test]
fn authorities_are_read_in_any_mode() {
    let pair = Pair::new();
    let empty = pair.write("empty", "");
    for mode in [
        ClientAuthMode::Request,
        ClientAuthMode::RequireAny,
        ClientAuthMode::VerifyIfGiven,
        ClientAuthMode::RequireAndVerify,
    ] {
        let asking = |authorities| TlsOptions {
            client_auth: Some(ClientAuth { authorities, mode }),
            ..pair.options()
        };
        Tls::open(asking(vec![pair.path("c.pem")])).unwrap();
        let told = pair.complaint(asking(vec![pair.path("c.pem"), empty.clone()]));
        let expected = "the certificate authorities of clients in empty cannot be used: there is none in it";
        assert_eq!(told, expected, "{mode:?}");
    }
}

#[test]
fn no_key_is_shown() {
    let pair = Pair::new();
    let shown = format!("{:?}", Tls::open(pair.options()).unwrap());
    let line = pair.key.lines().nth(1).unwrap();
    assert!(shown.contains("k.pem") && !shown.contains(line), "{shown}");
}
