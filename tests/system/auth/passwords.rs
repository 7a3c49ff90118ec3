//! htpasswd, request by request.

use hyper::Method;

use super::{ALICE, As, BOB, Closed, KINDS, basic};
use crate::support::client::{full, with_digest};
use crate::support::content::digest;
use crate::support::receiver::Receiver;

fn method(name: &str) -> Method {
    name.parse().unwrap()
}

/// Promise: without a right password every request is refused, with the challenge and registry:2's code; with one, none is.
#[tokio::test]
async fn every_route_asks() {
    let closed = Closed::start("");
    let client = closed.apus.client();
    let wrong =
        [None, Some(basic("alice:wrong")), Some(basic("eve:open sesame")), Some("Bearer a.b.c".into())];
    let kinds = KINDS.map(|(method, rest)| (method, format!("/v2/team/app/{rest}")));
    let base = [("GET", "/v2/".to_owned()), ("GET", "/v2/_catalog".to_owned())];
    for (name, path) in kinds.iter().chain(&base) {
        for header in &wrong {
            let headers: Vec<_> = header.iter().map(|header| ("authorization", header.as_str())).collect();
            let answer = client.request(method(name), path, &headers, "").await.expect(401);
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Apus\"", "{name} {path}");
            assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
            if *name != "HEAD" {
                assert_eq!(answer.code(), "UNAUTHORIZED", "{name} {path}");
            }
        }
        let header = basic(ALICE);
        let answer = client.request(method(name), path, &[("authorization", &header)], "").await;
        assert_ne!(answer.status, 401, "{name} {path}");
    }
    client.get("/").await.expect(200);
    closed.apus.until_it_logs("the user or the password is wrong").await;
    let log = closed.apus.log().join("\n");
    assert!(!log.contains("sesame") && !log.contains(&basic("alice:wrong")), "{log}");
}

/// Promise: version 1 asks in the same way, and refuses in its own form, whatever for.
#[tokio::test]
async fn version_1_asks_too() {
    let closed = Closed::start("v1: {enabled: true}\n");
    let error = |answer: &crate::support::Answer| {
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told.as_object().unwrap().len(), 1, "{told}");
        told["error"].as_str().unwrap().to_owned()
    };
    for client in [As::nobody(&closed.apus), As::user(&closed.apus, "alice:wrong")] {
        for (method, path) in
            [("GET", "/v1/users/"), ("GET", "/v1/repositories/a/tags"), ("PUT", "/v1/repositories/a/")]
        {
            let refused = client.ask(method, path).await.expect(401);
            assert_eq!(refused.header("www-authenticate"), "Basic realm=\"Apus\"", "{method} {path}");
            assert_ne!(error(&refused), "", "{method} {path}");
        }
    }
    let alice = As::user(&closed.apus, ALICE);
    alice.ask("GET", "/v1/users/").await.expect(200);
    assert_eq!(error(&alice.ask("GET", "/v1/repositories/a/tags").await.expect(404)), "Repository not found");

    closed.apus.reconfigure("  delete: {enabled: true}", "  maintenance: {readonly: {enabled: true}}");
    closed.apus.until_it_logs("the configuration was read again").await;
    let refused = alice.ask("PUT", "/v1/repositories/a/tags/b").await.expect(405);
    assert_eq!(refused.header("allow"), "GET, HEAD");
    assert_ne!(error(&refused), "");
}

/// Promise: who is refused sends nothing: the answer comes while the client waits for `100 Continue`, and no content is asked
/// for.
#[tokio::test]
async fn a_refusal_comes_before_the_content() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let closed = Closed::start("");
    let mut stream = tokio::net::TcpStream::connect(closed.apus.address()).await.unwrap();
    let head = "PUT /v2/a/manifests/b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(std::str::from_utf8(&begin).unwrap(), "HTTP/1.1 401");
}

/// Promise: the file is read again when it changes, and while it is gone nobody is let in by it: 503, not 401.
#[tokio::test]
async fn users_come_and_go_without_a_restart() {
    let closed = Closed::start("");
    let client = closed.apus.client();
    let (alice, bob) = (basic(ALICE), basic(BOB));
    let status = async |header: &str| {
        client.request(Method::GET, "/v2/", &[("authorization", header)], "").await.status.as_u16()
    };
    let until = async |header: &str, expected: u16| {
        let begun = std::time::Instant::now();
        while status(header).await != expected {
            assert!(begun.elapsed().as_secs() < 60, "it never answers {expected}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    assert_eq!((status(&alice).await, status(&bob).await), (200, 200));
    let (_alice, without_alice) = super::USERS.split_once('\n').unwrap();
    std::fs::write(&closed.users, without_alice).unwrap();
    until(&alice, 401).await;
    assert_eq!(status(&bob).await, 200);

    std::fs::remove_file(&closed.users).unwrap();
    until(&bob, 503).await;
    let answer = client.request(Method::GET, "/v2/", &[("authorization", &bob)], "").await.expect(503);
    assert_eq!(answer.code(), "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), "60");
    std::fs::write(&closed.users, super::USERS).unwrap();
    until(&bob, 200).await;
}

/// Promise: who has signed in pushes and pulls as ever.
#[tokio::test]
async fn a_push_and_a_pull() {
    let closed = Closed::start("");
    let client = closed.apus.client();
    let header = basic(ALICE);
    let credentials = [("authorization", header.as_str())];
    let begun = client.request(Method::POST, "/v2/a/blobs/uploads/", &credentials, "").await.expect(202);
    let name = digest(b"layer");
    let finish = with_digest(&begun.location(), &name);
    client.try_request(Method::PUT, &finish, &[], full("layer")).await.unwrap().expect(401);
    client.request(Method::PUT, &finish, &credentials, "layer").await.expect(201);
    let path = format!("/v2/a/blobs/{name}");
    client.get(&path).await.expect(401);
    assert_eq!(client.request(Method::GET, &path, &credentials, "").await.expect(200).body, "layer");
    closed.apus.until_it_logs("\"auth.user.name\":\"alice\"").await;
    let listed = client.request(Method::GET, "/v2/_catalog", &credentials, "").await.expect(200);
    assert_eq!(listed.body, "{\"repositories\":[\"a\"]}");
}

/// Promise: events say who it was: the name that was proven; nobody, where nobody has signed in; and who is refused makes none.
#[tokio::test]
async fn events_name_who_signed_in() {
    const RULES: &str = "\
access:
  rules:
    - {who: [everyone], may: [pull], repositories: ['**']}
    - {who: [signedin], may: [push], repositories: ['**']}
";
    let receiver = Receiver::start().await;
    let told =
        format!("notifications: {{endpoints: [{{name: hook, url: 'http://{}'}}]}}\n", receiver.address);
    let closed = Closed::start(&(RULES.to_owned() + &told));
    let apus = &closed.apus;
    let layer = As::user(apus, ALICE).push("a", "layer").await;
    As::user(apus, BOB).put("a", "latest", &layer).await.expect(201);
    As::user(apus, "alice:wrong").put("a", "latest", &layer).await.expect(401);
    As::nobody(apus).put("a", "latest", &layer).await.expect(401);
    As::nobody(apus).ask("GET", "/v2/a/manifests/latest").await.expect(200);
    As::user(apus, ALICE).ask("GET", "/v2/a/manifests/latest").await.expect(200);
    let events = receiver.until(4).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["action"].as_str().unwrap(), event["actor"]["name"].as_str()))
        .collect();
    let expected = [("push", Some("alice")), ("push", Some("bob")), ("pull", None), ("pull", Some("alice"))];
    assert_eq!(told, expected);
}
