//! umoci, which unpacks an image without any service: what was pulled holds the files that the image was made of.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::run;
use super::source::{ARCHITECTURES, Small, Source};
use super::tree::{Tree, assert_same, tree};
use super::{over_every_backend, skopeo};
use crate::support::{Apus, Backend};

/// Promise: files of every kind, in several layers, come back as they were: names, modes, links, contents; and what an upper
/// layer removes is gone.
#[tokio::test]
async fn umoci_unpacks() {
    let small = Small::make();
    over_every_backend(async |apus| {
        for architecture in ARCHITECTURES {
            let name = format!("small:{architecture}");
            skopeo::push(&small.image(architecture), apus, &name);
            assert_same(&unpacked(apus, &name), &small.tree(architecture));
        }
    })
    .await;
}

/// Promise: the thousands of files of a Debian, too, over Swift.
#[tokio::test]
async fn umoci_unpacks_debian() {
    let debian = Source::debian().await;
    let apus = Apus::start(Backend::swift_v1().storage());
    skopeo::push(&debian, &apus, "debian:latest");
    let directory = tempfile::tempdir().unwrap();
    let source = extracted(&debian, directory.path()).await;
    assert!(source.len() > 1000, "{} files", source.len());
    assert_same(&unpacked(&apus, "debian:latest"), &source);
}

/// The files of an image, pulled by skopeo and unpacked by umoci.
fn unpacked(apus: &Apus, name: &str) -> Tree {
    let directory = tempfile::tempdir().unwrap();
    let pulled = Source { layout: directory.path().join("layout"), tag: "pulled" };
    skopeo::pull(apus, name, &pulled);
    let bundle = directory.path().join("bundle");
    // Rootless, for root as well: nothing here wants privileges.
    let mut unpack = Command::new("umoci");
    unpack.args(["unpack", "--rootless", "--image"]).arg(format!("{}:pulled", pulled.layout.display()));
    run(unpack.arg(&bundle));
    tree(&bundle.join("rootfs"))
}

/// The files of which the layers of an image were made, as tar tells. Only for layers that remove nothing.
async fn extracted(source: &Source, directory: &Path) -> Tree {
    for layer in source.image().await.layers() {
        let archive: PathBuf = source.layout.join("blobs").join(layer.replace(':', "/"));
        let mut extract = Command::new("tar");
        extract.args(["-xpz", "--no-same-owner", "--keep-directory-symlink", "-C"]).arg(directory).arg("-f");
        run(extract.arg(archive));
    }
    tree(directory)
}
