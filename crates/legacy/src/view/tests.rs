//! A registry of today over a store of the original. What it shows is held against what the import makes of the same store.

use std::sync::Arc;
use std::time::Duration;

use apus_registry::{
    Digest, Error, Manifest, Reference, Registry, RegistryOptions, RepositoryName, Tag, layout as today,
};
use apus_storage::testing::{Fate, WatchedStorage};
use apus_storage::{
    ByteRange, ErrorKind, Freshness, ListEntry, ListRequest, MemoryStorage, ObjectName, Storage, WriteMode,
    body,
};
use serde_json::Value;

use super::{View, ViewOptions};
use crate::testing::{delete, put, sample};
use crate::{ImportOptions, LegacyRegistry, Repository, Store, import};

const BASE: &str = "6ec58b2354923a46e46a17d8712c6f5b093cf472a08f377b0beb47ef06a7c3e3";
const TOP: &str = "4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce";
/// The image that all rest on.
const LOWEST: &str = "f1a1ff85f0620e2886a7f626df6a0bd726d54b34e2bfd8a18d859fe8936dbf18";
const SECOND: &str = "64188a99eca1b375e23763011a0a58b28a6bc8a1d1f688dff6fcfdc25ad86fbc";
const THIRD: &str = "115a9d267f094c530e4f5519e5a0a6a127742ed83a1205b033be6bac1c1e044f";
/// Its layer is in xz.
const IN_XZ: &str = "dcf50c354c5781fb8a94eca5f4ff9e188c85c13c11a18078bb490abd0dd99a4f";

const TAGS: [(&str, &str); 6] = [
    ("acme/webapp", "1.0"),
    ("acme/webapp", "dev"),
    ("acme/webapp", "latest"),
    ("base", "1.0"),
    ("base", "2.0"),
    ("base", "latest"),
];

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn tag(text: &str) -> Reference {
    Reference::Tag(Tag::parse(text).unwrap())
}

/// The view of a replica that has seen nothing yet.
fn view(storage: &Arc<WatchedStorage>, options: ViewOptions) -> View {
    View::new(LegacyRegistry::new(Arc::clone(storage) as _), options)
}

fn registry_over(view: View) -> Registry {
    let options = RegistryOptions {
        read_only: true,
        blob_url_lifetime: Some(Duration::from_mins(1)),
        ..RegistryOptions::default()
    };
    Registry::new(Arc::new(view), options)
}

fn replica(storage: &Arc<WatchedStorage>) -> Registry {
    registry_over(view(storage, ViewOptions::default()))
}

async fn watched_sample() -> Arc<WatchedStorage> {
    WatchedStorage::new(sample().await)
}

/// What the import makes of the store of the original.
async fn imported() -> Registry {
    let new: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let registry = Registry::new(Arc::clone(&new), RegistryOptions::default());
    let (store, options) = (Store::new(sample().await), ImportOptions::default());
    import(&store, &registry, new, &options, Arc::new(|_| {})).await.unwrap();
    registry
}

async fn blob(registry: &Registry, repository: &str, digest: &Digest, range: ByteRange) -> Vec<u8> {
    let blob = registry.open_blob(&name(repository), digest, range).await.unwrap();
    let expected = usize::try_from(blob.range.end - blob.range.start).unwrap();
    let content = body::collect(blob.stream, 1 << 20).await.unwrap();
    assert_eq!(content.len(), expected);
    content.to_vec()
}

/// The digests of configuration and layers, the configuration first.
fn parts(manifest: &Manifest) -> Vec<Digest> {
    let manifest: Value = serde_json::from_slice(&manifest.content).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    let descriptors = std::iter::once(&manifest["config"]).chain(layers);
    descriptors.map(|descriptor| Digest::parse(descriptor["digest"].as_str().unwrap()).unwrap()).collect()
}

/// How often layers were read, and what was written or deleted.
fn layers_read_and_changes(storage: &WatchedStorage) -> (usize, Vec<(&'static str, String)>) {
    let (reads, others): (Vec<_>, Vec<_>) =
        storage.take_asked().into_iter().partition(|(operation, _)| *operation == "read");
    let layers = reads.iter().filter(|(_, object)| object.ends_with("/layer")).count();
    let changes = others.into_iter().filter(|(operation, _)| !["stat", "list"].contains(operation)).collect();
    (layers, changes)
}

#[tokio::test]
async fn what_is_shown_is_what_the_import_would_make() {
    let storage = watched_sample().await;
    delete(&*storage, "repositories/acme/webapp/_private").await;
    let (imported, shown) = (imported().await, replica(&storage));
    for (repository, reference) in TAGS {
        let manifest = shown.manifest(&name(repository), &tag(reference)).await.unwrap();
        assert_eq!(manifest, imported.manifest(&name(repository), &tag(reference)).await.unwrap());
        let by_digest = Reference::Digest(manifest.digest.clone());
        assert_eq!(manifest, shown.manifest(&name(repository), &by_digest).await.unwrap());
        for digest in parts(&manifest) {
            let info = shown.blob_info(&name(repository), &digest).await.unwrap();
            assert_eq!(info, imported.blob_info(&name(repository), &digest).await.unwrap());
            let size = info.size;
            let ranges = [
                ByteRange::Full,
                ByteRange::From(size / 2),
                ByteRange::FromTo { first: 3, last: size / 3 },
                ByteRange::Last(5),
                ByteRange::FromTo { first: size - 1, last: size + 7 },
                ByteRange::From(size),
            ];
            for range in ranges {
                let expected = blob(&imported, repository, &digest, range).await;
                assert_eq!(blob(&shown, repository, &digest, range).await, expected, "{digest} {range:?}");
            }
        }
    }
    let found = shown.repositories(None, 10).await.unwrap();
    assert_eq!(found, imported.repositories(None, 10).await.unwrap());
    for repository in found.repositories {
        let tags = shown.tags(&repository, None, 10).await.unwrap();
        assert_eq!(tags, imported.tags(&repository, None, 10).await.unwrap());
    }
}

/// Every layer is read once, whoever asks and however often, and again only to be given away.
#[tokio::test]
async fn a_layer_is_read_once_to_find_out_what_it_is() {
    let storage = watched_sample().await;
    let first = replica(&storage);
    let many = (0..16).map(|number| {
        let (repository, reference) = TAGS[number % TAGS.len()];
        let (repository, reference) = (name(repository), tag(reference));
        let first = &first;
        async move { first.manifest(&repository, &reference).await.unwrap() }
    });
    futures_util::future::join_all(many).await;
    let (layers, changes) = layers_read_and_changes(&storage);
    assert_eq!(layers, 6);
    assert!(
        changes.iter().all(|(operation, object)| *operation == "write" && object.starts_with("apus/")),
        "{changes:?}"
    );

    // Another replica, or the same one after its next start, knows of everything.
    let other = replica(&storage);
    for (repository, reference) in TAGS {
        other.manifest(&name(repository), &tag(reference)).await.unwrap();
    }
    assert_eq!(layers_read_and_changes(&storage).0, 0);
}

/// A request by a digest may come to a replica that has never seen the tag.
#[tokio::test]
async fn another_replica_finds_by_a_digest_what_one_has_shown() {
    let storage = watched_sample().await;
    let repository = name("acme/webapp");
    let manifest = replica(&storage).manifest(&repository, &tag("latest")).await.unwrap();
    drop(storage.take_asked());
    let by_digest = Reference::Digest(manifest.digest.clone());
    assert_eq!(replica(&storage).manifest(&repository, &by_digest).await.unwrap(), manifest);
    for digest in parts(&manifest) {
        let cold = replica(&storage);
        cold.blob_info(&repository, &digest).await.unwrap();
    }
    // No other image had to be looked at.
    assert_eq!(layers_read_and_changes(&storage).0, 0);
}

#[tokio::test]
async fn where_nothing_may_be_written_nothing_is() {
    let storage = watched_sample().await;
    let options = ViewOptions { keeps_records: false, ..ViewOptions::default() };
    let expected = imported().await;
    for (repository, reference) in TAGS {
        let manifest = expected.manifest(&name(repository), &tag(reference)).await.unwrap();
        let by_digest = Reference::Digest(manifest.digest.clone());
        let shown = registry_over(view(&storage, options));
        assert_eq!(shown.manifest(&name(repository), &by_digest).await.unwrap(), manifest);
        for digest in parts(&manifest) {
            let shown = registry_over(view(&storage, options));
            let content = blob(&shown, repository, &digest, ByteRange::Full).await;
            assert_eq!(content, blob(&expected, repository, &digest, ByteRange::Full).await);
        }
    }
    assert_eq!(layers_read_and_changes(&storage).1, []);
}

/// Knowing a digest is not having the content: it is of the repository, by a tag that is there, or not found.
#[tokio::test]
async fn a_repository_has_what_its_tags_mean_and_nothing_else() {
    let storage = watched_sample().await;
    let shown = replica(&storage);
    let (base, webapp) = (name("base"), name("acme/webapp"));
    let top = shown.manifest(&webapp, &tag("latest")).await.unwrap();
    let by_digest = Reference::Digest(top.digest.clone());
    let unknown = shown.manifest(&base, &by_digest).await;
    assert!(matches!(unknown, Err(Error::ManifestUnknown { .. })), "{unknown:?}");
    let own_layer = parts(&top).pop().unwrap();
    let unknown = shown.open_blob(&base, &own_layer, ByteRange::Full).await;
    assert!(matches!(unknown, Err(Error::BlobUnknown { .. })), "{unknown:?}");
    // A layer that both rest on is there in both, and a configuration is no layer of another's.
    let shared = parts(&top).swap_remove(1);
    shown.blob_info(&base, &shared).await.unwrap();

    // Tags move, and images go with them, at once.
    put(&*storage, "repositories/acme/webapp/tag_latest", BASE).await;
    let moved = shown.manifest(&webapp, &tag("latest")).await.unwrap();
    assert_eq!(moved.digest, shown.manifest(&base, &tag("1.0")).await.unwrap().digest);
    let gone = shown.manifest(&webapp, &by_digest).await;
    assert!(matches!(gone, Err(Error::ManifestUnknown { .. })), "{gone:?}");
    delete(&*storage, "repositories/acme/webapp/tag_latest").await;
    let gone = shown.manifest(&webapp, &tag("latest")).await;
    assert!(matches!(gone, Err(Error::ManifestUnknown { .. })), "{gone:?}");
}

#[tokio::test]
async fn what_is_pushed_to_the_old_registry_is_shown_when_it_has_come_to_its_end() {
    let storage = watched_sample().await;
    put(&*storage, &format!("images/{TOP}/_inprogress"), "true").await;
    let (shown, webapp) = (replica(&storage), name("acme/webapp"));
    let unfinished = shown.manifest(&webapp, &tag("latest")).await;
    assert!(matches!(unfinished, Err(Error::ManifestUnknown { .. })), "{unfinished:?}");
    delete(&*storage, &format!("images/{TOP}/_inprogress")).await;
    shown.manifest(&webapp, &tag("latest")).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_proven_is_not_shown_and_hides_nothing_else() {
    let damages: [(&str, &[u8]); 5] = [
        ("_checksum", b"[\"sha256:00\"]"),
        ("_checksum", b"[]"),
        ("layer", b"garbage"),
        ("json", b"{"),
        // A circle.
        ("json", br#"{"id":"4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce","parent":"4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce"}"#),
    ];
    for (part, content) in damages {
        let storage = watched_sample().await;
        if content.starts_with(b"{\"id\"") {
            // What is said of it is proven like the layer.
            let layer = ObjectName::parse(format!("images/{TOP}/layer")).unwrap();
            let reader = storage.read(&layer, ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
            let layer = body::collect(reader.stream, 1 << 20).await.unwrap();
            let whole = [content, b"\n", &layer].concat();
            let checksum = Digest::of(apus_registry::Algorithm::Sha256, &whole);
            put(&*storage, &format!("images/{TOP}/_checksum"), format!("[\"{checksum}\"]")).await;
        }
        put(&*storage, &format!("images/{TOP}/{part}"), content).await;
        let shown = replica(&storage);
        for (repository, reference) in TAGS {
            let found = shown.manifest(&name(repository), &tag(reference)).await;
            if (repository, reference) == ("acme/webapp", "latest") {
                assert!(matches!(found, Err(Error::ManifestUnknown { .. })), "{part}: {found:?}");
            } else {
                found.unwrap();
            }
        }
        drop(storage.take_asked());
        let again = shown.manifest(&name("acme/webapp"), &tag("latest")).await;
        assert!(matches!(again, Err(Error::ManifestUnknown { .. })), "{part}: {again:?}");
        assert_eq!(
            layers_read_and_changes(&storage).0,
            0,
            "a damaged layer is not read for everyone who asks"
        );
    }
}

/// "I don't know" never becomes "not found".
#[tokio::test]
async fn an_outage_is_never_absence() {
    let operations = ["read", "stat", "list"];
    for operation in operations {
        let storage = watched_sample().await;
        let expected = imported().await.manifest(&name("base"), &tag("2.0")).await.unwrap();
        storage.set_rule(
            move |asked, _| {
                if asked == operation { Fate::Fails(ErrorKind::UNAVAILABLE) } else { Fate::Done }
            },
        );
        let by_digest = Reference::Digest(expected.digest.clone());
        for reference in [tag("2.0"), by_digest.clone()] {
            let found = replica(&storage).manifest(&name("base"), &reference).await;
            let is_there = operation == "list" && reference != by_digest;
            assert!(is_there == found.is_ok(), "{operation} {reference}: {found:?}");
            assert!(
                is_there || matches!(found, Err(Error::Storage(_))),
                "{operation} {reference}: {found:?}"
            );
        }
        let layer = parts(&expected).pop().unwrap();
        let cold = replica(&storage);
        let found = cold.open_blob(&name("base"), &layer, ByteRange::Full).await;
        assert!(matches!(found, Err(Error::Storage(_))), "{operation}: {found:?}");
        // And it is over when it is over.
        storage.set_rule(|_, _| Fate::Done);
        assert_eq!(cold.manifest(&name("base"), &by_digest).await.unwrap(), expected);
    }
    // A layer that breaks off is no damaged one.
    let storage = watched_sample().await;
    storage.set_rule(|operation, object| {
        let is_layer = operation == "read" && object.ends_with("/layer");
        if is_layer { Fate::Fails(ErrorKind::UNAVAILABLE) } else { Fate::Done }
    });
    let shown = replica(&storage);
    let unknown = shown.manifest(&name("base"), &tag("2.0")).await;
    assert!(matches!(unknown, Err(Error::Storage(_))), "{unknown:?}");
    storage.set_rule(|_, _| Fate::Done);
    shown.manifest(&name("base"), &tag("2.0")).await.unwrap();
}

/// What is kept for other replicas can fail to be written: then it is found out again.
#[tokio::test]
async fn records_that_cannot_be_written_are_done_without() {
    let storage = watched_sample().await;
    storage.set_rule(
        |operation, _| {
            if operation == "write" { Fate::Fails(ErrorKind::Full) } else { Fate::Done }
        },
    );
    let expected = imported().await;
    for (repository, reference) in TAGS {
        let manifest = replica(&storage).manifest(&name(repository), &tag(reference)).await.unwrap();
        assert_eq!(manifest, expected.manifest(&name(repository), &tag(reference)).await.unwrap());
    }
}

/// Another version may compress otherwise than the one that has kept a record.
#[tokio::test]
async fn a_layer_that_is_compressed_otherwise_now_is_never_given_out_and_then_put_right() {
    let storage = watched_sample().await;
    let (webapp, dev) = (name("acme/webapp"), tag("dev"));
    let right = replica(&storage).manifest(&webapp, &dev).await.unwrap();
    let (record, record_text) = record_of(&storage, IN_XZ).await;
    let mut altered: Value = serde_json::from_str(&record_text).unwrap();
    assert_eq!(altered["layer"]["form"], "gzip-anew");
    altered["layer"]["digest"] = format!("sha256:{}", "ab".repeat(32)).into();
    put(&*storage, &record, altered.to_string()).await;

    let shown = replica(&storage);
    let wrong = shown.manifest(&webapp, &dev).await.unwrap();
    assert_ne!(wrong.digest, right.digest);
    let layer = Digest::parse(altered["layer"]["digest"].as_str().unwrap()).unwrap();
    let blob = shown.open_blob(&webapp, &layer, ByteRange::Full).await.unwrap();
    let size = usize::try_from(blob.size).unwrap();
    assert!(body::collect(blob.stream, size).await.is_err());
    assert_eq!(shown.manifest(&webapp, &dev).await.unwrap(), right);
    assert_eq!(record_of(&storage, IN_XZ).await.1, record_text);
}

async fn record_of(storage: &Arc<WatchedStorage>, image: &str) -> (String, String) {
    let request = ListRequest::under(ObjectName::parse("apus").unwrap());
    let entries = storage.list(&request).await.unwrap().entries;
    let record = entries.iter().map(ListEntry::name).find(|name| name.as_str().ends_with(image)).unwrap();
    let reader = storage.read(record, ByteRange::Full, Freshness::Newest).await.unwrap().unwrap();
    let content = body::collect(reader.stream, 4096).await.unwrap();
    (record.to_string(), String::from_utf8(content.to_vec()).unwrap())
}

/// What says where a digest is found is no more than a hint.
#[tokio::test]
async fn wrong_hints_mislead_nobody() {
    let storage = watched_sample().await;
    let (base, reference) = (name("base"), tag("2.0"));
    let expected = replica(&storage).manifest(&base, &reference).await.unwrap();
    let request = ListRequest::under(ObjectName::parse("apus/views").unwrap());
    let hints = storage.list(&request).await.unwrap().entries;
    assert!(!hints.is_empty());
    for wrong in [BASE, "nonsense", &"0".repeat(64)] {
        for hint in &hints {
            put(&*storage, hint.name().as_str(), wrong).await;
        }
        for digest in parts(&expected) {
            let shown = replica(&storage);
            let content = blob(&shown, "base", &digest, ByteRange::Full).await;
            assert_eq!(Digest::of(digest.algorithm(), &content), digest);
        }
        let by_digest = Reference::Digest(expected.digest.clone());
        assert_eq!(replica(&storage).manifest(&base, &by_digest).await.unwrap(), expected);
    }
}

/// Clients are sent to storage for layers that lie there as they are, once it is known which those are.
#[tokio::test]
async fn layers_that_are_what_they_were_have_urls() {
    let storage = watched_sample().await;
    storage.set_urls(true);
    let (shown, webapp) = (replica(&storage), name("acme/webapp"));
    let manifest = shown.manifest(&webapp, &tag("dev")).await.unwrap();
    let mut urls = Vec::new();
    for digest in parts(&manifest) {
        urls.push(shown.blob_url(&webapp, &digest).await.unwrap().map(|url| url.url));
    }
    let url = |image: &str| {
        let layer = ObjectName::parse(format!("images/{image}/layer")).unwrap();
        Some(WatchedStorage::url(&layer, Duration::from_mins(1)))
    };
    // The configuration is made here, and so is what is compressed anew.
    let expected = [None, url(LOWEST), url(BASE), url(SECOND), url(THIRD), None];
    assert_eq!(urls, expected);
}

#[tokio::test]
async fn nothing_can_be_written() {
    let storage = watched_sample().await;
    let shown = view(&storage, ViewOptions::default());
    let object = today::tag_link(&name("base"), &Tag::parse("latest").unwrap()).unwrap();
    let written = shown.write(&object, b"x".to_vec().into(), WriteMode::Replace).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(shown.touch(&object).await.unwrap_err().kind(), ErrorKind::Denied);
    for deleted in shown.delete(std::slice::from_ref(&object)).await {
        assert_eq!(deleted.unwrap_err().kind(), ErrorKind::Denied);
    }
    assert_eq!(shown.stage_list(None, 10).await.unwrap(), []);
    assert_eq!(storage.take_asked(), []);
    assert!(shown.stat(&object, Freshness::Newest).await.unwrap().is_some());
}

#[tokio::test]
async fn private_repositories() {
    let storage = watched_sample().await;
    let shown = view(&storage, ViewOptions::default());
    let marked = LegacyRegistry::new(Arc::clone(&storage) as _);
    let webapp = Repository::parse("acme/webapp").unwrap();
    for private in [true, false] {
        marked.set_private(&webapp, private).await.unwrap();
        assert_eq!(shown.is_private(&name("acme/webapp")).await.unwrap(), private);
        let listed = registry_over(shown.clone()).repositories(None, 10).await.unwrap();
        assert_eq!(listed.repositories.len(), if private { 1 } else { 2 });
    }
    assert!(!shown.is_private(&name("library/base")).await.unwrap(), "there is none of that name");
}
