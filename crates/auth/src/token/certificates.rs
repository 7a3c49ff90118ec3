//! A file of certificates that an operator trusts. A token is believed if one of their keys signed it, or a key that they
//! certify through the chain in the token itself.

use std::time::{Duration, SystemTime};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::keys::{KeyError, PublicKey};
use crate::watched::Parsed;

/// The largest file, in bytes.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// The longest chain in a token. Each certificate may cost signatures to be checked.
pub(super) const MAX_CHAIN: usize = 8;

/// Certificates that an operator trusts.
#[derive(Debug)]
pub(super) struct Bundle(Vec<Trusted>);

#[derive(Debug)]
struct Trusted {
    der: CertificateDer<'static>,
    anchor: TrustAnchor<'static>,
    /// An authority may have a key of a kind that no token is signed with.
    key: Result<PublicKey, KeyError>,
    not_before: Duration,
    not_after: Duration,
}

impl Bundle {
    pub(super) fn parse(content: &[u8]) -> Result<Parsed<Self>, String> {
        let (mut trusted, mut complaints) = (Vec::new(), Vec::new());
        for (certificate, number) in CertificateDer::pem_slice_iter(content).zip(1..) {
            match certificate.map_err(|_| "it is no PEM").and_then(trust) {
                Ok(certificate) => {
                    if let Err(reason) = &certificate.key {
                        complaints.push(format!(
                            "certificate {number} may certify keys, but cannot sign tokens: {reason}"
                        ));
                    }
                    trusted.push(certificate);
                }
                Err(reason) => complaints.push(format!("certificate {number} is passed over: {reason}")),
            }
        }
        if trusted.is_empty() {
            return Err(format!("it has no certificate in PEM that can be used; {}", complaints.join("; ")));
        }
        Ok(Parsed { value: Self(trusted), complaints })
    }

    /// The keys of the certificates themselves that a token's `kid` means. The operator has laid down the key, so that, as in
    /// registry:2, its certificate's dates do not matter.
    pub(super) fn called(&self, kid: &str) -> impl Iterator<Item = &PublicKey> {
        self.0.iter().filter_map(|trusted| trusted.key.as_ref().ok()).filter(move |key| key.is_called(kid))
    }

    /// The key of the first certificate of a chain, if it leads to one of these. Each certificate on the way, both ends
    /// included, must be within its dates. What the certificates may be used for does not matter: no purpose of them is
    /// signing tokens.
    pub(super) fn certified(
        &self,
        chain: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<PublicKey, String> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let valid =
            || self.0.iter().filter(|trusted| (trusted.not_before..=trusted.not_after).contains(&now));
        let (leaf, intermediates) = chain.split_first().ok_or("the chain is empty")?;
        // One that signed itself, as token servers have it, is its own authority, which a path does not know.
        if let Some(trusted) = valid().find(|trusted| trusted.der == *leaf) {
            return trusted.key.clone().map_err(str::to_owned);
        }
        let anchors: Vec<_> = valid().map(|trusted| trusted.anchor.clone()).collect();
        let leaf = EndEntityCert::try_from(leaf).map_err(|error| error.to_string())?;
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            intermediates,
            UnixTime::since_unix_epoch(now),
            AnyUsage,
            None,
            None,
        )
        .map_err(|error| error.to_string())?;
        PublicKey::from_der(leaf.subject_public_key_info().as_ref()).map_err(str::to_owned)
    }
}

struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn trust(der: CertificateDer<'static>) -> Result<Trusted, &'static str> {
    const DAMAGED: &str = "it is no X.509 certificate";
    let certificate = Certificate::from_der(&der).map_err(|_| DAMAGED)?;
    let validity = certificate.tbs_certificate().validity();
    let key = certificate.tbs_certificate().subject_public_key_info().to_der().map_err(|_| DAMAGED)?;
    Ok(Trusted {
        anchor: anchor_from_trusted_cert(&der).map_err(|_| DAMAGED)?.to_owned(),
        key: PublicKey::from_der(&key),
        not_before: validity.not_before.to_unix_duration(),
        not_after: validity.not_after.to_unix_duration(),
        der,
    })
}

#[cfg(test)]
mod tests;
