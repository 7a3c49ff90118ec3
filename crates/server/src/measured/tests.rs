use apus_metrics::Recorder;
use apus_registry::{Registry, RegistryOptions};
use apus_storage::MemoryStorage;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use super::*;
use crate::{App, AppOptions};

/// Asks, one after the other, for what each case says; answers what was recorded.
fn recorded(cases: &[(Method, &str, &'static str)]) -> Vec<String> {
    let recorder = Recorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let registry = Registry::new(Arc::new(MemoryStorage::new()), RegistryOptions::default());
            let app = App::new(registry, AppOptions::default());
            for (method, path, content) in cases {
                let content = Full::new(Bytes::from_static(content.as_bytes()));
                let request = Request::builder().method(method).uri(*path).body(content).unwrap();
                let answer = app.clone().oneshot(request).await.unwrap();
                let _ = answer.into_body().collect().await;
            }
        });
    });
    recorder.render().lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_shows(recorded: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(recorded.iter().any(|shown| shown == line), "{line} is not in\n{}", recorded.join("\n"));
    }
}

#[test]
fn a_request_is_recorded_as_registry_2_does() {
    let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let push = format!("/v2/a/b/blobs/uploads/?digest={hello}");
    let pull = format!("/v2/a/b/blobs/{hello}");
    let recorded = recorded(&[
        (Method::GET, "/v2/", ""),
        (Method::POST, &push, "hello"),
        (Method::GET, &pull, ""),
        (Method::HEAD, &pull, ""),
        (Method::GET, "/v2/a/b/manifests/none", ""),
    ]);
    assert_shows(
        &recorded,
        &[
            "registry_http_requests_total{code=\"200\",handler=\"base\",method=\"get\"} 1",
            "registry_http_requests_total{code=\"201\",handler=\"blob_upload\",method=\"post\"} 1",
            "registry_http_requests_total{code=\"200\",handler=\"blob\",method=\"get\"} 1",
            "registry_http_requests_total{code=\"200\",handler=\"blob\",method=\"head\"} 1",
            "registry_http_requests_total{code=\"404\",handler=\"manifest\",method=\"get\"} 1",
            "registry_http_request_size_bytes_sum{handler=\"blob_upload\"} 5",
            "registry_http_request_size_bytes_count{handler=\"blob_upload\"} 1",
            "registry_http_response_size_bytes_sum{handler=\"blob\"} 5",
            "registry_http_response_size_bytes_count{handler=\"blob\"} 2",
            "registry_http_request_duration_seconds_count{handler=\"blob\",method=\"get\"} 1",
            "registry_http_in_flight_requests{handler=\"blob\"} 0",
            "apus_http_answer_seconds_count{handler=\"blob\",method=\"get\"} 1",
        ],
    );
}

/// What a client makes up never becomes a label.
#[test]
fn a_client_cannot_make_labels() {
    let method = |name: &str| Method::from_bytes(name.as_bytes()).unwrap();
    let recorded = recorded(&[
        (Method::GET, "/no/such/path", ""),
        (Method::GET, "/v2/UPPER/tags/list", ""),
        (method("MADEUP"), "/v2/a/tags/list", ""),
        (method("MADEUP2"), "/x", ""),
    ]);
    assert_shows(
        &recorded,
        &[
            "registry_http_requests_total{code=\"404\",handler=\"unknown\",method=\"get\"} 1",
            "registry_http_requests_total{code=\"400\",handler=\"unknown\",method=\"get\"} 1",
            "registry_http_requests_total{code=\"405\",handler=\"tags\",method=\"unknown\"} 1",
            "registry_http_requests_total{code=\"404\",handler=\"unknown\",method=\"unknown\"} 1",
        ],
    );
}

/// A client that goes away is one request under way less, and counted.
#[test]
fn who_went_away_is_counted() {
    let recorder = Recorder::new();
    metrics::with_local_recorder(&recorder, || {
        let measured = Measured::begin(&Method::PUT, None);
        measured.read().store(7, Ordering::Relaxed);
        let shown: Vec<String> = recorder.render().lines().map(str::to_owned).collect();
        assert_shows(&shown, &["registry_http_in_flight_requests{handler=\"unknown\"} 1"]);
        drop(measured);
    });
    let shown: Vec<String> = recorder.render().lines().map(str::to_owned).collect();
    assert_shows(
        &shown,
        &[
            "registry_http_in_flight_requests{handler=\"unknown\"} 0",
            "registry_http_requests_total{code=\"499\",handler=\"unknown\",method=\"put\"} 1",
            "registry_http_request_size_bytes_sum{handler=\"unknown\"} 7",
        ],
    );
}
