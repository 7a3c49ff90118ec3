//! A stage that is dropped while it is published, by two processes: one of the two gives way, and an object that was
//! published keeps its segments.

use std::time::Duration;

use apus_fake_swift::{Action, FakeSwift, Fault};
use apus_storage::{ErrorKind, Outcome, Publication, StageId, StageState, Storage, WriteMode};
use apus_swift::SwiftStorage;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tokio::task::JoinHandle;

use crate::support::{
    CONTAINER, MEBIBYTE, assert_content, eventually, fake, fake_config, name, random, ready, staged, storage,
};

const PAUSE: Duration = Duration::from_secs(2);
const RECORD: &str = "apus/records/s";

fn slow(fake: &FakeSwift, method: Method, path: &str) {
    let path_contains = path.to_owned();
    fake.fault(Fault { method: Some(method), path_contains, ..Fault::once(Action::Delay(PAUSE)) });
}

fn has(fake: &FakeSwift, object: &str) -> bool {
    fake.object(CONTAINER, object).is_some()
}

/// Two processes that know of one stage.
async fn two(bytes: &Bytes) -> (FakeSwift, SwiftStorage, SwiftStorage, StageId, StageState) {
    let (fake, one) = ready().await;
    let other = storage(&fake_config(&fake));
    let (stage, state) = staged(&one, "s", bytes).await;
    (fake, one, other, stage, state)
}

fn publishing(
    storage: &SwiftStorage,
    stage: &StageId,
    state: &StageState,
) -> JoinHandle<apus_storage::Result<Publication>> {
    let (storage, stage, revision) = (storage.clone(), stage.clone(), state.revision.clone());
    tokio::spawn(
        async move { storage.stage_publish(&stage, &revision, &name("o"), WriteMode::IfAbsent).await },
    )
}

#[tokio::test]
async fn dropping_what_is_being_published_is_refused() {
    let bytes = random(3 * MEBIBYTE + 7);
    let (fake, one, other, stage, state) = two(&bytes).await;
    slow(&fake, Method::PUT, "multipart-manifest");
    let published = publishing(&one, &stage, &state);
    eventually("there is no record", || has(&fake, RECORD)).await;
    let error = other.stage_drop(&stage).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StageMoved, "{}", error.report());
    assert!(matches!(published.await.unwrap().unwrap(), Publication::Published(_)));
    assert_eq!(other.stage_drop(&stage).await.unwrap(), Outcome::Absent);
    assert_content(&other, "o", &bytes).await;
}

#[tokio::test]
async fn publishing_what_is_being_dropped_is_refused() {
    let bytes = random(3 * MEBIBYTE + 7);
    for path in ["bulk-delete", "/apus/sessions/", "/apus/records/"] {
        let (fake, one, other, stage, state) = two(&bytes).await;
        let before = fake.object_names(CONTAINER);
        let method = if path == "bulk-delete" { Method::POST } else { Method::DELETE };
        // A last segment that the publication writes makes two, which go in one request.
        fake.put_object(CONTAINER, "segments/apus/s/99999999-dead", "x");
        slow(&fake, method, path);
        let (dropping, id) = (other.clone(), stage.clone());
        let dropped = tokio::spawn(async move { dropping.stage_drop(&id).await });
        eventually("there is no record", || has(&fake, RECORD)).await;
        if path != "bulk-delete" {
            eventually("the segments stay", || fake.faults_left() == 0).await;
        }
        let error = publishing(&one, &stage, &state).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StageMoved, "{path}: {}", error.report());
        assert_eq!(dropped.await.unwrap().unwrap(), Outcome::Done);
        assert!(!has(&fake, "files/o"), "{path}");
        // The publication's last segment may have come after all others went.
        let left = fake.object_names(CONTAINER);
        assert!(left.len() <= 1 && left.iter().all(|name| !before.contains(name)), "{path}: {left:?}");
        assert_eq!(other.stage_drop(&stage).await.unwrap(), Outcome::Absent);
        assert!(fake.object_names(CONTAINER).is_empty(), "{path}: {:?}", fake.object_names(CONTAINER));
    }
}

/// The process that dropped it died, and left the record.
#[tokio::test]
async fn what_was_dropped_half_is_not_published_and_can_be_dropped_again() {
    let bytes = random(3 * MEBIBYTE);
    let (fake, one, other, stage, state) = two(&bytes).await;
    fake.put_object(CONTAINER, RECORD, r#"{"version":1,"target":"","segments":[]}"#);
    let error = publishing(&one, &stage, &state).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StageMoved);
    assert_eq!(other.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// The process that published it died, or never learned what became of it: after a while it is taken for failed.
#[tokio::test]
async fn a_publication_that_died_keeps_a_stage_for_a_while() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    // Five times as much is the longest that a publication takes.
    config.total_timeout = Duration::from_secs(1);
    let storage = storage(&config);
    let (stage, state) = staged(&storage, "s", &random(3 * MEBIBYTE)).await;
    let unavailable = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    fake.fault(Fault { path_contains: "multipart-manifest".to_owned(), ..Fault::always(unavailable) });
    publishing(&storage, &stage, &state).await.unwrap().unwrap_err();
    fake.clear_faults();
    let begun = std::time::Instant::now();
    let outcome = loop {
        match storage.stage_drop(&stage).await {
            Ok(outcome) => break outcome,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StageMoved, "{}", error.report());
                assert!(begun.elapsed() < Duration::from_mins(1), "{}", error.report());
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    };
    assert_eq!(outcome, Outcome::Done);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// Cancelling an upload is what makes room.
#[tokio::test]
async fn a_full_store_does_not_keep_a_stage_from_being_dropped() {
    let (fake, storage) = ready().await;
    let (stage, _) = staged(&storage, "s", &random(3 * MEBIBYTE)).await;
    let mut quota = Fault::always(Action::Status(StatusCode::PAYLOAD_TOO_LARGE, HeaderMap::new()));
    quota.method = Some(Method::PUT);
    fake.fault(quota);
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}
