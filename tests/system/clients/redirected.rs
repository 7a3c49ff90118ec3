//! Clients that fetch what they pull from Swift itself, where Apus sends them.

use super::docker::Docker;
use super::engine::Engine;
use super::log;
use super::programs::run;
use super::skopeo;
use super::source::Small;
use crate::support::backend::PROVEN;
use crate::support::{Apus, Backend};

/// Promise: skopeo, podman, buildah and docker pull an image of which not a byte of a blob comes through Apus.
#[tokio::test]
async fn images_come_from_swift_itself() {
    let small = Small::make();
    let source = small.image("amd64");
    let image = source.image().await;
    let docker = Docker::start();
    for backend in [Backend::swift_v1().redirecting(), Backend::swift_v3().redirecting()] {
        let apus = Apus::start(backend.storage());
        apus.until_it_logs(PROVEN).await;
        for client in ["skopeo", "podman", "buildah", "docker"] {
            // Each has a repository of its own, so that the log tells them apart.
            let repository = format!("small/{client}");
            let tagged = format!("{repository}:latest");
            skopeo::push(&source, &apus, &tagged);
            let reference = format!("{}/{tagged}", apus.address());
            match client {
                "skopeo" => skopeo::pulled(&apus, &tagged).await.assert_same(&image),
                "docker" => {
                    run(docker.command().args(["pull", "--quiet", &reference]));
                    assert_eq!(docker.id(&reference), image.id());
                    docker.remove(&image.id());
                }
                engine => {
                    let engine = if engine == "podman" { Engine::podman() } else { Engine::buildah() };
                    assert_eq!(engine.pull(&format!("docker://{reference}")), image.id());
                }
            }
            let requests = log::requests(&apus, &repository).await;
            let fetched: Vec<_> = requests.iter().filter(|request| request.fetches_blob()).collect();
            // The layers and the configuration.
            assert!(fetched.len() > image.layers().len(), "{client}: {requests:#?}");
            assert!(fetched.iter().all(|request| request.status == 307), "{client}: {fetched:#?}");
        }
    }
}
