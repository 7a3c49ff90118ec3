//! podman and buildah: they unpack an image when they pull it, and pack it again when they push it.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::image::{Image, TAG, test_image};
use super::programs::{last_line, run};
use crate::support::{Apus, Backend};

const REPOSITORY: &str = "debian/small";

/// Promise: buildah pushes and pulls, over the filesystem and over Swift with the sign-in of version 1.
#[tokio::test]
async fn buildah_pushes_and_pulls() {
    pushes_and_pulls(&Engine::new("buildah"), &[Backend::filesystem(), Backend::swift_v1()]).await;
}

/// Promise: podman pushes and pulls, over memory and over Swift with the sign-in of version 3.
#[tokio::test]
async fn podman_pushes_and_pulls() {
    pushes_and_pulls(&Engine::new("podman"), &[Backend::memory(), Backend::swift_v3()]).await;
}

async fn pushes_and_pulls(engine: &Engine, backends: &[Backend]) {
    let (layout, image) = test_image();
    let id = engine.pull(&format!("oci:{}:{TAG}", layout.display()));
    assert_eq!(id, image.id());
    let running: Vec<_> = backends.iter().map(|backend| Apus::start(backend.storage())).collect();
    let mut digests = Vec::new();
    for apus in &running {
        let digest = engine.push(&id, &reference(apus));
        let pushed = Image::in_registry(apus.client(), REPOSITORY).await;
        assert_eq!((pushed.digest(), pushed.id()), (digest.clone(), image.id()));
        digests.push(digest);
    }
    for (apus, digest) in running.iter().zip(digests) {
        engine.remove(&id);
        assert_eq!(engine.pull(&reference(apus)), id);
        assert_eq!(engine.digest(), digest);
    }
}

fn reference(apus: &Apus) -> String {
    format!("docker://{}/{REPOSITORY}:{TAG}", apus.address())
}

/// One of the two programs, with a place of its own.
struct Engine {
    program: &'static str,
    directory: TempDir,
}

impl Engine {
    fn new(program: &'static str) -> Self {
        Self { program, directory: tempfile::tempdir().unwrap() }
    }

    fn command(&self) -> Command {
        let directory = self.directory.path();
        let mut command = Command::new(self.program);
        // For others than root: where these programs also keep something.
        command.env("HOME", directory).env("XDG_RUNTIME_DIR", directory);
        command.arg("--root").arg(directory.join("root")).arg("--runroot").arg(directory.join("run"));
        command.args(["--storage-driver", "vfs"]);
        if self.program == "podman" {
            command.arg("--tmpdir").arg(directory.join("tmp"));
        }
        command
    }

    /// Answers the identifier of the image.
    fn pull(&self, reference: &str) -> String {
        let id = last_line(self.command().args(["pull", "--quiet", "--tls-verify=false", reference]));
        format!("sha256:{id}")
    }

    /// Answers the digest of the manifest.
    fn push(&self, id: &str, reference: &str) -> String {
        let file = self.directory.path().join("digest");
        let mut command = self.command();
        command.args(["push", "--quiet", "--tls-verify=false", "--digestfile"]).arg(&file);
        run(command.args([id, reference]));
        fs::read_to_string(file).unwrap()
    }

    /// The digest of the manifest of the only image.
    fn digest(&self) -> String {
        run(self.command().args(["images", "--format", "{{.Digest}}"])).trim().to_owned()
    }

    fn remove(&self, id: &str) {
        run(self.command().args(["rmi", "--force", id]));
    }
}

impl Drop for Engine {
    /// For others than root, podman leaves a process behind that holds their namespace; this ends it.
    fn drop(&mut self) {
        if self.program == "podman" {
            let _ = self.command().args(["system", "migrate"]).output();
        }
    }
}
