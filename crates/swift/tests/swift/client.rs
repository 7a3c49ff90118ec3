//! The client by itself, as one would use it who wants a Swift and no registry: on the fake and on a real one.

use std::convert::Infallible;

use apus_fake_swift::{Action, Fault};
use apus_swift::{
    ByteRange, Content, Deletion, Freshness, LargeUpload, ListingEntry, ObjectKind, Reading, SwiftClient,
    SwiftConfig, SwiftErrorKind, Upload, Uploaded,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::odd::Odd;
use crate::support::{MEBIBYTE, eventually, fake, fake_config, part, random, real_v1, real_v3, streamed};

fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

fn fresh(name: &str) -> String {
    format!("{name}-{}", u64::from_le_bytes(random(8)[..].try_into().unwrap()))
}

async fn content(container: &apus_swift::Container, name: &str, range: ByteRange) -> Bytes {
    let Reading::Content(download) = container.get(name, range, Freshness::Newest).await.unwrap() else {
        panic!("there is no {name}")
    };
    let pieces: Vec<Bytes> = download.stream.try_collect().await.unwrap();
    pieces.concat().into()
}

async fn names(container: &apus_swift::Container, prefix: &str, one_level: bool) -> Vec<String> {
    let entries: Vec<ListingEntry> = container.entries(prefix, one_level).try_collect().await.unwrap();
    entries.iter().map(|entry| entry.name().to_owned()).collect()
}

/// From nothing to nothing: a container, objects small and large, metadata, listings.
async fn all_that_a_user_does(config: SwiftConfig) {
    let client = SwiftClient::new(&config).unwrap();
    let box_name = fresh("apus-client");
    let container = client.container(&box_name);
    assert!(!container.exists().await.unwrap());
    container.create([header("x-container-meta-color", "blue")]).await.unwrap();
    assert_eq!(container.metadata().await.unwrap().unwrap()["x-container-meta-color"], "blue");
    let found: Vec<_> = client.containers(&*box_name).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), [&*box_name]);

    // A small object, with its type and a word about it.
    let bytes = random(1000);
    let upload = Upload::new("d/small ü%", bytes.clone())
        .headers([header("content-type", "text/plain"), header("x-object-meta-color", "red")]);
    assert!(matches!(container.put(upload).await.unwrap(), Uploaded::Stored(stored) if stored.size == 1000));
    let metadata = container.head("d/small ü%", Freshness::Any).await.unwrap().unwrap();
    assert_eq!(
        (metadata.size, metadata.kind, metadata.user("Color")),
        (1000, ObjectKind::Plain, Some("red"))
    );
    assert_eq!(metadata.header("content-type"), Some("text/plain"));
    let mut headers = metadata.to_repeat();
    headers.extend([header("x-object-meta-shape", "round")]);
    assert_eq!(container.post("d/small ü%", headers).await.unwrap(), Deletion::Done);
    let metadata = container.head("d/small ü%", Freshness::Newest).await.unwrap().unwrap();
    assert_eq!((metadata.user("color"), metadata.user("shape")), (Some("red"), Some("round")));
    assert_eq!(metadata.header("content-type"), Some("text/plain"));
    assert!(
        content(&container, "d/small ü%", ByteRange::Last(10)).await == part(&bytes, ByteRange::Last(10))
    );

    // Nobody knows how long it will be.
    let bytes = random(3 * MEBIBYTE + 17);
    let upload =
        || LargeUpload::new("large", streamed(&bytes)).segment_size(1 << 20).segments_below("parts/");
    let stored =
        container.put_large(upload().headers([header("x-object-meta-color", "green")])).await.unwrap();
    assert!(matches!(stored, Uploaded::Stored(stored) if stored.size == bytes.len() as u64));
    let metadata = container.head("large", Freshness::Any).await.unwrap().unwrap();
    assert_eq!((metadata.kind, metadata.user("color")), (ObjectKind::Static, Some("green")));
    assert!(content(&container, "large", ByteRange::Full).await == bytes);
    let across = ByteRange::FromTo { first: (1 << 20) - 2, last: (1 << 20) + 2 };
    assert!(content(&container, "large", across).await == part(&bytes, across));
    let existing = container.put_large(upload().if_absent(true)).await.unwrap();
    assert!(matches!(existing, Uploaded::Exists { .. }), "{existing:?}");
    let small =
        LargeUpload::new("d/e/small", stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"few"))]));
    container.put_large(small).await.unwrap();
    assert_eq!(content(&container, "d/e/small", ByteRange::Full).await, "few");

    assert_eq!(names(&container, "d/", true).await, ["d/e/", "d/small ü%"]);
    assert_eq!(names(&container, "d/", false).await, ["d/e/small", "d/small ü%"]);
    assert_eq!(names(&container, "parts/", false).await.len(), 4);
    assert_eq!(container.manifest("large").await.unwrap().unwrap().len(), 4);

    // Gone with its segments.
    assert_eq!(container.delete_whole("large").await.unwrap(), Deletion::Done);
    assert_eq!(container.delete_whole("large").await.unwrap(), Deletion::Absent);
    for name in ["d/e/small", "d/small ü%"] {
        assert_eq!(container.delete_whole(name).await.unwrap(), Deletion::Done);
    }
    assert_eq!(names(&container, "", false).await, [""; 0]);
    assert!(container.remove().await.unwrap());
    assert!(!container.exists().await.unwrap());
}

#[tokio::test]
async fn all_that_a_user_does_on_the_fake() {
    let fake = fake(|_| ()).await;
    all_that_a_user_does(fake_config(&fake)).await;
}

#[tokio::test]
async fn all_that_a_user_does_on_a_real_swift() {
    all_that_a_user_does(real_v1("unused")).await;
    all_that_a_user_does(real_v3("unused")).await;
}

#[tokio::test]
async fn a_real_swift_copies() {
    let client = SwiftClient::new(&real_v1("unused")).unwrap();
    let (from, into) = (client.container("apus-copy"), client.container("apus-copy-2"));
    from.ensure().await.unwrap();
    into.ensure().await.unwrap();
    let (small, large) = (random(1000), random(3 * MEBIBYTE));
    let (name, new) = (fresh("ü %/"), fresh("new"));
    from.put(Upload::new(&name, small.clone()).headers([header("x-object-meta-color", "red")]))
        .await
        .unwrap();
    let copied = from.copy(&name, &into, &new).await.unwrap().unwrap();
    assert_eq!((copied.size, copied.user("color")), (1000, Some("red")));
    assert!(content(&into, &new, ByteRange::Full).await == small);
    // Of a large object the content.
    from.put_large(LargeUpload::new(&name, streamed(&large)).segment_size(1 << 20)).await.unwrap();
    let copied = from.copy(&name, &into, &new).await.unwrap().unwrap();
    assert_eq!((copied.size, copied.kind), (3 << 20, ObjectKind::Plain));
    assert!(content(&into, &new, ByteRange::Full).await == large);
    assert!(from.copy(&fresh("absent"), &into, &new).await.unwrap().is_none());
    from.delete_whole(&name).await.unwrap();
    into.delete_whole(&new).await.unwrap();
}

/// Ceph RGW begins to answer before it has begun to copy.
#[tokio::test]
async fn that_a_copy_was_answered_201_proves_nothing() {
    let odd = Odd::start(|method, path| match method {
        "PUT" => ("201 Created", ""),
        "HEAD" if path.ends_with("new") => ("200 OK", "partial"),
        _ => ("200 OK", "all of it"),
    })
    .await;
    let container = SwiftClient::new(&odd.config).unwrap().container("registry");
    let error = container.copy("old", &container, "new").await.unwrap_err();
    assert!(matches!(error.kind(), SwiftErrorKind::Unavailable { .. }), "{error}");
}

/// Whatever ends a large upload, none of its segments stays.
#[tokio::test]
async fn a_large_upload_that_fails_leaves_nothing() {
    let fake = fake(|options| options.max_manifest_segments = 5).await;
    let container = SwiftClient::new(&fake_config(&fake)).unwrap().container("box");
    container.ensure().await.unwrap();
    let upload = |stream| LargeUpload::new("o", stream).segment_size(1 << 20);
    let broken = streamed(&random(3 * MEBIBYTE)).chain(stream::iter([Err("the disk broke".into())]));
    let error = container.put_large(upload(Box::pin(broken) as apus_swift::ByteStream)).await.unwrap_err();
    assert_eq!(error.kind(), SwiftErrorKind::Body);
    let error = container.put_large(upload(streamed(&random(6 * MEBIBYTE)))).await.unwrap_err();
    assert_eq!(error.kind(), SwiftErrorKind::TooLarge);
    let full = Action::Status(StatusCode::INSUFFICIENT_STORAGE, http::HeaderMap::new());
    let (method, path_contains) = (Some(Method::PUT), "multipart-manifest".to_owned());
    fake.fault(Fault { method, path_contains, ..Fault::always(full) });
    let error = container.put_large(upload(streamed(&random(3 * MEBIBYTE)))).await.unwrap_err();
    assert_eq!(error.kind(), SwiftErrorKind::Full);
    eventually("segments are left", || fake.object_names("box").is_empty()).await;
}

/// Its answer is lost, and what it met then is itself.
#[tokio::test]
async fn a_large_upload_whose_answer_is_lost_is_found() {
    let fake = fake(|_| ()).await;
    let container = SwiftClient::new(&fake_config(&fake)).unwrap().container("box");
    container.ensure().await.unwrap();
    let bytes = random(2 * MEBIBYTE);
    for (number, lost) in [
        Action::DoneButStatus(StatusCode::GATEWAY_TIMEOUT),
        Action::DoneButStatus(StatusCode::ACCEPTED),
        Action::ResetAfterDone,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("o{number}");
        let (method, path_contains) = (Some(Method::PUT), "multipart-manifest".to_owned());
        fake.fault(Fault { method, path_contains, ..Fault::once(lost) });
        let upload = LargeUpload::new(&name, streamed(&bytes)).if_absent(true);
        assert!(matches!(container.put_large(upload).await.unwrap(), Uploaded::Stored(_)));
        assert!(content(&container, &name, ByteRange::Full).await == bytes);
    }
}

/// What it costs to compare MD5 can be saved. What is written is the same.
#[tokio::test]
async fn checksums_can_be_left_out() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    for (said, verify) in [(None, true), (Some(true), true), (Some(false), false)] {
        config.verify_checksums = said;
        let container = SwiftClient::new(&config).unwrap().container("box");
        container.ensure().await.unwrap();
        let bytes = random(2 * MEBIBYTE);
        let upload = || Upload::new("o", Content::stream(Some(bytes.len() as u64), streamed(&bytes)));
        let Uploaded::Stored(stored) = container.put(upload()).await.unwrap() else { panic!() };
        assert_eq!((stored.size, stored.entity_tag), (2 << 20, fake.object("box", "o").unwrap().etag));
        // Bytes that changed on the way are noticed only with it.
        let tag = Some(HeaderValue::from_static("00000000000000000000000000000000"));
        fake.fault(Fault {
            method: Some(Method::PUT),
            ..Fault::once(Action::AnswerHeader(http::header::ETAG, tag))
        });
        let put = container.put(upload()).await;
        assert_eq!(put.is_err(), verify);
        assert_eq!(fake.object("box", "o").is_none(), verify);
        // An answer without a tag is looked into.
        fake.fault(Fault {
            method: Some(Method::PUT),
            ..Fault::once(Action::AnswerHeader(http::header::ETAG, None))
        });
        let Uploaded::Stored(stored) = container.put(upload()).await.unwrap() else { panic!() };
        assert_eq!(stored.entity_tag, fake.object("box", "o").unwrap().etag);
    }
}
