//! Manifests and tags: pushed, read, deleted.

use super::{Counted, KIB, counted_twice};
use crate::support::content::random;

async fn pushing_and_pulling(mut counted: Counted) {
    let client = counted.client();
    let mut layers = Vec::new();
    for _ in 0..11 {
        layers.push(client.push("a", random(KIB)).await);
    }
    counted.forget().await;
    let manifest = client.push_manifest("a", "latest", &layers).await;
    counted.charge("manifest PUT with a tag, 11 references just pushed here", 4).await;

    for (reference, name, cold, warm) in [(&*manifest, "digest", 2, 1), ("latest", "tag", 3, 2)] {
        let client = counted.cold().await;
        let path = format!("/v2/a/manifests/{reference}");
        client.get(&path).await.expect(200);
        counted.charge(&format!("GET manifest by {name}, cold"), cold).await;
        client.get(&path).await.expect(200);
        counted.charge(&format!("GET manifest by {name}, warm"), warm).await;
    }

    counted.client().delete("/v2/a/manifests/latest").await.expect(202);
    counted.charge("DELETE of a tag", 3).await;

    let client = counted.client();
    for number in 0..3 {
        client.push_manifest("b", &format!("t{number}"), &[]).await;
    }
    let manifest = client.push_manifest("b", "latest", &[]).await;
    counted.forget().await;
    client.delete(&format!("/v2/b/manifests/{manifest}")).await.expect(202);
    counted.charge("DELETE of a manifest with the four tags of its repository", 21).await;
    counted.settle();
}

counted_twice!(pushing_and_pulling);
