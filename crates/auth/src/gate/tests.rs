use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::*;
use crate::token::testing::{ISSUER, SERVICE, Signer, claims, claims_with, now};
use crate::{Action, Pattern, ProtectedTags, Rule, SigningAlgorithm, TokenOptions, Who};

fn file(directory: &tempfile::TempDir, content: &str) -> PathBuf {
    let path = directory.path().join("file");
    fs::write(&path, content).unwrap();
    path
}

fn users() -> SignIn {
    users_with(None)
}

fn users_with(tokens: Option<TokenIssuer>) -> SignIn {
    let directory = tempfile::tempdir().unwrap();
    let hash = bcrypt::hash_with_salt("sesame", 4, [5; 16]).unwrap();
    let path = file(&directory, &format!("alice:{hash}\nbob:{hash}\n"));
    SignIn::Htpasswd { users: Box::new(Htpasswd::open(&path).unwrap()), realm: "Apus".into(), tokens }
}

fn tokens() -> (SignIn, Signer) {
    let directory = tempfile::tempdir().unwrap();
    let signer = Signer::new(SigningAlgorithm::EdDsa);
    let mut jwk = signer.jwk();
    jwk["kid"] = "k".into();
    let options = TokenOptions {
        issuer: ISSUER.into(),
        service: SERVICE.into(),
        algorithms: SigningAlgorithm::ALL.into(),
        root_cert_bundle: None,
        jwks: Some(file(&directory, &json!({"keys": [jwk]}).to_string())),
    };
    let verifier = Box::new(TokenVerifier::open(options).unwrap());
    (SignIn::Token { verifier, realm: "https://auth.example/token".into() }, signer)
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64.encode(credentials.as_bytes()))
}

fn everywhere() -> Vec<Pattern> {
    vec!["**".parse().unwrap()]
}

/// Everyone may read, alice may push but not overwrite, and versions stay.
fn policy() -> Policy {
    let rule =
        |who, may: &[Permission]| Rule { who: vec![who], may: may.to_vec(), repositories: everywhere() };
    Policy {
        rules: vec![
            rule(Who::Everyone, &[Permission::Pull]),
            rule(Who::User("alice".into()), &[Permission::Push]),
            rule(Who::User("bob".into()), &[Permission::Push, Permission::Overwrite, Permission::Delete]),
        ],
        protected_tags: vec![ProtectedTags { repositories: everywhere(), tags: vec!["v*".parse().unwrap()] }],
        ..Policy::default()
    }
}

fn pull() -> [Access; 1] {
    [Access::repository("team/app", Action::Pull)]
}

fn push() -> [Access; 2] {
    [Access::repository("team/app", Action::Pull), Access::repository("team/app", Action::Push)]
}

fn delete() -> [Access; 1] {
    [Access::repository("team/app", Action::Delete)]
}

async fn ask(gate: &Gate, header: Option<&str>, needed: &[Access]) -> Result<Permit, Refusal> {
    gate.authorize(header, needed, now()).await
}

/// The status, and the challenge that goes with it.
async fn answer(gate: &Gate, header: Option<&str>, needed: &[Access]) -> (u16, String) {
    match ask(gate, header, needed).await {
        Ok(_) => (200, String::new()),
        Err(Refusal::Challenge { challenge, .. }) => (401, challenge.to_string()),
        Err(Refusal::Denied { .. }) => (403, String::new()),
        Err(Refusal::Busy | Refusal::Unavailable(_) | Refusal::NoKey(_)) => (503, String::new()),
    }
}

#[tokio::test]
async fn an_open_registry_asks_nobody() {
    let open = Gate::new(SignIn::Open, None);
    for header in [None, Some("Basic YTpi"), Some("nonsense")] {
        let permit = ask(&open, header, &push()).await.unwrap();
        assert!(
            permit.identity().is_anonymous()
                && permit.may_overwrite("a", "v1")
                && permit.may_delete_tag("a", "v1")
        );
    }
    let read_only = Gate::new(SignIn::Open, Some(policy()));
    assert_eq!(answer(&read_only, None, &[]).await.0, 200);
    assert_eq!(answer(&read_only, None, &pull()).await.0, 200);
    assert_eq!(answer(&read_only, None, &push()).await.0, 403);
}

#[tokio::test]
async fn a_password_opens_everything_without_a_policy() {
    let gate = Gate::new(users(), None);
    let challenge = (401, "Basic realm=\"Apus\"".to_owned());
    for header in [
        None,
        Some("nonsense"),
        Some("Bearer a.b.c"),
        Some(&*basic("alice:wrong")),
        Some(&*basic("eve:sesame")),
    ] {
        for needed in [&[][..], &pull(), &push(), &delete(), &[Access::catalog()]] {
            assert_eq!(answer(&gate, header, needed).await, challenge, "{header:?}");
        }
    }
    let permit = ask(&gate, Some(&basic("alice:sesame")), &delete()).await.unwrap();
    assert_eq!(permit.identity().name(), Some("alice"));
    assert_eq!(answer(&gate, Some(&basic("alice:sesame")), &[]).await.0, 200);
}

#[tokio::test]
async fn a_policy_lets_the_anonymous_read_and_asks_them_to_sign_in_for_more() {
    let gate = Gate::new(users(), Some(policy()));
    assert_eq!(answer(&gate, None, &[]).await.0, 401, "by this clients find out how to sign in");
    assert_eq!(answer(&gate, None, &pull()).await.0, 200);
    assert_eq!(answer(&gate, None, &push()).await.0, 401);
    assert_eq!(
        answer(&gate, Some(&basic("eve:wrong")), &pull()).await.0,
        401,
        "a wrong password is not nobody's"
    );
    assert_eq!(answer(&gate, Some(&basic("alice:sesame")), &push()).await.0, 200);
    assert_eq!(answer(&gate, Some(&basic("alice:sesame")), &delete()).await.0, 403);
    assert_eq!(answer(&gate, Some(&basic("bob:sesame")), &delete()).await.0, 200);
    assert_eq!(answer(&gate, Some(&basic("bob:sesame")), &[Access::catalog()]).await.0, 403);
}

#[tokio::test]
async fn a5_who_may_only_create_overwrites_no_tag_whatever_its_name() {
    let gate = Gate::new(users(), Some(policy()));
    let alice = ask(&gate, Some(&basic("alice:sesame")), &push()).await.unwrap();
    let bob = ask(&gate, Some(&basic("bob:sesame")), &push()).await.unwrap();
    for tag in ["latest", "main", "v1"] {
        assert!(!alice.may_overwrite("team/app", tag) && !alice.may_delete_tag("team/app", tag), "{tag}");
        assert_eq!(bob.may_overwrite("team/app", tag), tag != "v1");
        assert_eq!(bob.may_delete_tag("team/app", tag), tag != "v1");
    }
}

#[tokio::test]
async fn a3_each_kind_of_change_asks_the_same_gate() {
    let gate = Gate::new(SignIn::Open, Some(Policy::default()));
    for needed in [&pull()[..], &push(), &delete(), &[Access::catalog()]] {
        assert_eq!(answer(&gate, None, needed).await.0, 403);
    }
}

#[tokio::test]
async fn every_refusal_of_a_token_carries_the_right_challenge() {
    let (sign_in, signer) = tokens();
    let gate = Gate::new(sign_in, None);
    let base = format!("Bearer realm=\"https://auth.example/token\",service=\"{SERVICE}\"");
    let with = |rest: &str| (401, format!("{base}{rest}"));
    let token = |claims: &Value| format!("Bearer {}", signer.token("k", claims));
    let good = token(&claims());

    assert_eq!(answer(&gate, None, &[]).await, with(""));
    assert_eq!(answer(&gate, None, &push()).await, with(",scope=\"repository:team/app:pull,push\""));
    assert_eq!(
        answer(&gate, Some(&basic("a:b")), &pull()).await,
        with(",scope=\"repository:team/app:pull\"")
    );
    assert_eq!(
        answer(&gate, Some("Bearer a.b.c"), &pull()).await,
        with(",scope=\"repository:team/app:pull\",error=\"invalid_token\"")
    );
    assert_eq!(
        answer(&gate, Some(&token(&claims_with("exp", json!(1)))), &[]).await,
        with(",error=\"invalid_token\"")
    );
    assert_eq!(
        answer(&gate, Some(&good), &delete()).await,
        with(",scope=\"repository:team/app:delete\",error=\"insufficient_scope\"")
    );
    assert_eq!(answer(&gate, Some(&good), &[]).await.0, 200, "any token will do at the base");
    assert_eq!(answer(&gate, Some(&good), &push()).await.0, 200);
    let mount = [push().to_vec(), vec![Access::repository("secret", Action::Pull)]].concat();
    assert_eq!(answer(&gate, Some(&good), &mount).await.0, 401, "what is mounted must be readable too");
}

#[tokio::test]
async fn a_policy_takes_from_a_token_and_adds_nothing() {
    let (sign_in, signer) = tokens();
    let gate = Gate::new(sign_in, Some(policy()));
    let all = json!([{"type": "repository", "name": "team/app", "actions": ["*"]}]);
    let everything = format!("Bearer {}", signer.token("k", &claims_with("access", all)));
    assert_eq!(answer(&gate, Some(&everything), &push()).await.0, 200);
    assert_eq!(answer(&gate, Some(&everything), &delete()).await.0, 403, "alice may not, by the policy");
    let nothing = format!("Bearer {}", signer.token("k", &claims_with("access", json!([]))));
    assert_eq!(
        answer(&gate, Some(&nothing), &pull()).await.0,
        401,
        "everyone may, but the token is not for it"
    );
    assert_eq!(answer(&gate, None, &pull()).await.0, 401);
}

#[tokio::test]
async fn a6_a_group_is_over_with_the_token_that_named_it() {
    let (sign_in, signer) = tokens();
    let dev = Rule {
        who: vec![Who::Group("dev".into())],
        may: vec![Permission::Pull, Permission::Push],
        repositories: everywhere(),
    };
    let gate = Gate::new(sign_in, Some(Policy { rules: vec![dev], ..Policy::default() }));
    let member = format!("Bearer {}", signer.token("k", &claims_with("groups", json!(["dev"]))));
    let former = format!("Bearer {}", signer.token("k", &claims_with("groups", json!([]))));
    assert_eq!(answer(&gate, Some(&member), &push()).await.0, 200);
    assert_eq!(answer(&gate, Some(&former), &push()).await.0, 403);
}

#[tokio::test]
async fn a10_no_refusal_holds_what_the_client_sent() {
    let (sign_in, _) = tokens();
    for (gate, header) in [
        (Gate::new(users(), None), basic("alice:hunter2")),
        (Gate::new(sign_in, None), "Bearer hunter2.hunter2.hunter2".into()),
    ] {
        let refusal = ask(&gate, Some(&header), &pull()).await.unwrap_err();
        let shown = format!("{refusal} {refusal:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&header), "{shown}");
    }
}

mod tokens;
