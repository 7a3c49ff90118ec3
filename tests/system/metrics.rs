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

use apus_metrics::{Kind, METRICS};
use hyper::Method;

use crate::clients::programs::run;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Apus, Backend, Client};
use prometheus::Prometheus;

mod contrib;
mod prometheus;
mod promql;

/// A debug address with metrics, and a check.
const MEASURED: &str =
    "  debug: {addr: '127.0.0.1:0', prometheus: {enabled: true}}\nhealth: {storagedriver: {enabled: true}}";

/// Metrics of which this traffic makes no series, and why.
const WITHOUT_SERIES: &[(&str, &str)] = &[];

/// What users do, and what goes wrong when they do.
async fn traffic(client: Client) {
    let small = client.push("a/b", random(1000)).await;
    let large = client.push_by_patch("a/b", random(3_000_000)).await;
    client.push_manifest("a/b", "latest", &[small, large.clone()]).await;
    for path in ["/v2/", "/v2/a/b/manifests/latest", "/v2/a/b/tags/list", "/v2/_catalog"] {
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

/// The page, without what describes it: each series with its value.
async fn page(apus: &Apus) -> String {
    let page = apus.debug().get("/metrics").await.expect(200);
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    String::from_utf8(page.body.to_vec()).unwrap()
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
    let page = page(&apus).await;
    for metric in METRICS {
        let suffix = if matches!(metric.kind, Kind::Histogram(_)) { "_count" } else { "" };
        let named = [' ', '{'].map(|next| format!("{}{suffix}{next}", metric.name));
        let shown = page.lines().any(|line| named.iter().any(|named| line.starts_with(named.as_str())));
        let excused = WITHOUT_SERIES.iter().find(|(name, _)| *name == metric.name);
        assert_eq!(shown, excused.is_none(), "{}: {excused:?}\n{page}", metric.name);
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
    let page = page(&apus).await;
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

/// Prometheus's own judge of pages has nothing against it.
#[tokio::test(flavor = "multi_thread")]
async fn promtool_accepts_the_page() {
    let apus = Apus::start_with(Backend::memory().storage(), MEASURED);
    traffic(apus.client()).await;
    let page = page(&apus).await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool: scripts/install-tools installs what the tests need");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&judged.stdout), String::from_utf8_lossy(&judged.stderr));
    assert!(judged.status.success() && told.is_empty(), "{told}");
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
        let result = prometheus.query(&query.filled_in()).await;
        assert!(!result.is_empty(), "{}: nothing comes of {}", query.panel, query.filled_in());
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
