//! Reading objects: ranges and conditions.

use http::Method;

use crate::client::{Bench, bench};

const HELLO: &str = "5eb63bbbe01eeed093cb22bb8f5acdc3";

async fn hello() -> Bench {
    let bench = bench().await;
    bench.client.put_with("o", &[("content-type", "text/plain")], "hello world").await;
    bench
}

#[tokio::test]
async fn one_range() {
    let bench = hello().await;
    for (range, content_range, text) in [
        ("0-4", "bytes 0-4/11", "hello"),
        ("6-", "bytes 6-10/11", "world"),
        ("-5", "bytes 6-10/11", "world"),
        ("-50", "bytes 0-10/11", "hello world"),
        ("6-100", "bytes 6-10/11", "world"),
    ] {
        let reply = bench.client.get_with("o", &[("range", &format!("bytes={range}"))]).await;
        assert_eq!((reply.status, reply.header("content-range"), reply.text()), (206, content_range, text));
        assert_eq!(reply.header("etag"), HELLO);
    }
}

#[tokio::test]
async fn ranges_out_of_reach_and_ranges_without_sense() {
    let bench = hello().await;
    for range in ["bytes=11-", "bytes=100-200", "bytes=-0"] {
        let reply = bench.client.get_with("o", &[("range", range)]).await;
        assert_eq!((reply.status, reply.header("content-range")), (416, "bytes */11"), "{range}");
    }
    for range in ["bytes=5-3", "bytes=x", "lines=1-2"] {
        let reply = bench.client.get_with("o", &[("range", range)]).await;
        assert_eq!((reply.status, reply.text()), (200, "hello world"), "{range}");
    }
    bench.client.put("empty", "").await;
    assert_eq!(bench.client.get_with("empty", &[("range", "bytes=0-")]).await.status, 416);
    assert_eq!(bench.client.get_with("empty", &[("range", "bytes=-5")]).await.status, 200);
}

#[tokio::test]
async fn several_ranges() {
    let bench = hello().await;
    let reply = bench.client.get_with("o", &[("range", "bytes=0-1,4-5,99-100")]).await;
    assert_eq!(reply.status, 206);
    let boundary = reply.header("content-type").strip_prefix("multipart/byteranges;boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/11\r\n\r\nhe\r\n\
         --{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-5/11\r\n\r\no \r\n--{boundary}--"
    );
    assert_eq!(reply.text(), expected);
    assert_eq!(reply.header("content-length"), expected.len().to_string());
}

#[tokio::test]
async fn a_head_ignores_the_range() {
    let bench = hello().await;
    let path = bench.client.path("o");
    let reply = bench.client.ask(Method::HEAD, &path, &[("range", "bytes=0-4")], "").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, "11"));
}

#[tokio::test]
async fn conditions() {
    let bench = hello().await;
    let quoted = format!("\"{HELLO}\"");
    for (name, value, status) in [
        ("if-match", HELLO, 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", quoted.as_str(), 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT", 304),
        ("if-modified-since", "Fri, 01 Jan 2010 00:00:00 GMT", 200),
        ("if-unmodified-since", "Fri, 01 Jan 2010 00:00:00 GMT", 412),
    ] {
        let reply = bench.client.get_with("o", &[(name, value)]).await;
        assert_eq!(reply.status, status, "{name}: {value}");
        assert_eq!(reply.header("etag"), HELLO);
        assert_eq!(reply.body.is_empty(), status != 200);
    }
    assert_eq!(bench.client.get_with("none", &[("if-match", "*")]).await.status, 412);
    assert_eq!(bench.client.get("none").await.status, 404);
}
