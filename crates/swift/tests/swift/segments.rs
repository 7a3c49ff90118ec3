//! Large objects: their segments, and what becomes of these. On the fake, and where Swift itself does it on a real one.

use apus_fake_swift::FakeSwift;
use apus_storage::{
    ByteRange, ErrorKind, Freshness, ListEntry, ListRequest, Outcome, Publication, StagePosition, Storage,
    WriteMode,
};
use apus_swift::{ListingRequest, SwiftClient, SwiftConfig, SwiftStorage};
use bytes::Bytes;

use crate::support::{
    CONTAINER, MEBIBYTE, append, assert_content, fake, fake_config, name, publish, random, real_v1, real_v3,
    stage, staged, storage, streamed_body,
};

/// A fake, and storage whose segments have 1 MiB.
async fn small_segments() -> (FakeSwift, SwiftStorage) {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.segment_size = 1 << 20;
    (fake, storage(&config))
}

fn segments(fake: &FakeSwift) -> Vec<usize> {
    let names = fake.object_names(CONTAINER);
    let segments = names.iter().filter(|name| name.starts_with("segments/"));
    segments.map(|name| fake.object(CONTAINER, name).unwrap().data.len()).collect()
}

#[tokio::test]
async fn a_stream_becomes_segments_and_a_rest() {
    let (fake, storage) = small_segments().await;
    let bytes = random(5 * MEBIBYTE + 500_000);
    let (stage, state) = staged(&storage, "s", &bytes).await;
    assert_eq!(segments(&fake), [MEBIBYTE; 5]);
    storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_eq!(segments(&fake), [&[MEBIBYTE; 5][..], &[500_000]].concat());
    assert_content(&storage, "o", &bytes).await;
    let object = fake.object(CONTAINER, "files/o").unwrap();
    assert_eq!(object.segments.unwrap().len(), 6);
    assert_eq!(object.headers["x-object-meta-apus-stage"], "s");
    assert_eq!(*storage.delete(&[name("o")]).await[0].as_ref().unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

#[tokio::test]
async fn small_appends_are_gathered_until_they_are_worth_a_segment() {
    let (fake, storage) = small_segments().await;
    let stage = stage("s");
    let mut whole = Vec::new();
    let mut state = None;
    for _ in 0..12 {
        let bytes = random(300_000);
        whole.extend_from_slice(&bytes);
        let position = state.as_ref().map_or(StagePosition::Start, |state: &apus_storage::StageState| {
            StagePosition::At(&state.revision)
        });
        state = Some(append(&storage, &stage, position, &bytes).await.unwrap());
    }
    let state = state.unwrap();
    assert!(segments(&fake).iter().all(|size| *size >= MEBIBYTE), "{:?}", segments(&fake));
    storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "o", &Bytes::from(whole)).await;
}

#[tokio::test]
async fn what_a_cluster_takes_in_one_piece_is_kept_to() {
    let fake = fake(|options| options.max_file_size = 1 << 20).await;
    let storage = storage(&fake_config(&fake));
    let bytes = random(10 * MEBIBYTE + 7);
    for mode in [WriteMode::IfAbsent, WriteMode::Replace, WriteMode::Replace] {
        let publication = storage.write(&name("o"), streamed_body(&bytes), mode).await.unwrap();
        assert!(matches!(&publication, Publication::Published(info) if info.size == bytes.len() as u64));
        assert_content(&storage, "o", &bytes).await;
        // The segments of what was replaced are gone, and so is its record.
        assert_eq!(segments(&fake), [&[MEBIBYTE; 10][..], &[7]].concat());
        assert_eq!(fake.object_names(CONTAINER).len(), 11 + 2);
    }
    let again = storage.write(&name("o"), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(again, Publication::Existing(_)));
    assert_eq!(fake.object_names(CONTAINER).len(), 11 + 2);

    publish(&storage, "s", "p", &bytes).await;
    assert_content(&storage, "p", &bytes).await;
    for outcome in storage.delete(&[name("o"), name("p")]).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

#[tokio::test]
async fn more_segments_than_the_cluster_allows_are_refused() {
    let fake = fake(|options| options.max_manifest_segments = 4).await;
    let mut config = fake_config(&fake);
    config.segment_size = 1 << 20;
    let storage = storage(&config);
    publish(&storage, "s", "o", &random(3 * MEBIBYTE + 100)).await;
    let bytes = random(5 * MEBIBYTE);
    let error = append(&storage, &stage("t"), StagePosition::Start, &bytes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("chunksize"), "{error}");
}

#[tokio::test]
async fn publishing_over_a_large_object_frees_its_segments() {
    let (fake, storage) = small_segments().await;
    for length in [5 * MEBIBYTE, 3 * MEBIBYTE, 100] {
        let bytes = random(length);
        let (stage, state) = staged(&storage, &format!("s{length}"), &bytes).await;
        storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::Replace).await.unwrap();
        assert_content(&storage, "o", &bytes).await;
        assert_eq!(segments(&fake).iter().sum::<usize>(), if length == 100 { 0 } else { length });
    }
    assert_eq!(fake.object_names(CONTAINER), ["files/o"]);
}

#[tokio::test]
async fn a_stage_that_gave_way_is_dropped_with_all_it_held() {
    let (fake, storage) = small_segments().await;
    let bytes = random(3 * MEBIBYTE + 5);
    publish(&storage, "first", "o", &bytes).await;
    let before = fake.object_names(CONTAINER);
    let publication = publish(&storage, "second", "o", &bytes).await;
    assert!(matches!(publication, Publication::Existing(_)));
    assert_eq!(storage.stage_drop(&stage("second")).await.unwrap(), Outcome::Done);
    assert_eq!(fake.object_names(CONTAINER), before);
    assert_content(&storage, "o", &bytes).await;
}

/// Also what no session names: of appends that died.
#[tokio::test]
async fn dropping_a_stage_frees_all_that_lies_under_its_name() {
    let (fake, storage) = small_segments().await;
    let (stage, _) = staged(&storage, "s", &random(3 * MEBIBYTE)).await;
    fake.put_object(CONTAINER, "segments/apus/s/00000099-dead", "x");
    fake.put_object(CONTAINER, "segments/apus/s2/00000000-other", "x");
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert_eq!(fake.object_names(CONTAINER), ["segments/apus/s2/00000000-other"]);
}

#[tokio::test]
async fn another_process_reads_and_goes_on() {
    let (fake, one) = small_segments().await;
    let other = storage(&fake_config(&fake));
    let bytes = random(3 * MEBIBYTE + 5);
    let (stage, state) = staged(&one, "s", &bytes).await;
    let state = append(&other, &stage, StagePosition::At(&state.revision), &bytes).await.unwrap();
    assert_eq!(state.offset, 2 * bytes.len() as u64);
    other.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&one, "o", &Bytes::from([bytes.clone(), bytes].concat())).await;
}

/// A client of the container itself, past the contract.
fn raw(config: &SwiftConfig) -> apus_swift::Container {
    SwiftClient::new(config).unwrap().container(config.container.clone())
}

async fn names(container: &apus_swift::Container) -> Vec<String> {
    let request = ListingRequest { limit: 10_000, ..ListingRequest::default() };
    let listing = container.list(&request).await.unwrap();
    assert!(listing.is_last);
    listing.entries.into_iter().map(|entry| entry.name().to_owned()).collect()
}

async fn large_objects_on_a_real_swift(mut config: SwiftConfig) {
    config.segment_size = 1 << 20;
    config.prefix = format!("p{}", u64::from_le_bytes(random(8)[..].try_into().unwrap()));
    let (storage, raw) = (storage(&config), raw(&config));
    storage.check().await.unwrap();
    assert!(names(&raw).await.iter().all(|name| !name.starts_with(&config.prefix)));
    let ours = async || -> Vec<String> {
        names(&raw).await.into_iter().filter(|name| name.starts_with(&config.prefix)).collect()
    };

    let bytes = random(3 * MEBIBYTE + 500);
    publish(&storage, "first", "o", &bytes).await;
    assert_content(&storage, "o", &bytes).await;
    let across = ByteRange::FromTo { first: MEBIBYTE as u64 - 3, last: MEBIBYTE as u64 + 2 };
    let reader = storage.read(&name("o"), across, Freshness::Any).await.unwrap().unwrap();
    let part = apus_storage::body::collect(reader.stream, 100).await.unwrap();
    assert_eq!(part, bytes.slice(MEBIBYTE - 3..MEBIBYTE + 3));
    assert_eq!(ours().await.len(), 4 + 2);

    // Touched, it is still a large object, listed with its whole size, and still says which stage it came from.
    storage.touch(&name("o")).await.unwrap();
    let listed = storage.list(&ListRequest::everything()).await.unwrap().entries;
    assert!(
        matches!(listed[..], [ListEntry::Object { size, .. }] if size == bytes.len() as u64),
        "{listed:?}"
    );
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(storage.stage_drop(&stage("first")).await.unwrap(), Outcome::Absent);
    assert_content(&storage, "o", &bytes).await;

    // Replaced by a stream in one piece, and by segments again.
    storage.write(&name("o"), streamed_body(&bytes), WriteMode::Replace).await.unwrap();
    assert_eq!(ours().await.len(), 1);
    let (stage, state) = staged(&storage, "second", &bytes).await;
    storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::Replace).await.unwrap();
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(ours().await.len(), 4 + 2);

    // What exists stays, and what gave way goes.
    assert!(matches!(publish(&storage, "third", "o", &bytes).await, Publication::Existing(_)));
    assert_eq!(storage.stage_drop(&crate::support::stage("third")).await.unwrap(), Outcome::Done);
    assert_eq!(ours().await.len(), 4 + 2);

    // A segment that is gone is damage, and deleting what is damaged works.
    let segment = ours().await.into_iter().find(|name| name.contains("/segments/")).unwrap();
    raw.delete(&segment).await.unwrap();
    let error = storage.read(&name("o"), ByteRange::Full, Freshness::Newest).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{}", error.report());
    assert_eq!(*storage.delete(&[name("o")]).await[0].as_ref().unwrap(), Outcome::Done);
    assert_eq!(ours().await, Vec::<String>::new());
}

#[tokio::test]
async fn large_objects_on_a_real_swift_with_version_1() {
    large_objects_on_a_real_swift(real_v1("apus-segments")).await;
}

#[tokio::test]
async fn large_objects_on_a_real_swift_with_version_3() {
    large_objects_on_a_real_swift(real_v3("apus-segments")).await;
}
