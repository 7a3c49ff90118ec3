//! A certificate authority of a test's own, and the certificates that it signs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair,
};
use tempfile::TempDir;

/// A certificate authority, in a directory of which each part is what skopeo calls a directory of certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    /// One with a certificate for 127.0.0.1, and one for a client.
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = called("an authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, directory: tempfile::tempdir().unwrap() };
        for part in ["believing", "known"] {
            fs::create_dir(authority.path(part)).unwrap();
            fs::write(authority.path(part).join("ca.crt"), authority.issuer.pem()).unwrap();
        }
        authority.sign(ExtendedKeyUsagePurpose::ServerAuth, "server.crt", "server.key");
        authority.sign(ExtendedKeyUsagePurpose::ClientAuth, "known/client.cert", "known/client.key");
        authority
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory for clients without a certificate, or for one with one.
    pub(crate) fn directory(&self, known: bool) -> PathBuf {
        self.path(if known { "known" } else { "believing" })
    }

    /// Puts a new certificate for 127.0.0.1 and its key into files. Answers the certificate, in PEM.
    pub(crate) fn sign(&self, purpose: ExtendedKeyUsagePurpose, certificate: &str, key: &str) -> String {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        // OpenSSL takes a certificate that has its issuer's name for one that signed itself.
        params.distinguished_name = called("one of its certificates");
        let signed = params.signed_by(&pair, &self.issuer).unwrap().pem();
        fs::write(self.path(certificate), &signed).unwrap();
        fs::write(self.path(key), pair.serialize_pem()).unwrap();
        signed
    }

    /// The lines of `http` for a server with its certificate.
    pub(crate) fn http(&self, more: &str) -> String {
        format!(
            "  tls:\n    certificate: {}\n    key: {}\n{more}",
            self.path("server.crt").display(),
            self.path("server.key").display()
        )
    }

    pub(crate) fn curl(&self, known: bool) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--cacert"]).arg(self.directory(known).join("ca.crt"));
        if known {
            command.arg("--cert").arg(self.path("known/client.cert"));
            command.arg("--key").arg(self.path("known/client.key"));
        }
        command
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}
