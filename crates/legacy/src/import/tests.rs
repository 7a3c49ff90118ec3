use std::sync::{Arc, Mutex};

use apus_registry::{Algorithm, Digest, Manifest, Reference, Registry, RegistryOptions, RepositoryName, Tag};
use apus_storage::{ByteRange, ListRequest, MemoryStorage, ObjectName, Storage, body};
use serde_json::Value;

use super::{ImportEvent, ImportOptions, ImportSummary, TagOutcome, import};
use crate::Store;
use crate::testing::{delete, put, sample};

const BASE: &str = "6ec58b2354923a46e46a17d8712c6f5b093cf472a08f377b0beb47ef06a7c3e3";
const TOP: &str = "4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce";

/// An old registry and a new one.
struct Both {
    old: Arc<MemoryStorage>,
    new: Arc<MemoryStorage>,
}

impl Both {
    async fn of_the_original() -> Self {
        Self { old: sample().await, new: Arc::new(MemoryStorage::new()) }
    }

    fn registry(&self) -> Registry {
        Registry::new(Arc::clone(&self.new) as _, RegistryOptions::default())
    }

    /// Answers what became of all, and of each tag.
    async fn import(&self, options: &ImportOptions) -> (ImportSummary, Vec<String>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = Arc::clone(&told);
        let report = move |event: ImportEvent<'_>| {
            let line = match event {
                ImportEvent::Tag { repository, tag, outcome } => {
                    let outcome = match outcome {
                        TagOutcome::Brought { name, .. } => format!("brought as {name}"),
                        TagOutcome::Unchanged { name, .. } => format!("unchanged as {name}"),
                        TagOutcome::Differs { name, .. } => format!("differs from {name}"),
                        TagOutcome::Left(reason) => format!("left: {reason}"),
                    };
                    format!("{repository}:{tag} {outcome}")
                }
                _ => return,
            };
            teller.lock().unwrap().push(line);
        };
        let store = Store::new(Arc::clone(&self.old) as _);
        let new = Arc::clone(&self.new) as _;
        let summary = import(&store, &self.registry(), new, options, Arc::new(report)).await.unwrap();
        let told = told.lock().unwrap().clone();
        (summary, told)
    }

    async fn manifest(&self, repository: &str, tag: &str) -> Manifest {
        let repository = RepositoryName::parse(repository).unwrap();
        self.registry().manifest(&repository, &Reference::Tag(Tag::parse(tag).unwrap())).await.unwrap()
    }

    async fn blob(&self, repository: &str, digest: &str) -> Vec<u8> {
        let (repository, digest) =
            (RepositoryName::parse(repository).unwrap(), Digest::parse(digest).unwrap());
        let blob = self.registry().open_blob(&repository, &digest, ByteRange::Full).await.unwrap();
        body::collect(blob.stream, 1 << 20).await.unwrap().to_vec()
    }

    /// Everything that the new storage holds, with when it was written.
    async fn contents(&self) -> Vec<String> {
        let page = self.new.list(&ListRequest::everything()).await.unwrap();
        page.entries.iter().map(|entry| format!("{entry:?}")).collect()
    }
}

#[tokio::test]
async fn the_originals_images_come_over() {
    let both = Both::of_the_original().await;
    let (summary, told) = both.import(&ImportOptions::default()).await;
    let expected = [
        "acme/webapp:1.0 brought as acme/webapp:1.0",
        "acme/webapp:dev brought as acme/webapp:dev",
        "acme/webapp:latest brought as acme/webapp:latest",
        "library/base:1.0 brought as base:1.0",
        "library/base:2.0 brought as base:2.0",
        "library/base:latest brought as base:latest",
    ];
    assert_eq!(told, expected);
    let counted = (
        summary.repositories,
        summary.tags,
        summary.brought_tags,
        summary.brought_images,
        summary.left_images,
    );
    assert_eq!(counted, (2, 6, 6, 6, 0));
    assert_eq!(both.manifest("base", "2.0").await, both.manifest("base", "latest").await);

    let manifest = both.manifest("acme/webapp", "latest").await;
    let manifest: Value = serde_json::from_slice(&manifest.content).unwrap();
    let configuration = both.blob("acme/webapp", manifest["config"]["digest"].as_str().unwrap()).await;
    let configuration: Value = serde_json::from_slice(&configuration).unwrap();
    assert_eq!(configuration["config"]["Cmd"], serde_json::json!(["/bin/sh"]));
    assert_eq!(configuration["history"].as_array().unwrap().len(), 5);
    assert_eq!(configuration.get("parent"), None);
    let archives = configuration["rootfs"]["diff_ids"].as_array().unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(archives.len(), layers.len());
    for (layer, archive) in layers.iter().zip(archives) {
        let content = both.blob("acme/webapp", layer["digest"].as_str().unwrap()).await;
        assert_eq!(content.len() as u64, layer["size"].as_u64().unwrap());
        let plain = if layer["mediaType"].as_str().unwrap().ends_with("gzip") {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&content[..]), &mut plain)
                .unwrap();
            plain
        } else {
            content
        };
        assert_eq!(Digest::of(Algorithm::Sha256, &plain).to_string(), archive.as_str().unwrap());
    }
}

#[tokio::test]
async fn layers_stay_as_they_are_where_they_can() {
    let both = Both::of_the_original().await;
    both.import(&ImportOptions::default()).await;
    let (mut same, mut others) = (0, 0);
    for entry in both.old.list(&ListRequest::everything()).await.unwrap().entries {
        if !entry.name().as_str().ends_with("/layer") {
            continue;
        }
        let reader = both
            .old
            .read(entry.name(), ByteRange::Full, apus_storage::Freshness::Any)
            .await
            .unwrap()
            .unwrap();
        let content = body::collect(reader.stream, 1 << 20).await.unwrap();
        let name = apus_registry::layout::blob_data(&Digest::of(Algorithm::Sha256, &content)).unwrap();
        match both.new.stat(&name, apus_storage::Freshness::Any).await.unwrap() {
            Some(_) => same += 1,
            None => others += 1,
        }
    }
    // One is in xz.
    assert_eq!((same, others), (5, 1));
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let both = Both::of_the_original().await;
    both.import(&ImportOptions::default()).await;
    let before = both.contents().await;
    let (summary, _) = both.import(&ImportOptions::default()).await;
    let counted = (summary.unchanged_tags, summary.known_images, summary.brought_images, summary.read_bytes);
    assert_eq!(counted, (6, 6, 0, 0));
    assert_eq!(both.contents().await, before);
}

#[tokio::test]
async fn a_dry_run_reads_all_and_writes_nothing() {
    let both = Both::of_the_original().await;
    let (summary, _) = both.import(&ImportOptions { dry_run: true, ..ImportOptions::default() }).await;
    assert_eq!((summary.brought_tags, summary.read_bytes), (6, 109_674));
    assert_eq!(both.contents().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_cannot_be_proven_is_left() {
    let damages: [(&str, Vec<u8>, &str); 4] = [
        ("_inprogress", b"true".to_vec(), "its upload came to no end"),
        ("_checksum", b"[\"sha256:00\"]".to_vec(), "its layer is damaged"),
        ("_checksum", b"[]".to_vec(), "no checksum of it is kept"),
        ("layer", b"garbage".to_vec(), "its layer is no tar archive"),
    ];
    for (part, content, reason) in damages {
        let both = Both::of_the_original().await;
        put(&*both.old, &format!("images/{TOP}/{part}"), content).await;
        let (summary, told) = both.import(&ImportOptions::default()).await;
        assert_eq!((summary.brought_tags, summary.unfit_tags, summary.failed_tags), (5, 1, 0), "{part}");
        let left = told.iter().find(|line| line.contains("left")).unwrap();
        assert!(
            left.starts_with("acme/webapp:latest") && left.contains(reason) && left.contains(TOP),
            "{left}"
        );
    }
}

#[tokio::test]
async fn a_layer_that_is_cut_off_is_left_even_without_a_checksum() {
    let both = Both::of_the_original().await;
    let layer = ObjectName::parse(format!("images/{TOP}/layer")).unwrap();
    let reader = both.old.read(&layer, ByteRange::Full, apus_storage::Freshness::Any).await.unwrap().unwrap();
    let whole = body::collect(reader.stream, 1 << 20).await.unwrap();
    delete(&*both.old, &format!("images/{TOP}/_checksum")).await;
    let options = ImportOptions { without_checksum: true, ..ImportOptions::default() };

    put(&*both.old, layer.as_str(), &whole[..whole.len() / 2]).await;
    let (summary, told) = both.import(&options).await;
    assert_eq!((summary.brought_tags, summary.unfit_tags), (5, 1));
    assert!(told.iter().any(|line| line.contains("cannot be decompressed")), "{told:?}");

    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&whole[..]), &mut plain).unwrap();
    put(&*both.old, layer.as_str(), &plain[..plain.len() / 1024 * 512]).await;
    let (summary, told) = both.import(&options).await;
    assert_eq!((summary.brought_tags, summary.unfit_tags), (0, 1));
    assert!(told.iter().any(|line| line.contains("the archive has no end")), "{told:?}");

    put(&*both.old, layer.as_str(), &whole[..]).await;
    let (summary, _) = both.import(&options).await;
    assert_eq!((summary.brought_tags, summary.unchanged_tags, summary.unfit_tags), (1, 5, 0));
    let before = both.contents().await;
    let (summary, _) = both.import(&options).await;
    assert_eq!((summary.unchanged_tags, summary.known_images, summary.read_bytes), (6, 6, 0));
    assert_eq!(both.contents().await, before, "nor does a second run change anything here");
    assert_eq!(both.new.stage_list(None, 10).await.unwrap(), [], "nothing half done is left");
}

#[tokio::test]
async fn what_rests_on_a_missing_image_is_left() {
    let both = Both::of_the_original().await;
    delete(&*both.old, &format!("images/{BASE}/json")).await;
    let (summary, _) = both.import(&ImportOptions::default()).await;
    assert_eq!((summary.brought_tags, summary.unfit_tags, summary.brought_images), (0, 6, 0));
}

#[tokio::test]
async fn names_that_are_none_today_are_left() {
    let both = Both::of_the_original().await;
    put(&*both.old, "repositories/Acme/Web/tag_latest", BASE).await;
    put(&*both.old, "repositories/acme/a%252Fb/tag_1+2", BASE).await;
    put(&*both.old, "repositories/acme/a%252Fb/tag_1", BASE).await;
    let (summary, told) = both.import(&ImportOptions::default()).await;
    assert_eq!((summary.brought_tags, summary.unfit_tags), (7, 2));
    assert!(told.contains(&"acme/a/b:1 brought as acme/a/b:1".to_owned()), "{told:?}");
}

#[tokio::test]
async fn tags_that_mean_something_else_by_now_stay() {
    let both = Both::of_the_original().await;
    let options = ImportOptions { keep_library: true, ..ImportOptions::default() };
    both.import(&options).await;
    let before = both.manifest("library/base", "latest").await;
    put(&*both.old, "repositories/library/base/tag_latest", BASE).await;
    let (summary, told) = both.import(&options).await;
    assert_eq!((summary.differing_tags, summary.unchanged_tags), (1, 5));
    assert!(told.contains(&"library/base:latest differs from library/base:latest".to_owned()), "{told:?}");
    assert_eq!(both.manifest("library/base", "latest").await, before);

    both.import(&ImportOptions { overwrite: true, ..options }).await;
    assert_eq!(both.manifest("library/base", "latest").await, both.manifest("library/base", "1.0").await);
}

#[tokio::test]
async fn images_without_files_have_no_layer() {
    let both = Both::of_the_original().await;
    let options = ImportOptions { without_checksum: true, ..ImportOptions::default() };
    delete(&*both.old, &format!("images/{TOP}/_checksum")).await;
    for nothing in [Vec::new(), vec![0; 1024]] {
        put(&*both.old, &format!("images/{TOP}/layer"), nothing).await;
        let (summary, _) = both.import(&ImportOptions { overwrite: true, ..options.clone() }).await;
        assert_eq!(summary.unfit_tags + summary.failed_tags, 0);
        let manifest = both.manifest("acme/webapp", "latest").await;
        let manifest: Value = serde_json::from_slice(&manifest.content).unwrap();
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 4);
        let configuration = both.blob("acme/webapp", manifest["config"]["digest"].as_str().unwrap()).await;
        let configuration: Value = serde_json::from_slice(&configuration).unwrap();
        assert_eq!(configuration["history"][4]["empty_layer"], serde_json::json!(true));
        assert_eq!(both.new.stage_list(None, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_was_collected_as_garbage_comes_again() {
    let both = Both::of_the_original().await;
    both.import(&ImportOptions::default()).await;
    let blobs: Vec<_> =
        both.new.list(&ListRequest::under(ObjectName::parse("docker").unwrap())).await.unwrap().entries;
    let names: Vec<_> = blobs.iter().map(|entry| entry.name().clone()).collect();
    both.new.delete(&names).await;
    let (summary, _) = both.import(&ImportOptions::default()).await;
    assert_eq!((summary.brought_tags, summary.failed_tags), (6, 0));
}
