//! Large objects that cannot be read whole: a HEAD does not show it, so whoever meets it while reading tells all others,
//! and the next push mends it (threat A30). On the fake, and where Swift itself does it on a real one.

use apus_fake_swift::{Action, FakeSwift, Fault};
use apus_storage::{
    BoxError, ByteRange, ErrorKind, Freshness, Publication, Storage, StorageError, WriteMode, body,
};
use apus_swift::{Container, Segment, SwiftConfig, SwiftStorage, Upload};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::dynamic::raw;
use crate::support::{
    CONTAINER, MEBIBYTE, asked, assert_content, fake_config, forget, name, publish, random, ready, real_v1,
    storage, streamed_body,
};

/// An object, and the segments that it has.
async fn large(
    storage: &SwiftStorage,
    raw: &Container,
    object: &str,
    bytes: &Bytes,
    id: &str,
) -> Vec<Segment> {
    publish(storage, id, object, bytes).await;
    let metadata = storage.stat(&name(object), Freshness::Newest).await.unwrap().unwrap();
    assert_eq!(metadata.size, bytes.len() as u64);
    raw.manifest(&path_of(object)).await.unwrap().unwrap()
}

fn path_of(object: &str) -> String {
    format!("files/{object}")
}

/// The error of reading an object to its end.
async fn read_error(storage: &SwiftStorage, object: &str) -> StorageError {
    match storage.read(&name(object), ByteRange::Full, Freshness::Any).await {
        Err(error) => error,
        Ok(reader) => {
            let error: BoxError = body::collect(reader.unwrap().stream, 1 << 30).await.unwrap_err();
            *error.downcast().unwrap()
        }
    }
}

async fn stat_kind(storage: &SwiftStorage, object: &str) -> Option<ErrorKind> {
    storage.stat(&name(object), Freshness::Newest).await.err().map(|error| error.kind())
}

/// Waits until others see the damage that somebody has met.
async fn until_known(storage: &SwiftStorage, object: &str) {
    for _ in 0..1000 {
        if stat_kind(storage, object).await == Some(ErrorKind::Damaged) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nobody sees that {object} is damaged");
}

/// One process meets the damage, another is pushed to.
async fn heals(mut config: SwiftConfig) {
    config.segment_size = 1 << 20;
    let (reader, writer, raw) = (storage(&config), storage(&config), raw(&config));
    reader.check().await.unwrap();
    let id = format!("{}", u64::from_le_bytes(random(8)[..].try_into().unwrap()));
    let bytes = random(3 * MEBIBYTE + 5);
    for (number, broken) in ["first", "later", "other bytes", "other size"].into_iter().enumerate() {
        let object = format!("{id}/{number}");
        let segments = large(&reader, &raw, &object, &bytes, &format!("{id}-{number}")).await;
        match broken {
            "first" => drop(raw.delete(&segments[0].name).await.unwrap()),
            "later" => drop(raw.delete(&segments[2].name).await.unwrap()),
            "other bytes" => drop(raw.put(Upload::new(&segments[1].name, random(MEBIBYTE))).await.unwrap()),
            _ => drop(raw.put(Upload::new(&segments[0].name, random(5))).await.unwrap()),
        }
        // What a naive driver believes for ever.
        assert_eq!(stat_kind(&writer, &object).await, None, "{broken}");
        let error = read_error(&reader, &object).await;
        assert_eq!(error.kind(), ErrorKind::Damaged, "{broken}: {}", error.report());
        until_known(&writer, &object).await;
        // In one body, and in chunks.
        let published = if number % 2 == 0 {
            writer.write(&name(&object), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap()
        } else {
            publish(&writer, &format!("{id}-{number}-again"), &object, &bytes).await
        };
        assert!(matches!(published, Publication::Published(_)), "{broken}: {published:?}");
        assert_eq!(stat_kind(&reader, &object).await, None);
        assert_content(&reader, &object, &bytes).await;
        // Nothing is left of what was broken.
        for segment in segments {
            assert!(raw.head(&segment.name, Freshness::Newest).await.unwrap().is_none(), "{broken}");
        }
        writer.delete(&[name(&object)]).await.remove(0).unwrap();
    }
}

#[tokio::test]
async fn a30_a_blob_that_cannot_be_read_heals_on_the_next_push() {
    let (fake, _) = ready().await;
    heals(fake_config(&fake)).await;
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

#[tokio::test]
async fn a30_a_blob_that_cannot_be_read_heals_on_the_next_push_to_a_real_swift() {
    heals(real_v1("apus-damage")).await;
}

/// A large object that misses its first segment and is marked, and the segment.
async fn marked() -> (FakeSwift, SwiftStorage, Bytes, String) {
    let (fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    let raw = raw(&fake_config(&fake));
    let segment = large(&storage, &raw, "o", &bytes, "s").await.remove(0).name;
    let content = fake.object(CONTAINER, &segment).unwrap().data;
    fake.delete_object(CONTAINER, &segment);
    assert_eq!(read_error(&storage, "o").await.kind(), ErrorKind::Damaged);
    until_known(&storage, "o").await;
    (fake, storage, content, segment)
}

/// A server that was away took its segments with it, and has brought them back.
#[tokio::test]
async fn what_is_whole_again_counts_as_whole() {
    let (fake, storage, content, segment) = marked().await;
    fake.put_object(CONTAINER, &segment, content.clone());
    assert!(storage.stat(&name("o"), Freshness::Newest).await.unwrap().is_some());
    // The mark is gone, and with it the doubt: one look is enough.
    forget(&fake);
    storage.stat(&name("o"), Freshness::Newest).await.unwrap();
    assert_eq!(asked(&fake.take_requests()), ["HEAD object"]);
    assert_content(&storage, "o", &content).await;
    // It is still an object of its stage, which its segments go with.
    storage.delete(&[name("o")]).await.remove(0).unwrap();
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// As long as it cannot be told, nothing is replaced, and nothing said to be absent.
#[tokio::test]
async fn a_doubt_that_cannot_be_settled_is_said() {
    let (fake, storage, content, _) = marked().await;
    let before = fake.object_names(CONTAINER);
    let unavailable = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    fake.fault(Fault {
        method: Some(Method::HEAD),
        path_contains: "/segments/".to_owned(),
        ..Fault::always(unavailable)
    });
    let stat = storage.stat(&name("o"), Freshness::Newest).await.unwrap_err();
    let write = storage.write(&name("o"), content.into(), WriteMode::IfAbsent).await.unwrap_err();
    for error in [stat, write] {
        assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
    }
    assert_eq!(fake.object_names(CONTAINER), before);
}

/// An error that passes, and a reader that goes away, mark nothing.
#[tokio::test]
async fn nothing_is_marked_without_proof() {
    let (fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    publish(&storage, "s", "o", &bytes).await;
    let conflict = Action::Status(StatusCode::CONFLICT, HeaderMap::new());
    fake.fault(Fault { method: Some(Method::GET), ..Fault::once(conflict) });
    assert_eq!(read_error(&storage, "o").await.kind(), ErrorKind::Damaged);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(stat_kind(&storage, "o").await, None);
    assert!(!fake.object(CONTAINER, "files/o").unwrap().headers.contains_key("x-object-meta-apus-damaged"));
    let existing = storage.write(&name("o"), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(existing, Publication::Existing(_)));
}
