//! Prefixes of names in the container, as odd as registry:2 takes them.

use super::Store;
use super::stock::{Format, Stock};
use crate::support::swift::object_names;

/// Promise: with each of these prefixes both registries mean the same objects, and either reads the other's.
#[tokio::test(flavor = "multi_thread")]
async fn every_prefix_means_the_same_objects() {
    for (prefix, files) in
        [("", "files/"), ("foo/", "foo//files/"), ("/foo", "foo/files/"), ("foo//bar", "foo//bar/files/")]
    {
        let store = Store::swift_v1().with(&format!("prefix: \"{prefix}\""));
        let (old, apus) = (store.registry_2(), store.apus());
        let mut stock = Stock::default();
        stock.lists(old.client(), "old", &[Format::Oci]).await;
        let names = object_names(store.backend.container().unwrap()).await;
        assert!(
            names.iter().any(|name| name.starts_with(&format!("{files}docker/registry/v2/blobs/"))),
            "{prefix}: {names:?}"
        );
        stock.lists(apus.client(), "new", &[Format::Oci]).await;
        let answers = stock.answers(apus.client()).await;
        assert!(answers["/v2/old/oci/manifests/list"].is_content());
        assert_eq!(stock.answers(old.client()).await, answers, "{prefix}");
    }
}
