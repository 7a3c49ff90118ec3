//! skopeo, which copies an image as it is.

use std::process::Command;

use super::image::{Image, TAG, test_image};
use super::programs::run;
use crate::support::{Apus, Backend};

const REPOSITORY: &str = "debian/small";

/// Promise: an image goes into Swift, with the sign-in of version 1, and comes back with the same bytes.
#[test]
fn skopeo_over_swift_v1() {
    round_trip(&Backend::swift_v1(), true);
}

/// Promise: the same with the sign-in of version 3.
#[test]
fn skopeo_over_swift_v3() {
    round_trip(&Backend::swift_v3(), true);
}

/// Promise: the same over the filesystem.
#[test]
fn skopeo_over_the_filesystem() {
    round_trip(&Backend::filesystem(), true);
}

/// Promise: the same over memory, as long as the process runs.
#[test]
fn skopeo_over_memory() {
    round_trip(&Backend::memory(), false);
}

/// Pushes the image, asks about it, and pulls it, from another process where the backend outlives one.
fn round_trip(backend: &Backend, outlives: bool) {
    let (layout, image) = test_image();
    let layout = format!("oci:{}:{TAG}", layout.display());
    let mut apus = Apus::start(backend.storage());
    run(copy().arg("--dest-tls-verify=false").args([&layout, &reference(&apus)]));
    if outlives {
        apus.kill();
        apus = Apus::start(backend.storage());
    }

    let manifest = run(skopeo().args(["inspect", "--raw", "--tls-verify=false", &reference(&apus)]));
    assert_eq!(manifest.as_bytes(), image.manifest());

    let repository = format!("docker://{}/{REPOSITORY}", apus.address());
    let tags = run(skopeo().args(["list-tags", "--tls-verify=false", &repository]));
    let tags: serde_json::Value = serde_json::from_str(&tags).unwrap();
    assert_eq!(tags["Tags"], serde_json::json!([TAG]));

    let pulled = tempfile::tempdir().unwrap();
    let target = format!("oci:{}:{TAG}", pulled.path().display());
    run(copy().arg("--src-tls-verify=false").args([&reference(&apus), &target]));
    Image::in_layout(pulled.path()).assert_same(&image);
}

fn reference(apus: &Apus) -> String {
    format!("docker://{}/{REPOSITORY}:{TAG}", apus.address())
}

fn copy() -> Command {
    let mut command = skopeo();
    command.args(["copy", "--quiet", "--preserve-digests"]);
    command
}

/// No signatures are asked for, whatever the machine's policy says.
fn skopeo() -> Command {
    let mut command = Command::new("skopeo");
    command.arg("--insecure-policy");
    command
}
