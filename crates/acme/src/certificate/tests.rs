use rcgen::{BasicConstraints, CertifiedIssuer, DistinguishedName, DnType, IsCa, date_time_ymd};

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A certificate of an authority, from the first of January 2026 until the first of April.
fn signed(names: &[&str]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "an authority");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(hosts(names)).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 4, 1));
    params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem().into_bytes()
}

fn days_of_2026(days: u32) -> SystemTime {
    SystemTime::from(date_time_ymd(2026, 1, 1)) + DAY * days
}

#[test]
fn it_is_renewed_when_a_third_of_its_life_is_left() {
    let (pem, names) = (signed(&["a.example", "b.example"]), hosts(&["B.example", "a.example"]));
    assert_eq!(is_good_for(&pem, &names, days_of_2026(0)), DAY * 60);
    assert_eq!(is_good_for(&pem, &names, days_of_2026(59)), DAY);
    assert_eq!(is_good_for(&pem, &names, days_of_2026(60)), Duration::ZERO);
    assert_eq!(is_good_for(&pem, &names, days_of_2026(400)), Duration::ZERO);
}

#[test]
fn another_host_wants_another_certificate() {
    let pem = signed(&["a.example"]);
    assert_eq!(is_good_for(&pem, &hosts(&["a.example", "b.example"]), days_of_2026(0)), Duration::ZERO);
}

#[test]
fn what_is_none_and_what_signed_itself_is_good_for_nothing() {
    let names = hosts(&["a.example"]);
    let own = self_signed(&names).unwrap();
    PrivateKeyDer::from_pem_slice(own.as_bytes()).unwrap();
    for pem in
        [own.as_bytes(), b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        assert_eq!(is_good_for(pem, &names, days_of_2026(0)), Duration::ZERO);
    }
}

#[test]
fn a_challenge_is_answered_by_the_digest_alone() {
    let (der, _) = of_challenge("a.example", &[7; 32]).unwrap();
    let certificate = Certificate::from_der(&der).unwrap();
    let extensions = certificate.tbs_certificate().extensions().unwrap();
    let identifier =
        extensions.iter().find(|extension| extension.extn_id.to_string() == "1.3.6.1.5.5.7.1.31");
    let identifier = identifier.unwrap();
    assert!(identifier.critical);
    assert_eq!(identifier.extn_value.as_bytes(), [&[4, 32][..], &[7; 32]].concat());
}
