//! The collector of registry:2 over what Apus wrote, and that of Apus over what registry:2 wrote.

use super::Store;
use super::own::Own;
use super::registry2::{collect_garbage, try_to_collect_garbage};
use super::stock::{Format, Stock, Way};
use crate::support::content::random;

/// Promise: the collector of registry:2 takes nothing from Apus that an image needs, tagged or not, and nothing of what Apus
/// keeps beside; it takes the layer that was deleted, of which it leaves the segments in Swift. All is answered as before, and
/// the upload that was under way goes on.
#[tokio::test(flavor = "multi_thread")]
async fn the_collector_takes_what_was_deleted_and_nothing_else() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let apus = store.apus();
        let client = apus.client();
        let mut stock = Stock::default();
        stock.lists(client, "lists", &[Format::Oci]).await;
        let own = Own::push(client, &mut stock).await;
        let large = random(3_000_000);
        let deleted = stock.blob(client, "own", &large, Way::Stream).await;
        stock.delete(client, &format!("/v2/own/blobs/{}", deleted.digest)).await;

        // It stops at a manifest that it does not know, and then it has deleted nothing.
        let names = store.names().await;
        let (succeeded, printed) = try_to_collect_garbage(&store.storage(), "", &[]);
        assert!(!succeeded && printed.contains("failed to garbage collect"), "{printed}");
        assert_eq!(store.names().await, names);
        own.remove_what_is_unknown(client).await;
        let answers = stock.answers(client).await;
        apus.kill();

        let before = store.names().await;
        let printed = collect_garbage(&store.storage(), "", &[]);
        assert!(printed.contains(&format!("blob eligible for deletion: {}", deleted.digest)), "{printed}");
        let after = store.names().await;
        let gone: Vec<_> = before.difference(&after).collect();
        assert!(gone.iter().all(|name| name.contains("/blobs/")), "it took something else: {gone:?}");
        assert!(gone.iter().any(|name| name.contains(&deleted.digest["sha256:".len()..])), "{gone:?}");

        let apus = store.apus();
        let client = apus.client();
        assert_eq!(stock.answers(client).await, answers);
        own.assert_referrer(client).await;
        own.finish(client, &mut stock).await;
        stock.blob(client, "own", &large, Way::Stream).await;
        let answers = stock.answers(client).await;
        assert!(answers[&format!("/v2/own/blobs/{}", deleted.digest)].is_content());
        assert_eq!(stock.answers(store.registry_2().client()).await, answers);
    }
}

/// Promise: the same with `-m`, which takes what has no tag too: what has one loses nothing. A tag that Apus wrote has no
/// history, as registry:2 would have written, and does not need one.
#[tokio::test(flavor = "multi_thread")]
async fn the_collector_with_m_takes_what_has_no_tag_and_nothing_else() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let apus = store.apus();
        let client = apus.client();
        let mut stock = Stock::default();
        let shared = stock.blob(client, "app", &random(1_200_000), Way::Stream).await;
        let only = stock.blob(client, "app", &random(1_200_000), Way::Stream).await;
        stock.image(client, "app", "kept", Format::Docker, std::slice::from_ref(&shared)).await;
        let replaced =
            stock.image(client, "app", "moved", Format::Oci, &[shared.clone(), only.clone()]).await;
        stock.image(client, "app", "moved", Format::Oci, &[shared]).await;
        let before = stock.answers(client).await;
        apus.kill();

        collect_garbage(&store.storage(), "", &["-m"]);
        let apus = store.apus();
        let after = stock.answers(apus.client()).await;
        let lost: Vec<_> = before.keys().filter(|path| after[*path] != before[*path]).collect();
        // The manifest, its configuration, and the layer that nothing else has.
        assert_eq!(lost.len(), 3, "{lost:?}");
        for part in [&replaced.digest, &only.digest] {
            assert!(lost.iter().any(|path| path.ends_with(part)), "{lost:?}");
        }
        assert!(lost.iter().all(|path| after[*path].is_no()), "{after:?}");
        assert_eq!(stock.answers(store.registry_2().client()).await, after);
    }
}

/// Promise: the collector of Apus takes what was deleted in registry:2, with its segments, so that all is as if it had never
/// been there.
#[tokio::test(flavor = "multi_thread")]
async fn the_collector_of_apus_takes_what_registry_2_deleted() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let old = store.registry_2();
        let mut stock = Stock::default();
        stock.lists(old.client(), "app", &[Format::Oci]).await;
        let (names, answers) = (store.names().await, stock.answers(old.client()).await);
        let mut deleted = Stock::default();
        let layer = deleted.blob(old.client(), "app/oci", &random(3_000_000), Way::Stream).await;
        let layers = std::slice::from_ref(&layer);
        let image = deleted.image(old.client(), "app/oci", "gone", Format::Docker, layers).await;
        deleted.delete(old.client(), &format!("/v2/app/oci/manifests/{}", image.digest)).await;
        old.kill();

        let printed = store.collect_garbage_by_apus();
        assert!(printed.contains(&format!("blob eligible for deletion: {}", layer.digest)), "{printed}");
        assert_eq!(store.names().await, names);
        assert_eq!(stock.answers(store.apus().client()).await, answers);
        assert_eq!(stock.answers(store.registry_2().client()).await, answers);
    }
}
