//! Tokens that the registry gives itself, beside passwords.

use std::time::Duration;

use super::*;
use crate::issuer::tests::issuer;

const BEARER: &str = "Bearer realm=\"\",service=\"Apus\"";

fn giving(policy: Option<Policy>) -> Gate {
    Gate::new(users_with(Some(issuer(b"key"))), policy)
}

async fn give(gate: &Gate, header: Option<&str>) -> Result<IssuedToken, Refusal> {
    gate.give_token(Authorization::parse(header), now()).await
}

/// The header by which a client shows the token that it gets for this one.
async fn bearer(gate: &Gate, header: Option<&str>) -> String {
    format!("Bearer {}", give(gate, header).await.unwrap().text.expose_secret())
}

/// Nobody but who signs in.
fn closed() -> Policy {
    let rule = Rule { who: vec![Who::SignedIn], may: vec![Permission::Pull], repositories: everywhere() };
    Policy { rules: vec![rule], ..Policy::default() }
}

#[tokio::test]
async fn a_token_does_what_its_password_does() {
    let gate = giving(Some(policy()));
    let alice = basic("alice:sesame");
    for header in [alice.clone(), bearer(&gate, Some(&alice)).await] {
        assert_eq!(ask(&gate, Some(&header), &push()).await.unwrap().identity().name(), Some("alice"));
        assert_eq!(answer(&gate, Some(&header), &[]).await.0, 200);
        assert_eq!(answer(&gate, Some(&header), &delete()).await.0, 403, "by the policy");
    }
}

#[tokio::test]
async fn somebody_anonymous_gets_a_token_and_is_asked_for_a_better_one() {
    let gate = giving(Some(policy()));
    let scope = ",scope=\"repository:team/app:pull,push\"";
    assert_eq!(answer(&gate, None, &[]).await, (401, BEARER.to_owned()));
    assert_eq!(answer(&gate, None, &pull()).await.0, 200, "also without a token");
    assert_eq!(answer(&gate, None, &push()).await, (401, format!("{BEARER}{scope}")));
    let nobody = bearer(&gate, None).await;
    assert_eq!(answer(&gate, Some(&nobody), &[]).await.0, 200);
    assert_eq!(answer(&gate, Some(&nobody), &pull()).await.0, 200);
    let wanted = format!("{BEARER}{scope},error=\"insufficient_scope\"");
    assert_eq!(answer(&gate, Some(&nobody), &push()).await, (401, wanted));
}

#[tokio::test]
async fn who_may_do_nothing_without_a_password_gets_no_token_without_one() {
    for policy in [None, Some(closed()), Some(Policy::default())] {
        let gate = giving(policy);
        let Err(Refusal::Challenge { challenge, .. }) = give(&gate, None).await else { panic!("let in") };
        assert_eq!(challenge.to_string(), "Basic realm=\"Apus\"");
        // One from a time when the policy said otherwise.
        let before = giving(Some(super::policy()));
        let nobody = bearer(&before, None).await;
        for needed in [&[][..], &pull()] {
            let (status, challenge) = answer(&gate, Some(&nobody), needed).await;
            assert!(status == 401 && challenge.ends_with(",error=\"invalid_token\""), "{challenge}");
        }
    }
    let alone = giving(None);
    let alice = bearer(&alone, Some(&basic("alice:sesame"))).await;
    assert_eq!(
        answer(&alone, Some(&alice), &delete()).await.0,
        200,
        "without a policy a user may do everything"
    );
    assert_eq!(answer(&alone, None, &pull()).await.0, 401);
}

#[tokio::test]
async fn a_token_costs_a_right_password() {
    let gate = giving(Some(policy()));
    let own = bearer(&gate, Some(&basic("alice:sesame"))).await;
    for header in [&*basic("alice:wrong"), &basic("eve:sesame"), "nonsense", "Basic !", "Bearer a.b.c", &own]
    {
        let Err(Refusal::Challenge { challenge, .. }) = give(&gate, Some(header)).await else {
            panic!("let in by {header}")
        };
        assert_eq!(challenge.to_string(), "Basic realm=\"Apus\"");
    }
}

#[tokio::test]
async fn a_token_that_is_over_forged_or_cut_is_refused_with_a_challenge() {
    let gate = giving(Some(policy()));
    let good = bearer(&gate, Some(&basic("alice:sesame"))).await;
    let invalid = (401, format!("{BEARER},error=\"invalid_token\""));
    let forged = format!("{}AAAA", good.strip_suffix(good.get(good.len() - 4..).unwrap()).unwrap());
    for header in [&*forged, good.get(..good.len() - 1).unwrap(), "Bearer a.b.c"] {
        assert_eq!(answer(&gate, Some(header), &[]).await, invalid, "{header}");
    }
    let later = now() + Duration::from_mins(7);
    let Err(Refusal::Challenge { challenge, reason }) = gate.authorize(Some(&good), &[], later).await else {
        panic!("let in")
    };
    assert_eq!(challenge.to_string(), invalid.1);
    assert!(matches!(reason, ChallengeReason::Token(TokenError::Expired)));
    // A password is another matter.
    assert_eq!(answer(&gate, Some(&basic("alice:wrong")), &[]).await, (401, BEARER.to_owned()));
}

#[tokio::test]
async fn a_token_is_of_no_use_to_who_is_not_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let hash = bcrypt::hash_with_salt("sesame", 4, [5; 16]).unwrap();
    let path = file(&directory, &format!("carol:{hash}\n"));
    let users = Box::new(Htpasswd::open(&path).unwrap());
    let with_carol = Gate::new(
        SignIn::Htpasswd { users, realm: "Apus".into(), tokens: Some(issuer(b"key")) },
        Some(policy()),
    );
    let carol = bearer(&with_carol, Some(&basic("carol:sesame"))).await;
    assert_eq!(answer(&with_carol, Some(&carol), &[]).await.0, 200);
    let without = giving(Some(policy()));
    assert_eq!(answer(&without, Some(&carol), &pull()).await.0, 401, "though everyone may");
}

#[tokio::test]
async fn where_the_key_cannot_be_had_passwords_still_do() {
    let gate = Gate::new(users_with(Some(issuer(b""))), Some(policy()));
    let alice = basic("alice:sesame");
    assert!(matches!(give(&gate, Some(&alice)).await, Err(Refusal::NoKey(_))));
    let token = bearer(&giving(Some(policy())), Some(&alice)).await;
    assert_eq!(answer(&gate, Some(&token), &pull()).await.0, 503);
    assert_eq!(answer(&gate, Some(&alice), &push()).await.0, 200);
    assert_eq!(answer(&gate, None, &pull()).await.0, 200);
}

#[tokio::test]
async fn without_tokens_nothing_is_given_and_none_is_taken() {
    let gate = Gate::new(users(), Some(policy()));
    assert!(!gate.gives_tokens());
    assert!(matches!(give(&gate, Some(&basic("alice:sesame"))).await, Err(Refusal::Denied { .. })));
    let token = bearer(&giving(Some(policy())), None).await;
    assert_eq!(answer(&gate, Some(&token), &pull()).await, (401, "Basic realm=\"Apus\"".to_owned()));
}

#[tokio::test]
async fn what_is_allowed_of_what_is_wanted() {
    let gate = giving(Some(policy()));
    let wanted = || {
        let scopes = [
            "repository:team/app:pull,push,delete,eat",
            "registry:catalog:*",
            "repository(plugin):a:b:pull",
            "x",
        ];
        scopes.into_iter().flat_map(Access::of_scope)
    };
    let allowed = |who| crate::Scope(&gate.allowed(&who, wanted())).to_string();
    assert_eq!(allowed(Identity::anonymous()), "repository:team/app:pull repository:a:b:pull");
    assert_eq!(
        allowed(Identity::user("bob", vec![])),
        "repository:team/app:pull,push,delete repository:a:b:pull"
    );
}
