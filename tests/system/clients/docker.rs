//! docker, with a daemon of its own.

use std::process::Command;

use tempfile::TempDir;

use super::image::Image;
use super::programs::{last_line, run, script};
use super::source::{ARCHITECTURES, Small, Source};
use super::{over_every_backend, skopeo};
use crate::support::{Apus, Backend};

const REPOSITORY: &str = "debian/small";

/// Promise: docker pushes and pulls a small Debian over Swift, and a smaller image over every other backend. The daemon packs
/// the layers anew, but the image keeps its identifier.
#[tokio::test]
async fn docker_pushes_and_pulls() {
    let docker = Docker::start();
    pushes_and_pulls(&docker, &Source::debian().await, &[Backend::swift_v1()]).await;
    let others = [Backend::memory(), Backend::filesystem(), Backend::swift_v3()];
    pushes_and_pulls(&docker, &Small::make().image("amd64"), &others).await;
}

async fn pushes_and_pulls(docker: &Docker, source: &Source, backends: &[Backend]) {
    let image = source.image().await;
    docker.load(source);
    let running: Vec<_> = backends.iter().map(|backend| Apus::start(backend.storage())).collect();
    let mut digests = Vec::new();
    for apus in &running {
        let reference = reference(apus, REPOSITORY);
        run(docker.command().args(["tag", LOADED, &reference]));
        run(docker.command().args(["push", "--quiet", &reference]));
        let pushed = Image::in_registry(apus.client(), REPOSITORY, TAG).await;
        assert_eq!(pushed.id(), image.id());
        assert_eq!(docker.digest(&reference), pushed.digest());
        digests.push(pushed.digest());
    }
    for (apus, digest) in running.iter().zip(digests) {
        let reference = reference(apus, REPOSITORY);
        docker.remove(&image.id());
        run(docker.command().args(["pull", "--quiet", &reference]));
        assert_eq!(docker.id(&reference), image.id());
        assert_eq!(docker.digest(&reference), digest);
    }
}

/// Promise: docker pulls the image for a platform out of a list, and by the digest of the list.
#[tokio::test]
async fn docker_pulls_by_platform() {
    let small = Small::make();
    let list = small.list().image().await;
    let docker = Docker::start();
    over_every_backend(async |apus| {
        skopeo::push(&small.list(), apus, &format!("small:{TAG}"));
        let tagged = reference(apus, "small");
        let by_digest = format!("{}/small@{}", apus.address(), list.digest());
        for architecture in ARCHITECTURES {
            let image = list.for_architecture(architecture).await;
            for reference in [&tagged, &by_digest] {
                let platform = format!("linux/{architecture}");
                run(docker.command().args(["pull", "--quiet", "--platform", &platform, reference]));
                assert_eq!(docker.id(reference), image.id());
                docker.remove(&image.id());
            }
        }
    })
    .await;
}

const TAG: &str = "latest";

/// What the image is called in the daemon before it is pushed.
pub(super) const LOADED: &str = "small:latest";

fn reference(apus: &Apus, repository: &str) -> String {
    format!("{}/{repository}:{TAG}", apus.address())
}

/// A daemon, and the client that speaks to it.
pub(crate) struct Docker {
    address: String,
    directory: TempDir,
}

impl Docker {
    pub(crate) fn start() -> Self {
        // It is stopped even when it comes up only in part.
        let mut docker = Self { address: String::new(), directory: tempfile::tempdir().unwrap() };
        docker.address = last_line(&mut docker.daemon("up"));
        println!("docker with {}", run(docker.command().args(["info", "--format", "{{.Driver}}"])).trim());
        docker
    }

    fn daemon(&self, verb: &str) -> Command {
        let mut command = Command::new(script("lib/docker-daemon"));
        command.arg(verb).arg(self.directory.path());
        command
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("docker");
        // Not the user's credentials.
        command.env("DOCKER_CONFIG", self.directory.path().join("client"));
        command.args(["--host", &self.address]);
        command
    }

    /// Loads an image by the name [`LOADED`].
    pub(super) fn load(&self, source: &Source) {
        let archive = self.directory.path().join("image.tar");
        let target = format!("docker-archive:{}:{LOADED}", archive.display());
        run(Command::new("skopeo").args(["--insecure-policy", "copy", "--quiet", &source.name(), &target]));
        run(self.command().args(["load", "--quiet", "--input"]).arg(&archive));
        // skopeo writes no archive anew.
        std::fs::remove_file(archive).unwrap();
    }

    pub(super) fn remove(&self, id: &str) {
        run(self.command().args(["image", "rm", "--force", id]));
    }

    pub(crate) fn id(&self, reference: &str) -> String {
        self.inspect(reference, "{{.Id}}")
    }

    /// The digest of the manifest that the registry has.
    fn digest(&self, reference: &str) -> String {
        let names = self.inspect(reference, "{{join .RepoDigests \"\\n\"}}");
        let repository = reference.strip_suffix(&format!(":{TAG}")).unwrap();
        let digest = names.lines().find_map(|name| name.strip_prefix(repository)?.strip_prefix('@'));
        digest.unwrap_or_else(|| panic!("no digest of {reference} in {names}")).to_owned()
    }

    fn inspect(&self, reference: &str, format: &str) -> String {
        run(self.command().args(["image", "inspect", "--format", format, reference])).trim().to_owned()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if !self.daemon("down").status().is_ok_and(|status| status.success()) {
            eprintln!("the docker daemon in {} was not stopped", self.directory.path().display());
        }
    }
}
