//! Failures that pass are not seen; those that stay are said, with all that helps; and in neither case is anything lost or
//! left half done.

use std::time::Duration;

use apus_fake_swift::{Action, FakeSwift, Fault};
use apus_storage::{
    Body, BoxError, ByteRange, ErrorKind, Freshness, Outcome, Publication, StagePosition, Storage,
    StorageError, WriteMode, body,
};
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, Method, StatusCode};

use crate::support::{
    CONTAINER, MEBIBYTE, append, asked, assert_content, content, eventually, fake, fake_config, forget, name,
    publish, random, ready, stage, staged, storage, streamed, streamed_body,
};

fn status(code: u16) -> Action {
    Action::Status(StatusCode::from_u16(code).unwrap(), HeaderMap::new())
}

fn on(method: Method, path: &str, action: Action) -> Fault {
    Fault { method: Some(method), path_contains: path.to_owned(), ..Fault::once(action) }
}

fn always_on(method: Method, path: &str, action: Action) -> Fault {
    Fault { times: usize::MAX, ..on(method, path, action) }
}

fn assert_unavailable(error: &StorageError) {
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
}

#[tokio::test]
async fn what_passes_is_not_seen() {
    let statuses = [408, 429, 498, 499, 500, 502, 503, 504, 507].map(status);
    join_all(statuses.into_iter().chain([Action::Reset]).map(passes)).await;
}

/// Every kind of request fails once so, and no operation does.
async fn passes(action: Action) {
    let (fake, storage) = ready().await;
    for method in [Method::PUT, Method::HEAD, Method::GET, Method::POST, Method::DELETE] {
        fake.fault(on(method, "/files/", action.clone()));
    }
    let object = name("o");
    storage.write(&object, random(100).into(), WriteMode::IfAbsent).await.unwrap();
    assert!(storage.stat(&object, Freshness::Any).await.unwrap().is_some());
    assert_eq!(content(&storage, "o").await.unwrap().len(), 100);
    storage.touch(&object).await.unwrap();
    assert_eq!(*storage.delete(&[object]).await[0].as_ref().unwrap(), Outcome::Done);
    assert_eq!(fake.faults_left(), 0);

    // A stream that Swift refuses before it asks for the body is whole, and sent again.
    let large = random(3 * MEBIBYTE);
    fake.fault(on(Method::PUT, "/files/", action.clone()));
    storage.write(&name("large"), streamed_body(&large), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "large", &large).await;
    storage.delete(&[name("large")]).await[0].as_ref().unwrap();

    for path in ["/segments/", "/apus/sessions/", "/apus/records/", "multipart-manifest"] {
        fake.fault(on(Method::PUT, path, action.clone()));
    }
    publish(&storage, "s", "published", &large).await;
    assert_content(&storage, "published", &large).await;
    assert_eq!(fake.faults_left(), 0);
    storage.delete(&[name("published")]).await[0].as_ref().unwrap();
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

#[tokio::test]
async fn what_stays_is_said_with_all_that_helps() {
    let (fake, storage) = ready().await;
    fake.fault(Fault { path_contains: "/files/".to_owned(), ..Fault::always(status(503)) });
    let error = storage.stat(&name("some/object"), Freshness::Any).await.unwrap_err();
    assert_unavailable(&error);
    assert_eq!((error.operation(), error.object()), ("stat", "some/object"));
    let requests = fake.take_requests();
    assert_eq!(requests.len(), 4, "{requests:?}");
    assert_eq!(error.request_id(), Some(&*requests[3].transaction));
    assert!(error.report().contains("HEAD registry/files/some/object: answered 503"), "{}", error.report());
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_when_it_is_short_and_told_when_it_is_long() {
    let (fake, storage) = ready().await;
    let after = |seconds: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", seconds.parse().unwrap());
        Action::Status(StatusCode::SERVICE_UNAVAILABLE, headers)
    };
    fake.fault(on(Method::HEAD, "/files/", after("1")));
    let begun = std::time::Instant::now();
    storage.stat(&name("o"), Freshness::Any).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    fake.fault(on(Method::HEAD, "/files/", after("60")));
    let error = storage.stat(&name("o"), Freshness::Any).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable { retry_after: Some(Duration::from_mins(1)) });
}

#[tokio::test]
async fn a_wait_may_be_asked_for_by_a_date() {
    let (fake, storage) = ready().await;
    let until = |seconds| {
        let mut headers = HeaderMap::new();
        let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(seconds));
        headers.insert("retry-after", date.parse().unwrap());
        Action::Status(StatusCode::TOO_MANY_REQUESTS, headers)
    };
    // A date has whole seconds, so what is left of it is one less.
    fake.fault(on(Method::HEAD, "/files/", until(3)));
    let begun = std::time::Instant::now();
    storage.stat(&name("o"), Freshness::Any).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    fake.fault(on(Method::HEAD, "/files/", until(600)));
    let error = storage.stat(&name("o"), Freshness::Any).await.unwrap_err();
    let ErrorKind::Unavailable { retry_after: Some(wait) } = error.kind() else {
        panic!("{}", error.report())
    };
    assert!((300..=600).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn how_often_and_how_long_is_configured() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.max_tries = 2;
    let twice = storage(&config);
    twice.check().await.unwrap();
    fake.fault(Fault { path_contains: "/files/".to_owned(), ..Fault::always(status(503)) });
    forget(&fake);
    assert_unavailable(&twice.stat(&name("o"), Freshness::Any).await.unwrap_err());
    assert_eq!(fake.take_requests().len(), 2);

    // Many tries, but little time for all of them.
    (config.max_tries, config.total_timeout) = (1000, Duration::from_secs(1));
    let soon = storage(&config);
    assert_unavailable(&soon.stat(&name("o"), Freshness::Any).await.unwrap_err());
    let requests = fake.take_requests().len();
    assert!((2..50).contains(&requests), "{requests}");

    // One try that gets no answer.
    fake.clear_faults();
    fake.fault(Fault {
        path_contains: "/files/".to_owned(),
        ..Fault::always(Action::Delay(Duration::from_mins(5)))
    });
    let error = soon.stat(&name("o"), Freshness::Any).await.unwrap_err();
    assert_unavailable(&error);
    assert!(error.report().contains("waiting for the answer"), "{}", error.report());
}

#[tokio::test]
async fn a_swift_that_goes_away_is_no_absence_and_comes_back() {
    let (mut fake, storage) = ready().await;
    let (object, bytes) = (name("o"), random(1000));
    storage.write(&object, bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
    let (stage, state) = staged(&storage, "s", &bytes).await;
    fake.go_away().await.unwrap();
    assert_unavailable(&storage.stat(&object, Freshness::Any).await.unwrap_err());
    assert_unavailable(&storage.read(&object, ByteRange::Full, Freshness::Any).await.unwrap_err());
    assert_unavailable(&storage.stage_state(&stage, None).await.unwrap_err());
    assert_unavailable(&storage.stage_drop(&stage).await.unwrap_err());
    let position = StagePosition::At(&state.revision);
    assert_unavailable(&append(&storage, &stage, position, &bytes).await.unwrap_err());
    fake.come_back().await.unwrap();
    assert_content(&storage, "o", &bytes).await;
    append(&storage, &stage, position, &bytes).await.unwrap();
}

/// By its disks, or by a quota: the one may pass, the other does not.
#[tokio::test]
async fn a_store_that_is_full_says_so_and_keeps_nothing() {
    let (fake, storage) = ready().await;
    let mut config = fake_config(&fake);
    config.segment_size = 1 << 20;
    let small_segments = crate::support::storage(&config);
    let full = |code, path: &str, skip| {
        fake.fault(Fault { skip, ..always_on(Method::PUT, path, status(code)) });
    };
    for code in [507, 413] {
        let kind = if code == 507 { ErrorKind::Full } else { ErrorKind::TooLarge };
        for length in [100, 3 * MEBIBYTE] {
            full(code, "/files/", 0);
            let body = streamed_body(&random(length));
            let error = storage.write(&name("o"), body, WriteMode::IfAbsent).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{}", error.report());
            fake.clear_faults();
        }
        let bytes = random(3 * MEBIBYTE);
        for (path, skip) in [("/segments/", 1), ("/apus/sessions/", 0)] {
            full(code, path, skip);
            let appended = append(&small_segments, &stage("s"), StagePosition::Start, &bytes).await;
            assert_eq!(appended.unwrap_err().kind(), kind);
            fake.clear_faults();
            eventually("segments are left", || fake.object_names(CONTAINER).is_empty()).await;
        }
        // A stage that cannot be published can be dropped at once.
        for path in ["/apus/records/", "multipart-manifest"] {
            let (stage, state) = staged(&small_segments, "s", &bytes).await;
            full(code, path, 0);
            let published =
                small_segments.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await;
            assert_eq!(published.unwrap_err().kind(), kind);
            fake.clear_faults();
            assert_eq!(small_segments.stage_drop(&stage).await.unwrap(), Outcome::Done);
            assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
        }
    }
}

#[tokio::test]
async fn a_body_that_fails_leaves_nothing() {
    let (fake, storage) = ready().await;
    let failing = |length: usize| {
        let end = stream::iter([Err(BoxError::from("the client has gone"))]);
        Box::pin(streamed(&random(length)).chain(end))
    };
    for length in [100, 3 * MEBIBYTE] {
        let body = Body::stream(length as u64 + 1, failing(length));
        let error = storage.write(&name("o"), body, WriteMode::Replace).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        assert_eq!(error.into_source().unwrap().to_string(), "the client has gone");
        let appended = storage
            .stage_append(&stage("s"), StagePosition::Start, failing(length), Box::new(Bytes::new))
            .await;
        let error = appended.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        assert_eq!(error.into_source().unwrap().to_string(), "the client has gone");
    }
    eventually("something is left", || fake.object_names(CONTAINER).is_empty()).await;
    assert!(storage.stage_state(&stage("s"), None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_writer_that_goes_away_leaves_nothing() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.segment_size = 1 << 20;
    let storage = storage(&config);
    let stalling = || Box::pin(streamed(&random(3 * MEBIBYTE)).chain(stream::pending()));
    let body = Body::stream(8 << 20, stalling());
    let (object, stage) = (name("o"), stage("s"));
    let write = storage.write(&object, body, WriteMode::Replace);
    let second = Duration::from_secs(1);
    tokio::time::timeout(second, write).await.unwrap_err();
    let append = storage.stage_append(&stage, StagePosition::Start, stalling(), Box::new(Bytes::new));
    tokio::time::timeout(second, append).await.unwrap_err();
    eventually("something is left", || fake.object_names(CONTAINER).is_empty()).await;
}

/// What broke off is read on, and no byte comes twice.
#[tokio::test]
async fn a_short_answer_is_no_end() {
    let (fake, storage) = ready().await;
    let bytes = random(500_000);
    storage.write(&name("o"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
    let truncated = |at| always_on(Method::GET, "/files/o", Action::TruncateBody(at));
    fake.fault(truncated(200_000));
    forget(&fake);
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(asked(&fake.take_requests()), ["GET object"; 3]);
    for (range, expected) in [
        (ByteRange::From(100), bytes.slice(100..)),
        (ByteRange::FromTo { first: 10, last: 450_000 }, bytes.slice(10..=450_000)),
        (ByteRange::Last(300_000), bytes.slice(200_000..)),
    ] {
        let reader = storage.read(&name("o"), range, Freshness::Any).await.unwrap().unwrap();
        assert!(body::collect(reader.stream, 1 << 20).await.unwrap() == expected);
    }

    // Where nothing more comes it ends in an error.
    fake.clear_faults();
    fake.fault(truncated(0));
    let reader = storage.read(&name("o"), ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
    let error = body::collect(reader.stream, 1 << 20).await.unwrap_err();
    let error = error.downcast::<StorageError>().unwrap();
    assert_unavailable(&error);
    assert_eq!((error.operation(), error.object()), ("read", "o"));
}

/// What comes slowly comes whole, however long it takes. What stands still is read on over another connection.
#[tokio::test]
async fn a_slow_answer_is_waited_for_and_a_still_one_is_not() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.idle_timeout = Duration::from_secs(1);
    let storage = storage(&config);
    let bytes = random(500_000);
    storage.write(&name("o"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
    let minutes = Duration::from_mins(5);
    for action in [Action::Trickle(50_000, Duration::from_millis(150)), Action::Stall(200_000, minutes)] {
        let begun = std::time::Instant::now();
        let is_still = matches!(action, Action::Stall(..));
        fake.fault(on(Method::GET, "/files/o", action));
        forget(&fake);
        assert_content(&storage, "o", &bytes).await;
        assert!(begun.elapsed() > Duration::from_secs(1) && begun.elapsed() < minutes);
        assert!(!is_still || fake.requests().len() > 1);
    }
}

/// The rest of another object is not the rest of this one.
#[tokio::test]
async fn what_is_replaced_while_it_is_read_is_not_mixed() {
    let (fake, storage) = ready().await;
    let old = random(500_000);
    storage.write(&name("o"), old.clone().into(), WriteMode::IfAbsent).await.unwrap();
    for replaced in [true, false] {
        fake.fault(on(Method::GET, "/files/o", Action::TruncateBody(200_000)));
        let reader = storage.read(&name("o"), ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
        if replaced {
            storage.write(&name("o"), random(500_000).into(), WriteMode::Replace).await.unwrap();
        } else {
            storage.delete(&[name("o")]).await[0].as_ref().unwrap();
        }
        let error = body::collect(reader.stream, 1 << 20).await.unwrap_err();
        assert_unavailable(&error.downcast::<StorageError>().unwrap());
    }
}

/// The token ends in mid-body: the rest is read with another one.
#[tokio::test]
async fn a_token_that_ends_while_content_is_read() {
    let (fake, storage) = ready().await;
    let bytes = random(500_000);
    storage.write(&name("o"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
    fake.fault(on(Method::GET, "/files/o", Action::ExpireTokensInBody(123_456)));
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(fake.count(|request| request.status == Some(StatusCode::UNAUTHORIZED)), 1);
}

#[tokio::test]
async fn a_container_that_vanishes_is_made_again() {
    let (fake, storage) = ready().await;
    fake.fault(on(Method::PUT, "/files/", status(404)));
    let object = name("o");
    let write = || storage.write(&object, random(10).into(), WriteMode::IfAbsent);
    assert_unavailable(&write().await.unwrap_err());
    forget(&fake);
    write().await.unwrap();
    assert_eq!(asked(&fake.take_requests()), ["HEAD container", "PUT object"]);
}

#[tokio::test]
async fn sessions_and_records_of_another_version_are_refused_and_garbage_is_damage() {
    let (fake, storage) = ready().await;
    let stage = stage("s");
    let session = |text: &'static str| fake.put_object(CONTAINER, "apus/sessions/s", text);
    session("{\"version\":2}\nwhatever");
    for error in
        [storage.stage_state(&stage, None).await.unwrap_err(), storage.stage_drop(&stage).await.unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::UnknownVersion);
        assert!(error.to_string().contains("newer version of Apus"), "{error}");
    }
    session("garbage");
    assert_eq!(storage.stage_state(&stage, None).await.unwrap_err().kind(), ErrorKind::Damaged);
    fake.put_object(CONTAINER, "apus/records/s", "{\"version\":7}");
    assert_eq!(storage.stage_drop(&stage).await.unwrap_err().kind(), ErrorKind::UnknownVersion);
    fake.delete_object(CONTAINER, "apus/records/s");
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty());
}

#[tokio::test]
async fn parts_are_kept_when_it_cannot_be_told_whether_they_are_needed() {
    let (fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    let (stage, state) = staged(&storage, "s", &bytes).await;
    fake.fault(always_on(
        Method::PUT,
        "multipart-manifest",
        Action::DoneButStatus(StatusCode::GATEWAY_TIMEOUT),
    ));
    fake.fault(always_on(Method::HEAD, "/files/", status(503)));
    let published = storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await;
    assert_unavailable(&published.unwrap_err());
    assert_unavailable(&storage.stage_drop(&stage).await.unwrap_err());
    fake.clear_faults();
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert_content(&storage, "o", &bytes).await;
    storage.delete(&[name("o")]).await[0].as_ref().unwrap();
    assert!(fake.object_names(CONTAINER).is_empty());
}

#[tokio::test]
async fn a_cluster_that_does_not_say_what_it_can_is_used_with_care() {
    let fake = fake(|options| (options.info, options.container_listing_limit) = (false, 100)).await;
    let storage = storage(&fake_config(&fake));
    fake.create_container(CONTAINER);
    for number in 0..250 {
        fake.put_object(CONTAINER, &format!("files/d/{number:03}"), "x");
    }
    let mut request = apus_storage::ListRequest::under(name("d"));
    let mut found = 0;
    loop {
        let page = storage.list(&request).await.unwrap();
        found += page.entries.len();
        let Some(next) = page.next else { break };
        request = request.after(next);
    }
    assert_eq!(found, 250);
    assert!(matches!(publish(&storage, "s", "o", &random(3 * MEBIBYTE)).await, Publication::Published(_)));
    left_alone(&fake);
}

/// No request was refused for want of a token.
fn left_alone(fake: &FakeSwift) {
    assert_eq!(fake.count(|request| request.status == Some(StatusCode::UNAUTHORIZED)), 0);
}
