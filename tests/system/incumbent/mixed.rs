//! Both registries at once over one store.

use bytes::Bytes;

use super::Store;
use super::answers::ask;
use super::stock::{Format, Stock, Way};
use crate::support::Client;
use crate::support::content::random;

/// How often each pushes an image.
const ROUNDS: usize = 3;

/// Promise: both push images to one repository at once, with layers that both push at the same time; each reads the other's
/// images from the first moment on; and in the end both answer the same.
#[tokio::test(flavor = "multi_thread")]
async fn both_at_once() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let (apus, old) = (store.apus(), store.registry_2());
        let mut stocks = [Stock::default(), Stock::default()];
        for round in 0..ROUNDS {
            let shared = random(1_200_000);
            let [by_apus, by_old] = &mut stocks;
            tokio::join!(
                push(apus.client(), by_apus, format!("apus-{round}"), &shared),
                push(old.client(), by_old, format!("old-{round}"), &shared),
            );
            // Each reads what the other has just written, and moves a tag that the other moved before.
            let (mine, its) =
                (format!("/v2/app/manifests/apus-{round}"), format!("/v2/app/manifests/old-{round}"));
            for client in [apus.client(), old.client()] {
                assert!(ask(client, &mine).await.is_content() && ask(client, &its).await.is_content());
            }
            by_apus.image(apus.client(), "app", "moving", Format::Oci, &[]).await;
            assert_eq!(ask(old.client(), MOVING).await, ask(apus.client(), MOVING).await);
            by_old.image(old.client(), "app", "moving", Format::Oci, &[]).await;
            assert_eq!(ask(old.client(), MOVING).await, ask(apus.client(), MOVING).await);
        }
        for stock in stocks {
            let answers = stock.answers(apus.client()).await;
            assert!(answers.values().all(|said| !said.is_no()), "{answers:?}");
            assert_eq!(stock.answers(old.client()).await, answers, "{}", store.name());
        }
    }
}

const MOVING: &str = "/v2/app/manifests/moving";

async fn push(client: Client, stock: &mut Stock, tag: String, shared: &Bytes) {
    let layers = [
        stock.blob(client, "app", shared, Way::Stream).await,
        stock.blob(client, "app", &random(50_000), Way::Stream).await,
    ];
    stock.image(client, "app", &tag, Format::Oci, &layers).await;
}
