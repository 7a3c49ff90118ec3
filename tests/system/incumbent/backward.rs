//! What Apus wrote, read by registry:2: for whoever goes back.

use bytes::Bytes;

use super::Store;
use super::own::Own;
use super::registry2::Registry2;
use super::stock::{Format, Stock, Way};
use crate::support::Apus;
use crate::support::content::random;

/// Promise: of images, lists, tags, layers of any size, deletions, an empty blob and a deleted tag that Apus took,
/// registry:2 answers what Apus answered, every byte: over the filesystem.
#[tokio::test(flavor = "multi_thread")]
async fn what_apus_wrote_in_files_is_served() {
    let store = Store::filesystem();
    let apus = store.apus();
    let stock = Stock::push(apus.client()).await;
    is_served(&store, apus, stock).await;
}

/// Promise: the same over Swift, with the sign-in of version 1, also where registry:2 sends clients to Swift for blobs.
/// Layers are static large objects of ten segments.
#[tokio::test(flavor = "multi_thread")]
async fn what_apus_wrote_in_swift_by_v1_is_served() {
    let store = Store::swift_v1().with("chunksize: 5242880");
    let apus = store.apus();
    let stock = Stock::push(apus.client()).await;
    is_served(&store, apus, stock).await;
}

/// Promise: the same with the sign-in of version 3.
#[tokio::test(flavor = "multi_thread")]
async fn what_apus_wrote_in_swift_by_v3_is_served() {
    let store = Store::swift_v3().with("chunksize: 5242880");
    let apus = store.apus();
    let stock = Stock::push_some(apus.client()).await;
    is_served(&store, apus, stock).await;
}

async fn is_served(store: &Store, apus: Apus, mut stock: Stock) {
    stock.blob(apus.client(), "lists/oci", &Bytes::new(), Way::Whole).await;
    stock.delete(apus.client(), "/v2/lists/oci/manifests/arm64").await;
    let answers = stock.answers(apus.client()).await;
    apus.kill();

    let old = store.registry_2();
    assert_eq!(stock.answers(old.client()).await, answers);
    old.kill();
    let old = Registry2::start(&store.redirecting(), "");
    assert_eq!(stock.answers(old.client()).await, answers);
}

/// Promise: what registry:2 does not know stops nothing of what it knows: the list of referrers, an upload that is under
/// way, a manifest of a type of its own, to which it says no. What lies under SHA-512 it serves. Apus has all of it
/// afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_only_apus_knows_is_passed_over() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let apus = store.apus();
        let mut stock = Stock::default();
        let own = Own::push(apus.client(), &mut stock).await;
        let answers = stock.answers(apus.client()).await;
        own.assert_there(apus.client()).await;
        apus.kill();

        let old = store.registry_2();
        assert_eq!(stock.answers(old.client()).await, answers, "{}", store.name());
        own.assert_unknown_to_registry_2(old.client()).await;
        // It goes on with the same repository.
        let layer = stock.blob(old.client(), "own", &random(1000), Way::Stream).await;
        stock.image(old.client(), "own", "later", Format::Oci, &[layer]).await;
        old.kill();

        let apus = store.apus();
        own.assert_there(apus.client()).await;
        own.finish(apus.client(), &mut stock).await;
        let answers = stock.answers(apus.client()).await;
        assert_eq!(stock.answers(store.registry_2().client()).await, answers, "{}", store.name());
    }
}
