//! The images that the tests push: where they lie, and what they were made of.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::image::{Image, OCI_IMAGE, OCI_INDEX, parsed};
use super::programs::run;
use super::tree::{Tree, tree};
use crate::support::backend::variable;
use crate::support::content::{digest, random};

/// What the layers of the small Debian hold, compressed, and how many there are, at least.
const LEAST_BYTES: usize = 60_000_000;
const LEAST_LAYERS: usize = 3;

/// The architectures of [`Small`]. Nothing in it is ever run.
pub(super) const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// An image in an OCI layout.
pub(crate) struct Source {
    pub(super) layout: PathBuf,
    pub(super) tag: &'static str,
}

impl Source {
    /// The small Debian of `scripts/make-test-image`.
    pub(super) async fn debian() -> Self {
        let debian = Self { layout: variable("APUS_TEST_IMAGE").into(), tag: "latest" };
        let image = debian.image().await;
        let bytes: usize = image.parts().values().map(bytes::Bytes::len).sum();
        let layers = image.layers().len();
        assert!(layers >= LEAST_LAYERS && bytes >= LEAST_BYTES, "{layers} layers, {bytes} bytes");
        debian
    }

    /// What clients call it.
    pub(crate) fn name(&self) -> String {
        format!("oci:{}:{}", self.layout.display(), self.tag)
    }

    pub(super) async fn image(&self) -> Image {
        Image::in_layout(&self.layout, self.tag).await
    }
}

/// An image of a few MiB, for two platforms, made here from files of every kind: one layer is the same for both, two are not.
pub(crate) struct Small {
    directory: TempDir,
    /// The file of the lowest layer that the highest one removes.
    removed: String,
}

impl Small {
    pub(crate) fn make() -> Self {
        // Names of directories become names of images, without capitals.
        let unique = format!("{:016x}", rand::random::<u64>());
        let directory = tempfile::Builder::new().prefix(&unique).rand_bytes(0).tempdir().unwrap();
        // No layer is the same as one of another test: skopeo remembers for all of them which registry has what.
        let small = Self { directory, removed: format!("etc/removed-{unique}") };
        let (layout, shared) = (small.layout(), small.shared());
        run(umoci().args(["init", "--layout"]).arg(&layout));
        write_files(&shared);
        fs::write(shared.join(&small.removed), "gone from the image\n").unwrap();
        for architecture in ARCHITECTURES {
            let image = format!("{}:{architecture}", layout.display());
            run(umoci().args(["new", "--image", &image]));
            run(umoci().args(["insert", "--rootless", "--image", &image]).arg(&shared).arg("/"));
            let own = small.own(architecture);
            fs::create_dir(&own).unwrap();
            set_mode(&own, ROOT_MODE);
            fs::write(own.join("architecture"), format!("{architecture} {unique}\n")).unwrap();
            run(umoci().args(["insert", "--rootless", "--image", &image]).arg(&own).arg("/"));
            let removed = format!("/{}", small.removed);
            run(umoci().args(["insert", "--rootless", "--image", &image, "--whiteout", &removed]));
            run(umoci().args(["config", "--image", &image, "--os", "linux", "--architecture", architecture]));
        }
        // umoci leaves every step between in the layout.
        run(umoci().args(["gc", "--layout"]).arg(&layout));
        make_list(&layout);
        small
    }

    /// The image for one architecture.
    pub(crate) fn image(&self, architecture: &'static str) -> Source {
        Source { layout: self.layout(), tag: architecture }
    }

    /// The list of both.
    pub(crate) fn list(&self) -> Source {
        Source { layout: self.layout(), tag: LIST }
    }

    /// The files that the image for an architecture is made of.
    pub(super) fn tree(&self, architecture: &str) -> Tree {
        let mut files = tree(&self.shared());
        files.extend(tree(&self.own(architecture)));
        files.remove(Path::new(&self.removed)).unwrap();
        files
    }

    /// Where files lie that are in the images of both architectures.
    pub(super) fn shared(&self) -> PathBuf {
        self.directory.path().join("shared")
    }

    /// Where those lie that only the image for one architecture has.
    fn own(&self, architecture: &str) -> PathBuf {
        self.directory.path().join(architecture)
    }

    fn layout(&self) -> PathBuf {
        self.directory.path().join("small")
    }
}

/// The tag of the list.
const LIST: &str = "both";

/// The mode of the root directory in every layer.
const ROOT_MODE: u32 = 0o755;

/// Files of every kind that a user without privileges can make.
fn write_files(root: &Path) {
    let long = format!("{}/{}", "directory".repeat(11), "file".repeat(30));
    let files: [(&str, u32, &[u8]); 7] = [
        ("bin/program", 0o4755, b"#!/bin/true\n"),
        ("etc/plain", 0o644, b"plain\n"),
        ("etc/secret", 0o600, b"secret\n"),
        ("etc/empty", 0o444, b""),
        ("a name with spaces, an \u{fc}, a \\ and a \n", 0o640, b"odd\n"),
        (&long, 0o644, b"its path is longer than a header of tar can say\n"),
        ("large", 0o644, &random(3 << 20)),
    ];
    for (path, mode, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_mode(&path, mode);
    }
    for (path, mode) in [("", ROOT_MODE), ("empty", 0o750), ("tmp", 0o1777)] {
        let path = root.join(path);
        fs::create_dir_all(&path).unwrap();
        set_mode(&path, mode);
    }
    fs::hard_link(root.join("bin/program"), root.join("bin/same")).unwrap();
    for (target, path) in
        [("plain", "etc/near"), ("/etc/plain", "etc/absolute"), ("../nowhere", "etc/broken")]
    {
        symlink(target, root.join(path)).unwrap();
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Adds the list of the images to their layout, which is what umoci cannot do.
fn make_list(layout: &Path) {
    let file = layout.join("index.json");
    let mut index = parsed(&fs::read(&file).unwrap());
    let tagged = index["manifests"].as_array_mut().unwrap();
    let platforms: Vec<_> = tagged
        .iter()
        .map(|described| {
            let architecture = &described["annotations"]["org.opencontainers.image.ref.name"];
            json!({
                "mediaType": OCI_IMAGE, "digest": described["digest"], "size": described["size"],
                "platform": { "architecture": architecture, "os": "linux" }
            })
        })
        .collect();
    let list = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": platforms }).to_string();
    let name = digest(list.as_bytes());
    fs::write(layout.join("blobs").join(name.replace(':', "/")), &list).unwrap();
    tagged.push(json!({
        "mediaType": OCI_INDEX, "digest": name, "size": list.len(),
        "annotations": { "org.opencontainers.image.ref.name": LIST }
    }));
    fs::write(file, index.to_string()).unwrap();
}

fn umoci() -> Command {
    Command::new("umoci")
}
