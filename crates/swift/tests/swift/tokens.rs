//! Tokens that end while they are needed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, RequestKind, RequestRecord};
use apus_storage::{
    ByteRange, ErrorKind, Freshness, ListRequest, StagePosition, Storage, StorageError, WriteMode, body,
};
use apus_swift::{Password, SwiftConfig};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Method, StatusCode};

use crate::support::{
    CONTAINER, MEBIBYTE, append, assert_content, content, fake, fake_config, forget, name, publish, random,
    ready, ready_with, stage, staged, storage, streamed, streamed_body,
};

fn sign_ins(fake: &FakeSwift) -> usize {
    fake.count(|request| request.kind == RequestKind::SignIn)
}

#[tokio::test]
async fn no_operation_minds_a_token_that_is_refused() {
    let (fake, storage) = ready().await;
    let large = random(3 * MEBIBYTE);
    publish(&storage, "before", "large", &large).await;

    fake.expire_tokens();
    assert!(storage.stat(&name("large"), Freshness::Any).await.unwrap().is_some());
    fake.expire_tokens();
    assert_content(&storage, "large", &large).await;
    fake.expire_tokens();
    storage.write(&name("small"), random(100).into(), WriteMode::Replace).await.unwrap();
    fake.expire_tokens();
    storage.write(&name("streamed"), streamed_body(&large), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "streamed", &large).await;
    fake.expire_tokens();
    assert_eq!(storage.list(&ListRequest::everything()).await.unwrap().entries.len(), 3);
    fake.expire_tokens();
    let (stage, state) = staged(&storage, "s", &large).await;
    fake.expire_tokens();
    let state = append(&storage, &stage, StagePosition::At(&state.revision), &large).await.unwrap();
    fake.expire_tokens();
    storage.stage_publish(&stage, &state.revision, &name("published"), WriteMode::IfAbsent).await.unwrap();
    fake.expire_tokens();
    storage.touch(&name("published")).await.unwrap();
    assert_eq!(content(&storage, "published").await.unwrap().len(), 6 * MEBIBYTE);
    fake.expire_tokens();
    for outcome in storage.delete(&[name("large"), name("published")]).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_token_that_ends_between_segments_is_renewed() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.segment_size = 1 << 20;
    let storage = storage(&config);
    storage.check().await.unwrap();
    forget(&fake);
    let bytes = random(5 * MEBIBYTE);
    let (stage, fake) = (stage("s"), Arc::new(fake));
    let expiring = {
        let fake = Arc::clone(&fake);
        let expire = move |(number, piece)| {
            if number % 10 == 9 {
                fake.expire_tokens();
            }
            piece
        };
        Box::pin(streamed(&bytes).enumerate().map(expire))
    };
    let state =
        storage.stage_append(&stage, StagePosition::Start, expiring, Box::new(Bytes::new)).await.unwrap();
    let read = storage.stage_read(&stage, &state.revision).await.unwrap();
    assert!(body::collect(read, 1 << 30).await.unwrap() == bytes);
    assert!(sign_ins(&fake) >= 4, "{}", sign_ins(&fake));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all() {
    let (fake, storage) = ready().await;
    fake.expire_tokens();
    let looks: Vec<_> = (0..50)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.stat(&name("o"), Freshness::Any).await.unwrap() })
        })
        .collect();
    for look in looks {
        look.await.unwrap();
    }
    assert_eq!(sign_ins(&fake), 1);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_is_no_loop() {
    let (fake, storage) = ready().await;
    let begun = Instant::now();
    let refusal = Action::Status(StatusCode::UNAUTHORIZED, HeaderMap::new());
    fake.fault(Fault { path_contains: "/files/".to_owned(), ..Fault::always(refusal) });
    let error = storage.stat(&name("o"), Freshness::Any).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{}", error.report());
    assert_eq!(fake.count(|request| request.kind == RequestKind::Object), 2);
    for _ in 0..5 {
        storage.stat(&name("o"), Freshness::Any).await.unwrap_err();
    }
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
}

/// Some Ceph RGW answer 403 where a token has expired.
#[tokio::test]
async fn a_403_may_be_the_end_of_a_token_and_is_tried_once_with_another() {
    let (fake, storage) = ready().await;
    let forbidden = || Action::Status(StatusCode::FORBIDDEN, HeaderMap::new());
    fake.fault(Fault { path_contains: "/files/".to_owned(), times: 20, ..Fault::always(forbidden()) });
    let looks: Vec<_> = (0..20)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.stat(&name("o"), Freshness::Any).await })
        })
        .collect();
    for look in looks {
        look.await.unwrap().unwrap();
    }
    assert_eq!(sign_ins(&fake), 1);
    // A stream is only given to Swift when that asks for it, so it is whole still.
    let fake = fake_with_doubts(forbidden()).await;
    let storage = self::storage(&fake_config(&fake));
    storage.write(&name("o"), streamed_body(&random(MEBIBYTE)), WriteMode::Replace).await.unwrap();
}

/// A fake that answers so to the first request about an object.
async fn fake_with_doubts(action: Action) -> FakeSwift {
    let fake = fake(|_| ()).await;
    fake.fault(Fault { path_contains: "/files/".to_owned(), ..Fault::once(action) });
    fake
}

/// Most 403 say what they mean: that the user may not. They cost one sign-in now and then, and never the token.
#[tokio::test]
async fn a_403_that_stays_is_no_loop_and_costs_no_token() {
    let (fake, storage) = ready().await;
    let forbidden = Action::Status(StatusCode::FORBIDDEN, HeaderMap::new());
    fake.fault(Fault { path_contains: "/files/forbidden".to_owned(), ..Fault::always(forbidden) });
    let down = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    fake.fault(Fault { path_contains: "/auth/tokens".to_owned(), skip: 1, ..Fault::always(down) });
    for _ in 0..50 {
        let error = storage.stat(&name("forbidden"), Freshness::Any).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{}", error.report());
    }
    assert_eq!(sign_ins(&fake), 1);
    assert_eq!(fake.count(|request| request.kind == RequestKind::Object), 51);
    storage.stat(&name("o"), Freshness::Any).await.unwrap();

    // Nor does it when nobody can sign in.
    let (fake, storage) = ready().await;
    let forbidden = Action::Status(StatusCode::FORBIDDEN, HeaderMap::new());
    fake.fault(Fault { path_contains: "/files/forbidden".to_owned(), ..Fault::always(forbidden) });
    let refused = Action::Status(StatusCode::UNAUTHORIZED, HeaderMap::new());
    fake.fault(Fault { path_contains: "/auth/tokens".to_owned(), ..Fault::always(refused) });
    storage.stat(&name("forbidden"), Freshness::Any).await.unwrap_err();
    storage.stat(&name("o"), Freshness::Any).await.unwrap();
    assert_eq!(sign_ins(&fake), 1);
}

/// A stream that was begun cannot be sent again; that is said, and nothing is there.
#[tokio::test]
async fn a_body_that_was_begun_is_not_repeated() {
    let (fake, storage) = ready().await;
    // More than Swift is waited for to ask for the body.
    fake.fault(Fault {
        path_contains: "/files/".to_owned(),
        ..Fault::once(Action::CutRequestBody(MEBIBYTE as u64))
    });
    let bytes = random(3 * MEBIBYTE);
    let error = storage.write(&name("o"), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
    let puts = |request: &RequestRecord| request.kind == RequestKind::Object && request.method == Method::PUT;
    assert_eq!(fake.count(puts), 1);
    assert!(content(&storage, "o").await.is_none());
}

/// Reads until `end` and sees that not one request is refused.
async fn assert_undisturbed(storage: &apus_swift::SwiftStorage, fake: &FakeSwift, length: Duration) {
    let end = tokio::time::Instant::now() + length;
    while tokio::time::Instant::now() < end {
        storage.stat(&name("o"), Freshness::Any).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fake.count(|request| request.status == Some(StatusCode::UNAUTHORIZED)), 0);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let (fake, storage) = ready_with(|options| options.token_life = Duration::from_secs(4)).await;
    assert_undisturbed(&storage, &fake, Duration::from_secs(7)).await;
    let renewals = sign_ins(&fake);
    assert!((2..=4).contains(&renewals), "{renewals} renewals");
}

#[tokio::test]
async fn a_keystone_that_is_down_does_not_matter_while_the_token_lives() {
    let (fake, storage) = ready_with(|options| options.token_life = Duration::from_secs(10)).await;
    let down = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    fake.fault(Fault { path_contains: "/auth/tokens".to_owned(), ..Fault::always(down) });
    assert_undisturbed(&storage, &fake, Duration::from_secs(7)).await;
    assert!(sign_ins(&fake) > 0, "nobody tried to renew it");
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let error: StorageError = storage.stat(&name("o"), Freshness::Any).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
    assert!(error.report().contains("503"), "{}", error.report());
}

/// TempAuth gives out the same token until it ends: asking early brings nothing, and must not become a habit.
#[tokio::test]
async fn a_token_of_tempauth_is_not_asked_for_all_the_time() {
    let fake = fake(|options| options.token_life = Duration::from_secs(3)).await;
    let config = SwiftConfig::new(fake.auth_url_v1(), Password::new("test:tester", "testing"), CONTAINER);
    let storage = storage(&config);
    storage.check().await.unwrap();
    forget(&fake);
    for _ in 0..100 {
        storage.stat(&name("o"), Freshness::Any).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!(sign_ins(&fake) <= 12, "{}", sign_ins(&fake));
    let bytes = random(2 * MEBIBYTE);
    let stage = stage("s");
    storage.stage_append(&stage, StagePosition::Start, streamed(&bytes), Box::new(Bytes::new)).await.unwrap();
    let read = storage.read(&name("o"), ByteRange::Full, Freshness::Any).await.unwrap();
    assert!(read.is_none());
}
