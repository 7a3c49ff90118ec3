//! Containers, their listings, the account, `/info`.

use apus_fake_swift::Options;
use http::Method;
use serde_json::json;

use crate::client::{Client, bench, bench_with};

#[tokio::test]
async fn a_container_lives_and_dies_empty() {
    let bench = bench().await;
    let client = &bench.client;
    let path = format!("{}/new", client.account);
    let status = async |method| client.ask(method, &path, &[], "").await.status;
    assert_eq!(status(Method::HEAD).await, 404);
    assert_eq!(status(Method::PUT).await, 201);
    assert_eq!(status(Method::PUT).await, 202);
    assert_eq!(status(Method::HEAD).await, 204);
    assert_eq!(client.ask(Method::PUT, &format!("{path}/o"), &[], "x").await.status, 201);
    assert_eq!(status(Method::DELETE).await, 409);
    assert_eq!(client.ask(Method::DELETE, &format!("{path}/o"), &[], "").await.status, 204);
    assert_eq!(status(Method::DELETE).await, 204);
    assert_eq!(status(Method::DELETE).await, 404);
    assert_eq!(status(Method::GET).await, 404);
    assert_eq!(status(Method::PATCH).await, 405);
}

#[tokio::test]
async fn objects_need_a_container() {
    let bench = bench().await;
    let path = format!("{}/none/o", bench.client.account);
    for method in [Method::PUT, Method::GET, Method::POST, Method::DELETE] {
        assert_eq!(bench.client.ask(method, &path, &[], "").await.status, 404);
    }
}

#[tokio::test]
async fn creating_containers_may_be_forbidden() {
    let bench = bench_with(Options { may_create_containers: false, ..Options::default() }).await;
    let path = format!("{}/new", bench.client.account);
    assert_eq!(bench.client.ask(Method::PUT, &path, &[], "").await.status, 403);
    assert_eq!(bench.client.put("o", "data").await.status, 201);
}

#[tokio::test]
async fn metadata_of_a_container_is_merged() {
    let bench = bench().await;
    let path = format!("{}/box", bench.client.account);
    let post = async |headers: &[(&str, &str)]| {
        assert_eq!(bench.client.ask(Method::POST, &path, headers, "").await.status, 204);
        bench.client.ask(Method::HEAD, &path, &[], "").await
    };
    post(&[("x-container-meta-one", "1")]).await;
    let both = post(&[("x-container-meta-two", "2")]).await;
    assert_eq!((both.header("x-container-meta-one"), both.header("x-container-meta-two")), ("1", "2"));
    let none = post(&[("x-remove-container-meta-one", "x"), ("x-container-meta-two", "")]).await;
    assert!(none.headers.keys().all(|name| !name.as_str().starts_with("x-container-meta")));
}

#[tokio::test]
async fn a_listing_tells_of_each_object() {
    let bench = bench().await;
    bench.client.put_with("d%C3%A9", &[("content-type", "text/plain")], "hello").await;
    let reply = bench.client.list("").await;
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(reply.header("x-container-object-count"), "1");
    assert_eq!(reply.header("x-container-bytes-used"), "5");
    assert!(reply.text().contains("\"d\\u00e9\""), "names come escaped");
    let entry = &reply.json()[0];
    assert_eq!(entry["name"], "dé");
    assert_eq!(entry["bytes"], 5);
    assert_eq!(entry["hash"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(entry["content_type"], "text/plain");
    let modified = entry["last_modified"].as_str().unwrap();
    assert!(modified.parse::<jiff::civil::DateTime>().is_ok() && modified.len() == 26, "{modified}");

    let path = format!("{}/box", bench.client.account);
    let text = bench.client.ask(Method::GET, &path, &[], "").await;
    assert_eq!((text.text(), text.header("content-type")), ("dé\n", "text/plain; charset=utf-8"));
    let nothing = bench.client.ask(Method::GET, &format!("{path}?prefix=x"), &[], "").await;
    assert_eq!(nothing.status, 204);
}

#[tokio::test]
async fn listings_come_in_pages_and_subdirs() {
    let bench = bench_with(Options { container_listing_limit: 3, ..Options::default() }).await;
    for name in ["a", "b/1", "b/2", "c/1", "d"] {
        bench.fake.put_object("box", name, "x");
    }
    let client = &bench.client;
    assert_eq!(client.names("").await, ["a", "b/1", "b/2"]);
    assert_eq!(client.names("marker=b/2").await, ["c/1", "d"]);
    assert_eq!(client.names("limit=1&marker=a").await, ["b/1"]);
    assert_eq!(client.names("delimiter=/").await, ["a", "b/", "c/"]);
    assert_eq!(client.names("delimiter=/&marker=c/").await, ["d"]);
    assert_eq!(client.names("prefix=b/&delimiter=/").await, ["b/1", "b/2"]);
    assert_eq!(client.names("marker=a&end_marker=c").await, ["b/1", "b/2"]);
    let refused = client.list("limit=4").await;
    assert_eq!((refused.status, refused.text()), (412, "Maximum limit is 3"));
}

#[tokio::test]
async fn the_account_lists_its_containers() {
    let bench = bench().await;
    bench.fake.put_object("box", "o", "12345");
    let client = &bench.client;
    let reply = client.ask(Method::GET, &format!("{}?format=json", client.account), &[], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-account-container-count"), "1");
    assert_eq!(reply.header("x-account-bytes-used"), "5");
    let entry = &reply.json()[0];
    assert_eq!((&entry["name"], &entry["count"], &entry["bytes"]), (&json!("box"), &json!(1), &json!(5)));
    assert_eq!(client.ask(Method::DELETE, &client.account, &[], "").await.status, 405);
}

#[tokio::test]
async fn info_tells_the_limits() {
    let options = Options {
        max_file_size: 1,
        container_listing_limit: 2,
        max_manifest_segments: 3,
        min_segment_size: 4,
        max_deletes_per_request: 5,
        ..Options::default()
    };
    let bench = bench_with(options).await;
    let reply = Client::stranger(&bench.fake).ask(Method::GET, "/info", &[], "").await;
    assert_eq!(reply.status, 200);
    let info = reply.json();
    assert_eq!(info["swift"]["version"], "2.30.1");
    assert_eq!(info["swift"]["max_file_size"], 1);
    assert_eq!(info["swift"]["container_listing_limit"], 2);
    assert_eq!(info["swift"]["max_object_name_length"], 1024);
    assert_eq!(info["slo"]["max_manifest_segments"], 3);
    assert_eq!(info["slo"]["min_segment_size"], 4);
    assert_eq!(info["bulk_delete"]["max_deletes_per_request"], 5);
    assert!(info.get("bulk_upload").is_none(), "what is not modelled is not advertised");

    let silent = bench_with(Options { info: false, ..Options::default() }).await;
    assert_eq!(silent.client.ask(Method::GET, "/info", &[], "").await.status, 403);
}

#[tokio::test]
async fn paths_outside_are_refused() {
    let bench = bench().await;
    let status = async |path: &str| bench.client.ask(Method::GET, path, &[], "").await.status;
    assert_eq!(status("/").await, 300, "where Keystone is");
    assert_eq!(status("/v4").await, 404);
    assert_eq!(status("/v1").await, 412);
    assert_eq!(status(&bench.client.path("%ff")).await, 412);
    assert_eq!(status(&format!("{}/box?reverse=on", bench.client.account)).await, 501);
    assert_eq!(status(&bench.client.path("o?version-id=x")).await, 501);
}
