use std::fs;

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::*;
use super::*;
use crate::Action;

struct Fixture {
    directory: tempfile::TempDir,
    verifier: TokenVerifier,
}

fn options() -> TokenOptions {
    TokenOptions {
        issuer: ISSUER.into(),
        service: SERVICE.into(),
        algorithms: SigningAlgorithm::ALL.into(),
        root_cert_bundle: None,
        jwks: None,
    }
}

impl Fixture {
    fn new(keys: &[Value], certificates: &[&Certified]) -> Self {
        Self::with(keys, certificates, options())
    }

    fn with(keys: &[Value], certificates: &[&Certified], mut options: TokenOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (jwks, bundle) = (directory.path().join("keys.json"), directory.path().join("bundle.pem"));
        if !keys.is_empty() {
            fs::write(&jwks, json!({ "keys": keys }).to_string()).unwrap();
            options.jwks = Some(jwks);
        }
        if !certificates.is_empty() {
            fs::write(&bundle, certificates.iter().map(|own| own.certificate.pem()).collect::<String>())
                .unwrap();
            options.root_cert_bundle = Some(bundle);
        }
        let mut verifier = TokenVerifier::open(options).unwrap();
        verifier.key_set = verifier.key_set.map(Watched::impatient);
        verifier.bundle = verifier.bundle.map(Watched::impatient);
        Self { directory, verifier }
    }

    async fn verify(&self, token: &str) -> Result<Grant, TokenError> {
        self.verifier.verify(token, now()).await
    }
}

/// One trusted key, named `k`, and its signer.
fn trusted(algorithm: SigningAlgorithm) -> (Fixture, Signer) {
    let signer = Signer::new(algorithm);
    let fixture = Fixture::new(&[named(&signer, "k")], &[]);
    (fixture, signer)
}

fn named(signer: &Signer, kid: &str) -> Value {
    let mut jwk = signer.jwk();
    jwk["kid"] = kid.into();
    jwk
}

#[tokio::test]
async fn a_good_token_of_each_algorithm_says_who_and_what() {
    for algorithm in SigningAlgorithm::ALL {
        let (fixture, signer) = trusted(algorithm);
        let grant = fixture.verify(&signer.token("k", &claims())).await.unwrap();
        assert_eq!(grant.identity(), &Identity::user("alice", vec![]), "{algorithm:?}");
        for (access, granted) in [
            (Access::repository("team/app", Action::Pull), true),
            (Access::repository("team/app", Action::Push), true),
            (Access::repository("team/app", Action::Delete), false),
            (Access::repository("team/app2", Action::Pull), false),
            (Access::repository("team", Action::Pull), false),
            (Access::catalog(), false),
        ] {
            assert_eq!(grant.allows(&access), granted, "{access:?}");
        }
    }
}

#[tokio::test]
async fn keys_of_the_bundle_are_named_in_both_forms() {
    let own = Certified::new("auth", true, 20, None);
    let fixture = Fixture::new(&[], &[&own]);
    let signer = own.signer();
    for kid in PublicKey::from_der(&signer.public_der()).unwrap().names() {
        fixture.verify(&signer.token(kid, &claims())).await.unwrap();
    }
    fixture.verify(&token_with_chain(&signer, &[&own])).await.unwrap();
}

/// The certificate and the tokens are of openssl, the key identifier is that of an independent reading of libtrust's form.
#[tokio::test]
async fn what_was_made_elsewhere_is_understood() {
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("bundle.pem");
    fs::write(&bundle, include_str!("made_elsewhere/certificate.pem")).unwrap();
    let verifier = TokenVerifier::open(TokenOptions { root_cert_bundle: Some(bundle), ..options() }).unwrap();
    assert!(verifier.complaints().is_empty());
    for token in [include_str!("made_elsewhere/kid.jwt"), include_str!("made_elsewhere/x5c.jwt")] {
        let grant = verifier.verify(token.trim(), now()).await.unwrap();
        assert_eq!(grant.identity().name(), Some("alice"));
        assert!(grant.allows(&Access::repository("team/app", Action::Pull)));
    }
}

#[tokio::test]
async fn a2_the_key_in_a_tokens_own_header_is_never_trusted() {
    let (fixture, signer) = trusted(SigningAlgorithm::Es256);
    let forger = Signer::new(SigningAlgorithm::Es256);
    let trusted_kid = PublicKey::from_der(&signer.public_der()).unwrap().names()[0].to_owned();
    for header in [
        json!({"alg": "ES256", "jwk": forger.jwk()}),
        json!({"alg": "ES256", "jwk": named(&forger, &trusted_kid)}),
        json!({"alg": "ES256", "kid": trusted_kid, "jwk": forger.jwk()}),
        json!({"alg": "ES256", "kid": "k", "jwk": named(&forger, "k")}),
        json!({"alg": "ES256", "kid": "k", "jku": "https://forger.example/keys", "x5u": "https://forger.example/"}),
        json!({"alg": "ES256"}),
        json!({"alg": "ES256", "kid": ""}),
        json!({"alg": "ES256", "kid": "unknown"}),
    ] {
        let error = fixture.verify(&forger.token_with(&header, &claims())).await.unwrap_err();
        assert!(matches!(error, TokenError::UnknownKey { .. } | TokenError::Signature), "{header}: {error}");
    }
}

/// As the distribution project's token server writes it.
#[tokio::test]
async fn a2_a_key_in_a_tokens_header_counts_for_its_name_alone() {
    let (fixture, signer) = trusted(SigningAlgorithm::Es256);
    let forger = Signer::new(SigningAlgorithm::Es256);
    for jwk in [named(&signer, "k"), named(&forger, "k"), json!({"kid": "k"})] {
        let header = json!({"alg": "ES256", "jwk": jwk});
        assert!(fixture.verify(&signer.token_with(&header, &claims())).await.is_ok(), "{header}");
        let forged = fixture.verify(&forger.token_with(&header, &claims())).await.unwrap_err();
        assert!(matches!(forged, TokenError::Signature), "{header}: {forged}");
    }
}

#[tokio::test]
async fn a2_a_token_that_anyone_can_sign_is_refused() {
    let (fixture, signer) = trusted(SigningAlgorithm::Rs256);
    for name in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "rs256", "RS1", "ES256K"] {
        let message = unsigned(&json!({"alg": name, "kid": "k"}), &claims());
        // The public key as the shared secret, the classic of this kind.
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &signer.public_der());
        let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        for signature in [String::new(), BASE64URL_NOPAD.encode(tag.as_ref())] {
            let error = fixture.verify(&format!("{message}.{signature}")).await.unwrap_err();
            assert!(matches!(error, TokenError::Algorithm { .. }), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn a2_an_algorithm_that_is_not_listed_is_refused() {
    let signer = Signer::new(SigningAlgorithm::Rs256);
    let only = TokenOptions { algorithms: [SigningAlgorithm::Ps256].into(), ..options() };
    let fixture = Fixture::with(&[named(&signer, "k")], &[], only);
    let error = fixture.verify(&signer.token("k", &claims())).await.unwrap_err();
    assert!(matches!(error, TokenError::Algorithm { .. }), "{error}");
    // Nor does the name alone do.
    let mislabelled = signer.token_with(&json!({"alg": "PS256", "kid": "k"}), &claims());
    assert!(matches!(fixture.verify(&mislabelled).await, Err(TokenError::Signature)));
}

#[tokio::test]
async fn a2_a_chain_counts_only_when_it_leads_to_the_bundle_and_its_key_signed() {
    let root = Certified::new("root", true, 50, None);
    let leaf = Certified::new("leaf", false, 30, Some(&root));
    let fixture = Fixture::new(&[], &[&root]);
    fixture.verify(&token_with_chain(&leaf.signer(), &[&leaf])).await.unwrap();

    let forger = Certified::new("leaf", false, 30, None);
    let refused = fixture.verify(&token_with_chain(&forger.signer(), &[&forger])).await;
    assert!(matches!(refused, Err(TokenError::Certificates { .. })), "{refused:?}");
    let borrowed = fixture.verify(&token_with_chain(&forger.signer(), &[&leaf])).await;
    assert!(matches!(borrowed, Err(TokenError::Signature)), "{borrowed:?}");
    let long = token_with_chain(&leaf.signer(), &[&leaf; 9]);
    assert!(matches!(fixture.verify(&long).await, Err(TokenError::Malformed(_))));
}

#[tokio::test]
async fn a2_what_was_signed_is_what_is_read() {
    let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
    let token = signer.token("k", &claims());
    let (_, signature) = token.rsplit_once('.').unwrap();
    let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": "k"});
    let more = claims_with("access", json!([{"type": "repository", "name": "team/app", "actions": ["*"]}]));
    let forged = format!("{}.{signature}", unsigned(&header, &more));
    assert!(matches!(fixture.verify(&forged).await, Err(TokenError::Signature)));
}

#[tokio::test]
async fn issuer_audience_and_time_must_be_right() {
    let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
    let check = async |name: &str, value: Value| {
        fixture.verify(&signer.token("k", &claims_with(name, value))).await.err()
    };
    for good in [json!(SERVICE), json!([SERVICE]), json!(["other", SERVICE])] {
        assert!(check("aud", good).await.is_none());
    }
    for bad in [json!("other"), json!([]), json!(["other"]), json!(""), Value::Null] {
        assert!(matches!(check("aud", bad).await, Some(TokenError::Audience)));
    }
    for bad in [json!("other"), json!(""), Value::Null] {
        assert!(matches!(check("iss", bad).await, Some(TokenError::Issuer { .. })));
    }
    for good in [json!(in_seconds(-59)), json!(1_800_000_000.5), json!(1e30)] {
        assert!(check("exp", good).await.is_none());
    }
    for bad in [json!(in_seconds(-61)), json!(0), json!(-1), Value::Null] {
        assert!(matches!(check("exp", bad).await, Some(TokenError::Expired)));
    }
    for name in ["nbf", "iat"] {
        assert!(check(name, json!(in_seconds(59))).await.is_none());
        assert!(check(name, Value::Null).await.is_none());
        assert!(matches!(check(name, json!(in_seconds(61))).await, Some(TokenError::NotYetValid)));
    }
    for (name, bad) in
        [("exp", json!("soon")), ("aud", json!(7)), ("access", json!("all")), ("sub", json!("a\nb"))]
    {
        assert!(matches!(check(name, bad).await, Some(TokenError::Malformed(_))), "{name}");
    }
}

#[tokio::test]
async fn what_servers_written_in_go_leave_empty_is_null() {
    let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
    let header = json!({"alg": "EdDSA", "kid": "k", "x5c": null, "crit": null});
    let claims = claims_with("access", Value::Null);
    let grant = fixture.verify(&signer.token_with(&header, &claims)).await.unwrap();
    assert!(!grant.allows(&Access::repository("team/app", Action::Pull)));

    let access = json!([{"type": "repository", "name": "a", "actions": null}, {"type": "registry", "name": "catalog", "actions": ["*"]}]);
    let grant = fixture.verify(&signer.token("k", &claims_with("access", access))).await.unwrap();
    assert!(!grant.allows(&Access::repository("a", Action::Pull)));
    assert!(grant.allows(&Access::catalog()));
    let anonymous = fixture.verify(&signer.token("k", &claims_with("sub", json!("")))).await.unwrap();
    assert!(anonymous.identity().is_anonymous());
}

#[tokio::test]
async fn a6_groups_are_those_of_the_token_that_is_shown() {
    let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
    let with = claims_with("groups", json!(["dev"]));
    assert_eq!(fixture.verify(&signer.token("k", &with)).await.unwrap().identity().groups(), ["dev"]);
    assert!(fixture.verify(&signer.token("k", &claims())).await.unwrap().identity().groups().is_empty());
}

#[tokio::test]
async fn a6_a_key_that_was_taken_back_signs_no_longer() {
    let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
    let token = signer.token("k", &claims());
    fixture.verify(&token).await.unwrap();
    let next = Signer::new(SigningAlgorithm::EdDsa);
    let path = fixture.directory.path().join("keys.json");
    fs::write(&path, json!({"keys": [named(&next, "next")]}).to_string()).unwrap();
    assert!(matches!(fixture.verify(&token).await, Err(TokenError::UnknownKey { .. })));
    fixture.verify(&next.token("next", &claims())).await.unwrap();
    fs::write(&path, "{").unwrap();
    assert!(matches!(fixture.verify(&next.token("next", &claims())).await, Err(TokenError::File(_))));
}

#[tokio::test]
async fn without_any_key_no_token_is_believed() {
    let fixture = Fixture::new(&[], &[]);
    let token = Signer::new(SigningAlgorithm::EdDsa).token("k", &claims());
    assert!(matches!(fixture.verify(&token).await, Err(TokenError::UnknownKey { .. })));
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
    let good = signer.token("k", &claims());
    let critical =
        signer.token_with(&json!({"alg": "EdDSA", "kid": "k", "crit": ["b64"], "b64": false}), &claims());
    let twice = {
        let header = r#"{"alg":"EdDSA","kid":"k","kid":"k"}"#;
        let (_, rest) = good.split_once('.').unwrap();
        format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes()))
    };
    for token in [
        "",
        ".",
        "..",
        "a.b.c",
        &format!("{good}="),
        &format!("{good}.x"),
        &critical,
        &twice,
        &"a".repeat(40_000),
    ] {
        let shown: String = token.chars().take(60).collect();
        assert!(matches!(fixture.verify(token).await, Err(TokenError::Malformed(_))), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a18_any_text_is_a_token_or_refused(token in "\\PC{0,80}|[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}") {
        prop_assert!(Parts::parse(&token).is_err() || token.matches('.').count() == 2);
    }

    /// Whatever single character of a token is another one, the token is no longer believed.
    #[test]
    fn a2_no_character_of_a_token_can_be_changed(place in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.-]") {
        let (fixture, signer) = trusted(SigningAlgorithm::EdDsa);
        let token = signer.token("k", &claims());
        let place = place.index(token.len());
        let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let believed = runtime.block_on(fixture.verify(&changed)).is_ok();
        prop_assert_eq!(believed, changed == token);
    }
}
