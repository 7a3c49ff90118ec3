//! Uploads in more chunks than a large object may have segments: small segments become one as the upload goes on.

use apus_fake_swift::{Action, FakeSwift, Fault};
use apus_storage::{ErrorKind, Outcome, StageId, StagePosition, StageState, Storage, WriteMode, body};
use apus_swift::{SwiftConfig, SwiftStorage};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::dynamic::raw;
use crate::support::{
    CONTAINER, MEBIBYTE, append, assert_content, fake, fake_config, name, random, real_v1, stage, storage,
};

/// A cluster of few segments, of which each may have 4 MiB.
fn narrow(mut config: SwiftConfig) -> SwiftConfig {
    config.capabilities.max_segments = Some(10);
    config.segment_size = 4 << 20;
    config
}

/// Appends so many times 1 MiB, the bytes in `whole` and some more.
async fn appended(
    storage: &SwiftStorage,
    stage: &StageId,
    mut state: Option<StageState>,
    whole: &mut Vec<u8>,
    times: usize,
) -> StageState {
    for _ in 0..times {
        let bytes = random(MEBIBYTE);
        whole.extend_from_slice(&bytes);
        let position =
            state.as_ref().map_or(StagePosition::Start, |state| StagePosition::At(&state.revision));
        state = Some(append(storage, stage, position, &bytes).await.unwrap());
    }
    state.unwrap()
}

async fn on_the_fake() -> (FakeSwift, SwiftConfig) {
    let fake = fake(|options| options.max_manifest_segments = 10).await;
    let config = narrow(fake_config(&fake));
    (fake, config)
}

async fn more_chunks_than_segments(config: SwiftConfig) {
    let config = narrow(config);
    let (storage, raw) = (storage(&config), raw(&config));
    let id = format!("s{}", u64::from_le_bytes(random(8)[..].try_into().unwrap()));
    let (stage, object) = (stage(&id), name(&id));
    let mut whole = Vec::new();
    let state = appended(&storage, &stage, None, &mut whole, 25).await;
    let whole = Bytes::from(whole);
    let staged = storage.stage_read(&stage, &state.revision).await.unwrap();
    assert!(body::collect(staged, 1 << 30).await.unwrap() == whole);
    storage.stage_publish(&stage, &state.revision, &object, WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, &id, &whole).await;
    let segments = raw.manifest(&format!("files/{id}")).await.unwrap().unwrap();
    assert!(segments.len() <= 10, "{segments:?}");
    // Those that became one are gone.
    let prefix = format!("segments/apus/{id}/");
    let listed = || async {
        let request = apus_swift::ListingRequest { prefix: &prefix, limit: 1000, ..Default::default() };
        raw.list(&request).await.unwrap().entries.len()
    };
    assert_eq!(listed().await, segments.len());
    assert_eq!(storage.delete(&[object]).await.remove(0).unwrap(), Outcome::Done);
    assert_eq!(listed().await, 0);
}

#[tokio::test]
async fn more_chunks_than_segments_on_the_fake() {
    let (fake, config) = on_the_fake().await;
    more_chunks_than_segments(config).await;
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

#[tokio::test]
async fn more_chunks_than_segments_on_a_real_swift() {
    more_chunks_than_segments(real_v1("apus-compacting")).await;
}

/// Another process goes on from before the segments became one, and is the one whose bytes are kept.
#[tokio::test]
async fn who_goes_on_from_before_still_has_its_segments() {
    let (fake, config) = on_the_fake().await;
    let (one, other, stage) = (storage(&config), storage(&config), stage("s"));
    let mut whole = Vec::new();
    let before = appended(&one, &stage, None, &mut whole, 5).await;
    let (mut ones, mut others) = (whole.clone(), whole);
    assert_eq!(other.stage_state(&stage, None).await.unwrap().unwrap(), before);
    appended(&one, &stage, Some(before.clone()), &mut ones, 1).await;
    // The other has not heard of it.
    let position = StagePosition::At(&before.revision);
    let late = random(MEBIBYTE);
    let error = append(&other, &stage, position, &late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StageMoved);
    // The first forgets nothing of what it knew, and its word is as good as the newest.
    let state = one.stage_state(&stage, None).await.unwrap().unwrap();
    assert_eq!(state.offset, ones.len() as u64);
    others.truncate(5 * MEBIBYTE);
    assert!(ones.starts_with(&others));
    let state = appended(&one, &stage, Some(state), &mut ones, 20).await;
    one.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&other, "o", &Bytes::from(ones)).await;
    other.delete(&[name("o")]).await.remove(0).unwrap();
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// The digest was taken of the bytes that came. What is read again is compared with what was written.
#[tokio::test]
async fn bytes_that_changed_in_the_store_are_not_taken_over() {
    let (fake, config) = on_the_fake().await;
    let (storage, stage) = (storage(&config), stage("s"));
    let state = appended(&storage, &stage, None, &mut Vec::new(), 5).await;
    let names = fake.object_names(CONTAINER);
    let segment = names.iter().find(|name| name.starts_with("segments/apus/s/00000002")).unwrap();
    fake.put_object(CONTAINER, segment, random(MEBIBYTE));
    let position = StagePosition::At(&state.revision);
    let error = append(&storage, &stage, position, &random(MEBIBYTE)).await.unwrap_err();
    assert!(error.report().contains("not as it was written"), "{}", error.report());
    // The upload stands where it stood, and what was written in vain is gone.
    assert_eq!(storage.stage_state(&stage, None).await.unwrap().unwrap(), state);
    crate::support::eventually("segments are left", || fake.object_names(CONTAINER) == names).await;
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty());
}

/// Dropped, nothing stays; and what cannot be freed after publishing harms nothing.
#[tokio::test]
async fn what_became_one_goes_with_its_stage() {
    let (fake, config) = on_the_fake().await;
    let (storage, stage) = (storage(&config), stage("s"));
    appended(&storage, &stage, None, &mut Vec::new(), 12).await;
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));

    let mut whole = Vec::new();
    let state = appended(&storage, &stage, None, &mut whole, 12).await;
    for method in [Method::POST, Method::DELETE] {
        let unavailable = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
        fake.fault(Fault { method: Some(method), ..Fault::always(unavailable) });
    }
    storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    fake.clear_faults();
    assert_content(&storage, "o", &Bytes::from(whole)).await;
}
