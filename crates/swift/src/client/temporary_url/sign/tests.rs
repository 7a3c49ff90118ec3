use super::*;

fn signer(digest: TemporaryUrlDigest) -> Signer {
    let place = Place::possible("http://h/v1/AUTH_account", None, "container").remove(0);
    Signer { place, digest, key: "mykey".into(), prefix: None }
}

fn signature(url: &str) -> &str {
    url.split_once("temp_url_sig=").unwrap().1.split_once('&').unwrap().0
}

/// Computed by Python's hmac module, as Swift does.
#[test]
fn signatures_are_those_that_swift_computes() {
    let cases = [
        (TemporaryUrlDigest::Sha1, "3ec6c6cc21104a00f8b4982381ac91c94d9742bc"),
        (TemporaryUrlDigest::Sha256, "ef067378141235be9ac935ff351e85bd023c8efa2f2ec7a990868b02d9ce640e"),
        (
            TemporaryUrlDigest::Sha512,
            "287d6ed028174f9030473738cecf065fd2197082adf2584095d3c3a6b84fff9f53b8089bfc81904d1bf4cb1225bd641290956607ad970a71857e17541f517c5c",
        ),
    ];
    for (digest, expected) in cases {
        let url = signer(digest).url("ob ject", UrlMethod::Get, 1_700_000_000);
        assert_eq!(signature(&url), expected);
        assert!(url.starts_with("http://h/v1/AUTH_account/container/ob%20ject?"), "{url}");
        assert!(url.ends_with("&temp_url_expires=1700000000"), "{url}");
    }
}

#[test]
fn each_method_and_object_has_a_signature_of_its_own() {
    let signer = signer(TemporaryUrlDigest::Sha256);
    let urls = [
        signer.url("o", UrlMethod::Get, 1),
        signer.url("o", UrlMethod::Head, 1),
        signer.url("p", UrlMethod::Get, 1),
        signer.url("o", UrlMethod::Get, 2),
    ];
    let signatures: std::collections::BTreeSet<&str> = urls.iter().map(|url| signature(url)).collect();
    assert_eq!(signatures.len(), urls.len());
}

#[test]
fn hp_clouds_manner_is_that_of_registry_2() {
    let signer = Signer { prefix: Some("42:access".to_owned()), ..signer(TemporaryUrlDigest::Sha1) };
    let url = signer.url("o", UrlMethod::Get, 1);
    let signature = signature(&url);
    assert!(signature.starts_with("42%3Aaccess%3A") && signature.len() == 14 + 40, "{signature}");
}

#[test]
fn a_place_is_seen_by_clients_and_by_the_cluster() {
    let possible = |url: &str, public: Option<&str>| -> Vec<(String, String)> {
        let places = Place::possible(url, public, "c d");
        places.into_iter().map(|place| (place.url, String::from_utf8(place.signed).unwrap())).collect()
    };
    let pair = |url: &str, signed: &str| (url.to_owned(), signed.to_owned());
    assert_eq!(
        possible("https://h:8080/v1/AUTH_a", None),
        [pair("https://h:8080/v1/AUTH_a/c%20d", "/v1/AUTH_a/c d")]
    );
    assert_eq!(
        possible("http://10.0.0.1:8080/v1/AUTH_a%3Ab", Some("https://public.example")),
        [pair("https://public.example/v1/AUTH_a%3Ab/c%20d", "/v1/AUTH_a:b/c d")]
    );
    assert_eq!(possible("https://h/swift/v1", None), [pair("https://h/swift/v1/c%20d", "/swift/v1/c d")]);
    assert_eq!(
        possible("https://h/store/v1/AUTH_a", None),
        [
            pair("https://h/store/v1/AUTH_a/c%20d", "/store/v1/AUTH_a/c d"),
            pair("https://h/store/v1/AUTH_a/c%20d", "/v1/AUTH_a/c d"),
        ]
    );
}

#[test]
fn no_debug_output_shows_the_key() {
    assert!(!format!("{:?}", signer(TemporaryUrlDigest::Sha1)).contains("mykey"));
}
