//! Where the tests run: on a fake Swift of their own, or on the real one that is up.

use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options, RequestRecord};
use apus_storage::{
    Body, ByteRange, ByteStream, Freshness, ObjectName, Publication, StageId, StagePosition, StageState,
    Storage, WriteMode, body,
};
use apus_swift::{Domain, Entity, Password, SwiftConfig, SwiftStorage};
use bytes::Bytes;
use futures_util::stream;

/// The container that the tests use.
pub(crate) const CONTAINER: &str = "registry";
pub(crate) const MEBIBYTE: usize = 1 << 20;

/// A fake Swift.
pub(crate) async fn fake(change: impl FnOnce(&mut Options)) -> FakeSwift {
    let mut options = Options::default();
    change(&mut options);
    FakeSwift::start(options).await.unwrap()
}

/// How to sign in to the fake by version 3.
pub(crate) fn fake_config(fake: &FakeSwift) -> SwiftConfig {
    let user = Password::new("tester", "testing").for_project("test");
    SwiftConfig::new(fake.auth_url_v3(), user, CONTAINER)
}

pub(crate) fn storage(config: &SwiftConfig) -> SwiftStorage {
    SwiftStorage::new(config).unwrap()
}

/// A fake Swift and storage on it that has done what is done once: signed in, made its container, read `/info`.
pub(crate) async fn ready() -> (FakeSwift, SwiftStorage) {
    ready_with(|_| ()).await
}

pub(crate) async fn ready_with(change: impl FnOnce(&mut Options)) -> (FakeSwift, SwiftStorage) {
    let fake = fake(change).await;
    let storage = storage(&fake_config(&fake));
    storage.check().await.unwrap();
    forget(&fake);
    (fake, storage)
}

/// How to sign in to the real Swift by version 1.
pub(crate) fn real_v1(container: &str) -> SwiftConfig {
    SwiftConfig::new(variable("ST_AUTH"), Password::new(variable("ST_USER"), variable("ST_KEY")), container)
}

/// How to sign in to the real Swift by version 3.
pub(crate) fn real_v3(container: &str) -> SwiftConfig {
    let domain = |name| Domain::Name(variable(name));
    let user = Entity::named(variable("OS_USERNAME")).in_domain(domain("OS_USER_DOMAIN_NAME"));
    let project = Entity::named(variable("OS_PROJECT_NAME")).in_domain(domain("OS_PROJECT_DOMAIN_NAME"));
    let user = Password::new(user, variable("OS_PASSWORD")).for_project(project);
    let mut config = SwiftConfig::new(variable("OS_AUTH_URL"), user, container);
    config.region = Some(variable("OS_REGION_NAME"));
    config
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: start a Swift with scripts/swift-up --keystone, or run scripts/test")
    })
}

pub(crate) fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

pub(crate) fn stage(text: &str) -> StageId {
    StageId::parse(text).unwrap()
}

/// Bytes that no two calls share.
pub(crate) fn random(length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes[..]);
    bytes.into()
}

/// The part of some bytes that a range selects.
pub(crate) fn part(bytes: &Bytes, range: ByteRange) -> Bytes {
    let range = range.of(bytes.len() as u64);
    bytes.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
}

/// The bytes as a stream of pieces.
pub(crate) fn streamed(bytes: &Bytes) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(100_000).map(|piece| Ok(bytes.slice_ref(piece))).collect();
    Box::pin(stream::iter(pieces))
}

pub(crate) fn streamed_body(bytes: &Bytes) -> Body {
    Body::stream(bytes.len() as u64, streamed(bytes))
}

pub(crate) async fn append(
    storage: &SwiftStorage,
    stage: &StageId,
    position: StagePosition<'_>,
    bytes: &Bytes,
) -> apus_storage::Result<StageState> {
    storage.stage_append(stage, position, streamed(bytes), Box::new(Bytes::new)).await
}

/// A new stage that holds these bytes.
pub(crate) async fn staged(storage: &SwiftStorage, id: &str, bytes: &Bytes) -> (StageId, StageState) {
    let stage = stage(id);
    let state = append(storage, &stage, StagePosition::Start, bytes).await.unwrap();
    (stage, state)
}

/// Publishes these bytes from a new stage.
pub(crate) async fn publish(storage: &SwiftStorage, id: &str, object: &str, bytes: &Bytes) -> Publication {
    let (stage, state) = staged(storage, id, bytes).await;
    storage.stage_publish(&stage, &state.revision, &name(object), WriteMode::IfAbsent).await.unwrap()
}

pub(crate) async fn content(storage: &SwiftStorage, object: &str) -> Option<Bytes> {
    let reader = storage.read(&name(object), ByteRange::Full, Freshness::Newest).await.unwrap()?;
    Some(body::collect(reader.stream, 1 << 30).await.unwrap())
}

/// That an object is there and has this content, which is not printed if it has not.
pub(crate) async fn assert_content(storage: &SwiftStorage, object: &str, expected: &Bytes) {
    let found = content(storage, object).await.unwrap();
    assert_eq!(found.len(), expected.len());
    assert!(found == *expected, "{object} has other bytes");
}

/// Empties the log of requests.
pub(crate) fn forget(fake: &FakeSwift) {
    drop(fake.take_requests());
}

/// What was asked of the store, one line each: the method, and what it was about.
pub(crate) fn asked(records: &[RequestRecord]) -> Vec<String> {
    records.iter().filter(|record| record.kind.is_storage()).map(line).collect()
}

fn line(record: &RequestRecord) -> String {
    let (_, below) = record.path.split_once(&format!("/{CONTAINER}")).unwrap_or(("", &record.path));
    let place = match below.trim_start_matches('/') {
        "" => "container",
        object if object.starts_with("files/") => "object",
        object if object.starts_with("segments/apus/") => "segment",
        object if object.starts_with("apus/sessions/") => "session",
        object if object.starts_with("apus/records/") => "record",
        other => other,
    };
    let manifest = if record.query.contains("multipart-manifest") { " manifest" } else { "" };
    format!("{} {place}{manifest}", record.method)
}

/// Waits until something holds that is done in the background.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
