//! The rules, over the store that the original wrote and over what its traps have left behind in others.

use std::sync::Arc;
use std::time::Duration;

use apus_storage::testing::{Fate, WatchedStorage};
use apus_storage::{
    BoxError, ByteRange, ErrorKind, Freshness, ListRequest, MemoryStorage, ObjectName, Storage, body,
};
use bytes::Bytes;
use futures_util::stream;
use sha2::{Digest as _, Sha256};

use super::{Client, LayerPlace, LegacyRegistry, Listing, Looked, Refusal, SaidImage, python_json};
use crate::layout::ImagePart;
use crate::testing::{delete, put, sample};
use crate::{ImageId, Repository};

const TOP: &str = "4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce";
const AGENT: &str = "docker/1.3.2 go/go1.3.3 git-commit/39fa2fa kernel/3.16.0-25-generic os/Linux arch/AMD64";

fn id(text: &str) -> ImageId {
    ImageId::parse(text).unwrap()
}

fn repository(name: &str) -> Repository {
    Repository::parse(name).unwrap()
}

fn over(storage: &Arc<MemoryStorage>) -> LegacyRegistry {
    LegacyRegistry::new(Arc::clone(storage) as _)
}

async fn content(storage: &dyn Storage, name: &str) -> Option<Bytes> {
    let name = ObjectName::parse(name).unwrap();
    let reader = storage.read(&name, ByteRange::Full, Freshness::Newest).await.unwrap()?;
    Some(body::collect(reader.stream, 1 << 26).await.unwrap())
}

async fn text(storage: &dyn Storage, name: &str) -> Option<String> {
    content(storage, name).await.map(|content| String::from_utf8(content.to_vec()).unwrap())
}

fn said(id: &ImageId, parent: Option<&ImageId>) -> SaidImage {
    let parent = parent.map_or(String::new(), |parent| format!(r#","parent":"{parent}""#));
    SaidImage::parse(id, format!(r#"{{"id":"{id}"{parent},"Size":0}}"#).into()).unwrap()
}

fn checksum(said: &SaidImage, layer: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(&said.json);
    hash.update(b"\n");
    hash.update(layer);
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash.finalize()))
}

async fn push(registry: &LegacyRegistry, id: &ImageId, parent: Option<&ImageId>, layer: &Bytes) {
    let said = said(id, parent);
    registry.begin_image(&said).await.unwrap();
    registry.put_layer(id, body::once(layer.clone()), None).await.unwrap();
    registry.finish_image(id, &checksum(&said, layer)).await.unwrap();
}

fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Bytes {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(7);
        header.set_uid(1);
        header.set_gid(2);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap().into()
}

#[test]
fn json_is_written_as_python_wrote_it() {
    let value = serde_json::json!({ "a": [1, "ß\u{1f426}\"\n"], "b": { "c": null, "d": true } });
    let text = String::from_utf8(python_json(&value)).unwrap();
    assert_eq!(text, r#"{"a": [1, "\u00df\ud83d\udc26\"\n"], "b": {"c": null, "d": true}}"#);
}

#[test]
fn what_clients_say_of_images() {
    let image = id(TOP);
    let refused = |json: &str| SaidImage::parse(&image, json.to_owned().into()).unwrap_err().to_string();
    for json in ["", "[]", "{}", "null", "\u{feff}{\"id\":\"a\"}", "{\"id\":", "3"] {
        assert_eq!(refused(json), "Invalid JSON", "{json}");
    }
    assert_eq!(
        SaidImage::parse(&image, Bytes::from_static(b"{\"id\":\"\xff\"}")).unwrap_err().to_string(),
        "Invalid JSON"
    );
    assert_eq!(refused(r#"{"a":1}"#), "Missing key `id' in JSON");
    assert_eq!(refused(r#"{"id":"0123456789abcdef"}"#), "JSON data contains invalid id");
    let with = |parent: &str| format!(r#"{{"id":"{TOP}","parent":{parent}}}"#);
    for parent in ["\"x\"", "1", &format!("\"{TOP}\"")] {
        assert_eq!(refused(&with(parent)), "Image depends on a non existing parent", "{parent}");
    }
    for parent in ["null", "\"\""] {
        assert!(SaidImage::parse(&image, with(parent).into()).unwrap().parent().is_none());
    }
}

/// Each kind of object, byte for byte as the original writes it.
#[tokio::test]
async fn a_push_writes_what_the_original_writes() {
    let storage = Arc::new(MemoryStorage::new());
    let registry = over(&storage);
    let (below, above) = (id("0123456789abcdef"), id(TOP));
    push(&registry, &below, None, &Bytes::from_static(b"layer")).await;

    let described = said(&above, Some(&below));
    registry.begin_image(&described).await.unwrap();
    let object = |part: &str| format!("images/{above}/{part}");
    assert_eq!(content(&*storage, &object("json")).await.unwrap(), described.json);
    assert_eq!(text(&*storage, &object("_inprogress")).await.unwrap(), "true");
    assert_eq!(text(&*storage, &object("ancestry")).await.unwrap(), format!(r#"["{above}", "{below}"]"#));
    assert!(matches!(registry.check_finished(&above).await, Err(Refusal::ImageUnfinished)));
    assert!(matches!(
        registry.open_part(&above, ImagePart::Json, ByteRange::Full).await,
        Err(Refusal::ImageUnfinished)
    ));

    let layer = Bytes::from_static(b"any bytes");
    registry.put_layer(&above, body::once(layer.clone()), Some(9)).await.unwrap();
    assert_eq!(content(&*storage, &object("layer")).await.unwrap(), layer);
    let sum = checksum(&described, &layer);
    assert_eq!(text(&*storage, &object("_checksum")).await.unwrap(), format!(r#"["{sum}"]"#));
    assert!(matches!(registry.finish_image(&above, "sha256:0").await, Err(Refusal::ChecksumMismatch)));
    registry.finish_image(&above, &sum).await.unwrap();
    assert_eq!(text(&*storage, &object("_inprogress")).await, None);
    assert!(matches!(registry.finish_image(&above, &sum).await, Err(Refusal::NotUploading)));
    assert!(matches!(registry.begin_image(&described).await, Err(Refusal::ImageExists)));
    let again = registry.put_layer(&above, body::once(layer), None).await;
    assert!(matches!(again, Err(Refusal::ImageExists)));

    let home = repository("acme/web app");
    registry.put_tag(&home, "latest", &above, &Client::read(AGENT)).await.unwrap();
    let object = |part: &str| format!("repositories/acme/web%2Bapp/{part}");
    assert_eq!(text(&*storage, &object("tag_latest")).await.unwrap(), TOP);
    let json = text(&*storage, &object("taglatest_json")).await.unwrap();
    let (before, after) = json.split_once(r#""last_update": "#).unwrap();
    let seconds = "arch\": \"amd64\", \"docker_go_version\": \"go1.3.3\", \"docker_version\": \"1.3.2\", \"kernel\": \
                   \"3.16.0-25-generic\", ";
    assert_eq!(before, format!("{{\"{seconds}"));
    assert!(after.ends_with(r#", "os": "linux"}"#), "{after}");
    assert_eq!(text(&*storage, &object("json")).await.unwrap(), json);

    registry.set_private(&home, true).await.unwrap();
    assert_eq!(text(&*storage, &object("_private")).await.unwrap(), "");
    registry.keep_images_list(&home, std::slice::from_ref(&above)).await.unwrap();
    assert_eq!(text(&*storage, &object("_images_list")).await.unwrap(), format!(r#"["{above}"]"#));
    let first = Bytes::from(format!(r#"[ {{"id":"{below}","Tag":"a"}} ]"#));
    registry.add_index_images(&home, &first).await.unwrap();
    assert_eq!(content(&*storage, &object("_index_images")).await.unwrap(), first);
    let next = Bytes::from(format!(r#"[{{"id":"{above}","Tag":"b"}},{{"id":"{above}","checksum":"c"}}]"#));
    registry.add_index_images(&home, &next).await.unwrap();
    assert_eq!(
        text(&*storage, &object("_index_images")).await.unwrap(),
        format!(r#"[{{"Tag": "b", "checksum": "c", "id": "{above}"}}, {{"id": "{below}"}}]"#)
    );
    let none = Bytes::from_static(br#"[{"Tag":"b"}]"#);
    assert!(matches!(registry.add_index_images(&home, &none).await, Err(Refusal::ListInvalid)));
}

#[tokio::test]
async fn the_originals_images_are_read_and_built_upon() {
    let storage = sample().await;
    let registry = over(&storage);
    let state = registry.image_state(&id(TOP)).await.unwrap();
    assert_eq!(state.layer_size, Some(98_579));
    assert_eq!(state.checksums, ["sha256:a168f8f18825b3b49c74f1b79bca1b2620a534393965c3644ee5ba2cd98a2db8"]);
    // Its layers have the checksums that are kept of them.
    let json = content(&*storage, &format!("images/{TOP}/json")).await.unwrap();
    let layer = content(&*storage, &format!("images/{TOP}/layer")).await.unwrap();
    assert_eq!([checksum(&SaidImage::parse(&id(TOP), json).unwrap(), &layer)], *state.checksums);

    let tags = registry.tags(&repository("acme/webapp")).await.unwrap();
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["1.0", "dev", "latest"]);
    let new = id("00000000000000000000000000000000000000000000000000000000000000aa");
    push(&registry, &new, Some(&id(TOP)), &Bytes::new()).await;
    assert_eq!(registry.ancestry(&new).await.unwrap().len(), 6);
    registry.put_tag(&repository("base"), "3.0", &new, &Client::default()).await.unwrap();
    assert_eq!(registry.tag(&repository("library/base"), "3.0").await.unwrap(), new);
}

/// Trap: an interrupted chunked upload answered 200, and left a truncated layer with a checksum that fitted it.
#[tokio::test]
async fn a_layer_whose_upload_was_cut_is_not_there() {
    let storage = Arc::new(MemoryStorage::new());
    let registry = over(&storage);
    let image = id(TOP);
    registry.begin_image(&said(&image, None)).await.unwrap();
    for length in [None, Some(100)] {
        let cut: Vec<Result<Bytes, BoxError>> = vec![Ok(Bytes::from_static(b"half")), Err("cut".into())];
        let outcome = registry.put_layer(&image, Box::pin(stream::iter(cut)), length).await;
        assert!(matches!(outcome, Err(Refusal::Incomplete(_))), "{outcome:?}");
        let outcome = registry.put_layer(&image, body::once(Bytes::from_static(b"short")), Some(6)).await;
        assert!(matches!(outcome, Err(Refusal::Incomplete(_))), "{outcome:?}");
        for part in ["layer", "_checksum"] {
            assert_eq!(content(&*storage, &format!("images/{TOP}/{part}")).await, None);
        }
    }
    // It is told before the layer what was a fault of the server.
    assert!(matches!(registry.finish_image(&image, "sha256:0").await, Err(Refusal::LayerMissing)));
    assert_eq!(storage.stage_list(None, 10).await.unwrap(), []);
}

/// Trap: `_index_images` is no authority. What is there is what tags and ancestries say.
#[tokio::test]
async fn images_do_not_need_the_list_of_what_was_to_be_pushed() {
    let storage = sample().await;
    let registry = over(&storage);
    delete(&*storage, "repositories/acme/webapp/_index_images").await;
    let tags = registry.tags(&repository("acme/webapp")).await.unwrap();
    for image in tags.values().collect::<Vec<_>>() {
        for ancestor in registry.ancestry(image).await.unwrap() {
            assert!(registry.image_state(&ancestor).await.unwrap().layer_size.is_some());
        }
    }
}

/// Traps: repositories of one kind of object only, tags of unfinished images, stale marks, old checksums and none, short
/// identifiers.
#[tokio::test]
async fn what_the_traps_left_behind_is_read() {
    let storage = Arc::new(MemoryStorage::new());
    let registry = over(&storage);
    put(&*storage, "repositories/a/private/_private", "").await;
    put(&*storage, "repositories/a/listed/_images_list", "[]").await;
    put(&*storage, "repositories/a/tagged/tag_latest", "0123456789abcdef").await;
    put(&*storage, "images/0123456789abcdef/json", r#"{"id":"0123456789abcdef"}"#).await;
    put(&*storage, "images/0123456789abcdef/layer", "x").await;
    put(&*storage, "images/0123456789abcdef/_inprogress", "true").await;

    assert_eq!(registry.tags(&repository("a/private")).await.unwrap().len(), 0);
    assert_eq!(registry.tags(&repository("a/listed")).await.unwrap().len(), 0);
    let tags = registry.tags(&repository("a/tagged")).await.unwrap();
    assert_eq!(tags.values().map(ImageId::as_str).collect::<Vec<_>>(), ["0123456789abcdef"]);
    let unfinished = id("0123456789abcdef");
    assert!(matches!(registry.check_finished(&unfinished).await, Err(Refusal::ImageUnfinished)));
    // Nobody gives it another tag; and whoever pushes it again ends it.
    let tagged = registry.put_tag(&repository("a/tagged"), "b", &unfinished, &Client::default()).await;
    assert!(matches!(tagged, Err(Refusal::ImageUnfinished)));
    push(&registry, &unfinished, None, &Bytes::from_static(b"layer")).await;
    registry.put_tag(&repository("a/tagged"), "b", &unfinished, &Client::default()).await.unwrap();

    put(&*storage, "images/0123456789abcdef/_checksum", "sha256:00\n").await;
    assert_eq!(registry.image_state(&unfinished).await.unwrap().checksums, ["sha256:00"]);
    delete(&*storage, "images/0123456789abcdef/_checksum").await;
    assert_eq!(registry.image_state(&unfinished).await.unwrap().checksums.len(), 0);
}

/// Traps: names of tags were listed as they are stored, and what is known of the tag `_x` has the name of the tag `x_json`.
#[tokio::test]
async fn tags_are_what_clients_called_them() {
    let storage = sample().await;
    let registry = over(&storage);
    let home = repository("acme/webapp");
    put(&*storage, "repositories/acme/webapp/tag_a+b%2Fc", TOP).await;
    let client = Client::read(AGENT);
    registry.put_tag(&home, "_x", &id(TOP), &client).await.unwrap();
    let tags = registry.tags(&home).await.unwrap();
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["1.0", "_x", "a b/c", "dev", "latest"]);
    assert!(matches!(registry.tag(&home, "x_json").await, Err(Refusal::TagUnknown)));
    assert_eq!(registry.client_of(&home, Some("_x")).await.unwrap()["docker_version"], "1.3.2");

    // Now the other one is a tag, too, and neither takes the other's place.
    registry.put_tag(&home, "x_json", &id(TOP), &client).await.unwrap();
    registry.put_tag(&home, "_x", &id(TOP), &client).await.unwrap();
    let tags = registry.tags(&home).await.unwrap();
    assert!(tags.contains_key("_x") && tags.contains_key("x_json"));
    assert!(registry.client_of(&home, Some("_x")).await.unwrap()["docker_version"].is_null());
    registry.delete_tag(&home, "_x").await.unwrap();
    assert_eq!(registry.tag(&home, "x_json").await.unwrap(), id(TOP));
    registry.delete_tag(&home, "a b/c").await.unwrap();

    for name in ["", "a b", "-a", "a/b", &"a".repeat(129), "ß"] {
        let outcome = registry.put_tag(&home, name, &id(TOP), &client).await;
        assert!(matches!(outcome, Err(Refusal::TagInvalid)), "{name}");
    }
}

/// Traps of the Redis in front of the store: a tag could not be deleted, a deleted repository was still served, and what was
/// pushed again was not written. There is no such cache here.
#[tokio::test]
async fn what_was_deleted_is_gone_and_can_be_pushed_again() {
    let storage = sample().await;
    let registry = over(&storage);
    let home = repository("acme/webapp");
    registry.delete_tag(&home, "latest").await.unwrap();
    for object in ["tag_latest", "taglatest_json", "json"] {
        assert_eq!(content(&*storage, &format!("repositories/acme/webapp/{object}")).await, None);
    }
    assert!(matches!(registry.delete_tag(&home, "latest").await, Err(Refusal::TagUnknown)));
    registry.delete_repository(&home).await.unwrap();
    assert!(matches!(registry.tags(&home).await, Err(Refusal::RepositoryUnknown)));
    assert!(matches!(registry.delete_repository(&home).await, Err(Refusal::RepositoryUnknown)));
    let left =
        storage.list(&ListRequest::under(ObjectName::parse("repositories/acme").unwrap())).await.unwrap();
    assert_eq!(left.entries, []);
    registry.put_tag(&home, "latest", &id(TOP), &Client::default()).await.unwrap();
    assert_eq!(text(&*storage, "repositories/acme/webapp/tag_latest").await.unwrap(), TOP);
}

/// Lists were cut at 10,000 entries on Swift; here they go on for as many pages as there are.
#[tokio::test]
async fn more_tags_than_a_page() {
    let storage = Arc::new(MemoryStorage::new());
    for number in 0..10_500 {
        put(&*storage, &format!("repositories/library/many/tag_{number}"), TOP).await;
    }
    assert_eq!(over(&storage).tags(&repository("many")).await.unwrap().len(), 10_500);
    over(&storage).delete_repository(&repository("many")).await.unwrap();
    assert!(matches!(over(&storage).tags(&repository("many")).await, Err(Refusal::RepositoryUnknown)));
}

#[tokio::test]
async fn searching() {
    let storage = sample().await;
    let registry = over(&storage);
    let names = async |text: &str, most: usize, private: bool| -> Vec<String> {
        let found = registry.search(text, most, private).await.unwrap();
        found.iter().map(|found| found.repository.to_string()).collect()
    };
    put(&*storage, "repositories/Acme/a%252Fb/tag_1", TOP).await;
    assert_eq!(names("", 10, false).await, ["Acme/a/b", "library/base"]);
    assert_eq!(names("", 10, true).await, ["Acme/a/b", "acme/webapp", "library/base"]);
    assert_eq!(names("ACME", 10, true).await, ["Acme/a/b", "acme/webapp"]);
    assert_eq!(names("", 1, false).await, ["Acme/a/b"]);
    // Nothing in it is a wildcard.
    assert!(names("%", 10, true).await.is_empty() && names("_", 10, true).await.is_empty());
}

async fn listed(registry: &LegacyRegistry, image: &ImageId, what: Looked) -> String {
    let content = match registry.listing(image, what).await.unwrap() {
        Listing::Kept(reader) => body::collect(reader.stream, 1 << 26).await.unwrap(),
        Listing::Found(content) => content,
    };
    String::from_utf8(content.to_vec()).unwrap()
}

#[tokio::test]
async fn files_and_what_differs() {
    use tar::EntryType as Kind;
    let storage = Arc::new(MemoryStorage::new());
    let registry = over(&storage);
    let (below, above) = (id("0123456789abcdef"), id("fedcba9876543210"));
    let layer = archive(&[
        ("./etc/", Kind::Directory, b""),
        ("etc/passwd", Kind::Regular, b"root"),
        ("etc/old", Kind::Regular, b"old"),
        (&format!("long/{}", "x".repeat(300)), Kind::Regular, b"1"),
    ]);
    push(&registry, &below, None, &layer).await;
    let files = listed(&registry, &below, Looked::Files).await;
    assert!(
        files.starts_with(
            r#"[["/etc", "d", false, 0, 7, 420, 1, 2], ["/etc/passwd", "f", false, 4, 7, 420, 1, 2], "#
        ),
        "{files}"
    );
    assert!(files.contains(&format!("\"/long/{}\"", "x".repeat(300))));
    assert_eq!(text(&*storage, "images/0123456789abcdef/_files").await.unwrap(), files);

    let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let layer = archive(&[
        ("etc/passwd", Kind::Regular, b"root, and more"),
        ("etc/.wh.old", Kind::Regular, b""),
        ("etc/new", Kind::Symlink, b""),
        (".wh..wh.aufs", Kind::Regular, b""),
    ]);
    std::io::Write::write_all(&mut compressed, &layer).unwrap();
    push(&registry, &above, Some(&below), &compressed.finish().unwrap().into()).await;
    let diff: serde_json::Value =
        serde_json::from_str(&listed(&registry, &above, Looked::Diff).await).unwrap();
    let keys = |kind: &str| diff[kind].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys("deleted"), ["/etc/old"]);
    assert_eq!(keys("changed"), ["/etc/passwd"]);
    assert_eq!(keys("created"), ["/etc/new"]);
    assert_eq!(diff["changed"]["/etc/passwd"], serde_json::json!(["f", false, 14, 7, 420, 1, 2]));

    // What the original kept stands; but where it had found nothing yet, it kept nothing.
    put(&*storage, "images/fedcba9876543210/_files", "[[\"./a\", \"f\", false, 1, 2, 3, 4, 5]]").await;
    put(&*storage, "images/fedcba9876543210/_diff", "").await;
    assert!(listed(&registry, &above, Looked::Files).await.contains("./a"));
    assert!(listed(&registry, &above, Looked::Diff).await.contains(r#""/a": ["f", false, 1, 2, 3, 4, 5]"#));
}

#[tokio::test]
async fn layers_that_cannot_be_looked_into() {
    let storage = Arc::new(MemoryStorage::new());
    let registry = over(&storage);
    let image = id("0123456789abcdef");
    push(&registry, &image, None, &Bytes::from_static(b"no archive")).await;
    assert!(matches!(registry.listing(&image, Looked::Files).await, Err(Refusal::LayerFormat)));

    // A name of 4 MiB would have to be held.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(4 << 20);
    header.set_cksum();
    let mut endless = header.as_bytes().to_vec();
    endless.resize(512 + (4 << 20), b'x');
    put(&*storage, "images/0123456789abcdef/layer", endless).await;
    assert!(matches!(registry.listing(&image, Looked::Files).await, Err(Refusal::LayerFormat)));

    // A cut layer of an earlier time.
    let whole = archive(&[("a", tar::EntryType::Regular, &[1; 5000]), ("b", tar::EntryType::Regular, b"")]);
    put(&*storage, "images/0123456789abcdef/layer", whole.slice(..3000)).await;
    assert!(matches!(registry.listing(&image, Looked::Files).await, Err(Refusal::LayerFormat)));

    put(&*storage, "images/0123456789abcdef/layer", "").await;
    assert_eq!(listed(&registry, &image, Looked::Files).await, "[]");
    assert!(matches!(registry.listing(&id(TOP), Looked::Files).await, Err(Refusal::ImageUnknown)));
}

#[tokio::test]
async fn the_originals_layers_are_looked_into() {
    let registry = over(&sample().await);
    let mut images = registry.ancestry(&id(TOP)).await.unwrap();
    // In xz, in no compression, in gzip.
    images.push(id("dcf50c354c5781fb8a94eca5f4ff9e188c85c13c11a18078bb490abd0dd99a4f"));
    for image in images {
        let files = listed(&registry, &image, Looked::Files).await;
        assert!(files.starts_with("[["), "{image}: {files}");
    }
    let diff = listed(&registry, &id(TOP), Looked::Diff).await;
    assert!(diff.starts_with(r#"{"changed": {"#) && diff.contains("blob.bin"), "{diff}");
}

#[tokio::test]
async fn an_image_of_another_registry_is_kept_if_it_is_whole() {
    let storage = Arc::new(MemoryStorage::new());
    let registry = over(&storage);
    let image = id(TOP);
    let described = said(&image, None);
    let layer = Bytes::from_static(b"layer");
    registry.keep_json(&image, described.json.clone(), &[checksum(&described, &layer)]).await.unwrap();
    let other = registry.keep_layer(&image, body::once(Bytes::from_static(b"other")), 5).await;
    assert!(matches!(other, Err(Refusal::Incomplete(_))), "{other:?}");
    assert!(registry.keep_layer(&image, body::once(layer.clone()), 6).await.is_err());
    registry.keep_layer(&image, body::once(layer.clone()), 5).await.unwrap();
    let LayerPlace::Here(reader) = registry.open_layer(&image, ByteRange::Last(2), None).await.unwrap()
    else {
        panic!("elsewhere")
    };
    assert_eq!(body::collect(reader.stream, 9).await.unwrap(), "er");
}

/// Trap: on Swift an outage, or a wrong password, was "it does not exist", and pushes and reads went on from there.
#[tokio::test]
async fn an_outage_is_never_absence() {
    let storage = WatchedStorage::new(sample().await);
    storage.set_urls(true);
    let registry = LegacyRegistry::new(Arc::clone(&storage) as _);
    let (image, home) = (id(TOP), repository("acme/webapp"));
    let place = registry.open_layer(&image, ByteRange::Full, Some(Duration::from_mins(1))).await.unwrap();
    assert!(
        matches!(place, LayerPlace::Elsewhere(url) if url.starts_with("https://storage.example/images/"))
    );
    storage.set_rule(|_, _| Fate::Fails(ErrorKind::UNAVAILABLE));
    let unknown =
        |outcome: Result<(), Refusal>| assert!(matches!(outcome, Err(Refusal::Failed(_))), "{outcome:?}");
    unknown(registry.check_finished(&image).await);
    unknown(registry.has_image(&image).await.map(drop));
    unknown(registry.begin_image(&said(&image, None)).await);
    unknown(registry.put_layer(&image, body::once(Bytes::new()), None).await);
    unknown(registry.finish_image(&image, "sha256:0").await);
    unknown(registry.open_part(&image, ImagePart::Json, ByteRange::Full).await.map(drop));
    unknown(registry.tags(&home).await.map(drop));
    unknown(registry.tag(&home, "latest").await.map(drop));
    unknown(registry.delete_tag(&home, "latest").await);
    unknown(registry.delete_repository(&home).await);
    unknown(registry.is_private(&home).await.map(drop));
    unknown(registry.search("", 10, true).await.map(drop));
    unknown(registry.listing(&image, Looked::Files).await.map(drop));
    storage.set_rule(|_, _| Fate::Done);
    assert_eq!(registry.tag(&home, "latest").await.unwrap(), image);
}
