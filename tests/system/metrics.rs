//! Metrics as those see them who watch a registry: on the page after real traffic over a real Swift, by a Prometheus that was set
//! up for registry:2, on the dashboard and in the alert rules of `contrib`.
//!
//! | file | what lives there |
//! |---|---|
//! | `contrib` | the dashboard, the rules and the documentation name nothing that does not exist |
//! | `promql` | what an expression names |
//! | `prometheus` | a Prometheus of the test's own |

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Options};
use apus_metrics::{Kind, METRICS};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::{HeaderMap, Method, StatusCode};

use crate::clients::programs::run;
use crate::support::client::{BoxError, with_digest};
use crate::support::content::{digest, random};
use crate::support::{Apus, Backend, Client};
use prometheus::Prometheus;

mod contrib;
mod prometheus;
mod promql;

/// A debug address with metrics, and a check.
pub(crate) const MEASURED: &str =
    "  debug: {addr: '127.0.0.1:0', prometheus: {enabled: true}}\nhealth: {storagedriver: {enabled: true}}";

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Metrics whose series are of what this registry is not configured to have: how they begin. Their own tests look at them.
const OF_OTHER_CONFIGURATIONS: [&str; 4] =
    ["registry_notifications_", "apus_notifications_", "registry_proxy_", "apus_proxy_"];

fn is_of_other(metric: &str) -> bool {
    OF_OTHER_CONFIGURATIONS.iter().any(|prefix| metric.starts_with(prefix))
}

/// What users do, and what goes wrong when they do.
pub(crate) async fn traffic(client: Client) {
    let small = client.push("a/b", random(1000)).await;
    let large = client.push_by_patch("a/b", random(3_000_000)).await;
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": small, "size": 1000 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": large, "size": 3_000_000 }],
    });
    let (path, headers) = ("/v2/a/b/manifests/latest", [("content-type", OCI_IMAGE)]);
    client.request(Method::PUT, path, &headers, manifest.to_string()).await.expect(201);
    client.request(Method::GET, path, &[("accept", OCI_IMAGE)], "").await.expect(200);
    for path in ["/v2/", "/v2/a/b/tags/list", "/v2/_catalog"] {
        client.get(path).await.expect(200);
    }
    let blob = format!("/v2/a/b/blobs/{large}");
    client.head(&blob).await.expect(200);
    client.get(&blob).await.expect(200);
    client.get("/v2/a/b/manifests/none").await.expect(404);

    let begun = client.post("/v2/a/b/blobs/uploads/").await.expect(202).location();
    let begun = client.patch(&begun, random(2000)).await.expect(202).location();
    client.request(Method::DELETE, &begun, &[], "").await.expect(204);
    let begun = client.post("/v2/a/b/blobs/uploads/").await.expect(202).location();
    client.put(&with_digest(&begun, &digest(b"other")), random(2000)).await.expect(400);
}

/// The page.
async fn page_of(apus: &Apus) -> String {
    let page = apus.debug().get("/metrics").await.expect(200);
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(page.body.to_vec()).unwrap()
}

/// The same, once all that clients did has come to its end here too.
async fn settled_page_of(apus: &Apus) -> String {
    let begun = Instant::now();
    loop {
        let page = page_of(apus).await;
        if sum(&page, "apus_connections ") == 0.0 {
            return page;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "connections stay open:\n{page}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The sum of all series that begin so.
fn sum(page: &str, series: &str) -> f64 {
    let values = page.lines().filter(|line| line.starts_with(series));
    values.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Every metric of the list is there after what users do, and nothing is recorded that the list does not have.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_what_a_running_registry_records() {
    let apus = Apus::start_with(Backend::swift_v3().storage(), MEASURED);
    traffic(apus.client()).await;
    let page = settled_page_of(&apus).await;
    for metric in METRICS {
        let suffix = if matches!(metric.kind, Kind::Histogram(_)) { "_count" } else { "" };
        let named = [' ', '{'].map(|next| format!("{}{suffix}{next}", metric.name));
        let shown = page.lines().any(|line| named.iter().any(|named| line.starts_with(named.as_str())));
        assert!(shown || is_of_other(metric.name), "{} is not there:\n{page}", metric.name);
    }
    for series in page.lines().filter(|line| !line.starts_with('#')) {
        let name = series.split(['{', ' ']).next().unwrap();
        let listed = METRICS.iter().any(|metric| name.starts_with(metric.name));
        assert!(listed, "{series}");
    }
    let log = apus.log().join("\n");
    assert!(!log.contains("it is not in the list of metrics"), "{log}");
}

/// The numbers are those of what was done.
#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_true() {
    let apus = Apus::start_with(Backend::swift_v3().storage(), MEASURED);
    traffic(apus.client()).await;
    let page = settled_page_of(&apus).await;
    for (series, value) in [
        ("apus_uploads_begun_total ", 4.0),
        ("apus_uploads_ended_total{outcome=\"finished\"}", 2.0),
        ("apus_uploads_ended_total{outcome=\"mismatched\"}", 1.0),
        ("apus_uploads_ended_total{outcome=\"cancelled\"}", 1.0),
        ("registry_http_requests_total{code=\"404\",handler=\"manifest\",method=\"get\"}", 1.0),
        ("registry_http_requests_total{code=\"202\",handler=\"blob_upload\",method=\"post\"}", 4.0),
        ("registry_http_response_size_bytes_sum{handler=\"blob\"}", 3_000_000.0),
        ("registry_http_request_size_bytes_sum{handler=\"blob_upload_chunk\"}", 3_005_000.0),
        ("registry_http_in_flight_requests", 0.0),
        ("apus_connections ", 0.0),
        ("apus_health_check_ok{check=\"storagedriver_swift\"}", 1.0),
        ("apus_swift_retries_total ", 0.0),
    ] {
        assert!((sum(&page, series) - value).abs() < 0.5, "{series} is not {value}:\n{page}");
    }
    for (series, least) in [
        ("apus_swift_requests_total{method=\"put\",status=\"201\",target=\"object\"}", 4.0),
        ("apus_swift_answer_seconds_count{method=\"put\",target=\"object\"}", 4.0),
        ("apus_swift_sign_ins_total{outcome=\"signed_in\"}", 1.0),
        ("apus_client_sent_bytes_total{client=\"swift\"}", 3_001_000.0),
        ("apus_client_received_bytes_total{client=\"swift\"}", 3_000_000.0),
        ("registry_storage_action_seconds_count{action=\"PutContent\",driver=\"swift\"}", 1.0),
        ("registry_storage_cache_total{type=\"Request\"}", 1.0),
        ("process_open_fds ", 5.0),
        ("process_resident_memory_bytes ", 1e6),
    ] {
        assert!(sum(&page, series) >= least, "{series} is below {least}:\n{page}");
    }
}

/// What goes wrong between Apus and Swift: each kind is told from the others.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_at_swift_is_counted() {
    let mut fake = FakeSwift::start(Options::default()).await.unwrap();
    let apus = Apus::start_with(Backend::fake_v1(&fake).storage(), MEASURED);
    let client = apus.client();
    client.push("a", random(1000)).await;

    fake.expire_tokens();
    client.push("a", random(1000)).await;
    let failure = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    fake.fault(Fault { method: Some(Method::PUT), ..Fault::once(failure) });
    client.push("a", random(1000)).await;
    let page = page_of(&apus).await;
    for (series, least) in [
        ("apus_swift_refused_tokens_total ", 1.0),
        ("apus_swift_sign_ins_total{outcome=\"signed_in\"}", 2.0),
        ("apus_swift_retries_total ", 1.0),
        ("apus_swift_retry_pause_seconds_count ", 1.0),
        ("apus_swift_requests_total{method=\"put\",status=\"503\",target=\"object\"}", 1.0),
    ] {
        assert!(sum(&page, series) >= least, "{series} is below {least}:\n{page}");
    }
    let abandoned = "apus_swift_requests_total{method=\"put\",status=\"abandoned\",target=\"object\"}";
    let unanswered = "apus_swift_requests_total{method=\"get\",status=\"none\",target=\"object\"}";
    assert!(sum(&page, abandoned) + sum(&page, unanswered) < 0.5, "{page}");

    // Two MiB, and no more of the three that were promised.
    let (content, upload) =
        (random(3 << 20), client.post("/v2/a/blobs/uploads/").await.expect(202).location());
    let pieces = stream::iter([content.slice(..1 << 20), content.slice(1 << 20..2 << 20)]);
    let broken = stream::once(async { Err("gone".into()) });
    let body = StreamBody::new(pieces.map(Frame::data).map(Ok::<_, BoxError>).chain(broken));
    let path = with_digest(&upload, &digest(&content));
    let length = content.len().to_string();
    let headers = [("content-length", length.as_str())];
    client.try_request(Method::PUT, &path, &headers, BodyExt::boxed(body)).await.unwrap_err();
    comes_to(&apus, abandoned).await;

    fake.go_away().await.unwrap();
    client.get(&format!("/v2/a/blobs/{}", digest(b"x"))).await.expect(503);
    comes_to(&apus, "apus_swift_requests_total{method=\"get\",status=\"none\",target=\"object\"}").await;
}

/// Waits until a series is more than zero.
async fn comes_to(apus: &Apus, series: &str) {
    let begun = Instant::now();
    loop {
        let page = page_of(apus).await;
        if sum(&page, series) > 0.5 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {series}\n{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Prometheus's own judge of pages has nothing against it.
#[tokio::test(flavor = "multi_thread")]
async fn promtool_accepts_the_page() {
    let apus = Apus::start_with(Backend::memory().storage(), MEASURED);
    traffic(apus.client()).await;
    let page = page_of(&apus).await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool: scripts/install-tools installs what the tests need");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let told = [judged.stdout, judged.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    // A gauge of registry 3 that has the name of a counter.
    let is_new = |line: &&str| !line.starts_with("registry_notifications_pending_total ");
    let told: Vec<&str> = told.lines().filter(is_new).collect();
    assert!(told.is_empty(), "{told:?}");
    assert!(matches!(judged.status.code(), Some(0 | 3)), "{}", judged.status);
}

/// A Prometheus that was set up for registry:2 goes on with Apus: nothing but the address is said, and the queries of dashboards for
/// registry:2 have answers. So has every panel of our own dashboard; and every rule can be evaluated, names nothing that does not
/// exist, and is silent while all is well.
#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_set_up_for_registry_2_goes_on() {
    let apus = Apus::start_with(Backend::swift_v3().storage(), MEASURED);
    traffic(apus.client()).await;
    let mut prometheus = Prometheus::start(&format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - job_name: registry\n  static_configs:\n  - targets: ['{}']\n",
        contrib::file("contrib/prometheus/apus.rules.yml").display(),
        apus.debug().address(),
    ));
    prometheus.comes_to("up{job=\"registry\"} == 1").await;
    traffic(apus.client()).await;
    prometheus.comes_to("count_over_time(apus_build_info[1m]) >= 4").await;

    for expression in [
        "sum(rate(registry_http_requests_total{code=~\"2..\"}[1m])) by (handler) > 0",
        "histogram_quantile(0.95, sum(rate(registry_http_request_duration_seconds_bucket[1m])) by (le, handler))",
        "sum(rate(registry_http_request_size_bytes_sum{handler=\"blob_upload_chunk\"}[1m])) > 0",
        "sum(rate(registry_http_response_size_bytes_sum[1m])) by (instance) > 0",
        "registry_http_in_flight_requests{handler=\"manifest\"}",
        "sum(rate(registry_storage_action_seconds_sum{driver=\"swift\"}[1m])) by (action)
           / sum(rate(registry_storage_action_seconds_count[1m])) by (action)",
        "registry_storage_cache_total{type=\"Hit\"} / ignoring(type) registry_storage_cache_total{type=\"Request\"}",
        "rate(process_cpu_seconds_total{job=\"registry\"}[1m])",
        "process_resident_memory_bytes{job=\"registry\"} > 0",
        "process_open_fds{job=\"registry\"} < process_max_fds",
        "time() - process_start_time_seconds{job=\"registry\"} >= 0",
    ] {
        assert!(!prometheus.query(expression).await.is_empty(), "nothing comes of {expression}");
    }
    for query in contrib::dashboard() {
        let expression = query.filled_in();
        let result = prometheus.query(&expression).await;
        let of_other = promql::read(&expression).metrics.iter().all(|selected| is_of_other(&selected.metric));
        assert!(!result.is_empty() || of_other, "{}: nothing comes of {expression}", query.panel);
    }

    prometheus.comes_to("apus_build_info and on () (count_over_time(apus_build_info[1m]) >= 6)").await;
    let groups = prometheus.ask("/api/v1/rules").await;
    let rules = groups["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 10, "{groups}");
    for rule in rules {
        let name = rule["name"].as_str().unwrap();
        assert_eq!(rule["health"], "ok", "{name}: {rule}");
        assert_eq!(rule["state"], "inactive", "{name}: {rule}");
        for annotation in ["summary", "description"] {
            let words = rule["annotations"][annotation].as_str().unwrap();
            contrib::check(name, rule["query"].as_str().unwrap(), words);
        }
    }
}

/// The rules are what Prometheus takes, and say what their tests say.
#[test]
fn the_rules_pass_their_own_tests() {
    let rules = contrib::file("contrib/prometheus/apus.rules.yml");
    let checked = run(Command::new("promtool").args(["check", "rules"]).arg(&rules));
    assert!(checked.contains("SUCCESS: "), "{checked}");
    let tested = run(Command::new("promtool")
        .args(["test", "rules", "apus.rules.test.yml"])
        .current_dir(rules.parent().unwrap()));
    assert!(tested.contains("SUCCESS"), "{tested}");
    // Each alert is looked at when all is well, and when it is not.
    let alerts = std::fs::read_to_string(&rules).unwrap();
    let tests = std::fs::read_to_string(rules.with_file_name("apus.rules.test.yml")).unwrap();
    for alert in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.matches(alert).count() >= 2, "{alert} is not tested");
    }
}
