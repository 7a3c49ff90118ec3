//! podman and buildah, which have the same commands for images and keep them the same way.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::programs::{last_line, run};

/// How it may keep images: overlay is several times faster, but not every file system lies under one.
const DRIVERS: [&[&str]; 2] = [
    // Without the option, a mount stays behind.
    &["--storage-driver", "overlay", "--storage-opt", "overlay.skip_mount_home=true"],
    &["--storage-driver", "vfs"],
];

/// One of the two programs, with a place of its own.
pub(super) struct Engine {
    program: &'static str,
    driver: &'static [&'static str],
    directory: TempDir,
}

impl Engine {
    pub(super) fn podman() -> Self {
        Self::new("podman")
    }

    pub(super) fn buildah() -> Self {
        Self::new("buildah")
    }

    /// Takes the first driver that works here. When none does, the first command says why.
    fn new(program: &'static str) -> Self {
        let with = |driver| Self { program, driver, directory: tempfile::tempdir().unwrap() };
        let engine = DRIVERS.into_iter().map(with).find(Self::works).unwrap_or_else(|| with(DRIVERS[1]));
        println!("{program} with {}", engine.driver[1]);
        engine
    }

    fn works(&self) -> bool {
        self.command().arg("images").output().is_ok_and(|output| output.status.success())
    }

    pub(super) fn command(&self) -> Command {
        let directory = self.directory.path();
        let mut command = Command::new(self.program);
        // For others than root: where these programs also keep something.
        command.env("HOME", directory).env("XDG_RUNTIME_DIR", directory);
        command.arg("--root").arg(directory.join("root")).arg("--runroot").arg(directory.join("run"));
        command.args(self.driver);
        if self.program == "podman" {
            command.arg("--tmpdir").arg(directory.join("tmp"));
        }
        command
    }

    /// Answers the identifier of the image.
    pub(super) fn pull(&self, reference: &str) -> String {
        self.pull_with(&[], reference)
    }

    /// The same for an image for one architecture, out of a list.
    pub(super) fn pull_for(&self, architecture: &str, reference: &str) -> String {
        self.pull_with(&["--platform", &format!("linux/{architecture}")], reference)
    }

    fn pull_with(&self, options: &[&str], reference: &str) -> String {
        let mut command = self.command();
        command.args(["pull", "--quiet", "--tls-verify=false"]);
        format!("sha256:{}", last_line(command.args(options).arg(reference)))
    }

    /// Answers the digest of the manifest.
    pub(super) fn push(&self, id: &str, reference: &str) -> String {
        self.push_by(&["push"], id, reference)
    }

    /// Pushes a list with its images, in the format `oci` or `v2s2`. Answers the digest of the list.
    pub(super) fn push_list(&self, format: &str, list: &str, reference: &str) -> String {
        self.push_by(&["manifest", "push", "--all", "--format", format], list, reference)
    }

    fn push_by(&self, push: &[&str], name: &str, reference: &str) -> String {
        let file = self.directory.path().join("digest");
        let mut command = self.command();
        command.args(push).args(["--quiet", "--tls-verify=false", "--digestfile"]).arg(&file);
        run(command.args([name, reference]));
        fs::read_to_string(file).unwrap()
    }

    /// Makes an image of these files, from scratch.
    pub(super) fn make_image(&self, name: &str, architecture: &str, files: &Path) {
        if self.program == "podman" {
            let archive = self.directory.path().join("files.tar");
            let mut tar = Command::new("tar");
            tar.args(["-c", "--owner=0", "--group=0", "-f"]).arg(&archive);
            run(tar.arg("-C").arg(files).arg("."));
            let mut import = self.command();
            import.args(["import", "--quiet", "--os", "linux", "--arch", architecture]);
            run(import.arg(archive).arg(name));
        } else {
            let container = last_line(self.command().args(["from", "scratch"]));
            run(self.command().args(["copy", "--quiet", &container]).arg(files).arg("/"));
            run(self.command().args(["config", "--os", "linux", "--arch", architecture, &container]));
            run(self.command().args(["commit", "--quiet", "--rm", &container, name]));
        }
    }

    /// Makes a list of images that it has.
    pub(super) fn make_list(&self, list: &str, images: &[String]) {
        run(self.command().args(["manifest", "create", list]));
        for image in images {
            let image = format!("containers-storage:localhost/{image}");
            run(self.command().args(["manifest", "add", list, &image]));
        }
    }

    /// The digest of the manifest of the only image.
    pub(super) fn digest(&self) -> String {
        run(self.command().args(["images", "--format", "{{.Digest}}"])).trim().to_owned()
    }

    pub(super) fn remove(&self, id: &str) {
        run(self.command().args(["rmi", "--force", id]));
    }
}

impl Drop for Engine {
    /// For others than root: layers are not writable, not even for a removal of the directory, and podman leaves a process
    /// behind that holds their namespace.
    fn drop(&mut self) {
        let _ = self.command().args(["rmi", "--all", "--force"]).output();
        if self.program == "podman" {
            let _ = self.command().args(["system", "migrate"]).output();
        }
    }
}
