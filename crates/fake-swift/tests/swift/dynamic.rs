//! Dynamic large objects.

use apus_fake_swift::Options;

use crate::client::{Bench, bench, bench_with};

/// A store with the object `o` of three segments.
async fn dynamic(options: Options) -> Bench {
    let bench = bench_with(options).await;
    for (name, data) in [("s/1", "111"), ("s/2", "222"), ("s/3", "333")] {
        bench.fake.put_object("box", name, data);
    }
    let headers = [("x-object-manifest", "box/s/"), ("x-object-meta-mine", "yes")];
    assert_eq!(bench.client.put_with("o", &headers, "").await.status, 201);
    bench
}

#[tokio::test]
async fn it_reads_as_all_that_begin_so() {
    let bench = dynamic(Options::default()).await;
    let get = bench.client.get("o").await;
    assert_eq!((get.status, get.text(), get.header("x-object-manifest")), (200, "111222333", "box/s/"));
    assert!(get.header("etag").starts_with('"'));
    let head = bench.client.head("o").await;
    assert_eq!((head.header("content-length"), head.header("etag")), ("9", get.header("etag")));
    let not_modified = bench.client.get_with("o", &[("if-none-match", get.header("etag"))]).await;
    assert_eq!(not_modified.status, 304);

    bench.fake.put_object("box", "s/4", "4");
    assert_eq!(bench.client.get("o").await.text(), "1112223334");
    assert_eq!(bench.client.list("prefix=o").await.json()[0]["bytes"], 0);
    assert_eq!(bench.client.get("o?multipart-manifest=get").await.text(), "");
}

#[tokio::test]
async fn it_answers_one_range() {
    let bench = dynamic(Options::default()).await;
    let range = async |range: &str| {
        let reply = bench.client.get_with("o", &[("range", &format!("bytes={range}"))]).await;
        (reply.status, reply.header("content-range").to_owned(), reply.text().to_owned())
    };
    assert_eq!(range("2-4").await, (206, "bytes 2-4/9".into(), "122".into()));
    assert_eq!(range("-2").await, (206, "bytes 7-8/9".into(), "33".into()));
    assert_eq!(range("0-1,3-4").await, (200, String::new(), "111222333".into()));
    let (status, content_range, _) = range("9-").await;
    assert_eq!((status, content_range.as_str()), (416, "bytes */9"));
}

#[tokio::test]
async fn beyond_a_page_its_size_is_unknown() {
    let bench = dynamic(Options { container_listing_limit: 2, ..Options::default() }).await;
    assert_eq!(bench.client.head("o").await.header("content-length"), "0");
    let get = bench.client.get("o").await;
    assert_eq!((get.text(), get.header("content-length")), ("111222333", ""));
    let early = bench.client.get_with("o", &[("range", "bytes=1-3")]).await;
    assert_eq!((early.status, early.text()), (206, "112"));
    let late = bench.client.get_with("o", &[("range", "bytes=6-")]).await;
    assert_eq!((late.status, late.text()), (200, "111222333"));
}

#[tokio::test]
async fn a_post_without_the_manifest_takes_it_away() {
    let bench = dynamic(Options::default()).await;
    bench.client.post("o", &[("x-object-meta-new", "1")]).await;
    assert_eq!(bench.client.get("o").await.text(), "");
    bench.client.post("o", &[("x-object-manifest", "box/s/")]).await;
    assert_eq!(bench.client.get("o").await.text(), "111222333");
}

#[tokio::test]
async fn its_header_is_checked_and_unquoted() {
    let bench = bench().await;
    bench.fake.put_object("box", "s 1", "1");
    for bad in ["box", "box/", "/box", "box//s", "box/s?x"] {
        assert_eq!(bench.client.put_with("o", &[("x-object-manifest", bad)], "").await.status, 400, "{bad}");
    }
    bench.client.put_with("o", &[("x-object-manifest", "box/s%20")], "").await;
    assert_eq!(bench.client.get("o").await.text(), "1");
    bench.client.put_with("none", &[("x-object-manifest", "other/s")], "").await;
    assert_eq!(bench.client.get("none").await.status, 404);
}
