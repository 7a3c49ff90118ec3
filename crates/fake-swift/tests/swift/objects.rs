//! Writing objects: what is stored, what is refused, and before which byte of the body.

use apus_fake_swift::Options;
use http::Method;
use tokio::io::AsyncWriteExt;

use crate::client::{bench, bench_with, code, read_until};

const ABC: &str = "900150983cd24fb0d6963f7d28e17f72";

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let bench = bench().await;
    let headers = [("content-type", "text/plain"), ("x-object-meta-mine", "yes"), ("content-encoding", "br")];
    let put = bench.client.put_with("dir/d%C3%A9%20%23", &headers, "abc").await;
    assert_eq!(put.status, 201);
    assert_eq!(put.header("etag"), ABC);
    assert!(put.header("x-trans-id").starts_with("tx"));
    assert_eq!(put.header("x-trans-id"), put.header("x-openstack-request-id"));

    let get = bench.client.get("dir/d%C3%A9%20%23").await;
    assert_eq!((get.status, get.text()), (200, "abc"));
    for (name, value) in headers {
        assert_eq!(get.header(name), value);
    }
    assert_eq!(get.header("etag"), ABC, "without quotes");
    assert_eq!(get.header("last-modified"), put.header("last-modified"));
    assert_eq!(get.header("accept-ranges"), "bytes");
    let (seconds, fraction) = get.header("x-timestamp").split_once('.').unwrap();
    assert!(seconds.len() == 10 && fraction.len() == 5);

    let head = bench.client.head("dir/d%C3%A9%20%23").await;
    assert_eq!((head.status, head.header("content-length"), head.text()), (200, "3", ""));
    assert_eq!(bench.fake.object("box", "dir/dé #").unwrap().data, "abc");

    assert_eq!(bench.client.delete("dir/d%C3%A9%20%23").await.status, 204);
    assert_eq!(bench.client.delete("dir/d%C3%A9%20%23").await.status, 404);
    assert!(bench.fake.object_names("box").is_empty());
}

#[tokio::test]
async fn a_body_cut_short_changes_nothing() {
    let bench = bench().await;
    for before in [None, Some("before")] {
        if let Some(data) = before {
            bench.fake.put_object("box", "o", data);
        }
        let _ = bench.fake.take_requests();
        let stream = bench.client.begin_put("o", "Content-Length: 1000000\r\n", &vec![b'x'; 999_999]).await;
        drop(stream);
        assert_eq!(code(&bench.only_request().await), Some(499));
        assert_eq!(bench.fake.object("box", "o").map(|object| object.data), before.map(Into::into));

        let _ = bench.fake.take_requests();
        let chunked = b"5\r\nhello\r\n";
        let stream = bench.client.begin_put("o", "Transfer-Encoding: chunked\r\n", chunked).await;
        drop(stream);
        assert_eq!(code(&bench.only_request().await), Some(499));
        assert_eq!(bench.fake.object("box", "o").map(|object| object.data), before.map(Into::into));
    }
}

#[tokio::test]
async fn a_chunked_body_needs_no_length() {
    let bench = bench().await;
    let body = b"3\r\nabc\r\n0\r\n\r\n";
    let mut stream = bench.client.begin_put("o", "Transfer-Encoding: chunked\r\n", body).await;
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));
    assert_eq!(bench.fake.object("box", "o").unwrap().data, "abc");
    let mut stream = bench.client.begin_put("other", "", b"").await;
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 411 "));
}

#[tokio::test]
async fn the_digest_in_a_request_is_checked() {
    let bench = bench().await;
    assert_eq!(bench.client.put_with("o", &[("etag", ABC)], "abc").await.status, 201);
    assert_eq!(bench.client.put_with("o", &[("etag", &format!("\"{ABC}\""))], "abc").await.status, 201);
    assert_eq!(bench.client.put_with("new", &[("etag", ABC)], "abd").await.status, 422);
    assert_eq!(bench.client.put_with("o", &[("etag", ABC)], "abd").await.status, 422);
    assert_eq!(bench.fake.object_names("box"), ["o"]);
    assert_eq!(bench.client.get("o").await.text(), "abc");
}

#[tokio::test]
async fn a_put_may_be_for_a_new_object_only() {
    let bench = bench().await;
    let only_new = [("if-none-match", "*")];
    assert_eq!(bench.client.put_with("o", &only_new, "first").await.status, 201);
    assert_eq!(bench.client.put_with("o", &only_new, "second").await.status, 412);
    assert_eq!(bench.client.get("o").await.text(), "first");
    let reply = bench.client.put_with("o", &[("if-none-match", "\"x\"")], "").await;
    assert_eq!((reply.status, reply.text()), (400, "If-None-Match only supports *"));
}

/// As Swift does, the store checks only once, when a PUT begins.
#[tokio::test]
async fn two_puts_for_a_new_object_only_may_both_succeed() {
    let bench = bench().await;
    let headers = "If-None-Match: *\r\nContent-Length: 3\r\n";
    let mut one = bench.client.begin_put("o", headers, b"on").await;
    let mut other = bench.client.begin_put("o", headers, b"tw").await;
    while bench.fake.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    // Each has had its place in the order since it began, however late its last byte comes.
    other.write_all(b"o").await.unwrap();
    assert!(read_until(&mut other, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));
    one.write_all(b"e").await.unwrap();
    assert!(read_until(&mut one, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));
    assert_eq!(bench.client.get("o").await.text().len(), 3);
}

#[tokio::test]
async fn many_writers_of_one_name_leave_one_whole_object() {
    let bench = bench().await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let client = bench.client.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let reply = client.put("o", format!("{writer}{round}").repeat(5000)).await;
                    assert!(matches!(reply.status, 201 | 202));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let reply = bench.client.get("o").await;
    assert_eq!(reply.text(), reply.text()[..2].repeat(5000));
}

#[tokio::test]
async fn a_refusal_comes_before_the_body() {
    let bench = bench().await;
    bench.fake.put_object("box", "o", "old");
    let mut stranger = bench.client.clone();
    stranger.token = Some("AUTH_tkbad".into());
    let expect = "Content-Length: 5\r\nExpect: 100-continue\r\n";

    let mut stream = stranger.begin_put("o", expect, b"").await;
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 401 "));
    let mut stream = bench.client.begin_put("o", &format!("If-None-Match: *\r\n{expect}"), b"").await;
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 412 "));
    assert!(bench.fake.requests().iter().all(|record| record.body_bytes == 0));

    let mut stream = bench.client.begin_put("o", expect, b"").await;
    assert_eq!(read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 201 "));
    assert_eq!(bench.fake.object("box", "o").unwrap().data, "hello");
}

#[tokio::test]
async fn a_connection_outlives_a_refused_body() {
    let bench = bench().await;
    bench.fake.put_object("box", "o", "old");
    let headers = "If-None-Match: *\r\nContent-Length: 200000\r\n";
    let mut stream = bench.client.begin_put("o", headers, &vec![b'x'; 200_000]).await;
    assert!(read_until(&mut stream, "</html>").await.starts_with("HTTP/1.1 412 "));
    let next = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", bench.client.path("o"));
    stream.write_all(next.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test]
async fn an_object_has_a_largest_size() {
    let bench = bench_with(Options { max_file_size: 10, ..Options::default() }).await;
    assert_eq!(bench.client.put("o", "0123456789").await.status, 201);
    let reply = bench.client.put("big", "0123456789a").await;
    assert_eq!((reply.status, reply.text()), (413, "Your request is too large."));
    let body = b"b\r\n0123456789a\r\n0\r\n\r\n";
    let mut stream = bench.client.begin_put("big", "Transfer-Encoding: chunked\r\n", body).await;
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 413 "));
    assert_eq!(bench.fake.object_names("box"), ["o"]);
}

#[tokio::test]
async fn names_and_metadata_have_limits() {
    let bench = bench().await;
    assert_eq!(bench.client.put(&"n".repeat(1024), "").await.status, 201);
    let reply = bench.client.put(&"n".repeat(1025), "").await;
    assert_eq!((reply.status, reply.text()), (400, "Object name length of 1025 longer than 1024"));

    let refused = async |headers: &[(String, String)]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = bench.client.put_with("o", &headers, "").await;
        assert_eq!(reply.status, 400);
        reply.text().to_owned()
    };
    let item = |name: &str, value: &str| (format!("x-object-meta-{name}"), value.to_owned());
    let many: Vec<_> = (0..91).map(|number| item(&number.to_string(), "1")).collect();
    let large: Vec<_> = (0..20).map(|number| item(&number.to_string(), &"1".repeat(250))).collect();
    assert_eq!(refused(&[item("", "1")]).await, "Metadata name cannot be empty");
    let long_name = refused(&[item(&"a".repeat(129), "1")]).await;
    assert!(long_name.starts_with("Metadata name too long: x-object-meta-Aaa"), "{long_name}");
    assert_eq!(
        refused(&[item("a-b", &"1".repeat(257))]).await,
        "Metadata value longer than 256: x-object-meta-A-B"
    );
    assert_eq!(refused(&many).await, "Too many metadata items; max 90");
    assert_eq!(refused(&large).await, "Total metadata too large; max 4096");
    assert_eq!(bench.client.put_with("o", &[("x-static-large-object", "true")], "").await.status, 400);
}

#[tokio::test]
async fn a_post_replaces_metadata_and_is_a_touch() {
    let bench = bench().await;
    let put = [("x-object-meta-one", "1"), ("content-type", "text/plain")];
    bench.client.put_with("o", &put, "abc").await;
    let before = bench.client.head("o").await;
    let listed = async || bench.client.list("").await.json()[0]["last_modified"].as_str().unwrap().to_owned();
    let listed_before = listed().await;
    assert_eq!(bench.client.post("o", &[("x-object-meta-two", "2")]).await.status, 202);
    let after = bench.client.get("o").await;
    assert_eq!((after.header("x-object-meta-one"), after.header("x-object-meta-two")), ("", "2"));
    assert_eq!(
        (after.text(), after.header("etag"), after.header("content-type")),
        ("abc", ABC, "text/plain")
    );
    assert!(after.header("x-timestamp") > before.header("x-timestamp"));
    assert!(listed().await > listed_before);

    bench.client.post("o", &[("content-type", "text/new")]).await;
    assert_eq!(bench.client.head("o").await.header("content-type"), "text/new");
    assert_eq!(bench.client.post("none", &[]).await.status, 404);
}

#[tokio::test]
async fn an_object_may_be_put_for_a_time() {
    let bench = bench().await;
    assert_eq!(bench.client.put_with("o", &[("x-delete-after", "100")], "").await.status, 201);
    let at: u64 = bench.client.head("o").await.header("x-delete-at").parse().unwrap();
    assert!(at > 1_700_000_000);
    assert_eq!(bench.client.post("o", &[("x-remove-delete-at", "x")]).await.status, 202);
    assert_eq!(bench.client.head("o").await.header("x-delete-at"), "");
    for (name, value) in [("x-delete-after", "soon"), ("x-delete-after", "0"), ("x-delete-at", "1")] {
        assert_eq!(bench.client.put_with("o", &[(name, value)], "").await.status, 400, "{name}: {value}");
    }
}

#[tokio::test]
async fn copies_are_refused_and_seen() {
    let bench = bench().await;
    bench.client.put("o", "abc").await;
    let copy = Method::from_bytes(b"COPY").unwrap();
    let reply =
        bench.client.ask(copy.clone(), &bench.client.path("o"), &[("destination", "box/p")], "").await;
    assert_eq!(reply.status, 501);
    assert_eq!(bench.client.put_with("p", &[("x-copy-from", "box/o")], "").await.status, 501);
    assert_eq!(bench.fake.count(|request| request.method == copy), 1);
    assert_eq!(bench.fake.object_names("box"), ["o"]);
}
