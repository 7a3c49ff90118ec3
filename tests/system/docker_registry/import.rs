//! What comes over, what does not, and how it is told.

use std::path::Path;
use std::process::{Command, Stdio};

use hyper::Method;
use serde_json::Value;

use super::old::{Made, archive, configuration, in_swift, objects, sample};
use super::{Imported, import, written};
use crate::clients::programs::run;
use crate::support::backend::new_container;
use crate::support::content::digest;
use crate::support::swift::{Container, object_names};
use crate::support::{Apus, Backend, apus};

/// Everything that a directory holds, with its bytes.
fn everything(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = objects(directory);
    all.sort();
    all
}

#[tokio::test]
async fn from_swift_to_swift() {
    let directory = tempfile::tempdir().unwrap();
    let container = new_container();
    let from = in_swift(&sample(), &container, directory.path()).await;
    let before = object_names(&container).await;
    let backend = Backend::swift_v1();
    let to = written(&backend, directory.path());
    let first = import(&from, &to, &[]);
    first.expect(0, &[("repositories", 2), ("tags", 6), ("brought_tags", 6), ("brought_images", 6)]);
    assert_eq!(first.events("private").len(), 1);
    assert_eq!(first.events("surveyed")[0]["bytes"], 109_674);
    assert!(!first.events("progress").is_empty());
    // Nothing is changed in the old registry.
    assert_eq!(object_names(&container).await, before);

    let there = backend.container().unwrap();
    let written_first = object_names(there).await;
    assert!(written_first.iter().any(|name| name.contains("/_manifests/tags/latest/")), "{written_first:?}");
    import(&from, &to, &[]).expect(0, &[("unchanged_tags", 6), ("known_images", 6), ("read_bytes", 0)]);
    assert_eq!(object_names(there).await, written_first);

    let apus = Apus::start(backend.storage());
    let tags = apus.client().request(Method::GET, "/v2/base/tags/list", &[], "").await.expect(200);
    let tags: Value = serde_json::from_slice(&tags.body).unwrap();
    assert_eq!(tags["tags"], serde_json::json!(["1.0", "2.0", "latest"]));
    let pulled = directory.path().join("pulled");
    let name = format!("docker://{}/acme/webapp:latest", apus.address());
    let mut skopeo = Command::new("skopeo");
    run(skopeo.args(["copy", "--src-tls-verify=false", &name]).arg(format!("dir:{}", pulled.display())));
    Container::open(&container).await.remove().await;
}

/// A layer stays byte for byte what it was, wherever an image of today may have it.
#[tokio::test]
async fn layers_keep_their_bytes() {
    let backend = Backend::filesystem();
    let directory = tempfile::tempdir().unwrap();
    import(&sample(), &written(&backend, directory.path()), &[]).expect(0, &[]);
    let apus = Apus::start(backend.storage());
    let accept = [(
        "accept",
        "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
    )];
    let manifest =
        apus.client().request(Method::GET, "/v2/acme/webapp/manifests/latest", &accept, "").await.expect(200);
    let manifest: Value = serde_json::from_slice(&manifest.body).unwrap();
    let layers: Vec<_> =
        manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].clone()).collect();
    let stored = objects(&sample());
    let ancestry = stored
        .iter()
        .find(|(name, _)| {
            name == "images/4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce/ancestry"
        })
        .unwrap();
    let ancestry: Vec<String> = serde_json::from_slice(&ancestry.1).unwrap();
    let wanted: Vec<Value> = ancestry
        .iter()
        .rev()
        .map(|image| stored.iter().find(|(name, _)| *name == format!("images/{image}/layer")).unwrap())
        .map(|(_, layer)| digest(layer).into())
        .collect();
    assert_eq!(layers, wanted);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let backend = Backend::filesystem();
    let directory = tempfile::tempdir().unwrap();
    let to = written(&backend, directory.path());
    let dry = import(&sample(), &to, &["--dry-run"]);
    dry.expect(0, &[("brought_tags", 6), ("read_bytes", 109_674)]);
    assert_eq!(dry.summary()["dry_run"], true);
    assert_eq!(everything(backend.directory().unwrap()), []);
    let digests = |run: &Imported| -> Vec<Value> {
        run.events("tag").iter().map(|tag| tag["digest"].clone()).collect()
    };
    assert_eq!(digests(&dry), digests(&import(&sample(), &to, &[])), "it foretells the manifests");
}

/// Names the reason, goes on with the rest, and says by its status that something is left.
#[tokio::test]
async fn what_cannot_come_over_is_told() {
    let mut old = Made::new();
    let layer = archive("--gzip", &[("a", "b")]);
    let good = old.image(&layer);
    let unfinished = old.image(&layer);
    old.put(&format!("images/{unfinished}/_inprogress"), "true");
    old.tag("acme/web", "good", &good);
    old.tag("acme/web", "unfinished", &unfinished);
    old.tag("acme/web", "missing", &"9".repeat(64));
    old.tag("Acme/Web", "latest", &good);
    let above = old.image(&layer);
    old.tag("acme/web", "above", &above);
    let backend = Backend::filesystem();
    let directory = tempfile::tempdir().unwrap();
    let to = written(&backend, directory.path());
    let told = import(old.root(), &to, &[]);
    told.expect(3, &[("brought_tags", 1), ("unfit_tags", 4), ("failed_tags", 0)]);
    let reason = |tag: &str| {
        let tag = told.events("tag").into_iter().find(|line| line["tag"] == tag).unwrap().clone();
        tag["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason("unfinished").contains("its upload came to no end"), "{}", reason("unfinished"));
    assert!(reason("above").contains("its upload came to no end"), "{}", reason("above"));
    assert!(reason("missing").contains("is not there"), "{}", reason("missing"));
    assert!(reason("latest").contains("name"), "{}", reason("latest"));

    // A tag that means something else by now stays, unless it is said that it may be moved.
    let bad = old.image(&archive("--gzip", &[("c", "d")]));
    old.put(&format!("images/{bad}/json"), format!("{{\"id\": \"{bad}\"}}"));
    old.put(&format!("images/{bad}/_checksum"), "[]");
    old.tag("acme/web", "good", &bad);
    import(old.root(), &to, &[]).expect(3, &[("differing_tags", 0), ("unfit_tags", 5)]);
    import(old.root(), &to, &["--without-checksum"]).expect(3, &[("differing_tags", 1), ("unfit_tags", 4)]);
    let moved = import(old.root(), &to, &["--without-checksum", "--overwrite"]);
    moved.expect(3, &[("brought_tags", 1), ("unfit_tags", 4)]);
}

/// Where the name of the container is wrong one is told so, and no container is made.
#[tokio::test]
async fn a_container_that_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let container = new_container();
    let from = configuration(&container, directory.path());
    let told = import(&from, &written(&Backend::filesystem(), directory.path()), &[]);
    told.expect(1, &[]);
    assert_eq!(told.summary()["done"], false);
    assert!(told.complaint.contains(&format!("has no container \"{container}\"")), "{}", told.complaint);
    assert!(Container::open(&container).await.is_missing().await);

    // An outage is no absence either.
    let text = std::fs::read_to_string(&from).unwrap();
    let text = text.lines().map(|line| {
        let is_url = line.trim_start().starts_with("swift_authurl");
        if is_url { "  swift_authurl: http://127.0.0.1:1/auth/v1.0" } else { line }
    });
    std::fs::write(&from, text.collect::<Vec<_>>().join("\n")).unwrap();
    let told = import(&from, &written(&Backend::filesystem(), directory.path()), &[]);
    told.expect(1, &[]);
    assert!(told.complaint.contains("cannot be used"), "{}", told.complaint);
}

#[test]
fn a_directory_that_holds_no_registry() {
    let directory = tempfile::tempdir().unwrap();
    let told = import(directory.path(), &written(&Backend::filesystem(), directory.path()), &[]);
    told.expect(1, &[]);
    assert!(told.complaint.contains("there are no tags in the old registry"), "{}", told.complaint);
}

/// On a terminal: lines for people, and a bar.
#[test]
fn on_a_terminal() {
    let backend = Backend::filesystem();
    let directory = tempfile::tempdir().unwrap();
    let to = written(&backend, directory.path());
    let program = env!("CARGO_BIN_EXE_apus");
    let line = format!("{program} import docker-registry {} {}", sample().display(), to.display());
    let mut script = apus::without_settings(Command::new("script"));
    let output =
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("library/base:2.0 -> base:2.0 sha256:"), "{told}");
    assert!(told.contains("6 tags in 2 repositories: 6 came over, 0 were here, 0 left; 6 images"), "{told}");
    assert!(told.contains("6 tags found"), "a bar: {told}");
}
