//! Real clients pull through a cache of real registries.

use super::engine::Engine;
use super::image::Image;
use super::skopeo;
use super::source::Source;
use crate::incumbent::registry2::Registry2;
use crate::proxy::cache_of;
use crate::support::swift::Container;
use crate::support::{Apus, Backend, Client};

const NAME: &str = "library/debian:latest";

/// Promise: skopeo and podman pull an image of docker-registry 2.8 through a cache over Swift, all that they pull is the same, and
/// while the upstream is down it comes from the cache.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_of_docker_registry_over_swift() {
    let (upstream, backend) = (Backend::filesystem(), Backend::swift_v1());
    let registry = Registry2::start(&format!("{}\n  redirect: {{disable: true}}", upstream.storage()), "");
    let debian = Source::debian().await;
    skopeo::push_to(&debian, registry.address(), NAME);
    let apus = cache_of(&format!("http://{}", registry.address()), &backend);
    pull(&apus, &debian).await;
    registry.kill();
    pull(&apus, &debian).await;
    apus.kill();
    Container::open(backend.container().unwrap()).await.remove().await;
}

/// Promise: the same with another Apus as the upstream, over the filesystem; and a fresh process finds what another has cached.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_of_another_apus_over_the_filesystem() {
    let (upstream, backend) = (Apus::start(Backend::memory().storage()), Backend::filesystem());
    let debian = Source::debian().await;
    skopeo::push_to(&debian, upstream.address(), NAME);
    let address = format!("http://{}", upstream.address());
    let apus = cache_of(&address, &backend);
    pull(&apus, &debian).await;
    let tags = apus.client().get("/v2/library/debian/tags/list").await.expect(200);
    assert_eq!(tags.body, r#"{"name":"library/debian","tags":["latest"]}"#);
    upstream.kill();
    apus.kill();
    let apus = cache_of(&address, &backend);
    pull(&apus, &debian).await;
    let tags = apus.client().get("/v2/library/debian/tags/list").await.expect(200);
    assert_eq!(tags.body, r#"{"name":"library/debian","tags":["latest"]}"#);
    apus.client().get("/v2/library/other/manifests/latest").await.expect(503);
    let engine = Engine::podman();
    let id = engine.pull(&format!("{}/{NAME}", apus.address()));
    assert!(id.len() > "sha256:".len());
}

async fn pull(apus: &Apus, debian: &Source) {
    let image = debian.image().await;
    skopeo::pulled(apus, NAME).await.assert_same(&image);
    Image::in_registry(Client::new(apus.address()), "library/debian", "latest").await.assert_same(&image);
}
