//! Failures on a script.

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, Fault};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::client::{bench, code};

fn put(action: Action) -> Fault {
    Fault { method: Some(Method::PUT), path_contains: "/box/o".into(), ..Fault::once(action) }
}

#[tokio::test]
async fn a_status_instead_of_the_work() {
    let bench = bench().await;
    let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, HeaderValue::from_static("7"))]);
    bench.fake.fault(put(Action::Status(StatusCode::SERVICE_UNAVAILABLE, headers)));
    let reply = bench.client.put("o", "data").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "7"));
    assert_eq!(bench.fake.faults_left(), 0);
    assert!(bench.fake.object_names("box").is_empty());
    assert_eq!(bench.client.put("o", "data").await.status, 201);
}

#[tokio::test]
async fn a_lost_answer() {
    let bench = bench().await;
    bench.fake.fault(put(Action::DoneButStatus(StatusCode::GATEWAY_TIMEOUT)));
    assert_eq!(bench.client.put("o", "data").await.status, 504);
    assert_eq!(bench.fake.object("box", "o").unwrap().data, "data");
}

#[tokio::test]
async fn a_closed_connection_before_and_after_the_work() {
    let bench = bench().await;
    bench.fake.fault(put(Action::Reset));
    bench.fake.fault(put(Action::ResetAfterDone));
    let path = bench.client.path("o");
    assert!(bench.client.try_ask(Method::PUT, &path, &[], "data").await.is_err());
    assert!(bench.fake.object_names("box").is_empty());
    assert!(bench.client.try_ask(Method::PUT, &path, &[], "data").await.is_err());
    assert_eq!(bench.fake.object_names("box"), ["o"]);
    assert!(bench.fake.requests().iter().all(|record| code(record).is_none()));
}

#[tokio::test]
async fn an_answer_cut_short() {
    let bench = bench().await;
    bench.fake.put_object("box", "o", vec![b'x'; 500_000]);
    for bytes in [0, 1, 400_000] {
        bench.fake.fault(Fault::once(Action::TruncateBody(bytes)));
        let reply = bench.client.get("o").await;
        assert_eq!((reply.status, reply.header("content-length"), reply.broken), (200, "500000", true));
        assert_eq!(reply.body.len() as u64, bytes);
    }
    bench.fake.put_object("box", "p", "x");
    bench.fake.fault(Fault::once(Action::TruncateBody(3)));
    let reply = bench.client.list("").await;
    assert_eq!((reply.text(), reply.broken), ("[{\"", true));
}

#[tokio::test]
async fn a_request_cut_short() {
    let bench = bench().await;
    bench.fake.fault(put(Action::CutRequestBody(100_000)));
    let path = bench.client.path("o");
    assert!(bench.client.try_ask(Method::PUT, &path, &[], vec![b'x'; 900_000]).await.is_err());
    assert!(bench.fake.object_names("box").is_empty());
    let received = bench.fake.requests()[0].body_bytes;
    assert!((100_000..900_000).contains(&received), "{received}");

    bench.fake.fault(put(Action::CutRequestBody(100_000)));
    assert_eq!(bench.client.put("o", vec![b'x'; 99_999]).await.status, 201, "too short to be cut");
}

#[tokio::test]
async fn a_delay() {
    let bench = bench().await;
    bench.fake.fault(put(Action::Delay(Duration::from_millis(200))));
    let start = Instant::now();
    assert_eq!(bench.client.put("o", "data").await.status, 201);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_third_and_fourth_of_a_kind() {
    let bench = bench().await;
    let unavailable = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    bench.fake.fault(Fault { skip: 2, times: 2, ..put(unavailable) });
    let mut seen = Vec::new();
    for _ in 0..5 {
        bench.client.get("o").await;
        seen.push(bench.client.put("o", "data").await.status);
    }
    assert_eq!(seen, [201, 201, 503, 503, 201]);
    bench.fake.fault(Fault::always(Action::Reset));
    bench.fake.clear_faults();
    assert_eq!(bench.client.get("o").await.status, 200);
}
