//! Which certificate is good for whom until when, and the two kinds that are made here: the one by which a host is proven, and the
//! one that is shown until the authority has given one. A certificate that cannot be read is as good as none.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// How long the first certificate in `pem` may stay as it is, for these hosts: until a third of its life is left. Nothing if it
/// signed itself, names another host, or is none.
pub(crate) fn is_good_for(pem: &[u8], hosts: &[String], now: SystemTime) -> Duration {
    let Some(Ok(der)) = CertificateDer::pem_slice_iter(pem).next() else { return Duration::ZERO };
    let Ok(certificate) = Certificate::from_der(&der) else { return Duration::ZERO };
    let contents = certificate.tbs_certificate();
    let Ok(Some((_, names))) = contents.get_extension::<SubjectAltName>() else { return Duration::ZERO };
    let is_named = |host: &String| {
        names.0.iter().any(
            |name| matches!(name, GeneralName::DnsName(name) if name.as_str().eq_ignore_ascii_case(host)),
        )
    };
    if contents.issuer() == contents.subject() || !hosts.iter().all(is_named) {
        return Duration::ZERO;
    }
    let (from, until) =
        (contents.validity().not_before.to_unix_duration(), contents.validity().not_after.to_unix_duration());
    let renewal = until.saturating_sub(until.saturating_sub(from) / 3);
    renewal.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A certificate that proves nothing, and its key, in PEM: clients refuse it, as they should.
pub(crate) fn self_signed(hosts: &[String]) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(hosts)?.self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// The certificate by which an authority believes that a host is ours (RFC 8737 section 3), and its key. `digest` is the SHA-256 of
/// the key authorization.
pub(crate) fn of_challenge(
    host: &str,
    digest: &[u8; 32],
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([host.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}

#[cfg(test)]
mod tests;
