//! Health on the debug address: registry:2's page with its four checks, and what a probe asks. A check that fails shuts nothing:
//! what can be answered is answered.

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Options};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::{HeaderMap, Method, StatusCode};
use tokio::net::TcpListener;

use crate::support::backend::FAKE_CONTAINER;
use crate::support::client::{streamed, with_digest};
use crate::support::content::{digest, random};
use crate::support::{Answer, Apus, Backend, Client};

/// How long it may take until a change is seen: much longer than it takes.
const SOON: Duration = Duration::from_mins(1);

/// A debug address, and these checks.
fn with(checks: &str) -> String {
    format!("  debug: {{addr: '127.0.0.1:0'}}\nhealth:\n{checks}")
}

/// Waits until a page says this, and answers it.
async fn comes(client: Client, path: &str, status: u16, words: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = client.get(path).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status == status && text.contains(words) {
            return answer;
        }
        assert!(
            begun.elapsed() < SOON,
            "{path} does not come to {status} {words:?}: {} {text}",
            answer.status
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn json(answer: &Answer) -> serde_json::Value {
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    serde_json::from_slice(&answer.body).unwrap()
}

/// The page is that of registry:2: 200 with an empty object, 503 with what fails and why. The replica stays ready while the storage
/// that all replicas share is away, and alive in any case.
#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_goes_away_and_comes_back() {
    let mut fake = FakeSwift::start(Options::default()).await.unwrap();
    let checks = "  storagedriver: {enabled: true, interval: 200ms, threshold: 2}";
    let apus = Apus::start_with(Backend::fake_v1(&fake).storage(), &with(checks));
    let debug = apus.debug();
    comes(debug, "/debug/ready", 200, "ready\n").await;
    let well = comes(debug, "/debug/health", 200, "").await;
    assert_eq!(well.body, "{}");
    assert_eq!(json(&well), serde_json::json!({}));

    fake.go_away().await.unwrap();
    let unwell = comes(debug, "/debug/health", 503, "storagedriver_swift").await;
    let told = json(&unwell);
    assert_eq!(told.as_object().unwrap().len(), 1, "{told}");
    assert!(
        told["storagedriver_swift"].as_str().unwrap().contains("the storage backend is unavailable"),
        "{told}"
    );
    apus.until_it_logs("a health check fails").await;
    debug.get("/debug/live").await.expect(200);
    debug.get("/debug/ready").await.expect(200);
    for path in ["/", "/v2/"] {
        apus.client().get(path).await.expect(200);
    }

    fake.come_back().await.unwrap();
    assert_eq!(comes(debug, "/debug/health", 200, "").await.body, "{}");
    apus.until_it_logs("a health check is well again").await;
}

/// A replica whose storage has never answered is not ready, whether or not that is checked later, and becomes ready by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_not_ready_before_its_storage_has_answered() {
    let mut fake = FakeSwift::start(Options::default()).await.unwrap();
    fake.go_away().await.unwrap();
    let apus = Apus::start_with(Backend::fake_v3(&fake).storage(), "  debug: {addr: '127.0.0.1:0'}");
    let debug = apus.debug();
    let not_ready = debug.get("/debug/ready").await.expect(503);
    assert_eq!(not_ready.body, "not ready: the storage has not answered since the start\n");
    debug.get("/debug/live").await.expect(200);
    debug.get("/debug/health").await.expect(200);
    fake.come_back().await.unwrap();
    comes(debug, "/debug/ready", 200, "ready").await;
}

/// The check fails, for nothing can be listed; who pulls or pushes notices nothing of it, where registry:2 answers 503 to all.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_fails_shuts_nothing() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let checks = "  storagedriver: {enabled: true, interval: 200ms}";
    let apus = Apus::start_with(Backend::fake_v1(&fake).storage(), &with(checks));
    let client = apus.client();
    let layer = client.push("a", random(100_000)).await;
    client.push_manifest("a", "latest", std::slice::from_ref(&layer)).await;

    let broken = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    let listings = format!("/{FAKE_CONTAINER}?");
    fake.fault(Fault { method: Some(Method::GET), path_contains: listings, ..Fault::always(broken.clone()) });
    comes(apus.debug(), "/debug/health", 503, "storagedriver_swift").await;
    client.get("/v2/a/manifests/latest").await.expect(200);
    client.get(&format!("/v2/a/blobs/{layer}")).await.expect(200);
    client.push("a", random(100_000)).await;
    client.get("/v2/a/tags/list").await.expect(503);

    // And where only writes fail, only writes are refused.
    fake.clear_faults();
    comes(apus.debug(), "/debug/health", 200, "{}").await;
    fake.fault(Fault { method: Some(Method::PUT), ..Fault::always(broken) });
    let content = random(1000);
    let begun = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
    let refused = client.put(&with_digest(&begun, &digest(&content)), content).await.expect(503);
    assert_eq!(refused.code(), "UNAVAILABLE");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    client.get("/v2/a/manifests/latest").await.expect(200);
    client.get(&format!("/v2/a/blobs/{layer}")).await.expect(200);
    client.get("/v2/a/tags/list").await.expect(200);
}

/// The file is a person's switch: it takes this replica out of the balancer, but not away from who comes all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_takes_a_replica_out() {
    let directory = tempfile::tempdir().unwrap();
    let down = directory.path().join("down");
    let checks = format!("  file: [{{file: {}, interval: 200ms}}]", down.display());
    let apus = Apus::start_with(Backend::memory().storage(), &with(&checks));
    let debug = apus.debug();
    comes(debug, "/debug/ready", 200, "").await;
    std::fs::write(&down, "").unwrap();
    let told = json(&comes(debug, "/debug/health", 503, "").await);
    assert_eq!(told, serde_json::json!({ down.to_str().unwrap(): "file exists" }));
    let not_ready = debug.get("/debug/ready").await.expect(503);
    assert_eq!(not_ready.body, format!("not ready: the file {} says so\n", down.display()));
    debug.get("/debug/live").await.expect(200);
    apus.client().push("a", random(1000)).await;
    std::fs::remove_file(&down).unwrap();
    comes(debug, "/debug/ready", 200, "").await;
    comes(debug, "/debug/health", 200, "{}").await;
}

/// Other services: one by HTTP, another Apus, and one by its port. Each is told by its name, without what may be a secret.
#[tokio::test(flavor = "multi_thread")]
async fn services() {
    let other = Apus::start(Backend::memory().storage());
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (by_http, by_tcp) = (other.address(), port.local_addr().unwrap());
    let checks = format!(
        "  http: [{{uri: 'http://{by_http}/v2/?key=hunter2', headers: {{Authorization: [hunter3]}}, interval: 200ms, threshold: 2}}]\n  \
         tcp: [{{addr: '{by_tcp}', timeout: 5s, interval: 200ms}}]"
    );
    let apus = Apus::start_with(Backend::memory().storage(), &with(&checks));
    let debug = apus.debug();
    other.until_it_logs("\"HEAD\"").await;
    comes(debug, "/debug/health", 200, "{}").await;

    drop(port);
    other.kill();
    let http = format!("http://{by_http}/v2/");
    let told = json(&comes(debug, "/debug/health", 503, &http).await);
    let both = json(&comes(debug, "/debug/health", 503, &format!("connection to {by_tcp} failed")).await);
    assert_eq!(both.as_object().unwrap().len(), 2, "{both}");
    assert!(both[&http].as_str().unwrap().contains("refused"), "{both}");
    let everything = format!("{told}{both}{}", apus.log().join("\n"));
    assert!(!everything.contains("hunter"), "{everything}");
    comes(debug, "/debug/ready", 200, "").await;
    apus.client().get("/v2/").await.expect(200);
}

/// Who is asked to stop is not ready from then on, while the last requests end.
#[tokio::test(flavor = "multi_thread")]
async fn who_stops_is_not_ready() {
    let more = "  draintimeout: 30s\n  debug: {addr: '127.0.0.1:0', prometheus: {enabled: true}}";
    let mut apus = Apus::start_with(Backend::memory().storage(), more);
    let debug = apus.debug();
    comes(debug, "/debug/ready", 200, "").await;
    let (client, content) = (apus.client(), random(1000));
    let begun = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (first, second) = (content.slice(..500), content.slice(500..));
    let last = stream::once(async move {
        ended.await.unwrap();
        second
    });
    let body = streamed(stream::iter([first]).chain(last));
    let path = with_digest(&begun, &digest(&content));
    let pushing = tokio::spawn(async move { client.try_request(Method::PUT, &path, &[], body).await });
    let under_way = "registry_http_in_flight_requests{handler=\"blob_upload_chunk\"} 1\n";
    comes(debug, "/metrics", 200, under_way).await;

    apus.terminate();
    let stopping = comes(debug, "/debug/ready", 503, "the registry stops").await;
    assert_eq!(stopping.body, "not ready: the registry stops\n");
    debug.get("/debug/live").await.expect(200);
    end.send(()).unwrap();
    pushing.await.unwrap().unwrap().expect(201);
    assert!(apus.wait(SOON).success());
}

/// Go's profiles are asked for by habit; the answer says what to use.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_for_profiles_is_told() {
    let apus = Apus::start_with(Backend::memory().storage(), "  debug: {addr: '127.0.0.1:0'}");
    for path in ["/debug/pprof", "/debug/pprof/"] {
        let page = apus.debug().get(path).await.expect(200);
        let text = String::from_utf8_lossy(&page.body).into_owned();
        assert!(text.contains("perf record") && text.contains("docs/operate.md"), "{text}");
    }
    let absent = apus.debug().get("/debug/vars").await.expect(404);
    assert!(String::from_utf8_lossy(&absent.body).contains("/debug/health"), "{absent:?}");
    // Nothing of it is where clients are.
    apus.client().get("/debug/health").await.expect(404);
}

/// Without a debug address the checks are made all the same, and told in the log.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_debug_address() {
    let directory = tempfile::tempdir().unwrap();
    let down = directory.path().join("down");
    std::fs::write(&down, Bytes::new()).unwrap();
    let checks = format!("health:\n  file: [{{file: {}, interval: 200ms}}]", down.display());
    let apus = Apus::start_with(Backend::memory().storage(), &checks);
    apus.until_it_logs("http.debug.addr, where they would be shown, is not set").await;
    apus.until_it_logs("a health check fails").await;
    apus.client().push("a", random(1000)).await;
}
