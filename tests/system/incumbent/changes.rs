//! Either registry changes what the other wrote, while the other runs.

use super::Store;
use super::answers::{Answers, Said};
use super::stock::{Format, Stock, Way};
use crate::support::Client;
use crate::support::content::random;

/// Promise: registry:2 deletes an image with its tag and a layer that Apus wrote, moves a tag, and takes a layer that Apus has
/// already. Both see it, and so does an Apus that is new.
#[tokio::test(flavor = "multi_thread")]
async fn registry_2_changes_what_apus_wrote() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let (apus, old) = (store.apus(), store.registry_2());
        let stock = change(apus.client(), old.client()).await;
        let answers = stock.answers(old.client()).await;
        assert_changed(&answers);
        assert_eq!(stock.answers(apus.client()).await, answers, "{}", store.name());
        assert_eq!(stock.answers(store.apus().client()).await, answers, "{}", store.name());
    }
}

/// Promise: the same the other way round; and of a tag that Apus deletes nothing is left, its history neither, so that
/// registry:2 does not list it.
#[tokio::test(flavor = "multi_thread")]
async fn apus_changes_what_registry_2_wrote() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let (apus, old) = (store.apus(), store.registry_2());
        let mut stock = change(old.client(), apus.client()).await;
        let has_history = |name: &String| name.contains("/tags/moved/index/");
        assert!(store.names().await.iter().any(has_history));
        stock.delete(apus.client(), "/v2/app/manifests/moved").await;
        assert!(!store.names().await.iter().any(has_history));
        let answers = stock.answers(apus.client()).await;
        assert_eq!(answers["/v2/app/tags/list"], Said::Names(vec!["kept".to_owned()]));
        // One that is running may still serve the layer that was deleted: it remembers what it has seen.
        old.kill();
        assert_eq!(stock.answers(store.registry_2().client()).await, answers, "{}", store.name());
    }
}

/// One registry writes, the other changes.
async fn change(writer: Client, changer: Client) -> Stock {
    let mut stock = Stock::default();
    let [one, other] = [random(2_000_000), random(2_000_000)];
    let layers = [
        stock.blob(writer, "app", &one, Way::Stream).await,
        stock.blob(writer, "app", &other, Way::Stream).await,
    ];
    for tag in ["moved", "kept"] {
        stock.image(writer, "app", tag, Format::Oci, &layers).await;
    }
    let deleted = stock.image(writer, "app", "deleted", Format::Oci, &layers).await;
    stock.delete(changer, &format!("/v2/app/manifests/{}", deleted.digest)).await;
    stock.delete(changer, &format!("/v2/app/blobs/{}", layers[1].digest)).await;
    stock.image(changer, "app", "moved", Format::Oci, &layers[..1]).await;
    stock.blob(changer, "other", &one, Way::Stream).await;
    stock
}

fn assert_changed(answers: &Answers) {
    let by_tag = |tag: &str| &answers[&format!("/v2/app/manifests/{tag}")];
    assert_eq!(*by_tag("deleted"), Said::unknown("MANIFEST_UNKNOWN"));
    assert!(by_tag("moved").is_content() && by_tag("kept").is_content());
    assert_eq!(answers["/v2/app/tags/list"], Said::Names(vec!["kept".to_owned(), "moved".to_owned()]));
}
