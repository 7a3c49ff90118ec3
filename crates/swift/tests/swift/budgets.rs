//! What each operation costs: the requests that a Swift is asked, in their order. Signing in, the container and `/info` come
//! once and are not counted.

use apus_fake_swift::FakeSwift;
use apus_storage::{
    ByteRange, Freshness, ListRequest, Outcome, Publication, StagePosition, Storage, WriteMode,
};
use apus_swift::SwiftStorage;

use crate::support::{
    MEBIBYTE, append, asked, assert_content, forget, name, publish, random, ready, staged, streamed_body,
};

async fn assert_costs<T>(fake: &FakeSwift, expected: &[&str], operation: impl Future<Output = T>) -> T {
    forget(fake);
    let outcome = operation.await;
    assert_eq!(asked(&fake.take_requests()), expected);
    outcome
}

async fn write(storage: &SwiftStorage, object: &str, length: usize, mode: WriteMode) -> Publication {
    storage.write(&name(object), streamed_body(&random(length)), mode).await.unwrap()
}

#[tokio::test]
async fn a_write_is_one_request_whatever_its_size() {
    let (fake, storage) = ready().await;
    for (number, length) in [0, 100, MEBIBYTE, 5 * MEBIBYTE].into_iter().enumerate() {
        let object = format!("o{number}");
        let write = write(&storage, &object, length, WriteMode::IfAbsent);
        let publication = assert_costs(&fake, &["PUT object"], write).await;
        assert!(matches!(publication, Publication::Published(_)));
    }
    let write = write(&storage, "o1", 70, WriteMode::Replace);
    assert_costs(&fake, &["PUT object"], write).await;
}

#[tokio::test]
async fn a_write_over_what_exists_costs_no_body() {
    let (fake, storage) = ready().await;
    write(&storage, "o", 10, WriteMode::IfAbsent).await;
    forget(&fake);
    let publication = write(&storage, "o", 5 * MEBIBYTE, WriteMode::IfAbsent).await;
    assert!(matches!(publication, Publication::Existing(info) if info.size == 10));
    let requests = fake.take_requests();
    assert_eq!(asked(&requests), ["PUT object", "HEAD object"]);
    assert_eq!(requests[0].body_bytes, 0);
}

#[tokio::test]
async fn looking_and_reading_are_one_request_each() {
    let (fake, storage) = ready().await;
    write(&storage, "o", 5000, WriteMode::IfAbsent).await;
    let (there, absent) = (name("o"), name("absent"));
    for object in [&there, &absent] {
        assert_costs(&fake, &["HEAD object"], storage.stat(object, Freshness::Newest)).await.unwrap();
        let range = ByteRange::From(100);
        assert_costs(&fake, &["GET object"], storage.read(object, range, Freshness::Newest)).await.unwrap();
    }
    let (full, any) = (ByteRange::Full, Freshness::Any);
    assert_costs(&fake, &["HEAD object"], storage.stat(&there, any)).await.unwrap();
    assert_costs(&fake, &["GET object"], storage.read(&there, full, any)).await.unwrap();
    // One replica's word is not enough for absence.
    assert_costs(&fake, &["HEAD object"; 2], storage.stat(&absent, any)).await.unwrap();
    assert_costs(&fake, &["GET object"; 2], storage.read(&absent, full, any)).await.unwrap();
    assert_costs(&fake, &["HEAD object", "POST object"], storage.touch(&there)).await.unwrap();
    let deletion = assert_costs(&fake, &["HEAD object", "DELETE object"], storage.delete(&[there])).await;
    assert_eq!(deletion.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [Outcome::Done]);
}

#[tokio::test]
async fn a_page_is_one_request() {
    let (fake, storage) = ready().await;
    for number in 0..20 {
        fake.put_object("registry", &format!("files/d/{number:02}"), "x");
    }
    let whole = ListRequest::under(name("d"));
    let page = assert_costs(&fake, &["GET container"], storage.list(&whole)).await.unwrap();
    assert_eq!((page.entries.len(), page.next), (20, None));
    let page = assert_costs(&fake, &["GET container"], storage.list(&whole.limit(5))).await.unwrap();
    assert_eq!((page.entries.len(), page.next.as_deref()), (5, Some("d/04")));
    assert_costs(&fake, &["GET container"], storage.stage_list(None, 1000)).await.unwrap();
}

#[tokio::test]
async fn a_large_upload_in_one_append() {
    let (fake, storage) = ready().await;
    let bytes = random(5 * MEBIBYTE);
    let expected = ["PUT segment", "PUT session", "PUT record", "PUT object manifest", "DELETE session"];
    let publication = assert_costs(&fake, &expected, publish(&storage, "s", "o", &bytes)).await;
    assert!(matches!(publication, Publication::Published(_)));
    assert_content(&storage, "o", &bytes).await;
}

#[tokio::test]
async fn a_small_upload_in_one_append() {
    let (fake, storage) = ready().await;
    let expected = ["PUT session", "PUT object", "DELETE session"];
    assert_costs(&fake, &expected, publish(&storage, "s", "o", &random(MEBIBYTE - 1))).await;
}

#[tokio::test]
async fn a_large_upload_in_four_chunks() {
    let (fake, storage) = ready().await;
    let chunk = random(16 * MEBIBYTE);
    let whole = async {
        let (stage, mut state) = staged(&storage, "s", &chunk).await;
        for _ in 0..3 {
            // As a server does that keeps the revision in the URL of the upload.
            let known = storage.stage_state(&stage, Some(&state.revision)).await.unwrap().unwrap();
            assert_eq!(known, state);
            state = append(&storage, &stage, StagePosition::At(&state.revision), &chunk).await.unwrap();
        }
        storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await.unwrap()
    };
    let mut expected = ["PUT segment", "PUT session"].repeat(4);
    expected.extend(["PUT record", "PUT object manifest", "DELETE session"]);
    let publication = assert_costs(&fake, &expected, whole).await;
    assert_eq!(publication.info().size, 64 << 20);
}
