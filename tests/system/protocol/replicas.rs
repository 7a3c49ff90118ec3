//! Two replicas over one storage: what one did the other knows at once, whatever it remembers itself and however far listings
//! are behind. Nothing is shared in the memory of one process; so the backend that is one has no replicas.

use bytes::Bytes;
use hyper::Method;

use super::manifests::{OCI_IMAGE, image, put};
use super::uploads::send_chunk;
use super::{Site, over_every_backend};
use crate::support::client::with_digest;
use crate::support::content::{digest, random};

/// What one replica pushed the other has, and what one deleted is gone for the other, though it has just served it.
async fn what_one_did_the_other_knows(site: &Site) {
    let other = site.another_apus("");
    let (one, other) = (site.client(), other.client());
    let blob = random(1000);
    let (manifest, later) = (image(OCI_IMAGE, &digest(&blob)), image(OCI_IMAGE, &digest(b"later")));
    for (here, there) in [(one, other), (other, one)] {
        let path = format!("/v2/a/blobs/{}", digest(&blob));
        there.head(&path).await.expect(404);
        here.push("a", blob.clone()).await;
        here.push("a", "later").await;
        assert!(there.get(&path).await.expect(200).body == blob);

        let by_digest = format!("/v2/a/manifests/{}", digest(&manifest));
        for gone in ["/v2/a/manifests/latest", &by_digest] {
            there.head(gone).await.expect(404);
        }
        put(here, "/v2/a/manifests/latest", OCI_IMAGE, &manifest).await.expect(201);
        for present in ["/v2/a/manifests/latest", &by_digest] {
            assert_eq!(there.get(present).await.expect(200).body, manifest);
        }
        put(there, "/v2/a/manifests/latest", OCI_IMAGE, &later).await.expect(201);
        assert_eq!(here.get("/v2/a/manifests/latest").await.expect(200).body, later);

        there.delete("/v2/a/manifests/latest").await.expect(202);
        here.head("/v2/a/manifests/latest").await.expect(404);
        for gone in [by_digest, format!("/v2/a/manifests/{}", digest(&later)), path] {
            here.delete(&gone).await.expect(202);
            there.head(&gone).await.expect(404);
            here.head(&gone).await.expect(404);
        }
    }
}

/// Each chunk of an upload, its status and its end may go to another replica.
async fn an_upload_goes_on_at_either(site: &Site) {
    let other = site.another_apus("");
    let clients = [site.client(), other.client()];
    for size in [1000, 900_000] {
        let chunks = [random(size), random(size), random(size)];
        let content = Bytes::from(chunks.concat());
        let mut location = site.begin("a").await;
        for (turn, chunk) in chunks.iter().enumerate() {
            let client = clients[(turn + 1) % 2];
            let answer = send_chunk(client, Method::PATCH, &location, turn * size, chunk).await.expect(202);
            location = answer.location();
            let status = clients[turn % 2].get(&location).await.expect(204);
            assert_eq!(status.header("range"), format!("0-{}", (turn + 1) * size - 1));
        }
        clients[0].put(&with_digest(&location, &digest(&content)), "").await.expect(201);
        let path = format!("/v2/a/blobs/{}", digest(&content));
        assert!(clients[1].get(&path).await.expect(200).body == content);
        clients[0].get(&location).await.expect(404);
    }
}

over_every_backend!(
    filesystem,
    Site::filesystem(),
    what_one_did_the_other_knows,
    an_upload_goes_on_at_either
);
over_every_backend!(
    fake_swift,
    Site::fake_swift().await,
    what_one_did_the_other_knows,
    an_upload_goes_on_at_either
);
over_every_backend!(
    lagging_swift,
    Site::lagging_swift().await,
    what_one_did_the_other_knows,
    an_upload_goes_on_at_either
);
over_every_backend!(
    real_swift,
    Site::real_swift(),
    what_one_did_the_other_knows,
    an_upload_goes_on_at_either
);
