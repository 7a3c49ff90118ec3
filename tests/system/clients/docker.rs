//! docker, with a daemon of its own.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::image::{Image, TAG, test_image};
use super::programs::{last_line, run, script};
use crate::support::{Apus, Backend};

const REPOSITORY: &str = "debian/small";

/// Promise: docker pushes and pulls, over every backend. The daemon packs the layers anew, but the image keeps its
/// identifier.
#[tokio::test]
async fn docker_pushes_and_pulls() {
    let (layout, image) = test_image();
    let docker = Docker::start();
    docker.load(&layout);
    let backends = [Backend::memory(), Backend::filesystem(), Backend::swift_v1(), Backend::swift_v3()];
    let running: Vec<_> = backends.iter().map(|backend| Apus::start(backend.storage())).collect();
    let mut digests = Vec::new();
    for apus in &running {
        let reference = reference(apus);
        run(docker.command().args(["tag", LOADED, &reference]));
        run(docker.command().args(["push", "--quiet", &reference]));
        let pushed = Image::in_registry(apus.client(), REPOSITORY).await;
        assert_eq!(pushed.id(), image.id());
        assert_eq!(docker.digest(&reference), pushed.digest());
        digests.push(pushed.digest());
    }
    for (apus, digest) in running.iter().zip(digests) {
        let reference = reference(apus);
        run(docker.command().args(["image", "rm", "--force", &image.id()]));
        run(docker.command().args(["pull", "--quiet", &reference]));
        assert_eq!(docker.id(&reference), image.id());
        assert_eq!(docker.digest(&reference), digest);
    }
}

/// What the image is called in the daemon before it is pushed.
const LOADED: &str = "small:latest";

fn reference(apus: &Apus) -> String {
    format!("{}/{REPOSITORY}:{TAG}", apus.address())
}

/// A daemon, and the client that speaks to it.
struct Docker {
    address: String,
    directory: TempDir,
}

impl Docker {
    fn start() -> Self {
        // It is stopped even when it comes up only in part.
        let mut docker = Self { address: String::new(), directory: tempfile::tempdir().unwrap() };
        docker.address = last_line(&mut docker.daemon("up"));
        docker
    }

    fn daemon(&self, verb: &str) -> Command {
        let mut command = Command::new(script("lib/docker-daemon"));
        command.arg(verb).arg(self.directory.path());
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        // Not the user's credentials.
        command.env("DOCKER_CONFIG", self.directory.path().join("client"));
        command.args(["--host", &self.address]);
        command
    }

    /// Loads the image of an OCI layout.
    fn load(&self, layout: &Path) {
        let archive = self.directory.path().join("image.tar");
        let source = format!("oci:{}:{TAG}", layout.display());
        let target = format!("docker-archive:{}:{LOADED}", archive.display());
        run(Command::new("skopeo").args(["--insecure-policy", "copy", "--quiet", &source, &target]));
        run(self.command().args(["load", "--quiet", "--input"]).arg(archive));
    }

    fn id(&self, reference: &str) -> String {
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
