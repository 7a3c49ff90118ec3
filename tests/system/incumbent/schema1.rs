//! Images of Docker's schema 1, which nobody pushes any more and many still have.

use hyper::Method;
use serde_json::Value;

use super::Store;
use super::answers::ask;
use super::registry2::Registry2;
use super::stock::{Format, Stock, Way, put_manifest};
use crate::support::content::{digest, random};

const SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const UNSIGNED: &str = "application/vnd.docker.distribution.manifest.v1+json";

/// registry:2 takes them where it is told to.
const TAKEN: &str = "compatibility: {schema1: {enabled: true}}";

/// Promise: an image of schema 1 that registry:2 took is served by Apus under its tag and its digest: the bytes as they are
/// stored, with a warning, and its layers.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_schema_1_is_served() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let old = Registry2::start(&store.storage(), TAKEN);
        let client = old.client();
        let mut stock = Stock::default();
        let layer = stock.blob(client, "ancient", &random(10_000), Way::Stream).await;
        stock.image(client, "ancient", "latest", Format::Docker, &[layer]).await;
        // registry:2 makes one itself, signed, for clients that know no other; and it takes it for an image.
        let path = "/v2/ancient/manifests/latest";
        let signed = client.request(Method::GET, path, &[("accept", SIGNED)], "").await.expect(200);
        assert_eq!(signed.header("content-type"), SIGNED);
        put_manifest(client, "ancient", "latest", SIGNED, signed.body).await;
        let stored = client.request(Method::GET, path, &[("accept", SIGNED)], "").await.expect(200);
        let name = stored.header("docker-content-digest").to_owned();
        let mut image: Value = serde_json::from_slice(&stored.body).unwrap();
        assert!(!image["signatures"].as_array().unwrap().is_empty());
        // It keeps the image without the signatures, and signs it with a key of its own whenever it is asked for.
        image.as_object_mut().unwrap().remove("signatures");
        old.kill();

        let apus = store.apus();
        for path in [path, &format!("/v2/ancient/manifests/{name}")] {
            let served = apus.client().get(path).await.expect(200);
            assert_eq!(served.header("docker-content-digest"), name);
            assert_eq!(digest(&served.body), name);
            assert_eq!(served.header("content-type"), UNSIGNED);
            assert!(served.header("warning").contains("schema 1"), "{:?}", served.headers);
            let served: Value = serde_json::from_slice(&served.body).unwrap();
            assert_eq!(served, image);
        }
        for layer in image["fsLayers"].as_array().unwrap() {
            let blob = format!("/v2/ancient/blobs/{}", layer["blobSum"].as_str().unwrap());
            assert!(ask(apus.client(), &blob).await.is_content(), "{blob}");
        }
    }
}
