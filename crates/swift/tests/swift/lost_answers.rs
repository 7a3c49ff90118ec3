//! It was done, but nobody was told: repeating must find out, and never take away what is needed.

use apus_fake_swift::{Action, FakeSwift, Fault};
use apus_storage::{ErrorKind, Outcome, Publication, StageId, StagePosition, StageState, Storage, WriteMode};
use apus_swift::SwiftStorage;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::support::{
    CONTAINER, MEBIBYTE, append, asked, assert_content, content, eventually, fake_config, forget, name,
    random, ready, stage, staged, storage, streamed_body,
};

const LOST: [Action; 3] = [
    Action::DoneButStatus(StatusCode::SERVICE_UNAVAILABLE),
    Action::DoneButStatus(StatusCode::GATEWAY_TIMEOUT),
    Action::ResetAfterDone,
];

fn puts(fake: &FakeSwift, path: &str, action: &Action, times: usize) {
    let path_contains = path.to_owned();
    fake.fault(Fault { method: Some(Method::PUT), path_contains, times, ..Fault::once(action.clone()) });
}

async fn publish(
    storage: &SwiftStorage,
    stage: &StageId,
    state: &StageState,
    mode: WriteMode,
) -> apus_storage::Result<Publication> {
    storage.stage_publish(stage, &state.revision, &name("o"), mode).await
}

#[expect(clippy::needless_pass_by_value, reason = "for what was just answered, and is not needed again")]
fn assert_published(publication: apus_storage::Result<Publication>) {
    assert!(matches!(publication, Ok(Publication::Published(_))), "{publication:?}");
}

#[tokio::test]
async fn a_small_write() {
    let (fake, storage) = ready().await;
    for action in &LOST {
        for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
            puts(&fake, "/files/", action, 1);
            let bytes = random(1000);
            assert_published(storage.write(&name("o"), bytes.clone().into(), mode).await);
            assert_content(&storage, "o", &bytes).await;
            storage.delete(&[name("o")]).await;
        }
    }
}

/// It cannot be sent again, so it is looked for.
#[tokio::test]
async fn a_streamed_write_that_was_not_heard_is_found_there() {
    let (fake, storage) = ready().await;
    for action in &LOST {
        puts(&fake, "/files/", action, 1);
        let (object, bytes) = (name("o"), random(3 * MEBIBYTE));
        let written = storage.write(&object, streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap();
        assert!(matches!(written, Publication::Existing(info) if info.size == 3 << 20), "{action:?}");
        assert_content(&storage, "o", &bytes).await;
        storage.delete(&[name("o")]).await;
    }
}

#[tokio::test]
async fn an_append() {
    let (fake, storage) = ready().await;
    for (number, action) in LOST.iter().enumerate() {
        for length in [1000, 3 * MEBIBYTE] {
            let bytes = random(length);
            puts(&fake, "/apus/sessions/", action, 1);
            let (stage, state) = staged(&storage, &format!("s{number}-{length}"), &bytes).await;
            puts(&fake, "/apus/sessions/", action, 1);
            let position = StagePosition::At(&state.revision);
            let state = append(&storage, &stage, position, &bytes).await.unwrap();
            assert_eq!(storage.stage_state(&stage, None).await.unwrap().unwrap(), state);
            assert_published(publish(&storage, &stage, &state, WriteMode::Replace).await);
            assert_content(&storage, "o", &Bytes::from([bytes.clone(), bytes].concat())).await;
        }
    }
}

/// The segments of an append whose session may have been put stay: the session may name them.
#[tokio::test]
async fn an_append_that_is_never_answered() {
    let (fake, storage) = ready().await;
    puts(&fake, "/apus/sessions/", &LOST[0], usize::MAX);
    let (stage, bytes) = (stage("s"), random(3 * MEBIBYTE));
    append(&storage, &stage, StagePosition::Start, &bytes).await.unwrap_err();
    fake.clear_faults();
    // Its creation was done the first time, and the tries after it found it there.
    let state = storage.stage_state(&stage, None).await.unwrap().unwrap();
    assert_eq!(state.offset, 3 << 20);
    assert_published(publish(&storage, &stage, &state, WriteMode::IfAbsent).await);
    assert_content(&storage, "o", &bytes).await;
}

#[tokio::test]
async fn a_publish() {
    let (fake, storage) = ready().await;
    for action in &LOST {
        for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
            for length in [1000, 3 * MEBIBYTE] {
                let bytes = random(length);
                let (stage, state) = staged(&storage, "s", &bytes).await;
                puts(&fake, "/files/", action, 1);
                assert_published(publish(&storage, &stage, &state, mode).await);
                assert_content(&storage, "o", &bytes).await;
                assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Absent);
                assert_content(&storage, "o", &bytes).await;
                storage.delete(&[name("o")]).await;
                assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
            }
        }
    }
}

/// What a lost PUT meets when it is repeated: another that exists (412), one that is newer (202), one of the same moment (409).
/// Whatever it is told, the segments that the object names stay, also when the upload is dropped after it.
#[tokio::test]
async fn whatever_a_repeated_put_meets_the_published_object_keeps_its_segments() {
    let fake = crate::support::fake(|options| options.max_file_size = 1 << 20).await;
    let storage = storage(&fake_config(&fake));
    let bytes = random(3 * MEBIBYTE + 5);
    let meets = [
        None,
        Some(Action::Status(StatusCode::ACCEPTED, HeaderMap::new())),
        Some(Action::DoneButStatus(StatusCode::ACCEPTED)),
        Some(Action::Status(StatusCode::CONFLICT, HeaderMap::new())),
        Some(Action::Status(StatusCode::PRECONDITION_FAILED, HeaderMap::new())),
    ];
    for (lost, meets) in LOST.iter().flat_map(|lost| meets.iter().map(move |meets| (lost, meets))) {
        for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
            let lose = || {
                puts(&fake, "multipart-manifest", lost, 1);
                if let Some(meets) = meets {
                    puts(&fake, "multipart-manifest", meets, 1);
                }
            };
            lose();
            assert_published(storage.write(&name("w"), streamed_body(&bytes), mode).await);
            assert_content(&storage, "w", &bytes).await;
            let (stage, state) = staged(&storage, "s", &bytes).await;
            fake.clear_faults();
            lose();
            assert_published(publish(&storage, &stage, &state, mode).await);
            assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Absent);
            assert_content(&storage, "o", &bytes).await;
            fake.clear_faults();
            for outcome in storage.delete(&[name("w"), name("o")]).await {
                assert_eq!(outcome.unwrap(), Outcome::Done);
            }
            assert!(
                fake.object_names(CONTAINER).is_empty(),
                "{lost:?} {meets:?}: {:?}",
                fake.object_names(CONTAINER)
            );
        }
    }
}

/// However often it is asked, the answer is lost: one look tells that it was done.
#[tokio::test]
async fn a_publish_of_segments_that_is_never_answered() {
    let (fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    let (stage, state) = staged(&storage, "s", &bytes).await;
    puts(&fake, "multipart-manifest", &LOST[1], usize::MAX);
    assert_published(publish(&storage, &stage, &state, WriteMode::Replace).await);
    assert_content(&storage, "o", &bytes).await;
}

/// Not done, and answered so, until it is given up: the stage stays, and is published later.
#[tokio::test]
async fn a_publish_that_fails_can_be_repeated() {
    let (fake, storage) = ready().await;
    for length in [1000, 3 * MEBIBYTE, 3 * MEBIBYTE + 5] {
        let bytes = random(length);
        let (stage, state) = staged(&storage, "s", &bytes).await;
        puts(
            &fake,
            "/files/",
            &Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new()),
            usize::MAX,
        );
        let error = publish(&storage, &stage, &state, WriteMode::IfAbsent).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
        assert!(content(&storage, "o").await.is_none());
        fake.clear_faults();
        assert_published(publish(&storage, &stage, &state, WriteMode::IfAbsent).await);
        assert_content(&storage, "o", &bytes).await;
        storage.delete(&[name("o")]).await;
        assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
    }
}

#[tokio::test]
async fn a_published_stage_whose_session_stays_is_dropped_without_its_segments() {
    let (fake, storage) = ready().await;
    for length in [1000, 3 * MEBIBYTE, 3 * MEBIBYTE + 5] {
        let bytes = random(length);
        let (stage, state) = staged(&storage, "s", &bytes).await;
        fake.fault(Fault {
            method: Some(Method::DELETE),
            path_contains: "/apus/sessions/".to_owned(),
            ..Fault::always(Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new()))
        });
        assert_published(publish(&storage, &stage, &state, WriteMode::IfAbsent).await);
        fake.clear_faults();
        // A repeated publish finds its own object.
        assert_published(publish(&storage, &stage, &state, WriteMode::IfAbsent).await);
        assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Absent);
        assert_content(&storage, "o", &bytes).await;
        storage.delete(&[name("o")]).await;
        assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
    }
}

/// A PUT that loses a race to a newer one is answered 202 without an entity tag: that is no corruption.
#[tokio::test]
async fn an_answer_of_202_is_looked_into() {
    let (fake, storage) = ready().await;
    let accepted = Action::DoneButStatus(StatusCode::ACCEPTED);
    let bytes = random(1000);
    puts(&fake, "/files/", &accepted, 1);
    assert_published(storage.write(&name("o"), bytes.clone().into(), WriteMode::IfAbsent).await);

    // A newer one has won: with IfAbsent it exists, with Replace it has replaced ours.
    let not_done = Action::Status(StatusCode::ACCEPTED, HeaderMap::new());
    for (mode, is_published) in [(WriteMode::IfAbsent, false), (WriteMode::Replace, true)] {
        puts(&fake, "/files/", &not_done, 1);
        let publication = storage.write(&name("o"), random(500).into(), mode).await.unwrap();
        assert_eq!(matches!(publication, Publication::Published(_)), is_published);
        assert_eq!(publication.info().size, 1000);
    }

    let large = random(3 * MEBIBYTE);
    let (stage, state) = staged(&storage, "s", &large).await;
    puts(&fake, "multipart-manifest", &not_done, 1);
    let publication = publish(&storage, &stage, &state, WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(publication, Publication::Existing(_)));
    assert_eq!(storage.stage_state(&stage, None).await.unwrap().unwrap(), state);
    puts(&fake, "multipart-manifest", &not_done, 1);
    assert_published(publish(&storage, &stage, &state, WriteMode::Replace).await);
    assert_eq!(fake.object_names(CONTAINER), ["files/o"]);
    assert_content(&storage, "o", &bytes).await;

    let (stage, state) = staged(&storage, "t", &large).await;
    puts(&fake, "multipart-manifest", &accepted, 1);
    assert_published(publish(&storage, &stage, &state, WriteMode::Replace).await);
    assert_content(&storage, "o", &large).await;
}

/// By the clock of another proxy the object that is to be replaced may be the newer one: it stays, and so do its segments.
#[tokio::test]
async fn what_could_not_be_replaced_keeps_its_segments() {
    let (fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    let (stage, state) = staged(&storage, "s", &bytes).await;
    assert_published(publish(&storage, &stage, &state, WriteMode::IfAbsent).await);
    let before = fake.object_names(CONTAINER);
    let not_done = Action::Status(StatusCode::ACCEPTED, HeaderMap::new());
    let other = random(3 * MEBIBYTE);

    puts(&fake, "/files/", &not_done, 1);
    storage.write(&name("o"), streamed_body(&other), WriteMode::Replace).await.unwrap();
    let (stage, state) = staged(&storage, "t", &other).await;
    puts(&fake, "multipart-manifest", &not_done, 1);
    publish(&storage, &stage, &state, WriteMode::Replace).await.unwrap();
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(fake.object_names(CONTAINER), before);
}

/// Two processes go on with one upload, each without having heard of the other, and publish it under two names: were both
/// to succeed they would share segments, and deleting one object would damage the other.
#[tokio::test]
async fn an_upload_that_has_forked_is_published_once() {
    let (fake, one) = ready().await;
    let other = storage(&fake_config(&fake));
    let common = random(2 * MEBIBYTE);
    let (stage, state) = staged(&one, "s", &common).await;
    let position = StagePosition::At(&state.revision);
    let (first, second) = (random(2 * MEBIBYTE), random(2 * MEBIBYTE));
    let others = append(&other, &stage, position, &second).await.unwrap();
    let ones = append(&one, &stage, position, &first).await.unwrap();
    one.stage_publish(&stage, &ones.revision, &name("one"), WriteMode::IfAbsent).await.unwrap();
    let error =
        other.stage_publish(&stage, &others.revision, &name("other"), WriteMode::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StageMoved);
    other.stage_drop(&stage).await.unwrap();
    assert_content(&one, "one", &Bytes::from([common, first].concat())).await;
    assert!(content(&one, "other").await.is_none());
}

/// The one that loses a race to append frees what it wrote.
#[tokio::test]
async fn a_beginning_that_lost_leaves_nothing() {
    let (fake, storage) = ready().await;
    let (winner, bytes) = (random(3 * MEBIBYTE), random(2 * MEBIBYTE));
    let (stage, state) = staged(&storage, "s", &winner).await;
    forget(&fake);
    let error = append(&storage, &stage, StagePosition::Start, &bytes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StageMoved);
    assert_eq!(asked(&fake.requests()), ["PUT segment", "PUT session", "GET session", "DELETE segment"]);
    assert_published(publish(&storage, &stage, &state, WriteMode::IfAbsent).await);
    let segments = || fake.object_names(CONTAINER).iter().filter(|name| name.contains("segments")).count();
    eventually("segments are left", || segments() == 1).await;
}
