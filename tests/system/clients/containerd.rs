//! ctr, with a containerd of its own: unlike the others, it sends a blob by POST and PUT.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::image::Image;
use super::log::{self, Logged};
use super::over_every_backend;
use super::programs::{missing, run};
use super::source::{ARCHITECTURES, Small, Source};
use crate::support::{Apus, Backend};

/// How long it may take to answer.
const START: Duration = Duration::from_mins(1);

/// Promise: ctr pushes a list with its images, each blob by one PUT, and pulls it with the same bytes. From there it goes to
/// another repository, where every blob is mounted, and none of its bytes moves.
#[tokio::test]
async fn ctr_pushes_and_pulls() {
    let small = Small::make();
    let list = small.list().image().await;
    let mut blobs = BTreeSet::new();
    for architecture in ARCHITECTURES {
        blobs.extend(list.for_architecture(architecture).await.parts().keys().cloned());
    }
    let containerd = Containerd::start();
    over_every_backend(async |apus| {
        let [name, other] = ["team/small", "other"].map(|name| format!("{}/{name}:both", apus.address()));
        containerd.import(&small.list(), &name);
        containerd.push(&name);
        Image::in_registry(apus.client(), "team/small", "both").await.assert_same(&list);
        assert_eq!(sent(&log::requests(apus, "team/small").await), vec!["PUT"; blobs.len()]);

        containerd.forget();
        let mut pull = containerd.command();
        pull.args(["images", "pull", "--plain-http", "--all-platforms", "--snapshotter", "native"]);
        run(pull.arg(&name));
        containerd.content(&list.digest()).await.assert_same(&list);

        run(containerd.command().args(["images", "tag", &name, &other]));
        containerd.push(&other);
        Image::in_registry(apus.client(), "other", "both").await.assert_same(&list);
        let requests = log::requests(apus, "other").await;
        assert_eq!(sent(&requests), [""; 0], "{requests:#?}");
        assert_eq!(requests.iter().filter(|request| request.mounts_blob()).count(), blobs.len());
        containerd.forget();
    })
    .await;
}

/// Promise: a small Debian, too, over Swift: each of its layers in one PUT.
#[tokio::test]
async fn ctr_pushes_and_fetches_debian() {
    let debian = Source::debian().await;
    let image = debian.image().await;
    let containerd = Containerd::start();
    let apus = Apus::start(Backend::swift_v1().storage());
    let name = format!("{}/debian:latest", apus.address());
    containerd.import(&debian, &name);
    containerd.push(&name);
    assert_eq!(sent(&log::requests(&apus, "debian").await), vec!["PUT"; image.parts().len()]);
    containerd.forget();
    run(containerd.command().args(["content", "fetch", "--plain-http", "--all-platforms", &name]));
    containerd.content(&image.digest()).await.assert_same(&image);
}

/// The methods of the requests that carried bytes of blobs.
fn sent(requests: &[Logged]) -> Vec<&str> {
    requests.iter().filter(|request| request.sends_blob()).map(|request| &*request.method).collect()
}

/// A containerd, and the client that speaks to it. It runs nothing, so it is one process.
pub(super) struct Containerd {
    child: Child,
    directory: TempDir,
}

impl Containerd {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display();
        let config = format!(
            "version = 2\nroot = \"{place}/root\"\nstate = \"{place}/state\"\n\
             # One serves Kubernetes, the other makes /opt/containerd.\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
             [grpc]\naddress = \"{place}/socket\"\n"
        );
        let file = directory.path().join("config.toml");
        fs::write(&file, config).unwrap();
        let output = File::create(directory.path().join("output")).unwrap();
        let mut command = Command::new("containerd");
        command.arg("--config").arg(file).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}", missing(&command, &error)));
        let mut started = Self { child, directory };
        started.wait();
        started
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while !self.command().arg("version").output().is_ok_and(|output| output.status.success()) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < START,
                "containerd, which runs as root only, does not answer ({ended:?}):\n{}",
                fs::read_to_string(self.directory.path().join("output")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(self.directory.path().join("socket")).args(["--namespace", "test"]);
        command
    }

    /// Takes in all that a layout has, the image by this name, which ends in its tag.
    fn import(&self, source: &Source, name: &str) {
        let archive = self.directory.path().join("image.tar");
        run(Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(&source.layout).arg("."));
        let base = name.strip_suffix(&format!(":{}", source.tag)).unwrap();
        let mut import = self.command();
        import.args(["images", "import", "--all-platforms", "--no-unpack", "--base-name", base]);
        run(import.arg(archive));
    }

    fn push(&self, name: &str) {
        run(self.command().args(["images", "push", "--plain-http", name]));
    }

    /// An image out of what it keeps.
    pub(super) async fn content(&self, digest: &str) -> Image {
        Image::in_blobs(&self.blobs(), digest).await
    }

    /// Removes every image, with all its bytes.
    pub(super) fn forget(&self) {
        let names = run(self.command().args(["images", "ls", "--quiet"]));
        run(self.command().args(["images", "rm", "--sync"]).args(names.lines()));
        assert_eq!(run(self.command().args(["content", "ls", "--quiet"])), "");
    }

    fn blobs(&self) -> PathBuf {
        self.directory.path().join("root/io.containerd.content.v1.content/blobs")
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
