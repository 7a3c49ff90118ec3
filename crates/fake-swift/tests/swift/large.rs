//! Static large objects.

use apus_fake_swift::Options;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Bench, bench, bench_with, read_until};

const A10: &str = "e09c80c42fda55f9d992e59ca6b3307d";
/// MD5 of the ETags of ten `a`, of `b` and of `cc` in a row.
const LARGE: &str = "\"b160b0259b49f567585c6cb245960c35\"";

/// A store with the segments `a`, `b` and `c` of 10, 1 and 2 bytes, and of them the object `large`.
async fn large() -> Bench {
    let bench = bench().await;
    for (name, data) in [("a", "aaaaaaaaaa"), ("b", "b"), ("c", "cc")] {
        bench.fake.put_object("box", name, data);
    }
    let put = bench.client.put_large("large", &["a", "b", "c"]).await;
    assert_eq!((put.status, put.header("etag")), (201, LARGE));
    bench
}

#[tokio::test]
async fn segments_read_as_one_object() {
    let bench = large().await;
    let get = bench.client.get("large").await;
    assert_eq!((get.status, get.text(), get.header("etag")), (200, "aaaaaaaaaabcc", LARGE));
    assert_eq!(get.header("x-static-large-object"), "True");
    let head = bench.client.head("large").await;
    assert_eq!((head.status, head.header("content-length"), head.header("etag")), (200, "13", LARGE));
    let range = bench.client.get_with("large", &[("range", "bytes=9-11")]).await;
    assert_eq!((range.status, range.header("content-range"), range.text()), (206, "bytes 9-11/13", "abc"));
    let ranges = bench.client.get_with("large", &[("range", "bytes=0-0,12-12")]).await;
    assert_eq!(ranges.status, 206);
    assert!(ranges.header("content-type").starts_with("multipart/byteranges;boundary="));
    assert_eq!(bench.client.get_with("large", &[("range", "bytes=13-")]).await.status, 416);
    assert_eq!(bench.client.get_with("large", &[("if-none-match", LARGE)]).await.status, 304);
}

#[tokio::test]
async fn a_listing_has_the_size_of_all() {
    let bench = large().await;
    let entry = bench.client.list("prefix=large").await.json()[0].clone();
    assert_eq!((&entry["bytes"], &entry["slo_etag"]), (&json!(13), &json!(LARGE)));
    assert_eq!(entry["hash"], bench.fake.object("box", "large").unwrap().etag, "that of the manifest");
}

#[tokio::test]
async fn the_manifest_can_be_read() {
    let bench = large().await;
    let reply = bench.client.get("large?multipart-manifest=get").await;
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    let first = &reply.json()[0];
    assert_eq!(
        (&first["name"], &first["bytes"], &first["hash"]),
        (&json!("/box/a"), &json!(10), &json!(A10))
    );
    assert!(first["last_modified"].as_str().unwrap().ends_with(".000000"));
    assert_eq!(bench.fake.object("box", "large").unwrap().segments.unwrap(), ["/box/a", "/box/b", "/box/c"]);
}

#[tokio::test]
async fn a_manifest_replaces_a_plain_object_at_once_and_the_other_way_round() {
    let bench = large().await;
    bench.client.put("o", "plain").await;
    assert_eq!(bench.client.put_large("o", &["a"]).await.status, 201);
    assert_eq!(bench.client.get("o").await.text(), "aaaaaaaaaa");
    assert_eq!(bench.client.put("o", "plain").await.status, 201);
    assert_eq!(bench.client.get("o").await.text(), "plain");
}

#[tokio::test]
async fn each_segment_is_checked() {
    let bench = large().await;
    let put = async |manifest: Value| bench.client.put_manifest("new", manifest).await;
    let wrong_etag = put(json!([{"path": "box/a", "etag": "0".repeat(32)}])).await;
    assert_eq!((wrong_etag.status, wrong_etag.text()), (400, "Errors:\nbox/a, Etag Mismatch\n"));
    let wrong_size = put(json!([{"path": "/box/a", "size_bytes": 9}])).await;
    assert_eq!((wrong_size.status, wrong_size.text()), (400, "Errors:\n/box/a, Size Mismatch\n"));
    let missing = put(json!([{"path": "/box/d é"}])).await;
    assert_eq!((missing.status, missing.text()), (400, "Errors:\n/box/d%20%C3%A9, 404 Not Found\n"));

    let path = bench.client.path("new?multipart-manifest=put");
    let all = json!([{"path": "/box/a", "etag": "x", "size_bytes": 9}, {"path": "/box/none"}]).to_string();
    let reply = bench.client.ask(Method::PUT, &path, &[("accept", "application/json")], all).await;
    let errors =
        json!([["/box/a", "Size Mismatch"], ["/box/a", "Etag Mismatch"], ["/box/none", "404 Not Found"]]);
    assert_eq!((reply.status, &reply.json()["Errors"]), (400, &errors));
    assert!(bench.fake.object("box", "new").is_none());

    assert_eq!(put(json!([{"path": "/box/a", "etag": null, "size_bytes": null}])).await.status, 201);
    assert_eq!(put(json!([{"path": "/box/a", "etag": A10, "size_bytes": 10}])).await.status, 201);
}

#[tokio::test]
async fn a_manifest_must_make_sense() {
    let bench = large().await;
    let put = async |text: &str| {
        let reply = bench.client.put("new?multipart-manifest=put", text.to_owned()).await;
        (reply.status, reply.text().to_owned())
    };
    let at_0 = |problem: &str| (400, format!("Index 0: {problem}\n"));
    assert_eq!(put("{").await, (400, "Manifest must be valid JSON.\n".into()));
    assert_eq!(put("{}").await, (400, "Manifest must be a list.\n".into()));
    assert_eq!(put(r#"[{"path": 1}]"#).await, at_0("\"path\" must be a string"));
    assert_eq!(
        put(r#"[{"path": "a"}]"#).await,
        at_0("path does not refer to an object. Path must be of the form /container/object.")
    );
    assert_eq!(
        put(r#"[{"path": "/box/a", "etag": 1}]"#).await,
        at_0("\"etag\" must be a string or null (if provided)")
    );
    assert_eq!(put(r#"[{"path": "/box/a", "size_bytes": "x"}]"#).await, at_0("invalid size_bytes"));
    assert_eq!(put(r#"[{"path": "/box/a", "b": 1, "a": 2}]"#).await, at_0("extraneous keys \"a\", \"b\""));
    assert_eq!(put(r#"[{"path": "/box/new"}]"#).await, at_0("manifest must not include itself as a segment"));
    assert_eq!(put(r#"[{"data": "!"}]"#).await, at_0("data must be valid base64"));
    assert!(bench.fake.object("box", "new").is_none());
}

#[tokio::test]
async fn a_segment_must_not_be_too_small_unless_it_is_the_last() {
    let bench = large().await;
    bench.fake.put_object("box", "zero", "");
    let reply = bench.client.put_large("new", &["zero", "a"]).await;
    let problem = "Errors:\n/box/zero, Too small; each segment must be at least 1 byte.\n";
    assert_eq!((reply.status, reply.text()), (400, problem));
    assert_eq!(bench.client.put_large("new", &["a", "zero"]).await.status, 201);

    let bench = bench_with(Options { min_segment_size: 5, ..Options::default() }).await;
    bench.fake.put_object("box", "four", "4444");
    let reply = bench.client.put_large("new", &["four", "four"]).await;
    let problem = "Errors:\n/box/four, Too small; each segment must be at least 5 bytes.\n";
    assert_eq!((reply.status, reply.text()), (400, problem));
}

#[tokio::test]
async fn a_manifest_has_a_longest_length() {
    let bench = large().await;
    assert_eq!(bench.client.put_large("long", &["b"; 1000]).await.status, 201);
    let reply = bench.client.put_large("longer", &["b"; 1001]).await;
    assert_eq!((reply.status, reply.text()), (413, "Number of object-backed segments must be <= 1000"));
}

#[tokio::test]
async fn a_manifest_may_hold_data_ranges_and_large_objects() {
    let bench = large().await;
    let manifest = json!([{"path": "/box/c", "range": "1-1"}, {"data": "aGVsbG8="}, {"path": "/box/large"}]);
    assert_eq!(bench.client.put_manifest("mixed", manifest).await.status, 201);
    assert_eq!(bench.client.get("mixed").await.text(), "chelloaaaaaaaaaabcc");
    let reply = bench.client.get_with("mixed", &[("range", "bytes=5-16")]).await;
    assert_eq!(reply.text(), "oaaaaaaaaaab");
}

#[tokio::test]
async fn a_manifest_may_be_for_a_new_object_only_or_with_a_digest() {
    let bench = large().await;
    let manifest = json!([{"path": "/box/a"}, {"path": "/box/b"}, {"path": "/box/c"}]).to_string();
    let put = async |object: &str, header: (&str, &str)| {
        let object = format!("{object}?multipart-manifest=put");
        bench.client.put_with(&object, &[header], manifest.clone()).await.status
    };
    assert_eq!(put("large", ("if-none-match", "*")).await, 412);
    assert_eq!(put("new", ("if-none-match", "*")).await, 201);
    assert_eq!(put("large", ("etag", LARGE)).await, 201);
    assert_eq!(put("large", ("etag", A10)).await, 422);
}

#[tokio::test]
async fn a_lost_segment_is_a_conflict_or_a_break() {
    let bench = large().await;
    bench.fake.delete_object("box", "a");
    assert_eq!(bench.client.get("large").await.status, 409);
    assert_eq!(bench.client.head("large").await.status, 200);
    assert_eq!(bench.client.get_with("large", &[("range", "bytes=10-")]).await.text(), "bcc");
    bench.fake.put_object("box", "a", "changed!!!");
    assert_eq!(bench.client.get("large").await.status, 409);

    bench.fake.put_object("box", "big", vec![b'x'; 300_000]);
    bench.client.put_large("broken", &["big", "b"]).await;
    bench.fake.delete_object("box", "b");
    let reply = bench.client.get("broken").await;
    assert_eq!((reply.status, reply.header("content-length"), reply.broken), (200, "300001", true));
    assert_eq!(reply.body.len(), 300_000);
}

#[tokio::test]
async fn metadata_of_a_large_object_can_change() {
    let bench = large().await;
    assert_eq!(bench.client.post("large", &[("x-object-meta-new", "1")]).await.status, 202);
    let reply = bench.client.get("large").await;
    assert_eq!((reply.text(), reply.header("x-object-meta-new")), ("aaaaaaaaaabcc", "1"));
}

#[tokio::test]
async fn a_delete_takes_the_segments_if_asked_to() {
    let bench = large().await;
    let json = [("accept", "application/json")];
    let delete = async |object: &str| {
        let reply = bench.client.delete_with(&format!("{object}?multipart-manifest=delete"), &json).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
        reply.json()
    };
    bench.client.put("plain", "x").await;
    let refused = delete("plain").await;
    assert_eq!(refused["Response Status"], "400 Bad Request");
    assert_eq!(refused["Errors"], json!([["/box/plain", "Not an SLO manifest"]]));
    assert!(bench.fake.object("box", "plain").is_some());

    bench.client.put_large("outer", &["large", "plain"]).await;
    let done = delete("outer").await;
    assert_eq!((&done["Response Status"], &done["Number Deleted"]), (&json!("200 OK"), &json!(6)));
    assert!(bench.fake.object_names("box").is_empty());

    let again = delete("outer").await;
    assert_eq!((&again["Response Status"], &again["Number Not Found"]), (&json!("200 OK"), &json!(1)));
    let text = bench.client.delete("outer?multipart-manifest=delete").await;
    let expected =
        "Number Deleted: 0\nNumber Not Found: 1\nResponse Body: \nResponse Status: 200 OK\nErrors:\n";
    assert_eq!((text.status, text.header("content-type"), text.text()), (200, "text/plain", expected));
}

#[tokio::test]
async fn a_plain_delete_takes_the_manifest_only() {
    let bench = large().await;
    assert_eq!(bench.client.delete("large").await.status, 204);
    assert_eq!(bench.fake.object_names("box"), ["a", "b", "c"]);
}

/// Unlike that of a plain object, the body is wanted before the condition is looked at.
#[tokio::test]
async fn a_manifest_is_read_before_the_condition_is_checked() {
    let bench = large().await;
    let headers = "Content-Length: 2\r\nIf-None-Match: *\r\nExpect: 100-continue\r\n";
    let mut stream = bench.client.begin_put("large?multipart-manifest=put", headers, b"").await;
    assert_eq!(read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
}
