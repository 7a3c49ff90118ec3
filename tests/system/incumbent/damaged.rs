//! What is broken in a container of registry:2.

use super::Store;
use super::stock::{Stock, Way};
use crate::support::content::{digest, random};
use crate::support::swift::Container;

/// Promise: a blob whose segments are gone, which registry:2 leaves as an object of no bytes, is an error, and never an empty
/// blob; clients that push are told that it is not there, and pushed again in any way it is whole, for both registries.
#[tokio::test(flavor = "multi_thread")]
async fn a_blob_without_its_segments_is_an_error_until_it_is_pushed_again() {
    let store = Store::swift_v1();
    let container = Container::open(store.backend.container().unwrap()).await;
    for (repository, way) in
        [("whole", Way::Whole), ("stream", Way::Stream), ("chunks", Way::Chunks(1 << 20))]
    {
        let content = random(2_500_000);
        let mut stock = Stock::default();
        let old = store.registry_2();
        stock.blob(old.client(), repository, &content, Way::Stream).await;
        old.kill();
        let hex = digest(&content)["sha256:".len()..].to_owned();
        let object = format!("files/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        container.put_dynamic(&object, "segments/that/are/gone").await;

        let apus = store.apus();
        let client = apus.client();
        let blob = format!("/v2/{repository}/blobs/sha256:{hex}");
        client.get(&blob).await.expect(500);
        // Who is about to push asks by HEAD, and pushes only what is not there.
        client.head(&blob).await.expect(404);
        stock.blob(client, repository, &content, way).await;
        let answers = stock.answers(client).await;
        assert!(answers[&blob].is_content());
        assert_eq!(stock.answers(store.registry_2().client()).await, answers);
    }
}
