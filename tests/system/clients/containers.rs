//! podman and buildah: they unpack an image when they pull it, and pack it again when they push it.

use super::engine::Engine;
use super::image::Image;
use super::source::{Small, Source};
use crate::support::{Apus, Backend};

const REPOSITORY: &str = "debian/small";

/// Promise: buildah pushes and pulls a small Debian over Swift, with the sign-in of version 1, and a smaller image over the
/// others.
#[tokio::test]
async fn buildah_pushes_and_pulls() {
    let buildah = Engine::buildah();
    pushes_and_pulls(&buildah, &Source::debian().await, &[Backend::swift_v1()]).await;
    let others = [Backend::memory(), Backend::filesystem(), Backend::swift_v3()];
    pushes_and_pulls(&buildah, &Small::make().image("amd64"), &others).await;
}

/// Promise: podman pushes and pulls a small Debian over Swift, with the sign-in of version 3, and a smaller image over the
/// others.
#[tokio::test]
async fn podman_pushes_and_pulls() {
    let podman = Engine::podman();
    pushes_and_pulls(&podman, &Source::debian().await, &[Backend::swift_v3()]).await;
    let others = [Backend::memory(), Backend::filesystem(), Backend::swift_v1()];
    pushes_and_pulls(&podman, &Small::make().image("amd64"), &others).await;
}

async fn pushes_and_pulls(engine: &Engine, source: &Source, backends: &[Backend]) {
    let image = source.image().await;
    let id = engine.pull(&source.name());
    assert_eq!(id, image.id());
    let running: Vec<_> = backends.iter().map(|backend| Apus::start(backend.storage())).collect();
    let mut digests = Vec::new();
    for apus in &running {
        let digest = engine.push(&id, &reference(apus));
        let pushed = Image::in_registry(apus.client(), REPOSITORY, "latest").await;
        assert_eq!((pushed.digest(), pushed.id()), (digest.clone(), image.id()));
        digests.push(digest);
    }
    for (apus, digest) in running.iter().zip(digests) {
        engine.remove(&id);
        assert_eq!(engine.pull(&reference(apus)), id);
        assert_eq!(engine.digest(), digest);
    }
    engine.remove(&id);
}

fn reference(apus: &Apus) -> String {
    format!("docker://{}/{REPOSITORY}:latest", apus.address())
}
