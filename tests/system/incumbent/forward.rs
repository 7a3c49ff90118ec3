//! What registry:2 wrote, read by Apus.

use super::Store;
use super::registry2::Registry2;
use super::stock::Stock;
use crate::support::Apus;
use crate::support::backend::PROVEN;

/// Promise: of images, lists, tags, layers in segments and deletions that registry:2 took, Apus answers what registry:2
/// answered, every byte: over the filesystem.
#[tokio::test(flavor = "multi_thread")]
async fn what_registry_2_wrote_in_files_is_read() {
    let store = Store::filesystem();
    let old = store.registry_2();
    let stock = Stock::push(old.client()).await;
    is_read(&store, old, stock).await;
}

/// Promise: the same over Swift, with the sign-in of version 1, also where Apus sends clients to Swift for blobs.
#[tokio::test(flavor = "multi_thread")]
async fn what_registry_2_wrote_in_swift_by_v1_is_read() {
    let store = Store::swift_v1();
    let old = store.registry_2();
    let stock = Stock::push(old.client()).await;
    assert_is_in_segments(&store).await;
    is_read(&store, old, stock).await;
}

/// Promise: the same over Swift, with the sign-in of version 3.
#[tokio::test(flavor = "multi_thread")]
async fn what_registry_2_wrote_in_swift_by_v3_is_read() {
    let store = Store::swift_v3();
    let old = store.registry_2();
    let stock = Stock::push_some(old.client()).await;
    is_read(&store, old, stock).await;
}

async fn is_read(store: &Store, old: Registry2, stock: Stock) {
    let answers = stock.answers(old.client()).await;
    old.kill();
    let apus = store.apus();
    assert_eq!(stock.answers(apus.client()).await, answers);
    if store.backend.container().is_some() {
        let apus = Apus::start(&store.redirecting());
        apus.until_it_logs(PROVEN).await;
        assert_eq!(stock.answers(apus.client()).await, answers);
    }
}

/// registry:2 has stored layers in three segments: the last is the third of at least one.
async fn assert_is_in_segments(store: &Store) {
    let names = store.names().await;
    let thirds =
        names.iter().filter(|name| name.starts_with("segments/") && name.ends_with("/0000000000000003"));
    assert!(thirds.count() >= 2, "{names:?}");
}
