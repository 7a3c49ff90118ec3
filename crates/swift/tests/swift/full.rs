//! Real Swifts that have no room: by a quota, and because the disk is full. Whoever writes is told, and nothing stays. How each
//! single request may be refused is tested on the fake, in `failures.rs` and `ordering.rs`.

use apus_storage::{ErrorKind, Outcome, Publication, StagePosition, Storage, StorageError, WriteMode};
use apus_swift::SwiftStorage;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderName, HeaderValue};

use crate::dynamic::raw;
use crate::own_swift::OwnSwift;
use crate::support::{
    MEBIBYTE, append, assert_content, name, random, real_v1, real_v3, stage, staged, storage, streamed_body,
};

const LARGE: usize = 3 * MEBIBYTE + 5;

/// The errors of all ways to write, small and large, of which `prepared` has one half behind it.
async fn refusals(
    storage: &SwiftStorage,
    prepared: &(apus_storage::StageId, apus_storage::StageState),
) -> Vec<(&'static str, StorageError)> {
    let (bytes, (half, state)) = (random(LARGE), prepared);
    let position = StagePosition::At(&state.revision);
    let published = storage.stage_publish(half, &state.revision, &name("half"), WriteMode::IfAbsent).await;
    vec![
        ("small", storage.write(&name("small"), random(100).into(), WriteMode::Replace).await.unwrap_err()),
        (
            "streamed",
            storage.write(&name("streamed"), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap_err(),
        ),
        ("begun", append(storage, &stage("new"), StagePosition::Start, &bytes).await.unwrap_err()),
        ("half", append(storage, half, position, &bytes).await.unwrap_err()),
        ("published", published.unwrap_err()),
    ]
}

#[tokio::test]
async fn a_quota_is_said_and_nothing_stays() {
    for make in [real_v1, real_v3] {
        let mut config = make(&format!("apus-quota-{:08x}", rand::random::<u32>()));
        config.segment_size = 1 << 20;
        let (storage, raw) = (storage(&config), raw(&config));
        storage.check().await.unwrap();
        let bytes = random(LARGE);
        storage.write(&name("before"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
        let prepared = staged(&storage, "half", &bytes).await;
        let quota = async |count: &'static str| {
            let header = HeaderName::from_static("x-container-meta-quota-count");
            raw.create([(header, HeaderValue::from_static(count))]).await.unwrap();
        };
        quota("0").await;
        for (what, error) in refusals(&storage, &prepared).await {
            assert_eq!(error.kind(), ErrorKind::Full, "{what}: {}", error.report());
            assert!(error.report().contains("quota"), "{what}: {}", error.report());
        }
        // What was there is there still, and room can be made.
        assert_content(&storage, "before", &bytes).await;
        assert_eq!(storage.stage_drop(&prepared.0).await.unwrap(), Outcome::Done);
        storage.delete(&[name("before")]).await.remove(0).unwrap();
        let left: Vec<_> = raw.entries("", false).try_collect().await.unwrap();
        assert_eq!(left, []);
        quota("").await;
        storage.write(&name("after"), Bytes::new().into(), WriteMode::IfAbsent).await.unwrap();
        storage.delete(&[name("after")]).await.remove(0).unwrap();
        assert!(raw.remove().await.unwrap());
    }
}

/// To its clients Swift says 503: it knows only that no server could store it.
#[tokio::test]
async fn a_full_disk_is_said_and_nothing_stays() {
    let swift = OwnSwift::start(&[]);
    let mut config = swift.config("full");
    config.segment_size = 1 << 20;
    config.max_tries = 2;
    let (storage, raw) = (storage(&config), raw(&config));
    storage.check().await.unwrap();
    let bytes = random(LARGE);
    storage.write(&name("before"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
    let prepared = staged(&storage, "half", &bytes).await;
    let before: Vec<_> = raw.entries("", false).try_collect().await.unwrap();

    swift.reserve_on_disks("100%");
    for (what, error) in refusals(&storage, &prepared).await {
        assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{what}: {}", error.report());
        assert!(error.report().contains("503"), "{what}: {}", error.report());
        assert!(error.request_id().is_some(), "{what}: {}", error.report());
    }
    swift.reserve_on_disks("0");

    let after: Vec<_> = raw.entries("", false).try_collect().await.unwrap();
    assert_eq!(before, after);
    assert_content(&storage, "before", &bytes).await;
    let (half, state) = prepared;
    let published = storage.stage_publish(&half, &state.revision, &name("half"), WriteMode::IfAbsent).await;
    assert!(matches!(published.unwrap(), Publication::Published(_)));
    assert_content(&storage, "half", &bytes).await;
}
