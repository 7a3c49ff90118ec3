//! A store that is without a part of Swift.

use apus_fake_swift::{Feature, Options};
use http::Method;

use crate::client::{Bench, bench_with};

async fn without(features: &[Feature]) -> Bench {
    bench_with(Options { without: features.to_vec(), ..Options::default() }).await
}

async fn info(bench: &Bench) -> serde_json::Value {
    bench.client.ask(Method::GET, "/info", &[], "").await.json()
}

#[tokio::test]
async fn without_bulk_deletes_it_is_a_request_to_the_account() {
    let bench = without(&[Feature::BulkDelete]).await;
    let info = info(&bench).await;
    assert!(info.get("bulk_delete").is_none() && info.get("slo").is_some());
    bench.client.put("o", "data").await;
    let path = format!("{}?bulk-delete", bench.client.account);
    assert_eq!(bench.client.ask(Method::POST, &path, &[], "/box/o").await.status, 204, "metadata, and none");
    assert_eq!(bench.client.ask(Method::DELETE, &path, &[], "/box/o").await.status, 405);
    assert_eq!(bench.client.get("o").await.text(), "data");
}

#[tokio::test]
async fn without_large_objects_a_manifest_is_data() {
    let bench = without(&[Feature::StaticLargeObjects]).await;
    let client = &bench.client;
    assert!(info(&bench).await.get("slo").is_none());
    client.put("segment", "data").await;
    assert_eq!(client.put_large("o", &["segment", "none"]).await.status, 201);
    let manifest = r#"[{"path":"/box/segment"},{"path":"/box/none"}]"#;
    assert_eq!(client.get("o").await.text(), manifest);
    assert_eq!(client.get("o?multipart-manifest=get").await.text(), manifest);
    assert!(!client.head("o").await.headers.contains_key("x-static-large-object"));
    assert_eq!(client.delete("o?multipart-manifest=delete").await.status, 204);
    assert_eq!(bench.fake.object_names("box"), ["segment"]);
    client.put_with("o", &[("x-static-large-object", "yes")], "").await;
    assert_eq!(client.head("o").await.header("x-static-large-object"), "yes");
    assert_eq!(client.put_with("d", &[("x-object-manifest", "box/seg")], "").await.status, 201);
    assert_eq!(client.get("d").await.text(), "data", "dynamic ones are part of every proxy");
}

#[tokio::test]
async fn every_etag_may_come_in_quotes() {
    let bench = bench_with(Options { quoted_etags: true, ..Options::default() }).await;
    let client = &bench.client;
    let quoted = "\"8d777f385d3dfec8815d20f7496026dc\"";
    assert_eq!(client.put("o", "data").await.header("etag"), quoted);
    let (get, head) = (client.get("o").await, client.head("o").await);
    assert_eq!((get.header("etag"), head.header("etag"), get.text()), (quoted, quoted, "data"));
    assert_eq!(client.put_with("o", &[("etag", quoted)], "data").await.status, 201);
    assert!(client.put_large("large", &["o"]).await.header("etag").ends_with('"'));
    assert!(!client.head("large").await.header("etag").starts_with("\"\""));
    assert_eq!(client.list("prefix=o").await.json()[0]["hash"], quoted.trim_matches('"'));
}
