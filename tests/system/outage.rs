//! A Swift that is not there, comes back, refuses the password or the container, forgets its tokens, or fails now and then.
//! Clients see a clear error or nothing at all; the operator finds the cause in the log; nobody has to start Apus again.

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Options, RequestKind};
use bytes::Bytes;
use futures_util::future::join_all;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

use crate::support::backend::FAKE_CONTAINER;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Answer, Apus, Backend, Client};

/// How long it may take until a Swift that is back is used again: longer than Apus ever waits to sign in again.
const RECOVERY: Duration = Duration::from_secs(40);

async fn fake(options: Options) -> FakeSwift {
    FakeSwift::start(options).await.unwrap()
}

/// The answers to one request of each sort that storage is needed for, asked all at once.
async fn needs_storage(client: Client) -> Vec<(String, Answer)> {
    let blob = format!("/v2/a/blobs/{}", digest(b"x"));
    let requests = [
        (Method::GET, blob.clone()),
        (Method::HEAD, blob),
        (Method::GET, "/v2/a/manifests/latest".into()),
        (Method::HEAD, "/v2/a/manifests/latest".into()),
        (Method::PUT, "/v2/a/manifests/latest".into()),
        (Method::GET, "/v2/a/tags/list".into()),
        (Method::POST, format!("/v2/a/blobs/uploads/?digest={}", digest(b"x"))),
        (Method::PATCH, "/v2/a/blobs/uploads/3fa0e6b3".into()),
        (Method::GET, "/v2/a/blobs/uploads/3fa0e6b3".into()),
    ];
    join_all(requests.map(|(method, path)| async move {
        let body = match method {
            Method::PUT => r#"{"schemaVersion":2,"layers":[]}"#,
            Method::POST | Method::PATCH => "x",
            _ => "",
        };
        let answer = client.request(method.clone(), &path, &[], body).await;
        (format!("{method} {path}"), answer)
    }))
    .await
}

/// Storage cannot be used, and all that need it are told so, and when to come back. Gives what they were told.
async fn is_unavailable(client: Client) -> String {
    let mut told = String::new();
    for (request, answer) in needs_storage(client).await {
        assert_eq!(answer.status, 503, "{request}: {answer:?}");
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{request}: {answer:?}");
        if !request.starts_with("HEAD") {
            assert_eq!(answer.code(), "UNAVAILABLE", "{request}: {answer:?}");
        }
        told += &String::from_utf8_lossy(&answer.body);
    }
    for internal in ["docker/registry", "apus/", "127.0.0.1", "AUTH_", "tester"] {
        assert!(!told.contains(internal), "{internal}: {told}");
    }
    // Somebody is there all the same: a restart would better nothing.
    client.get("/v2/").await.expect(200);
    client.get("/").await.expect(200);
    told
}

/// A push works, within the time that a recovery may take.
async fn recovers(apus: &Apus) {
    let client = apus.client();
    let begun = Instant::now();
    while client.get("/v2/nothing/tags/list").await.status != 404 {
        assert!(begun.elapsed() < RECOVERY, "no recovery within {RECOVERY:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("used again after {:.1} s", begun.elapsed().as_secs_f64());
    push_and_pull(client, "a").await;
}

/// Pushes an image in several ways, and pulls it again: every byte of it.
async fn push_and_pull(client: Client, repository: &str) {
    let layers = [random(1000), random(100_000), random(2_500_000)];
    let digests = [
        client.push(repository, layers[0].clone()).await,
        client.push_by_patch(repository, layers[1].clone()).await,
        client.push_by_patch(repository, layers[2].clone()).await,
    ];
    let manifest = client.push_manifest(repository, "latest", &digests).await;
    let by_tag = client.get(&format!("/v2/{repository}/manifests/latest")).await.expect(200);
    assert_eq!(digest(&by_tag.body), manifest);
    for (digest, layer) in digests.iter().zip(&layers) {
        let pulled = client.get(&format!("/v2/{repository}/blobs/{digest}")).await.expect(200);
        assert!(pulled.body == *layer);
    }
    client.get(&format!("/v2/{repository}/tags/list")).await.expect(200);
}

/// One line of the log comes to say all of this.
async fn comes_to_log(apus: &Apus, parts: &[&str]) {
    let begun = Instant::now();
    while !apus.log().iter().any(|line| parts.iter().all(|part| line.contains(part))) {
        let log = apus.log().join("\n");
        assert!(begun.elapsed() < Duration::from_secs(20), "no line with {parts:?}:\n{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Apus starts while its Swift is down, says in the log where it looked for it and what it met, answers 503 until it is
/// there, and then works: nobody starts it again.
#[tokio::test(flavor = "multi_thread")]
async fn it_starts_while_swift_is_down() {
    for backend in [Backend::fake_v1, Backend::fake_v3] {
        let mut fake = fake(Options::default()).await;
        fake.go_away().await.unwrap();
        let backend = backend(&fake);
        let apus = Apus::start(backend.storage());
        let address = fake.auth_url_v1();
        let address = address.trim_end_matches("/auth/v1.0");
        comes_to_log(&apus, &["Swift cannot be used", address, "refused", FAKE_CONTAINER]).await;
        is_unavailable(apus.client()).await;
        // Nor can an upload begin: its URL needs a secret that lies in storage.
        apus.client().post("/v2/a/blobs/uploads/").await.expect(503);
        comes_to_log(&apus, &["storage is unavailable", address, "refused"]).await;

        fake.come_back().await.unwrap();
        recovers(&apus).await;
    }
}

/// A Swift that goes away takes nothing with it: it is answered 503 while it is away, an upload that was begun before is
/// finished after, and what was stored is there.
#[tokio::test(flavor = "multi_thread")]
async fn swift_goes_away_and_comes_back() {
    let mut fake = fake(Options::default()).await;
    let apus = Apus::start(Backend::fake_v1(&fake).storage());
    let client = apus.client();
    push_and_pull(client, "before").await;
    let content = random(1_500_000);
    let begun = client.post("/v2/before/blobs/uploads/").await.expect(202).location();
    let upload = client.patch(&begun, content.slice(..1_200_000)).await.expect(202).location();

    fake.go_away().await.unwrap();
    let refused = client.patch(&upload, content.slice(1_200_000..)).await.expect(503);
    assert_eq!(refused.code(), "UNAVAILABLE");
    is_unavailable(client).await;

    fake.come_back().await.unwrap();
    recovers(&apus).await;
    let upload = client.patch(&upload, content.slice(1_200_000..)).await.expect(202).location();
    client.put(&with_digest(&upload, &digest(&content)), "").await.expect(201);
    let pulled = client.get(&format!("/v2/before/blobs/{}", digest(&content))).await.expect(200);
    assert!(pulled.body == content);
    client.get("/v2/before/manifests/latest").await.expect(200);
}

/// A wrong password: clients are told that the operator must act, the log names the user, the address and the answer, and
/// neither ever shows a secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    for backend in [Backend::fake_v1, Backend::fake_v3] {
        let fake = fake(Options::default()).await;
        let storage = backend(&fake).storage().replace("password: testing", "password: sesame-7d1f");
        let apus = Apus::start(&storage);
        let address = fake.auth_url_v1();
        let address = address.trim_end_matches("/auth/v1.0");
        comes_to_log(&apus, &["Swift cannot be used", address, "401", "tester", "check username, password"])
            .await;
        let told = is_unavailable(apus.client()).await;
        assert!(told.contains("refuses the registry's credentials"), "{told}");
        comes_to_log(&apus, &["storage refuses access", address, "401"]).await;
        let log = apus.log().join("\n");
        assert!(!log.contains("sesame-7d1f") && !told.contains("sesame-7d1f"), "{told}\n{log}");
        // A service that refuses is not asked a hundred times.
        let asked = fake.count(|request| request.kind == RequestKind::SignIn);
        assert!((1..=6).contains(&asked), "{asked} sign-ins");
    }
}

/// A container that is not there and cannot be made: clients are told that the operator must act, the log names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_cannot_be_made() {
    let fake = fake(Options { may_create_containers: false, ..Options::default() }).await;
    let apus = Apus::start(Backend::fake_v3(&fake).storage());
    let named = format!(r#"container \"{FAKE_CONTAINER}\""#);
    comes_to_log(&apus, &["Swift cannot be used", "403", &named, "none can be made"]).await;
    let told = is_unavailable(apus.client()).await;
    assert!(told.contains("its operator must act"), "{told}");

    // The operator makes it, and that is all.
    fake.create_container(FAKE_CONTAINER);
    recovers(&apus).await;
}

/// A container that is missing is made, as registry:2 does, and only once.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_container_is_made() {
    let fake = fake(Options::default()).await;
    let apus = Apus::start(Backend::fake_v1(&fake).storage());
    push_and_pull(apus.client(), "a").await;
    let made = fake.count(|request| request.method == Method::PUT && request.kind == RequestKind::Container);
    assert_eq!(made, 1);
    comes_to_log(&apus, &["made the container", FAKE_CONTAINER]).await;
}

/// A token that ends in the middle is renewed, and no client notices: not between the steps of a push, not between two
/// chunks.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_invisible() {
    for backend in [Backend::fake_v1, Backend::fake_v3] {
        let fake = fake(Options::default()).await;
        let apus = Apus::start(backend(&fake).storage());
        let client = apus.client();
        push_and_pull(client, "a").await;
        let signed_in = || fake.count(|request| request.kind == RequestKind::SignIn);
        let before = signed_in();

        let content = random(4_000_000);
        fake.expire_tokens();
        let mut location = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
        for chunk in content.chunks(1_300_000) {
            fake.expire_tokens();
            location = client.patch(&location, Bytes::copy_from_slice(chunk)).await.expect(202).location();
        }
        fake.expire_tokens();
        let digest = digest(&content);
        client.put(&with_digest(&location, &digest), "").await.expect(201);
        for size in [1000, 2_500_000] {
            fake.expire_tokens();
            client.push("a", random(size)).await;
        }
        fake.expire_tokens();
        client.push_manifest("a", "latest", std::slice::from_ref(&digest)).await;
        for path in ["/v2/a/manifests/latest", "/v2/a/tags/list", &format!("/v2/a/blobs/{digest}")] {
            fake.expire_tokens();
            client.get(path).await.expect(200);
        }
        // Four chunks, the end, two blobs, a manifest, three reads: each met a token that was no good.
        assert!(signed_in() - before >= 11, "{} sign-ins", signed_in() - before);
        assert!(fake.count(|request| request.status == Some(StatusCode::UNAUTHORIZED)) >= 11);
    }
}

/// Failures that another try mends are mended, whichever request they meet: no client sees one of them.
#[tokio::test(flavor = "multi_thread")]
async fn passing_failures_are_invisible() {
    let fake = fake(Options::default()).await;
    let apus = Apus::start(Backend::fake_v1(&fake).storage());
    push_and_pull(apus.client(), "warm").await;
    let mut wait = HeaderMap::new();
    wait.insert("retry-after", HeaderValue::from_static("1"));
    let failures = [
        Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new()),
        Action::Status(StatusCode::SERVICE_UNAVAILABLE, wait),
        Action::Status(StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new()),
        Action::Status(StatusCode::TOO_MANY_REQUESTS, HeaderMap::new()),
        Action::Reset,
    ];
    for (number, action) in failures.into_iter().enumerate() {
        for (method, skip) in
            [(Method::PUT, 0), (Method::PUT, 2), (Method::GET, 0), (Method::GET, 2), (Method::DELETE, 0)]
        {
            fake.fault(Fault { method: Some(method), skip, ..Fault::once(action.clone()) });
        }
        push_and_pull(apus.client(), &format!("faulty{number}")).await;
        assert_eq!(fake.faults_left(), 0);
    }
    // What was done, and whose answer was lost, is not done wrongly for being done twice.
    for action in [Action::ResetAfterDone, Action::DoneButStatus(StatusCode::SERVICE_UNAVAILABLE)] {
        for place in ["/files/", "/apus/"] {
            let lost = Fault {
                method: Some(Method::PUT),
                path_contains: place.into(),
                ..Fault::once(action.clone())
            };
            fake.fault(lost);
        }
        push_and_pull(apus.client(), "lost").await;
        assert_eq!(fake.faults_left(), 0);
    }
    comes_to_log(&apus, &["trying again"]).await;
}

/// A pull that breaks in the middle at Swift goes on from where it broke, and the client sees nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_breaks_goes_on() {
    let fake = fake(Options::default()).await;
    let apus = Apus::start(Backend::fake_v1(&fake).storage());
    let client = apus.client();
    let content = random(2_500_000);
    let digest = client.push("a", content.clone()).await;
    fake.fault(Fault { path_contains: "/data".into(), ..Fault::once(Action::TruncateBody(1_000_000)) });
    assert!(client.get(&format!("/v2/a/blobs/{digest}")).await.expect(200).body == content);
    assert_eq!(fake.faults_left(), 0);
}

/// Where it cannot go on it breaks for the client too: it is never taken for whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_breaks_is_not_taken_for_whole() {
    let fake = fake(Options::default()).await;
    let apus = Apus::start(Backend::fake_v1(&fake).storage());
    let client = apus.client();
    let content = random(2_500_000);
    let digest = client.push("a", content.clone()).await;
    let path = format!("/v2/a/blobs/{digest}");
    let of_the_blob = |fault: Fault| Fault { path_contains: "/data".into(), ..fault };
    fake.fault(of_the_blob(Fault::once(Action::TruncateBody(1_000_000))));
    let away = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    fake.fault(of_the_blob(Fault::always(away)));
    let request = hyper::Request::builder().uri(&path).header("host", "apus");
    let broken = client.try_send(request.body(crate::support::client::full("")).unwrap()).await;
    assert!(broken.is_err(), "{:?}", broken.map(|answer| answer.status));
    comes_to_log(&apus, &["an answer broke off"]).await;
    fake.clear_faults();
    assert!(client.get(&path).await.expect(200).body == content);
}
