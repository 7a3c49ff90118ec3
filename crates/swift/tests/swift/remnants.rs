//! What uploads have left that came to nothing is found by its segments and freed, and nothing that may be needed is.

use std::time::Duration;

use apus_fake_swift::{Action, Dialect, FakeSwift, Fault};
use apus_storage::{Remnants, StagePosition, StageState, Storage, WriteMode};
use apus_swift::SwiftStorage;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::dynamic::raw;
use crate::support::{
    CONTAINER, MEBIBYTE, append, assert_content, fake_config, name, publish, random, ready, ready_with,
    staged, storage, streamed_body,
};

async fn free(storage: &SwiftStorage) -> Remnants {
    storage.free_remnants(Duration::ZERO, false).await.unwrap()
}

/// Frees what there is, and sees that it was as much, with nothing to say of it.
async fn assert_freed(storage: &SwiftStorage, stages: u64, bytes: usize) {
    let found = free(storage).await;
    assert_eq!((found.stages, found.bytes), (stages, bytes as u64), "{found:?}");
    assert!(found.doubt.is_none() && found.failures.is_empty(), "{found:?}");
}

/// What a process leaves that dies in an upload's first append: segments, and nothing besides.
async fn left_by_an_append(fake: &FakeSwift, storage: &SwiftStorage, id: &str, length: usize) {
    staged(storage, id, &random(length)).await;
    fake.delete_object(CONTAINER, &format!("apus/sessions/{id}"));
}

/// Takes an object away, and gives its bytes.
fn take(fake: &FakeSwift, object: &str) -> Bytes {
    let data = fake.object(CONTAINER, object).unwrap().data;
    fake.delete_object(CONTAINER, object);
    data
}

fn segments_of(fake: &FakeSwift, upload: &str) -> usize {
    let prefix = format!("segments/apus/{upload}/");
    fake.object_names(CONTAINER).iter().filter(|name| name.starts_with(&prefix)).count()
}

#[tokio::test]
async fn what_a_first_append_has_left_is_freed_and_what_is_published_is_not() {
    for dialect in [Dialect::Swift, Dialect::Ceph { account_in_url: false }] {
        let (fake, storage) = ready_with(|options| options.dialect = dialect).await;
        let bytes = random(3 * MEBIBYTE);
        publish(&storage, "published", "large", &bytes).await;
        publish(&storage, "small", "small", &random(1000)).await;
        let before = fake.object_names(CONTAINER);
        assert_freed(&storage, 0, 0).await;

        left_by_an_append(&fake, &storage, "a", 3 * MEBIBYTE).await;
        left_by_an_append(&fake, &storage, "b", 2 * MEBIBYTE).await;
        let with_remnants = fake.object_names(CONTAINER);
        let found = storage.free_remnants(Duration::ZERO, true).await.unwrap();
        assert_eq!((found.stages, found.bytes), (2, 5 * MEBIBYTE as u64), "{found:?}");
        assert_eq!(fake.object_names(CONTAINER), with_remnants);

        assert_freed(&storage, 2, 5 * MEBIBYTE).await;
        assert_eq!(fake.object_names(CONTAINER), before);
        assert_freed(&storage, 0, 0).await;
        assert_content(&storage, "large", &bytes).await;
    }
}

#[tokio::test]
async fn an_upload_with_a_session_goes_on() {
    let (_fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    let (stage, state) = staged(&storage, "s", &bytes).await;
    assert_freed(&storage, 0, 0).await;
    let StageState { revision, .. } =
        append(&storage, &stage, StagePosition::At(&state.revision), &bytes).await.unwrap();
    storage.stage_publish(&stage, &revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "o", &Bytes::from([bytes.clone(), bytes].concat())).await;
    assert_freed(&storage, 0, 0).await;
}

#[tokio::test]
async fn what_is_young_is_left() {
    let (fake, storage) = ready().await;
    left_by_an_append(&fake, &storage, "s", 3 * MEBIBYTE).await;
    publish(&storage, "t", "o", &random(2 * MEBIBYTE)).await;
    take(&fake, "files/o");
    let before = fake.object_names(CONTAINER);
    let found = storage.free_remnants(Duration::from_hours(1), false).await.unwrap();
    assert_eq!((found.stages, found.bytes), (0, 0), "{found:?}");
    assert_eq!(fake.object_names(CONTAINER), before);
    assert_freed(&storage, 2, 5 * MEBIBYTE).await;
    assert!(fake.object_names(CONTAINER).is_empty());
}

#[tokio::test]
async fn a_record_counts_only_with_an_object_that_may_use_the_segments() {
    let (fake, storage) = ready_with(|options| options.max_file_size = 2 << 20).await;
    // Of a body that was too large for one object, or of an upload: the object never came, or is gone.
    storage.write(&name("gone"), streamed_body(&random(3 * MEBIBYTE)), WriteMode::IfAbsent).await.unwrap();
    publish(&storage, "s", "gone-too", &random(3 * MEBIBYTE)).await;
    take(&fake, "files/gone");
    take(&fake, "files/gone-too");
    // Another one has become the object.
    publish(&storage, "t", "o", &random(3 * MEBIBYTE)).await;
    let record = take(&fake, "apus/records/t");
    let segment = random(100);
    fake.put_object(CONTAINER, "segments/apus/t/00000009-0", segment.clone());
    let bytes = random(3 * MEBIBYTE);
    let (stage, state) = staged(&storage, "u", &bytes).await;
    storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::Replace).await.unwrap();
    fake.put_object(CONTAINER, "apus/records/t", record);
    // A drop was cut off.
    left_by_an_append(&fake, &storage, "v", 2 * MEBIBYTE).await;
    fake.put_object(CONTAINER, "apus/records/v", r#"{"version":1,"target":"","segments":[]}"#);

    assert_freed(&storage, 4, 8 * MEBIBYTE + segment.len()).await;
    assert_content(&storage, "o", &bytes).await;
    let left = fake.object_names(CONTAINER);
    assert_eq!(left.len(), 2 + segments_of(&fake, "u"), "{left:?}");
    assert_freed(&storage, 0, 0).await;
}

/// As where a container was copied without what lies under `apus/`: then the segments of every large object look like
/// something left.
#[tokio::test]
async fn where_records_have_been_lost_nothing_without_one_is_freed() {
    for dialect in [Dialect::Swift, Dialect::Ceph { account_in_url: false }] {
        let (fake, storage) = ready_with(|options| options.dialect = dialect).await;
        let bytes = random(3 * MEBIBYTE);
        publish(&storage, "s", "o", &bytes).await;
        publish(&storage, "t", "p", &random(2 * MEBIBYTE)).await;
        publish(&storage, "w", "gone", &random(2 * MEBIBYTE)).await;
        take(&fake, "files/gone");
        left_by_an_append(&fake, &storage, "v", 2 * MEBIBYTE).await;
        let record = take(&fake, "apus/records/s");

        // What has a record is certain all the same.
        let found = free(&storage).await;
        assert_eq!((found.stages, found.bytes), (1, 2 * MEBIBYTE as u64), "{found:?}");
        let doubt = found.doubt.unwrap();
        assert!(doubt.contains("files/o") && doubt.contains("apus/records/"), "{doubt}");
        assert_eq!((segments_of(&fake, "w"), segments_of(&fake, "v") > 0), (0, true));
        assert_content(&storage, "o", &bytes).await;

        fake.put_object(CONTAINER, "apus/records/s", record);
        assert_freed(&storage, 1, 2 * MEBIBYTE).await;
        assert_content(&storage, "o", &bytes).await;
        assert_eq!(segments_of(&fake, "v"), 0);
    }
}

/// The record of a large object whose segments no listing shows is missing, too.
#[tokio::test]
async fn one_lost_record_is_enough_whether_its_segments_are_listed_or_not() {
    let (fake, storage) = ready().await;
    left_by_an_append(&fake, &storage, "v", 2 * MEBIBYTE).await;
    publish(&storage, "s", "o", &random(2 * MEBIBYTE)).await;
    for segment in fake.object_names(CONTAINER) {
        if segment.starts_with("segments/apus/s/") {
            take(&fake, &segment);
        }
    }
    take(&fake, "apus/records/s");
    assert!(free(&storage).await.doubt.unwrap().contains("files/o"));
    assert_eq!(segments_of(&fake, "v"), 1);
}

#[tokio::test]
async fn an_object_that_has_lost_its_metadata_keeps_its_segments() {
    for dialect in [Dialect::Swift, Dialect::Ceph { account_in_url: false }] {
        let (fake, storage) = ready_with(|options| options.dialect = dialect).await;
        let bytes = random(3 * MEBIBYTE);
        publish(&storage, "s", "o", &bytes).await;
        raw(&fake_config(&fake)).post("files/o", HeaderMap::new()).await.unwrap();
        assert_freed(&storage, 0, 0).await;
        take(&fake, "apus/records/s");
        let found = free(&storage).await;
        assert_eq!(found.stages, 0, "{found:?}");
        assert!(found.doubt.unwrap().contains("files/o"));
        assert_content(&storage, "o", &bytes).await;
    }
}

/// Something that is no large object any more, and still names the upload: it alone is left.
#[tokio::test]
async fn an_upload_that_any_object_names_is_kept() {
    let (fake, storage) = ready().await;
    publish(&storage, "s", "o", &random(1000)).await;
    fake.put_object(CONTAINER, "segments/apus/s/00000000-0", random(10));
    left_by_an_append(&fake, &storage, "v", 2 * MEBIBYTE).await;
    assert_freed(&storage, 1, 2 * MEBIBYTE).await;
    assert_eq!((segments_of(&fake, "s"), segments_of(&fake, "v")), (1, 0));
}

/// Two registries in one container: the objects of one say nothing against the other's, unless they use its segments.
#[tokio::test]
async fn another_prefix_has_records_of_its_own() {
    let (fake, one) = ready().await;
    let mut config = fake_config(&fake);
    config.prefix = "other".to_owned();
    let other = storage(&config);
    let bytes = random(3 * MEBIBYTE);
    publish(&other, "s", "o", &bytes).await;
    left_by_an_append(&fake, &one, "v", 2 * MEBIBYTE).await;
    assert_freed(&one, 1, 2 * MEBIBYTE).await;
    assert_freed(&other, 0, 0).await;
    assert_content(&other, "o", &bytes).await;

    // Copied there by name, and forgotten here: its segments are still here.
    publish(&one, "t", "p", &bytes).await;
    let client = raw(&fake_config(&fake));
    let segments = client.manifest("files/p").await.unwrap().unwrap();
    let headers =
        [(http::HeaderName::from_static("x-object-meta-apus-stage"), http::HeaderValue::from_static("t"))];
    let manifest = apus_swift::SloManifest::new("other/files/p", &segments).headers(headers);
    client.put_manifest(manifest).await.unwrap();
    take(&fake, "files/p");
    take(&fake, "apus/records/t");
    assert!(free(&one).await.doubt.unwrap().contains("other/files/p"));
    assert_content(&other, "p", &bytes).await;
}

#[tokio::test]
async fn what_cannot_be_found_out_or_freed_is_told_and_taken_up_again() {
    let (fake, storage) = ready().await;
    left_by_an_append(&fake, &storage, "s", 2 * MEBIBYTE).await;
    left_by_an_append(&fake, &storage, "t", 3 * MEBIBYTE).await;
    left_by_an_append(&fake, &storage, "u", 2 * MEBIBYTE).await;
    publish(&storage, "p", "o", &random(2 * MEBIBYTE)).await;
    let before = fake.object_names(CONTAINER);
    let refused = || Fault::always(Action::Status(StatusCode::FORBIDDEN, HeaderMap::new()));
    for path in ["/apus/sessions/t", "/apus/records/t", "/files/o"] {
        fake.fault(Fault { path_contains: path.to_owned(), ..refused() });
        storage.free_remnants(Duration::ZERO, false).await.unwrap_err();
        assert_eq!(fake.object_names(CONTAINER), before, "{path}");
        fake.clear_faults();
    }

    // A newer Apus has written what it knows of it.
    fake.put_object(CONTAINER, "apus/records/u", r#"{"version":2}"#);
    let method = Some(Method::DELETE);
    fake.fault(Fault { method, path_contains: "/segments/apus/s/".to_owned(), ..refused() });
    let found = free(&storage).await;
    assert_eq!((found.stages, found.bytes, found.failures.len()), (1, 3 * MEBIBYTE as u64, 2), "{found:?}");
    assert_eq!(segments_of(&fake, "t"), 0);
    fake.clear_faults();
    let found = free(&storage).await;
    assert_eq!((found.stages, found.bytes, found.failures.len()), (1, 2 * MEBIBYTE as u64, 1), "{found:?}");
    assert_eq!((segments_of(&fake, "s"), segments_of(&fake, "u") > 0), (0, true));
}

/// What it costs where there is nothing: a listing, and for each large object its session, its record and itself.
#[tokio::test]
async fn objects_are_asked_only_where_something_was_left() {
    let (fake, storage) = ready().await;
    publish(&storage, "s", "o", &random(2 * MEBIBYTE)).await;
    publish(&storage, "t", "small", &random(1000)).await;
    fake.put_object(CONTAINER, "files/link", vec![b'a'; 135]);
    crate::support::forget(&fake);
    assert_freed(&storage, 0, 0).await;
    assert_eq!(fake.requests().len(), 4, "{:?}", fake.requests());
    left_by_an_append(&fake, &storage, "v", 2 * MEBIBYTE).await;
    crate::support::forget(&fake);
    assert_freed(&storage, 1, 2 * MEBIBYTE).await;
    assert!(fake.count(|request| request.path.ends_with("files/small")) == 1);
    assert_eq!(fake.count(|request| request.path.ends_with("files/link")), 0);
}
