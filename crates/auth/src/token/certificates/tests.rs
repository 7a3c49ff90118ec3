use std::time::Duration;

use proptest::prelude::*;

use super::super::testing::{Certified, now};
use super::*;

fn bundle(certificates: &[&Certified]) -> Bundle {
    let pem: String = certificates.iter().map(|certified| certified.certificate.pem()).collect();
    Bundle::parse(pem.as_bytes()).unwrap().value
}

fn certified(bundle: &Bundle, chain: &[&Certified]) -> Result<PublicKey, String> {
    certified_in_days(bundle, chain, 0)
}

fn certified_in_days(bundle: &Bundle, chain: &[&Certified], days: u64) -> Result<PublicKey, String> {
    let chain: Vec<_> = chain.iter().map(|certified| certified.certificate.der().clone()).collect();
    bundle.certified(&chain, now() + Duration::from_secs(days * 86_400))
}

fn key_of(certified: &Certified) -> PublicKey {
    PublicKey::from_der(&certified.signer().public_der()).unwrap()
}

#[test]
fn a_chain_leads_to_the_bundle_or_nowhere() {
    let root = Certified::new("root", true, 50, None);
    let middle = Certified::new("middle", true, 40, Some(&root));
    let leaf = Certified::new("leaf", false, 30, Some(&middle));
    let trusted = bundle(&[&root]);
    assert_eq!(certified(&trusted, &[&leaf, &middle]), Ok(key_of(&leaf)));
    assert_eq!(certified(&trusted, &[&leaf, &middle, &root]), Ok(key_of(&leaf)));
    assert_eq!(
        certified(&bundle(&[&middle]), &[&leaf]),
        Ok(key_of(&leaf)),
        "an authority in between is one too"
    );
    certified(&trusted, &[&leaf]).unwrap_err();
    certified(&trusted, &[]).unwrap_err();
}

#[test]
fn a2_a_chain_of_another_authority_is_refused_though_it_has_the_same_names() {
    let trusted = bundle(&[&Certified::new("root", true, 50, None)]);
    let forged_root = Certified::new("root", true, 50, None);
    let forged = Certified::new("leaf", false, 30, Some(&forged_root));
    certified(&trusted, &[&forged]).unwrap_err();
    certified(&trusted, &[&forged, &forged_root]).unwrap_err();
    certified(&trusted, &[&forged_root]).unwrap_err();
}

#[test]
fn a2_who_is_no_authority_certifies_nobody() {
    let root = Certified::new("root", true, 50, None);
    let user = Certified::new("user", false, 50, Some(&root));
    let forged = Certified::new("leaf", false, 50, Some(&user));
    certified(&bundle(&[&root]), &[&forged, &user]).unwrap_err();
}

#[test]
fn each_certificate_on_the_way_must_be_within_its_dates() {
    let root = Certified::new("root", true, 50, None);
    let middle = Certified::new("middle", true, 40, Some(&root));
    let leaf = Certified::new("leaf", false, 60, Some(&middle));
    let trusted = bundle(&[&root]);
    certified_in_days(&trusted, &[&leaf, &middle], 39).unwrap();
    certified_in_days(&trusted, &[&leaf, &middle], 41).unwrap_err();
    let direct = Certified::new("leaf", false, 60, Some(&root));
    certified_in_days(&trusted, &[&direct], 49).unwrap();
    certified_in_days(&trusted, &[&direct], 51).unwrap_err();
    assert!(
        trusted.certified(&[direct.certificate.der().clone()], SystemTime::UNIX_EPOCH).is_err(),
        "too early"
    );
}

#[test]
fn one_that_signed_itself_is_trusted_when_it_is_in_the_bundle_and_in_time() {
    for is_authority in [false, true] {
        let own = Certified::new("auth", is_authority, 20, None);
        let trusted = bundle(&[&Certified::new("other", true, 50, None), &own]);
        assert_eq!(certified(&trusted, &[&own]), Ok(key_of(&own)));
        certified_in_days(&trusted, &[&own], 21).unwrap_err();
        certified(&bundle(&[&Certified::new("auth", true, 50, None)]), &[&own]).unwrap_err();
    }
}

#[test]
fn keys_in_the_bundle_are_found_by_name_whatever_the_dates() {
    let own = Certified::new("auth", true, -5, None);
    let trusted = bundle(&[&own]);
    let key = key_of(&own);
    for name in key.names() {
        assert_eq!(trusted.called(name).collect::<Vec<_>>(), [&key]);
    }
    assert_eq!(trusted.called("").count(), 0);
}

#[test]
fn what_is_no_certificate_is_told_and_passed_over() {
    let own = Certified::new("auth", true, 20, None);
    let broken = "-----BEGIN CERTIFICATE-----\nc2VzYW1l\n-----END CERTIFICATE-----\n";
    let parsed = Bundle::parse(format!("{broken}{}", own.certificate.pem()).as_bytes()).unwrap();
    assert_eq!(parsed.value.0.len(), 1);
    assert_eq!(parsed.complaints.len(), 1);
    Bundle::parse(b"").unwrap_err();
    Bundle::parse(broken.as_bytes()).unwrap_err();
}

#[test]
fn a2_a_key_that_is_too_weak_is_told_and_signs_nothing() {
    let parsed = Bundle::parse(include_bytes!("../made_elsewhere/weak.pem")).unwrap();
    assert_eq!(parsed.complaints.len(), 1);
    let weak = parsed.value.0[0].der.clone();
    assert!(parsed.value.certified(&[weak], now()).unwrap_err().contains("2048"));
}

proptest! {
    #[test]
    fn a18_any_content_is_read(content in proptest::collection::vec(any::<u8>(), 0..200), place in 0_usize..400, byte in any::<u8>()) {
        let _ = Bundle::parse(&content);
        let root = Certified::new("root", true, 50, None);
        let mut der = root.certificate.der().to_vec();
        if let Some(here) = der.get_mut(place) {
            *here = byte;
        }
        let _ = bundle(&[&root]).certified(&[CertificateDer::from(der)], now());
    }
}
