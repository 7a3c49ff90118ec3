//! Failures on a script.

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, Fault, Replica};
use http::header::{CONTENT_LENGTH, ETAG, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::client::{Client, bench, code, split};

fn put(action: Action) -> Fault {
    Fault { method: Some(Method::PUT), path_contains: "/box/o".into(), ..Fault::once(action) }
}

#[tokio::test]
async fn a_status_instead_of_the_work() {
    let bench = bench().await;
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
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

#[tokio::test]
async fn every_status_in_the_words_of_who_answers() {
    let bench = bench().await;
    let wait = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
    for status in [401, 403, 408, 412, 429, 498, 499, 500, 503, 504, 507] {
        bench.fake.fault(put(Action::Status(StatusCode::from_u16(status).unwrap(), wait.clone())));
        let reply = bench.client.put("o", "data").await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, "7"));
        assert!(reply.text().starts_with("<html><h1>"), "{}", reply.text());
        assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401);
    }
    bench.fake.fault(Fault { path_contains: "/auth/tokens".into(), ..Fault::once(too_many(wait)) });
    let (_, path) = split(&bench.fake.auth_url_v3());
    let reply = bench.client.ask(Method::POST, &format!("{path}/auth/tokens"), &[], "{}").await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "7"));
    assert_eq!(reply.json()["error"]["code"], 429);
}

fn too_many(headers: HeaderMap) -> Action {
    Action::Status(StatusCode::TOO_MANY_REQUESTS, headers)
}

#[tokio::test]
async fn a_request_of_which_only_the_beginning_arrives() {
    let bench = bench().await;
    bench.fake.fault(put(Action::LoseRequestBody(100_000)));
    let whole = vec![b'x'; 900_000];
    let reply = bench.client.put("o", whole.clone()).await;
    let stored = bench.fake.object("box", "o").unwrap();
    assert_eq!((reply.status, stored.data.len()), (201, 100_000));
    assert_eq!(reply.header("etag"), stored.etag, "a client that compares finds out");
    bench.fake.fault(put(Action::LoseRequestBody(0)));
    assert_eq!(bench.client.put_with("o", &[("etag", &stored.etag)], whole).await.status, 422);
    assert_eq!(bench.fake.object("box", "o").unwrap().data.len(), 100_000);
}

#[tokio::test]
async fn tokens_end_before_and_within_a_request() {
    let bench = bench().await;
    let mut client = bench.client.clone();
    bench.fake.fault(put(Action::ExpireTokens));
    assert_eq!(client.put("o", "data").await.status, 401);
    assert_eq!(client.put("p", "data").await.status, 401);

    client = Client::signed_in(&bench.fake).await;
    bench.fake.fault(put(Action::ExpireTokensInBody(100_000)));
    assert_eq!(client.put("o", vec![b'x'; 99_999]).await.status, 201, "too short");
    bench.fake.fault(put(Action::ExpireTokensInBody(100_000)));
    let reply = client.put("o", vec![b'y'; 900_000]).await;
    assert_eq!((reply.status, client.get("o").await.status), (401, 401));
    assert!(reply.headers.contains_key("www-authenticate"));
    assert_eq!(bench.fake.object("box", "o").unwrap().data.len(), 99_999, "not done");

    client = Client::signed_in(&bench.fake).await;
    bench.fake.fault(Fault::once(Action::ExpireTokensInBody(10)));
    let reply = client.get("o").await;
    assert_eq!((reply.status, reply.body.len(), reply.broken), (200, 10, true));
    assert_eq!(client.get_with("o", &[("range", "bytes=10-")]).await.status, 401);
}

#[tokio::test]
async fn a_put_loses_a_race() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("segment", "data").await;
    bench.fake.fault(put(Action::Overtaken("theirs".into())));
    let reply = client.put("o", "ours").await;
    assert_eq!((reply.status, reply.headers.get(ETAG)), (202, None));
    assert_eq!(client.get("o").await.text(), "theirs");
    assert_eq!(client.put("o", "later").await.status, 201, "the race is over");

    bench.fake.fault(put(Action::Overtaken("theirs".into())));
    let reply = client.put_large("o", &["segment"]).await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("etag"), "\"b03496787c3d934ad67e2295cee01407\"", "of what was not stored");
    assert_eq!(client.get("o").await.text(), "theirs");

    client.delete("o").await;
    bench.fake.fault(put(Action::Overtaken("theirs".into())));
    assert_eq!(client.put_with("o", &[("if-none-match", "*")], "ours").await.status, 412);
}

#[tokio::test]
async fn an_object_from_the_future_stays() {
    let bench = bench().await;
    let client = &bench.client;
    bench.fake.put_object_ahead("box", "o", "future", Duration::from_hours(1));
    assert_eq!(client.put("o", "now").await.status, 202);
    assert_eq!(client.put_with("o", &[("if-none-match", "*")], "now").await.status, 412);
    assert_eq!((client.post("o", &[]).await.status, client.delete("o").await.status), (409, 409));
    let path = format!("{}?bulk-delete", client.account);
    let reply = client.ask(Method::POST, &path, &[("accept", "application/json")], "/box/o").await;
    assert_eq!(reply.json()["Errors"][0][1], "409 Conflict");
    assert_eq!(client.get("o").await.text(), "future");
}

#[tokio::test]
async fn a_certain_copy_answers_a_certain_request() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("dir/a", "old").await;
    bench.fake.split_listings(&[Replica::Fresh]);
    bench.fake.split_reads(&[Replica::Fresh]);
    client.put("dir/a", "newer").await;
    client.put("dir/b", "new").await;
    let stale =
        Fault { path_contains: "prefix=dir/".into(), ..Fault::always(Action::AnsweredBy(Replica::Stale)) };
    bench.fake.fault(stale);
    bench
        .fake
        .fault(Fault { path_contains: "/dir/a".into(), ..Fault::once(Action::AnsweredBy(Replica::Stale)) });
    assert_eq!(client.names("prefix=dir/").await, ["dir/a"]);
    assert_eq!(client.names("").await, ["dir/a", "dir/b"]);
    assert_eq!((client.get("dir/a").await.text(), client.get("dir/a").await.text()), ("old", "newer"));
}

#[tokio::test]
async fn an_answer_that_is_late() {
    let bench = bench().await;
    bench.fake.fault(put(Action::DelayAnswer(Duration::from_secs(20))));
    let client = bench.client.clone();
    let waiting = tokio::spawn(async move { client.put("o", "data").await });
    let mut left = 500;
    while bench.fake.object("box", "o").is_none() {
        assert!(left > 0, "not done at once");
        left -= 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn an_answer_that_is_slow() {
    let bench = bench().await;
    bench.fake.put_object("box", "o", vec![b'x'; 1000]);
    let pause = Duration::from_millis(20);
    for (action, pauses) in [(Action::Trickle(100, pause), 9), (Action::Stall(500, 5 * pause), 5)] {
        bench.fake.fault(Fault::once(action));
        let start = Instant::now();
        let reply = bench.client.get("o").await;
        assert_eq!((reply.body.len(), reply.broken), (1000, false));
        assert!(start.elapsed() >= pauses * pause, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_answer_with_another_header() {
    let bench = bench().await;
    let set = |name, value| Fault::once(Action::AnswerHeader(name, value));
    bench.fake.fault(set(ETAG, Some(HeaderValue::from_static("\"wrong\""))));
    bench.fake.fault(set(ETAG, None));
    assert_eq!(bench.client.put("o", "data").await.header("etag"), "\"wrong\"");
    assert_eq!(bench.client.get("o").await.headers.get(ETAG), None);
    bench.fake.fault(set(CONTENT_LENGTH, None));
    let reply = bench.client.get("o").await;
    assert_eq!((reply.headers.get(CONTENT_LENGTH), reply.text()), (None, "data"));
}
