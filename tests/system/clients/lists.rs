//! podman and buildah make a list of images for two platforms, in the format of OCI and in Docker's.

use super::engine::Engine;
use super::image::{DOCKER_LIST, Image, OCI_INDEX, parsed};
use super::source::{ARCHITECTURES, Small};
use super::{over_every_backend, skopeo};

/// Promise: buildah makes and pushes a list; skopeo pulls it whole, and podman each of its images by its platform.
#[tokio::test]
async fn buildah_pushes_lists() {
    pushes_lists(&Engine::buildah(), &Engine::podman()).await;
}

/// Promise: the same with podman, and buildah that pulls by platform.
#[tokio::test]
async fn podman_pushes_lists() {
    pushes_lists(&Engine::podman(), &Engine::buildah()).await;
}

async fn pushes_lists(pusher: &Engine, puller: &Engine) {
    let files = Small::make();
    let images = ARCHITECTURES.map(|architecture| format!("image:{architecture}"));
    for (image, architecture) in images.iter().zip(ARCHITECTURES) {
        pusher.make_image(image, architecture, &files.shared());
    }
    pusher.make_list("list", &images);
    over_every_backend(async |apus| {
        for (format, media_type) in [("oci", OCI_INDEX), ("v2s2", DOCKER_LIST)] {
            let name = format!("lists/{format}:latest");
            let reference = format!("docker://{}/{name}", apus.address());
            let digest = pusher.push_list(format, "list", &reference);
            let pushed = Image::in_registry(apus.client(), &format!("lists/{format}"), "latest").await;
            assert_eq!((pushed.digest(), pushed.media_type()), (digest, media_type.to_owned()));
            skopeo::pulled(apus, &name).await.assert_same(&pushed);
            for architecture in ARCHITECTURES {
                let image = pushed.for_architecture(architecture).await;
                assert_eq!(parsed(image.config())["architecture"], architecture);
                let pulled = puller.pull_for(architecture, &reference);
                assert_eq!(pulled, image.id());
                puller.remove(&pulled);
            }
        }
    })
    .await;
}
