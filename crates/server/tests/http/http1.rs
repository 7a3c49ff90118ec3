//! HTTP/1.1 as clients speak it: requests one after the other, contents of either framing, heads of any size.

use std::time::Duration;

use apus_server::ServeOptions;

use crate::support::{Site, content, digest, header, push};

/// Requests follow each other on one connection, one by one or all at once; the answers come in order.
#[tokio::test]
async fn many_requests_on_one_connection() {
    let site = Site::start(ServeOptions::default()).await;
    let blob = push(&site.app, "a", "content").await;
    let mut socket = site.connect().await;
    for _ in 0..3 {
        assert_eq!(socket.ask("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await.body(), "{}");
    }
    let body = content(1000);
    let at_once = format!(
        "GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n\
         GET /v2/a/blobs/{blob} HTTP/1.1\r\nhost: a\r\n\r\n\
         POST /v2/a/blobs/uploads/?digest={} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n",
        digest(&body)
    );
    socket
        .send([at_once.as_bytes(), &body, b"GET /v2/none/tags/list HTTP/1.1\r\nhost: a\r\n\r\n"].concat())
        .await;
    assert_eq!(socket.answer().await.body(), "{}");
    assert_eq!(socket.answer().await.body(), "content");
    assert_eq!(socket.answer().await.status(), 201);
    assert_eq!(socket.answer().await.status(), 404);
    socket.send("GET /v2/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!(header(&socket.answer().await, "connection"), "close");
    assert_eq!(socket.rest().await, b"");
}

/// A content of known length and one in chunks are the same content; after either the connection goes on.
#[tokio::test]
async fn either_framing() {
    let site = Site::start(ServeOptions::default()).await;
    let mut socket = site.connect().await;
    let body = content(300_000);
    let line = format!("POST /v2/a/blobs/uploads/?digest={} HTTP/1.1\r\nhost: a\r\n", digest(&body));
    socket.send(format!("{line}content-length: {}\r\n\r\n", body.len())).await;
    assert_eq!(socket.ask(&body).await.status(), 201);
    socket.send(format!("{line}transfer-encoding: chunked\r\n\r\n")).await;
    for chunk in body.chunks(70_000) {
        socket.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await;
    }
    assert_eq!(socket.ask("0\r\n\r\n").await.status(), 201);
    socket.send(format!("{line}transfer-encoding: chunked\r\n\r\n")).await;
    assert_eq!(socket.ask("0\r\n\r\n").await.status(), 400, "empty, and so of another digest");
    assert_eq!(socket.ask("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await.status(), 200);
}

/// A client that has shut its side still gets its answer.
#[tokio::test]
async fn a_client_that_has_said_all_is_answered() {
    let site = Site::start(ServeOptions::default()).await;
    let mut socket = site.connect().await;
    socket.send("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await;
    socket.shut().await;
    assert_eq!(socket.answer().await.status(), 200);
    assert_eq!(socket.rest().await, b"");
}

/// A head that is larger than its bound is told so, and the connection is closed: by one large header, by many, by a long path,
/// by one that does not end, and by fields behind the content.
#[tokio::test]
async fn a_head_has_a_bound() {
    let site = Site::start(ServeOptions { head_limit: 20_000, ..ServeOptions::default() }).await;
    let large = "x".repeat(19_000);
    let mut socket = site.connect().await;
    let below = socket.ask(&format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nauthorization: {large}\r\n\r\n")).await;
    assert_eq!(below.status(), 200);
    for head in [
        format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nauthorization: {large}{large}\r\n\r\n"),
        format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nauthorization: {large}{large}"),
        format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nx: {large}\r\ny: {large}\r\n\r\n"),
        format!("GET /v2/ HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(200)),
        format!("GET /v2/?{large}{large} HTTP/1.1\r\nhost: a\r\n\r\n"),
        large.repeat(50),
    ] {
        let mut socket = site.connect().await;
        socket.try_send(&head).await;
        let answer = socket.answer().await;
        assert_eq!(answer.status(), 431, "{}", &head[..60]);
        assert_eq!(socket.rest().await, b"", "{}", &head[..60]);
    }
    let mut socket = site.connect().await;
    socket.send("POST /v2/a/blobs/uploads/?digest=sha256:0 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await;
    socket.try_send(format!("0\r\nx: {large}{large}\r\n\r\n")).await;
    assert_eq!(socket.answer().await.status(), 400);
    socket.rest().await;
}

/// A drain lets a request under way come to its end, and closes what is idle.
#[tokio::test]
async fn a_drain_waits_for_requests() {
    let mut site = Site::start(ServeOptions::default()).await;
    let (mut idle, mut fresh, mut busy) = (site.connect().await, site.connect().await, site.connect().await);
    idle.ask("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let head = format!(
        "POST /v2/a/blobs/uploads/?digest={} HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n",
        digest(b"late")
    );
    assert_eq!(busy.ask(&head).await.status(), 100);
    site.stop();
    assert_eq!((idle.rest().await, fresh.rest().await), (Vec::new(), Vec::new()));
    assert_eq!(busy.ask("late").await.status(), 201);
    assert_eq!(busy.rest().await, b"");
    assert!(site.drained().await);
}

/// A drain has an end: then what is still under way is cut off.
#[tokio::test]
async fn a_drain_has_an_end() {
    let options = ServeOptions { drain_timeout: Duration::from_millis(100), ..ServeOptions::default() };
    let mut site = Site::start(options).await;
    let mut busy = site.connect().await;
    let head =
        "PUT /v2/a/manifests/x HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
    assert_eq!(busy.ask(head).await.status(), 100);
    site.stop();
    assert!(!site.drained().await);
    assert_eq!(busy.rest().await, b"");
}
