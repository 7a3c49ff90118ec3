//! The dialect of Ceph's gateway.

use apus_fake_swift::{Dialect, Interface, Options};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Bench, CONTAINER, Reply, bench_with, split};

fn options(account_in_url: bool) -> Options {
    Options { dialect: Dialect::Ceph { account_in_url }, ..Options::default() }
}

/// A gateway with the account in its URLs.
async fn bench() -> Bench {
    bench_with(options(true)).await
}

async fn bulk_delete(bench: &Bench, lines: String) -> (Reply, Value) {
    let path = format!("{}?bulk-delete", bench.client.account);
    let reply = bench.client.ask(Method::POST, &path, &[("accept", "application/json")], lines).await;
    let told = reply.json();
    (reply, told)
}

#[tokio::test]
async fn the_account_may_be_missing_from_a_url() {
    for account_in_url in [true, false] {
        let bench = bench_with(options(account_in_url)).await;
        let client = &bench.client;
        assert!(client.account.starts_with("/swift/v1"));
        assert_eq!(client.account.contains("AUTH_"), account_in_url);
        assert_eq!(client.put("dir/a%20b", "data").await.status, 201);
        assert_eq!(
            (client.get("dir/a%20b").await.text(), client.names("").await),
            ("data", vec!["dir/a b".into()])
        );
        assert_eq!(bench.fake.object_names(CONTAINER), ["dir/a b"]);
        let account = client.ask(Method::GET, &format!("{}?format=json", client.account), &[], "").await;
        assert_eq!(account.text(), r#"[{"name":"box","count":1,"bytes":4}]"#);
        assert_eq!(account.header("x-account-bytes-used-actual"), "4096");
        assert_eq!(bulk_delete(&bench, "/box/dir/a%20b".into()).await.1["Number Deleted"], 1);
    }
    let bench = bench().await;
    assert_eq!(bench.client.ask(Method::GET, "/swift/v1", &[], "").await.status, 412);
    let own = bench.client.account.trim_start_matches("/swift");
    assert_eq!(bench.client.ask(Method::GET, own, &[], "").await.status, 404);
}

#[tokio::test]
async fn strangers_are_told_apart() {
    let bench = bench().await;
    let mut client = bench.client.clone();
    let scoped = bench.fake.give_token(true);
    let unscoped = bench.fake.give_token(false);
    for (token, status) in
        [(None, 401), (Some("guess"), 403), (Some("AUTH_rgwtk00"), 401), (Some(&unscoped), 403)]
    {
        client.token = token.map(str::to_owned);
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let reply = client.ask(method, &client.path("o"), &[], "").await;
            assert_eq!((reply.status, reply.text()), (status, "AccessDenied"), "{token:?}");
            assert!(!reply.headers.contains_key("www-authenticate"));
        }
    }
    client.token = None;
    let path = format!("{}?bulk-delete", client.account);
    assert_eq!(client.ask(Method::POST, &path, &[], "/box/o").await.status, 401, "at once, not inside");
    client.token = Some(scoped);
    assert_eq!(client.put("o", "data").await.status, 201);
    bench.fake.expire_tokens();
    assert_eq!(client.get("o").await.status, 403, "Keystone does not know it any more");
    assert_eq!(bench.client.get("o").await.status, 401, "the gateway reads its own");

    let (_, auth) = split(&bench.fake.auth_url_v1());
    let good = [("x-auth-user", "test:tester"), ("x-auth-key", "testing")];
    let reply = client.ask(Method::GET, &auth, &good, "").await;
    assert_eq!(
        (reply.status, reply.header("x-storage-url")),
        (204, bench.fake.storage_url(Interface::Public).as_str())
    );
    assert!(reply.header("x-auth-token").starts_with("AUTH_rgwtk"));
    for (user, key, status) in [("test:tester", "guess", 401), ("test:nobody", "testing", 403)] {
        let headers = [("x-auth-user", user), ("x-auth-key", key)];
        assert_eq!(client.ask(Method::GET, &auth, &headers, "").await.status, status);
    }
}

#[tokio::test]
async fn it_tells_little_of_itself() {
    let bench = bench().await;
    assert_eq!(bench.client.ask(Method::GET, "/info", &[], "").await.status, 404);
    let info = bench.client.ask(Method::GET, "/swift/info", &[], "").await.json();
    assert_eq!(info["bulk_delete"], json!({}));
    assert_eq!(info["slo"], json!({"max_manifest_segments": 1000}));
    assert_eq!(info["tempurl"], json!({"methods": ["GET", "HEAD", "PUT", "POST", "DELETE"]}));
    assert_eq!(info["swift"]["version"], "16.2.15");
}

#[tokio::test]
async fn refusals_are_a_word() {
    let bench = bench().await;
    let client = &bench.client;
    let none = client.get("none").await;
    assert_eq!(
        (none.status, none.text(), none.header("content-type")),
        (404, "NoSuchKey", "text/plain; charset=utf-8")
    );
    let container = client.ask(Method::GET, &format!("{}/none", client.account), &[], "").await;
    assert_eq!((container.status, container.text()), (404, "NoSuchBucket"));
    client.put("o", "data").await;
    assert_eq!(client.get_with("o", &[("range", "bytes=9-")]).await.text(), "InvalidRange");
    let limit = client.list("limit=10001").await;
    assert_eq!((limit.status, limit.text()), (412, "PreconditionFailed"));
}

/// What a client must not build on.
#[tokio::test]
async fn a_put_is_never_only_for_a_new_object() {
    let bench = bench().await;
    let client = &bench.client;
    assert_eq!(client.put("o", "old").await.status, 201);
    assert_eq!(client.put_with("o", &[("if-none-match", "*")], "newer").await.status, 201);
    let get = client.get("o").await;
    assert_eq!((get.text(), get.header("content-type")), ("newer", "binary/octet-stream"));
    let etag = get.header("etag").to_owned();
    assert_eq!(client.put_with("o", &[("etag", &etag)], "newer").await.status, 201);
    assert_eq!(client.put_with("o", &[("etag", &format!("\"{etag}\""))], "newer").await.status, 422);
    assert_eq!(client.put("o?multipart-manifest=get", "x").await.status, 400);
}

#[tokio::test]
async fn listings_are_written_otherwise() {
    let bench = bench().await;
    let client = &bench.client;
    client.put_with("d%C3%A9/o", &[("content-type", "text/plain")], "hello").await;
    let list = client.list("").await;
    let begin =
        r#"[{"name":"dé/o","hash":"5d41402abc4b2a76b9719d911017c592","bytes":5,"content_type":"text/plain","#;
    assert!(list.text().starts_with(begin), "{}", list.text());
    let modified = list.json()[0]["last_modified"].as_str().unwrap().to_owned();
    assert!(modified.parse::<jiff::Timestamp>().is_ok() && modified.len() == 24, "{modified}");
    assert_eq!(client.list("delimiter=/").await.text(), r#"[{"subdir":"dé/"}]"#);
    assert_eq!(list.header("x-container-bytes-used-actual"), "4096");
}

#[tokio::test]
async fn a_large_object_is_believed() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("s/1", "one").await;
    client.put("s/2", "two").await;
    let manifest =
        json!([{"path": "/box/s/1", "etag": "wrong", "size_bytes": 3}, {"path": "box/s/2", "size_bytes": 0}]);
    let put = client.put_manifest("o", manifest.clone()).await;
    let etag = put.header("etag").to_owned();
    // MD5 of the ETags as they were told, and the second was not.
    assert_eq!((put.status, etag.as_str()), (201, "\"2bda2998d9b0ee197da142a0447f6725\""));
    let get = client.get("o").await;
    assert_eq!((get.text(), get.header("etag")), ("onetwo", etag.as_str()));
    assert_eq!(get.header("x-static-large-object"), "True");
    assert_eq!(get.header("x-object-meta-static-large-object"), "True");
    assert!(!get.headers.contains_key("x-manifest-etag"));
    assert_eq!(client.get_with("o", &[("range", "bytes=2-3")]).await.text(), "et");
    let manifest_get = client.get("o?multipart-manifest=get").await;
    assert_eq!((manifest_get.status, manifest_get.header("content-length")), (200, "0"));
    let listed = client.list("prefix=o").await.json()[0].clone();
    assert_eq!(
        (listed["bytes"].as_u64(), listed.get("slo_etag")),
        (Some(manifest.to_string().len() as u64), None)
    );

    client.put("s/2", "new").await;
    assert_eq!(client.get("o").await.text(), "onenew", "of the same size is good enough");
    client.put("s/1", "longer").await;
    assert_eq!(client.get("o").await.status, 404);
}

#[tokio::test]
async fn a_manifest_is_checked_a_little() {
    let bench = bench().await;
    bench.client.put("s", "data").await;
    for (manifest, status) in [
        (json!([{"path": "/box/none"}]), 404),
        (json!([{"path": "/box/s", "size_bytes": 5}]), 400),
        (json!([{"path": "s"}]), 400),
        (json!({"path": "/box/s"}), 400),
        (Value::from(vec![json!({"path": "/box/s"}); 1001]), 400),
        (Value::from(vec![json!({"path": "/box/s"}); 1000]), 201),
    ] {
        assert_eq!(bench.client.put_manifest("o", manifest).await.status, status);
    }
}

#[tokio::test]
async fn deleting_a_large_object_is_always_answered_200() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("s/1", "one").await;
    client.put("s/2", "two").await;
    client.put_large("o", &["s/1", "s/2"]).await;
    let delete = async |object: &str| {
        let reply = client
            .delete_with(&format!("{object}?multipart-manifest=delete"), &[("accept", "application/json")])
            .await;
        assert_eq!(reply.status, 200);
        reply.json()
    };
    let told = delete("s/1").await;
    assert_eq!(told["Errors"], json!([["box/s/1", "400 Bad Request"]]));
    assert_eq!(told["Response Status"], "400 Bad Request");
    assert_eq!(delete("none").await["Number Not Found"], 1);
    client.delete("s/1").await;
    let told = delete("o").await;
    assert_eq!((&told["Number Deleted"], &told["Number Not Found"]), (&json!(2), &json!(1)));
    assert!(bench.fake.object_names(CONTAINER).is_empty());
}

#[tokio::test]
async fn bulk_deletes_end_at_a_line_that_is_too_long() {
    let bench = bench_with(Options { max_deletes_per_request: 1, ..options(false) }).await;
    for name in ["a", "b", "c"] {
        bench.client.put(name, "data").await;
    }
    let (reply, told) =
        bulk_delete(&bench, format!("/box/a\n\n/box/none\n/box/{}\n/box/c\n", "x".repeat(2048))).await;
    let expected = r#"{"Number Deleted":1,"Number Not Found":1,"Response Body":"","Response Status":"200 OK","Errors":[]}"#;
    assert_eq!((reply.status, reply.text()), (200, expected));
    assert_eq!(bench.fake.object_names(CONTAINER), ["b", "c"], "nor is there a word about it");
    let told_of_container = bulk_delete(&bench, "/box".into()).await.1;
    assert_eq!(told_of_container["Response Status"], "409 Conflict");
    assert_eq!(told_of_container["Errors"], json!([["box", "409 Conflict"]]));
    assert_eq!(told["Errors"], json!([]));
}

#[tokio::test]
async fn a_dynamic_large_object_has_no_page() {
    let bench = bench_with(Options { container_listing_limit: 2, ..options(true) }).await;
    let client = &bench.client;
    client.put_with("o", &[("x-object-manifest", "box/s/")], "").await;
    let empty = client.head("o").await;
    assert_eq!((empty.header("content-length"), empty.headers.get("last-modified")), ("0", None));
    for name in ["s/1", "s/2", "s/3"] {
        client.put(name, "data").await;
    }
    let head = client.head("o").await;
    assert_eq!(head.header("content-length"), "12");
    assert!(head.headers.contains_key("last-modified"));
    assert_eq!(client.list("prefix=o").await.json()[0]["bytes"], 0);
}
