use apus_auth::{Permission, Policy, Rule, Who};
use http::{HeaderValue, Method};
use http_body_util::BodyExt;

use super::*;
use crate::Route;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a request needs, as a token server is asked for it; a word where nobody is asked.
fn asked(method: &Method, path: &str) -> String {
    let action = Action::new(method, Route::parse(path).unwrap()).unwrap();
    needed(&action).map_or("nothing".to_owned(), |needed| apus_auth::Scope(&needed).to_string())
}

#[test]
fn each_action_needs_what_registry_2_asks_for() {
    let (get, head, put, post, patch, delete) =
        (Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::PATCH, Method::DELETE);
    for (method, path, scope) in [
        (&get, "/", "nothing"),
        (&get, "/v2/", ""),
        (&head, "/v2/", ""),
        (&get, "/v2/token", "nothing"),
        (&post, "/v2/token", "nothing"),
        (&get, "/v2/_catalog", "registry:catalog:*"),
        (&get, "/v2/a/b/tags/list", "repository:a/b:pull"),
        (&get, "/v2/a/b/manifests/latest", "repository:a/b:pull"),
        (&head, "/v2/a/b/manifests/latest", "repository:a/b:pull"),
        (&put, "/v2/a/b/manifests/latest", "repository:a/b:pull,push"),
        (&delete, "/v2/a/b/manifests/latest", "repository:a/b:delete"),
        (&get, "/v2/a/b/blobs/DIGEST", "repository:a/b:pull"),
        (&head, "/v2/a/b/blobs/DIGEST", "repository:a/b:pull"),
        (&delete, "/v2/a/b/blobs/DIGEST", "repository:a/b:delete"),
        (&get, "/v2/a/b/referrers/DIGEST", "repository:a/b:pull"),
        (&post, "/v2/a/b/blobs/uploads/", "repository:a/b:pull,push"),
        (&get, "/v2/a/b/blobs/uploads/u", "repository:a/b:pull"),
        (&patch, "/v2/a/b/blobs/uploads/u", "repository:a/b:pull,push"),
        (&put, "/v2/a/b/blobs/uploads/u", "repository:a/b:pull,push"),
        (&delete, "/v2/a/b/blobs/uploads/u", "repository:a/b:pull,push"),
    ] {
        assert_eq!(asked(method, &path.replace("DIGEST", DIGEST)), scope, "{method} {path}");
    }
}

#[test]
fn what_a_mount_asks_for_beside() {
    let of = |query: &str| {
        let uri = format!("/v2/a/blobs/uploads/?{query}").parse().unwrap();
        let action = Action::new(&Method::POST, Route::parse("/v2/a/blobs/uploads/").unwrap()).unwrap();
        mounted(&action, &uri).map(|access| apus_auth::Scope(&[access]).to_string())
    };
    assert_eq!(of(&format!("mount={DIGEST}&from=b/c")).as_deref(), Some("repository:b/c:pull"));
    for nothing in ["", "from=b/c", &format!("mount={DIGEST}"), &format!("mount={DIGEST}&from=B")] {
        assert_eq!(of(nothing), None, "{nothing}");
    }
}

fn read_only() -> Authorization {
    let rule = Rule {
        who: vec![Who::Everyone],
        may: vec![Permission::Pull],
        repositories: vec!["**".parse().unwrap()],
    };
    Authorization::new(Gate::new(SignIn::Open, Some(Policy { rules: vec![rule], ..Policy::default() })), None)
}

async fn ask(authorization: &Authorization, method: Method, headers: &HeaderMap) -> Result<Permit, Refused> {
    let uri: Uri = "/v2/a/manifests/b".parse().unwrap();
    let action = Action::new(&method, Route::parse(uri.path()).unwrap()).unwrap();
    let asking = Asking { uri: &uri, headers, forwarded: None, token_url: None };
    authorization.ask(&action, asking).await
}

#[tokio::test]
async fn a_denial_says_what_was_asked_for_and_who_asked() {
    let authorization = read_only();
    assert!(ask(&authorization, Method::GET, &HeaderMap::new()).await.is_ok());
    let Err(refused) = ask(&authorization, Method::DELETE, &HeaderMap::new()).await else { panic!("let in") };
    assert_eq!(refused.identity, Some(Identity::anonymous()));
    let answer = refused.failure.answer();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.headers().contains_key(header::WWW_AUTHENTICATE));
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body["errors"][0],
        json!({ "code": "DENIED", "message": DENIED, "detail": [
            { "Type": "repository", "Class": "", "Name": "a", "Action": "delete" }
        ] })
    );
}

#[tokio::test]
async fn two_sets_of_credentials_are_refused_whoever_may_do_what() {
    let mut headers = HeaderMap::new();
    headers.append(header::AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
    headers.append(header::AUTHORIZATION, HeaderValue::from_static("Basic YTpj"));
    let Err(refused) = ask(&Authorization::default(), Method::GET, &headers).await else { panic!("let in") };
    assert_eq!(refused.failure.answer().status(), StatusCode::BAD_REQUEST);
}

#[test]
fn a_header_that_is_no_text_is_not_absent() {
    let mut headers = HeaderMap::new();
    assert_eq!(credentials(&headers).ok(), Some(None));
    headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(b"Basic \xff").unwrap());
    assert_eq!(credentials(&headers).ok(), Some(Some("")));
}
