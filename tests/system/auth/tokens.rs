//! Tokens, request by request.

use serde_json::json;

use super::token_server::{ISSUER, SERVICE, Signer};
use super::{As, KINDS};
use crate::support::{Apus, Backend};

const REALM: &str = "https://tokens.example/token";

fn start(signer: &Signer, more: &str) -> Apus {
    let storage = format!("{}\n  delete: {{enabled: true}}", Backend::memory().storage());
    Apus::start_with(&storage, &format!("{}{more}", signer.auth(REALM)))
}

/// Promise: every refusal says where a token is to be had and what it must grant, in registry:2's words; HEAD included.
#[tokio::test]
async fn every_refusal_carries_its_challenge() {
    let signer = Signer::new();
    let apus = start(&signer, "");
    let base = format!("Bearer realm=\"{REALM}\",service=\"{SERVICE}\"");
    let nobody = As::nobody(&apus);
    let root = nobody.ask("GET", "/v2/").await.expect(401);
    assert_eq!(root.header("www-authenticate"), base);
    let forged = As::bearer(&apus, &Signer::new().token("eve", &["repository:team/app:pull,push,delete"]));
    let poor = As::bearer(&apus, &signer.token("bob", &["repository:team/ap:*", "repository:team/app:"]));
    poor.ask("GET", "/v2/").await.expect(200);
    for (method, rest) in KINDS {
        let actions = match method {
            "GET" | "HEAD" => "pull",
            "DELETE" => "delete",
            _ => "pull,push",
        };
        let path = format!("/v2/team/app/{rest}");
        let scope = format!("{base},scope=\"repository:team/app:{actions}\"");
        for (client, error) in
            [(&nobody, ""), (&forged, ",error=\"invalid_token\""), (&poor, ",error=\"insufficient_scope\"")]
        {
            let answer = client.ask(method, &path).await.expect(401);
            assert_eq!(answer.header("www-authenticate"), format!("{scope}{error}"), "{method} {path}");
            assert!(method == "HEAD" || answer.code() == "UNAUTHORIZED", "{method} {path}");
        }
        let rich = As::bearer(&apus, &signer.token("rita", &["repository:team/app:*"]));
        assert_ne!(rich.ask(method, &path).await.status, 401, "{method} {path}");
    }
    let catalog = poor.ask("GET", "/v2/_catalog").await.expect(401);
    assert!(catalog.header("www-authenticate").contains("scope=\"registry:catalog:*\""));
    As::bearer(&apus, &signer.token("rita", &["registry:catalog:*"]))
        .ask("GET", "/v2/_catalog")
        .await
        .expect(200);
    apus.until_it_logs("the token's signature is wrong").await;
}

/// Promise: a blob is mounted by a token that grants to read it; by one that does not, the upload goes on as any does. A client
/// that has none learns that it does well to ask for both.
#[tokio::test]
async fn a_mount_by_token() {
    let signer = Signer::new();
    let apus = start(&signer, "");
    let writes = ["repository:team/app:pull,push", "repository:other:pull,push"];
    let both = As::bearer(&apus, &signer.token("alice", &writes));
    let one = As::bearer(&apus, &signer.token("alice", &writes[..1]));
    let layer = both.push("other", "layer").await;
    let path = format!("/v2/team/app/blobs/uploads/?mount={layer}&from=other");
    let asked = As::nobody(&apus).ask("POST", &path).await.expect(401);
    let wanted = "scope=\"repository:team/app:pull,push repository:other:pull\"";
    assert!(asked.header("www-authenticate").contains(wanted), "{asked:?}");
    one.ask("POST", &path).await.expect(202);
    one.ask("HEAD", &format!("/v2/team/app/blobs/{layer}")).await.expect(404);
    one.ask("POST", &format!("/v2/team/app/blobs/uploads/?mount={layer}")).await.expect(202);
    both.ask("POST", &path).await.expect(201);
    one.ask("HEAD", &format!("/v2/team/app/blobs/{layer}")).await.expect(200);
}

/// Promise: the policy takes from what a token grants, and adds nothing.
#[tokio::test]
async fn a_policy_over_tokens() {
    let signer = Signer::new();
    let rules = "access: {rules: [{who: [everyone], may: [pull], repositories: ['**']},
      {who: ['group:makers'], may: [push], repositories: ['team/**']}]}";
    let apus = start(&signer, rules);
    let everything = ["repository:team/app:*"];
    let member = signer.token_with("alice", &everything, &json!({ "groups": ["makers"] }));
    As::bearer(&apus, &member).push("team/app", "layer").await;
    let stranger = As::bearer(&apus, &signer.token("bob", &everything));
    stranger.ask("GET", "/v2/team/app/tags/list").await.expect(200);
    let denied = stranger.ask("POST", "/v2/team/app/blobs/uploads/").await.expect(403);
    assert_eq!((denied.code().as_str(), denied.header("www-authenticate")), ("DENIED", ""));
    let nothing = As::bearer(&apus, &signer.token_with("alice", &[], &json!({ "groups": ["makers"] })));
    nothing.ask("GET", "/v2/team/app/tags/list").await.expect(401);
}

/// Promise: with `autoredirect` clients are sent to the host that they asked, as its proxy says, and else to the realm.
#[tokio::test]
async fn clients_are_sent_to_the_host_that_they_asked() {
    let signer = Signer::new();
    let auth = signer.auth("").replace("realm: ''", "autoredirect: true");
    let apus = Apus::start_with(Backend::memory().storage(), &auth);
    let realm = async |headers: &[(&str, &str)]| {
        let answer = apus.client().request(hyper::Method::GET, "/v2/", headers, "").await.expect(401);
        let challenge = answer.header("www-authenticate");
        challenge.split('"').nth(1).unwrap().to_owned()
    };
    assert_eq!(realm(&[]).await, format!("https://{}/auth/token", apus.address()));
    let forwarded = [("x-forwarded-host", "registry.example:8443")];
    assert_eq!(realm(&forwarded).await, "https://registry.example:8443/auth/token");
    drop(apus);

    let apus = Apus::start_with(
        Backend::memory().storage(),
        &auth.replace("true", "true, autoredirectpath: /login"),
    );
    let answer = As::nobody(&apus).ask("GET", "/v2/").await.expect(401);
    assert!(answer.header("www-authenticate").contains(&format!("https://{}/login\"", apus.address())));
}

/// Promise (threat A2): a token is believed by a key of the file alone: not by one that it brings, and not without a signature.
#[tokio::test]
async fn a2_a_token_does_not_say_by_which_key_it_is_believed() {
    let (ours, theirs) = (Signer::new(), Signer::new());
    let apus = start(&ours, "");
    let claims = json!({
        "iss": ISSUER, "sub": "eve", "aud": SERVICE, "exp": 4_000_000_000_u64,
        "access": [{ "type": "repository", "name": "team/app", "actions": ["*"] }],
    });
    let mut jwk = theirs.jwk();
    for header in [
        json!({ "alg": "EdDSA", "kid": "tests", "jwk": jwk }),
        json!({ "alg": "EdDSA", "jwk": theirs.jwk() }),
        json!({ "alg": "EdDSA", "kid": "tests" }),
        json!({ "alg": "none", "kid": "tests" }),
        json!({ "alg": "HS256", "kid": "tests" }),
    ] {
        let token = theirs.sign(&header, &claims);
        for token in [token.clone(), format!("{}.", token.rsplit_once('.').unwrap().0)] {
            As::bearer(&apus, &token).ask("GET", "/v2/team/app/tags/list").await.expect(401);
        }
    }
    jwk["x"] = ours.jwk()["x"].clone();
    let token = ours.sign(&json!({ "alg": "EdDSA", "kid": "tests", "jwk": theirs.jwk() }), &claims);
    As::bearer(&apus, &token).ask("GET", "/v2/team/app/tags/list").await.expect(404);
}

/// Promise (threat A6): what a token says counts for its own request, whoever asked before.
#[tokio::test]
async fn a6_a_group_ends_with_the_token_that_named_it() {
    let signer = Signer::new();
    let rules = "access: {rules: [{who: ['group:makers'], may: [pull, push], repositories: ['**']}]}";
    let apus = start(&signer, rules);
    let of = |groups: serde_json::Value| {
        let token = signer.token_with("alice", &["repository:a:*"], &json!({ "groups": groups }));
        As::bearer(&apus, &token)
    };
    of(json!(["makers"])).push("a", "layer").await;
    for groups in [json!([]), json!(["readers"]), json!(null)] {
        of(groups).ask("POST", "/v2/a/blobs/uploads/").await.expect(403);
    }
    of(json!(["makers"])).push("a", "another").await;
}
