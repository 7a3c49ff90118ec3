//! What the collector and the deletions of registry:2 leave behind, and what Apus makes of it.

use hyper::Method;
use serde_json::{Value, json};

use super::Store;
use super::answers::{Said, ask};
use super::own::Own;
use super::registry2::collect_garbage;
use super::stock::{Format, Part, Stock, Way, put_manifest};
use crate::support::content::random;

/// Promise: a layer that registry:2 has collected is unknown, although its link is still there: it is not read, not mounted,
/// and no manifest may name it. Pushed again it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_blob_that_was_collected_is_no_blob() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let content = random(1_500_000);
        let old = store.registry_2();
        let mut stock = Stock::default();
        let layer = stock.blob(old.client(), "app", &content, Way::Stream).await;
        let image =
            stock.image(old.client(), "app", "gone", Format::Docker, std::slice::from_ref(&layer)).await;
        stock.delete(old.client(), &format!("/v2/app/manifests/{}", image.digest)).await;
        old.kill();
        collect_garbage(&store.storage(), "", &[]);
        let hex = layer.digest.trim_start_matches("sha256:");
        let names = store.names().await;
        assert!(
            names.iter().any(|name| name.ends_with(&format!("app/_layers/sha256/{hex}/link"))),
            "{names:?}"
        );
        assert!(!names.iter().any(|name| name.ends_with(&format!("{hex}/data"))), "{names:?}");

        let apus = store.apus();
        let client = apus.client();
        let answers = stock.answers(client).await;
        let blob = format!("/v2/app/blobs/{}", layer.digest);
        assert_eq!(answers[&blob], Said::unknown("BLOB_UNKNOWN"));
        assert_eq!(answers["/v2/app/manifests/gone"], Said::unknown("MANIFEST_UNKNOWN"));
        assert_eq!(answers["/v2/app/tags/list"], Said::Names(Vec::new()));
        client.head(&blob).await.expect(404);
        client.post(&format!("/v2/other/blobs/uploads/?mount={}&from=app", layer.digest)).await.expect(202);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": Format::Oci.image(),
            "config": layer.described("application/vnd.oci.empty.v1+json"), "layers": []
        });
        let headers = [("content-type", Format::Oci.image())];
        let path = "/v2/app/manifests/again";
        let refused = client.request(Method::PUT, path, &headers, manifest.to_string()).await.expect(400);
        assert_eq!(refused.code(), "MANIFEST_BLOB_UNKNOWN");

        stock.blob(client, "app", &content, Way::Stream).await;
        put_manifest(client, "app", "again", Format::Oci.image(), manifest.to_string()).await;
        let answers = stock.answers(client).await;
        assert!(answers[&blob].is_content());
        assert_eq!(ask(store.registry_2().client(), &blob).await, answers[&blob]);
    }
}

/// Promise: a tag whose manifest is gone, because a deletion in registry:2 did not come to its end, is unknown; so is a
/// manifest whose bytes are gone. Both can be pushed again, and the tag can be deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_without_its_manifest_is_unknown() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let old = store.registry_2();
        let mut stock = Stock::default();
        let mut images = Vec::new();
        for tag in ["no-revision", "no-bytes", "no-revision-again"] {
            images.push(stock.image(old.client(), "app", tag, Format::Oci, &[]).await);
        }
        let before = stock.answers(old.client()).await;
        old.kill();
        let hex = |place: usize| images[place].digest.trim_start_matches("sha256:");
        let repository = "docker/registry/v2/repositories/app";
        for place in [0, 2] {
            store.remove(&format!("{repository}/_manifests/revisions/sha256/{}/link", hex(place))).await;
        }
        store.remove(&format!("docker/registry/v2/blobs/sha256/{}/{}/data", &hex(1)[..2], hex(1))).await;

        let apus = store.apus();
        let client = apus.client();
        let unknown = Said::unknown("MANIFEST_UNKNOWN");
        for (tag, image) in ["no-revision", "no-bytes"].iter().zip(&images) {
            assert_eq!(ask(client, &format!("/v2/app/manifests/{tag}")).await, unknown, "{tag}");
            assert_eq!(ask(client, &format!("/v2/app/manifests/{}", image.digest)).await, unknown, "{tag}");
        }
        client.delete("/v2/app/manifests/no-revision-again").await.expect(202);
        let tags = Said::Names(vec!["no-bytes".to_owned(), "no-revision".to_owned()]);
        assert_eq!(ask(client, "/v2/app/tags/list").await, tags);
        assert!(!before["/v2/app/manifests/no-bytes"].is_no());

        for tag in ["no-revision", "no-bytes"] {
            stock.image(client, "app", tag, Format::Oci, &[]).await;
        }
        let answers = stock.answers(client).await;
        assert!(answers["/v2/app/manifests/no-revision"].is_content());
        assert_eq!(ask(store.registry_2().client(), "/v2/app/tags/list").await, answers["/v2/app/tags/list"]);
    }
}

/// Promise: of a list that registry:2 collected with `-m`, which takes the images in it for untagged, whoever wrote them, the
/// list is still served and its images are unknown; they can be pushed again.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_images_were_collected_is_still_one() {
    for by_apus in [true, false] {
        let store = Store::filesystem();
        let mut stock = Stock::default();
        let (apus, old) = (store.apus(), store.registry_2());
        let writer = if by_apus { apus.client() } else { old.client() };
        stock.image(writer, "app", "kept", Format::Oci, &[]).await;
        let accept = [("accept", Format::Oci.image())];
        let kept = writer.request(Method::GET, "/v2/app/manifests/kept", &accept, "").await.expect(200);
        let mut image: Value = serde_json::from_slice(&kept.body).unwrap();
        let mut images = Vec::new();
        for architecture in ["amd64", "arm64"] {
            image["annotations"] = json!({ "architecture": architecture });
            let part = Part::of(image.to_string().as_bytes());
            put_manifest(writer, "app", &part.digest, Format::Oci.image(), image.to_string()).await;
            stock.ask(format!("/v2/app/manifests/{}", part.digest));
            images.push((part, image.to_string()));
        }
        let manifests: Vec<_> = images.iter().map(|(part, _)| part.described(Format::Oci.image())).collect();
        let list = json!({ "schemaVersion": 2, "mediaType": Format::Oci.list(), "manifests": manifests });
        stock.manifest(writer, "app", "list", Format::Oci.list(), list).await;
        let before = stock.answers(apus.client()).await;
        drop((apus, old));
        collect_garbage(&store.storage(), "", &["-m"]);

        let apus = store.apus();
        let client = apus.client();
        let after = stock.answers(client).await;
        let lost: Vec<_> = before.keys().filter(|path| after[*path] != before[*path]).collect();
        assert_eq!(lost.len(), images.len(), "{lost:?}");
        for (part, image) in images {
            let path = format!("/v2/app/manifests/{}", part.digest);
            assert_eq!(after[&path], Said::unknown("MANIFEST_UNKNOWN"));
            put_manifest(client, "app", &part.digest, Format::Oci.image(), image).await;
        }
        assert_eq!(stock.answers(client).await, before);
    }
}

/// Promise: a referrer that registry:2 has deleted is unknown, and Apus lists it no longer than until it collects garbage.
#[tokio::test(flavor = "multi_thread")]
async fn a_referrer_that_registry_2_deleted_is_forgotten() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let (apus, old) = (store.apus(), store.registry_2());
        let mut stock = Stock::default();
        let own = Own::push(apus.client(), &mut stock).await;
        stock.delete(old.client(), &own.referrer()).await;
        assert_eq!(ask(apus.client(), &own.referrer()).await, Said::unknown("MANIFEST_UNKNOWN"));
        drop((apus, old));

        store.collect_garbage_by_apus();
        assert!(own.listed(store.apus().client()).await.is_empty());
        assert!(!store.names().await.iter().any(|name| name.contains("/_referrers/")));
    }
}
