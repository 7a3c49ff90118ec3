//! Dynamic large objects, as registry:2 writes them: read as they are, also where Swift reads them poorly, and deleted with
//! their segments, but with no segment that something else uses. On the fake and on a real Swift.

use apus_fake_swift::FakeSwift;
use apus_storage::{ByteRange, ErrorKind, Freshness, Outcome, Publication, Storage, WriteMode, body};
use apus_swift::{Container, Content, Reading, SwiftClient, SwiftConfig, SwiftStorage, Upload};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderName, HeaderValue};

use crate::support::{
    CONTAINER, MEBIBYTE, asked, assert_content, content, fake, fake_config, forget, name, part, publish,
    random, ready, ready_with, real_v1, storage, streamed, streamed_body,
};

/// A client of the container itself, past the contract.
pub(crate) fn raw(config: &SwiftConfig) -> Container {
    SwiftClient::new(config).unwrap().container(config.container.clone())
}

/// The segments that registry:2 makes up for an upload, without the number.
pub(crate) fn base(prefix: &str, upload: &str) -> String {
    let random = random(32);
    let sha1_of_nothing = HEXLOWER.decode(b"da39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap();
    let hex = HEXLOWER.encode(&[upload.as_bytes(), &random, &sha1_of_nothing].concat());
    format!("{prefix}segments/{}/{}", &hex[..3], &hex[3..])
}

/// Writes a dynamic large object: its segments, and a manifest under each of these names.
pub(crate) async fn write(raw: &Container, manifests: &[&str], base: &str, parts: &[Bytes]) {
    for (number, part) in parts.iter().enumerate() {
        let content = Content::stream(None, streamed(part));
        raw.put(Upload::new(format!("{base}/{:016}", number + 1), content)).await.unwrap();
    }
    for manifest in manifests {
        write_manifest(raw, manifest, &format!("{}/{base}", raw.name())).await;
    }
}

pub(crate) async fn write_manifest(raw: &Container, name: &str, target: &str) {
    let header = HeaderValue::from_bytes(target.as_bytes()).unwrap();
    let header = (HeaderName::from_static("x-object-manifest"), header);
    raw.put(Upload::new(name, Bytes::new()).headers([header])).await.unwrap();
}

async fn delete(storage: &SwiftStorage, object: &str) -> Outcome {
    storage.delete(&[name(object)]).await.remove(0).unwrap()
}

/// A fake, storage on it and a client of its container.
async fn on_the_fake() -> (FakeSwift, SwiftStorage, Container) {
    let (fake, storage) = ready().await;
    let raw = raw(&fake_config(&fake));
    (fake, storage, raw)
}

const UPLOAD: &str = "/docker/registry/v2/repositories/a/b/_uploads/6e1e/data";

/// Read by one request, kept whole by a touch, and gone with its segments.
async fn what_registry_2_wrote(config: SwiftConfig) {
    let (storage, raw) = (storage(&config), raw(&config));
    storage.check().await.unwrap();
    let object = format!("dlo{}", u64::from_le_bytes(random(8)[..].try_into().unwrap()));
    let base = base("", UPLOAD);
    let parts = [random(1000), random(2000)];
    write(&raw, &[&format!("files/{object}")], &base, &parts).await;
    let whole = Bytes::from(parts.concat());
    for _ in 0..2 {
        let info = storage.stat(&name(&object), Freshness::Newest).await.unwrap().unwrap();
        assert_eq!(info.size, 3000);
        assert_content(&storage, &object, &whole).await;
        let across = ByteRange::FromTo { first: 990, last: 1009 };
        let reader = storage.read(&name(&object), across, Freshness::Any).await.unwrap().unwrap();
        assert!(body::collect(reader.stream, 100).await.unwrap() == whole.slice(990..1010));
        assert_eq!(storage.touch(&name(&object)).await.unwrap(), Outcome::Done);
    }
    assert_eq!(delete(&storage, &object).await, Outcome::Done);
    assert!(content(&storage, &object).await.is_none());
    for number in 1..=2 {
        assert!(raw.head(&format!("{base}/{number:016}"), Freshness::Newest).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn what_registry_2_wrote_on_the_fake() {
    let fake = fake(|_| ()).await;
    what_registry_2_wrote(fake_config(&fake)).await;
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

#[tokio::test]
async fn what_registry_2_wrote_on_a_real_swift() {
    what_registry_2_wrote(real_v1("apus-dynamic")).await;
}

/// registry:2 wrote the manifest under the name of the upload first. When that is still there, it may be gone on with.
#[tokio::test]
async fn the_upload_that_it_came_from_keeps_its_segments() {
    let (fake, storage, raw) = on_the_fake().await;
    let upload = format!("files{UPLOAD}");
    let base = base("", UPLOAD);
    write(&raw, &["files/blob", &upload], &base, &[random(10), random(20)]).await;
    forget(&fake);
    assert_eq!(delete(&storage, "blob").await, Outcome::Done);
    // One look at the upload, and no search.
    assert_eq!(asked(&fake.take_requests()), ["HEAD object", "HEAD object manifest", "DELETE object"]);
    assert_eq!(content(&storage, &upload["files/".len()..]).await.unwrap().len(), 30);
    // Now nothing else has them. For the upload itself that is found out by a search.
    fake.put_object(CONTAINER, "files/empty", "");
    assert_eq!(delete(&storage, &upload["files/".len()..]).await, Outcome::Done);
    assert_eq!(fake.object_names(CONTAINER), ["files/empty"]);
}

/// The other way round it is what registry:2 loses blobs by: a leftover upload is deleted that the blob was moved from.
#[tokio::test]
async fn a_leftover_upload_goes_without_the_segments_of_its_blob() {
    let (_fake, storage, raw) = on_the_fake().await;
    let upload = format!("files{UPLOAD}");
    let base = base("", UPLOAD);
    let parts = [random(10), random(20)];
    write(&raw, &["files/blob", &upload], &base, &parts).await;
    assert_eq!(delete(&storage, &upload["files/".len()..]).await, Outcome::Done);
    assert_content(&storage, "blob", &Bytes::from(parts.concat())).await;
}

#[tokio::test]
async fn two_that_share_their_segments_may_go_together() {
    let (fake, storage, raw) = on_the_fake().await;
    for base in ["segments/shared".to_owned(), base("", UPLOAD)] {
        let upload = format!("files{UPLOAD}");
        write(&raw, &["files/blob", &upload], &base, &[random(10), random(20)]).await;
        let names = [name("blob"), name(&upload["files/".len()..])];
        for outcome in storage.delete(&names).await {
            assert_eq!(outcome.unwrap(), Outcome::Done);
        }
        assert!(fake.object_names(CONTAINER).is_empty(), "{base}: {:?}", fake.object_names(CONTAINER));
    }
}

/// Names that begin alike: `X-Object-Manifest` of registry:2 does not end in a slash.
#[tokio::test]
async fn segments_of_another_manifest_are_spared() {
    let (fake, storage, raw) = on_the_fake().await;
    let (short, long) = ("segments/ab", "segments/abc");
    write(&raw, &["files/long"], long, &[random(5), random(6)]).await;
    write(&raw, &["files/short"], short, &[random(7)]).await;
    // It reads as registry:2 has it: with the segments of the other.
    assert_eq!(content(&storage, "short").await.unwrap().len(), 18);
    assert_eq!(delete(&storage, "short").await, Outcome::Done);
    assert_eq!(content(&storage, "long").await.unwrap().len(), 11);
    assert!(fake.object(CONTAINER, &format!("{short}/0000000000000001")).is_none());

    // Part of a wider one, and of the same.
    write(&raw, &["files/wide"], "segments/abc/000000000000000", &[]).await;
    for object in ["wide", "long"] {
        let (gone, kept) = (object, if object == "wide" { "long" } else { "wide" });
        assert_eq!(delete(&storage, gone).await, Outcome::Done);
        let left = fake.object_names(CONTAINER).iter().filter(|name| name.starts_with(long)).count();
        assert_eq!(left, if object == "wide" { 2 } else { 0 }, "{kept}");
    }
}

/// A manifest that someone has made by hand, and that speaks of what is not its own.
#[tokio::test]
async fn nothing_of_our_own_counts_as_a_segment() {
    let (fake, storage, raw) = on_the_fake().await;
    storage.write(&name("kept"), random(10).into(), WriteMode::IfAbsent).await.unwrap();
    publish(&storage, "s", "large", &random(2 * MEBIBYTE)).await;
    let before = fake.object_names(CONTAINER);
    for target in ["files/kept", "files/", "segments/apus/", "apus/"] {
        write_manifest(&raw, "files/odd", &format!("{CONTAINER}/{target}")).await;
        assert_eq!(delete(&storage, "odd").await, Outcome::Done);
        assert_eq!(fake.object_names(CONTAINER), before, "{target}");
    }
}

async fn segments_elsewhere(config: SwiftConfig) {
    let storage = storage(&config);
    storage.check().await.unwrap();
    let here = raw(&config);
    let elsewhere = here.client().container(format!("{}_segments", config.container));
    elsewhere.ensure().await.unwrap();
    let id = u64::from_le_bytes(random(8)[..].try_into().unwrap());
    let (object, segment) = (format!("o{id}"), format!("{id} ü%/1"));
    let bytes = random(1000);
    elsewhere.put(Upload::new(&segment, bytes.clone())).await.unwrap();
    let escaped = format!("{}/{id}%20%C3%BC%25/", elsewhere.name());
    write_manifest(&here, &format!("files/{object}"), &escaped).await;
    assert_content(&storage, &object, &bytes).await;
    assert_eq!(delete(&storage, &object).await, Outcome::Done);
    assert!(elsewhere.head(&segment, Freshness::Newest).await.unwrap().is_none());
}

#[tokio::test]
async fn segments_may_lie_in_another_container() {
    let fake = fake(|_| ()).await;
    segments_elsewhere(fake_config(&fake)).await;
    segments_elsewhere(real_v1("apus-dynamic")).await;
}

/// Swift knows the size of the first page only, and says 0, or the size of that page.
#[tokio::test]
async fn more_segments_than_a_page_of_the_listing_has() {
    let (fake, storage) = ready_with(|options| options.container_listing_limit = 4).await;
    more_segments_than_a_page(&storage, &raw(&fake_config(&fake)), 4).await;
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// Of an object that has more segments than `page`, or exactly so many.
pub(crate) async fn more_segments_than_a_page(storage: &SwiftStorage, raw: &Container, page: usize) {
    for count in [page - 1, page, page + 1, 2 * page + 3] {
        // Swift sends nothing before it has 4 KiB, and reads small segments slowly.
        let parts: Vec<Bytes> = (0..count).map(|number| random(5000 + number)).collect();
        let whole = Bytes::from(parts.concat());
        let size = whole.len() as u64;
        write(raw, &["files/many"], &base("", UPLOAD), &parts).await;
        let info = storage.stat(&name("many"), Freshness::Any).await.unwrap().unwrap();
        assert_eq!(info.size, size, "{count} segments");
        assert_content(storage, "many", &whole).await;
        let ranges = [
            ByteRange::From(3),
            ByteRange::From(size - 1),
            ByteRange::FromTo { first: 0, last: 0 },
            ByteRange::FromTo { first: 9, last: 10 },
            ByteRange::FromTo { first: size - 2, last: size + 7 },
            ByteRange::Last(5),
            ByteRange::Last(size + 1),
            ByteRange::From(size),
            ByteRange::FromTo { first: size, last: size },
        ];
        for range in ranges {
            let reader = storage.read(&name("many"), range, Freshness::Any).await.unwrap().unwrap();
            let expected = range.of(size);
            assert_eq!((reader.info.size, reader.range.clone()), (size, expected.clone()), "{range:?}");
            let read = body::collect(reader.stream, 1 << 20).await.unwrap();
            assert!(read == part(&whole, range), "{range:?}");
        }
        storage.touch(&name("many")).await.unwrap();
        assert_content(storage, "many", &whole).await;
        assert_eq!(delete(storage, "many").await, Outcome::Done);
    }
}

/// Swift gives out no more than one segment a second after the tenth: a large one is read past that.
#[tokio::test]
async fn a_large_one_is_read_segment_by_segment() {
    let (fake, storage, raw) = on_the_fake().await;
    let parts: Vec<Bytes> = (0..13).map(|_| random(4 * MEBIBYTE)).collect();
    let whole = Bytes::from(parts.concat());
    write(&raw, &["files/large"], &base("", UPLOAD), &parts).await;
    forget(&fake);
    assert_content(&storage, "large", &whole).await;
    let requests = fake.take_requests();
    let segments = requests.iter().filter(|request| request.path.contains("/segments/")).count();
    assert_eq!(segments, 13, "{:?}", asked(&requests));
    let range = ByteRange::FromTo { first: 40 << 20, last: (44 << 20) + 9 };
    let reader = storage.read(&name("large"), range, Freshness::Any).await.unwrap().unwrap();
    assert!(body::collect(reader.stream, 1 << 24).await.unwrap() == whole.slice(40 << 20..(44 << 20) + 10));
    assert_eq!(fake.count(|request| request.path.contains("/segments/")), 2);
}

/// A segment that is listed and gone, in an object that Swift does not read.
#[tokio::test]
async fn a_ghost_among_the_segments_is_damage() {
    let (fake, storage, raw) = on_the_fake().await;
    let base = base("", UPLOAD);
    let parts: Vec<Bytes> = (0..13).map(|_| random(4 * MEBIBYTE)).collect();
    write(&raw, &["files/large"], &base, &parts).await;
    fake.add_ghost(CONTAINER, &format!("{base}/{:016}", 7));
    let reader = storage.read(&name("large"), ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
    let error = body::collect(reader.stream, 1 << 30).await.unwrap_err();
    let error = error.downcast::<apus_storage::StorageError>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{}", error.report());
    // A ghost does not keep it from being deleted.
    assert_eq!(delete(&storage, "large").await, Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// Replaced by what Apus writes, it is gone with its segments too.
#[tokio::test]
async fn replacing_one_frees_its_segments() {
    let (fake, storage, raw) = on_the_fake().await;
    for length in [5000, 2 * MEBIBYTE] {
        write(&raw, &["files/o"], &base("", UPLOAD), &[random(10), random(20)]).await;
        let bytes = random(length);
        storage.write(&name("o"), streamed_body(&bytes), WriteMode::Replace).await.unwrap();
        assert_content(&storage, "o", &bytes).await;
        assert_eq!(fake.object_names(CONTAINER), ["files/o"]);
        delete(&storage, "o").await;
    }
}

/// With no segment at all it is not an empty blob: it counts as damaged, and the next push mends it.
#[tokio::test]
async fn one_without_segments_is_damaged_and_mended_by_writing_it_again() {
    let (fake, storage, raw) = on_the_fake().await;
    let bytes = random(2 * MEBIBYTE);
    write(&raw, &["files/o"], &base("", UPLOAD), &[]).await;
    let damage = [
        storage.stat(&name("o"), Freshness::Any).await.unwrap_err(),
        storage.read(&name("o"), ByteRange::Full, Freshness::Any).await.unwrap_err(),
        storage.read(&name("o"), ByteRange::From(5), Freshness::Any).await.unwrap_err(),
    ];
    assert!(damage.iter().all(|error| error.kind() == ErrorKind::Damaged), "{damage:?}");
    let published = storage.write(&name("o"), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(published, Publication::Published(_)));
    assert_content(&storage, "o", &bytes).await;

    write(&raw, &["files/p"], &base("", UPLOAD), &[]).await;
    assert!(matches!(publish(&storage, "s", "p", &bytes).await, Publication::Published(_)));
    assert_content(&storage, "p", &bytes).await;
    storage.delete(&[name("o"), name("p")]).await;
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// The client by itself tells what it is.
#[tokio::test]
async fn the_client_says_what_it_consists_of() {
    let (_fake, _storage, raw) = on_the_fake().await;
    write(&raw, &["o"], "parts/", &[random(10)]).await;
    let metadata = raw.head("o", Freshness::Any).await.unwrap().unwrap();
    assert_eq!(metadata.manifest().unwrap().prefix, "parts/");
    assert!(matches!(raw.get("o", ByteRange::Full, Freshness::Any).await.unwrap(), Reading::Content(_)));
}
