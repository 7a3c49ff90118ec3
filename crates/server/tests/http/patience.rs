//! Clients that are slow in one way or another: each is waited for so long, and then its place is free.

use std::time::{Duration, Instant};

use apus_server::{AppOptions, ServeOptions};

use crate::frames::{ACK, Frame, GO_AWAY, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE};
use crate::support::{LIMIT, Site, app, content, push};

const SHORT: Duration = Duration::from_millis(300);

/// With one place.
fn impatient() -> ServeOptions {
    ServeOptions {
        connections: 1,
        head_timeout: LIMIT,
        stall_timeout: LIMIT,
        http2: true,
        ..ServeOptions::default()
    }
}

/// A head that does not come to its end, between two requests as on a new connection, with HTTP/2 possible or not.
#[tokio::test]
async fn a19_a_head_is_waited_for() {
    for http2 in [false, true] {
        let site = Site::start(ServeOptions { head_timeout: SHORT, http2, ..impatient() }).await;
        for begin in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM", "GET /v2/ HTTP/1.1\r\nhost"] {
            let begun = Instant::now();
            let mut socket = site.connect().await;
            socket.send(begin).await;
            site.has_place().await;
            assert!(begun.elapsed() >= SHORT, "{begin:?}, HTTP/2: {http2}");
        }
        let begun = Instant::now();
        let mut idle = site.connect().await;
        assert_eq!(idle.ask("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await.status(), 200);
        site.has_place().await;
        assert!(begun.elapsed() >= SHORT, "HTTP/2: {http2}");
    }
}

/// A content that does not come to its end is answered, and the connection is closed.
#[tokio::test]
async fn a19_a_content_is_waited_for() {
    let app = app(AppOptions { idle_timeout: SHORT, ..AppOptions::default() });
    let site = Site::serving(app, impatient()).await;
    for line in [
        "PUT /v2/a/manifests/x".to_owned(),
        format!("POST /v2/a/blobs/uploads/?digest=sha256:{}", "0".repeat(64)),
    ] {
        let begun = Instant::now();
        let mut socket = site.connect().await;
        let answer =
            socket.ask(format!("{line} HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf")).await;
        assert_eq!(answer.status(), 400, "{line}");
        let told = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(told.contains("SIZE_INVALID") && told.contains("after 4 bytes of 10 none came"), "{told}");
        assert_eq!(socket.rest().await, b"");
        assert!(begun.elapsed() >= SHORT);
    }
    site.has_place().await;
}

/// A client that stops to read an answer loses its connection, and with it all that was kept for it.
#[tokio::test]
async fn a19_an_answer_must_be_taken() {
    // More than the system would keep for it on the way.
    let blob = content(64 << 20);
    for http2 in [false, true] {
        let site = Site::start(ServeOptions { stall_timeout: SHORT, http2, ..impatient() }).await;
        let digest = push(&site.app, "a", blob.clone()).await;
        let begun = Instant::now();
        let mut socket = site.connect().await;
        socket.send(format!("GET /v2/a/blobs/{digest} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert_eq!(socket.head().await.status(), 200);
        site.has_place().await;
        assert!(begun.elapsed() >= SHORT);
        assert!(socket.rest().await.len() < blob.len(), "it was cut off");
    }
}

/// One stream of HTTP/2 whose window stays shut is reset; the connection goes on.
#[tokio::test]
async fn a19_a_stream_must_be_taken() {
    let site = Site::start(ServeOptions { stall_timeout: SHORT, ..impatient() }).await;
    let digest = push(&site.app, "a", content(3 << 20)).await;
    let mut socket = site.connect().await;
    socket.send(PREFACE).await;
    // SETTINGS_INITIAL_WINDOW_SIZE: streams begin with a window of nothing.
    socket.send_frame(Frame::new(SETTINGS, 0, 0, [0, 4, 0, 0, 0, 0])).await;
    let begun = Instant::now();
    socket.send_frame(Frame::get(1, &format!("/v2/a/blobs/{digest}"))).await;
    let (mut answered, mut reset) = (false, None);
    while reset.is_none() {
        let frame = socket.frame_but(&[SETTINGS, PING, WINDOW_UPDATE]).await;
        assert_eq!(frame.stream, 1, "{frame:?}");
        match frame.kind {
            RST_STREAM => reset = Some(frame.payload),
            _ => answered = true,
        }
    }
    assert!(answered && begun.elapsed() >= SHORT);
    assert_eq!(reset.unwrap(), [0, 0, 0, 8], "CANCEL");
    socket.send_frame(Frame::new(PING, 0, 0, *b"lively?!")).await;
    let pong = Frame::new(PING, ACK, 0, *b"lively?!");
    while socket.frame_but(&[SETTINGS]).await != pong {}
}

/// A connection of HTTP/2 on which nothing is asked ends, whether its client answers pings or not.
#[tokio::test]
async fn a19_an_idle_connection_of_http2_ends() {
    let site = Site::start(ServeOptions { head_timeout: SHORT, ..impatient() }).await;
    let begun = Instant::now();
    let mut socket = site.connect().await;
    socket.send(PREFACE).await;
    socket.send_frame(Frame::new(SETTINGS, 0, 0, [])).await;
    let mut went = false;
    while !went {
        let frame = socket.frame_but(&[SETTINGS]).await;
        match frame.kind {
            PING if frame.flags != ACK => socket.send_frame(Frame::new(PING, ACK, 0, frame.payload)).await,
            kind => went = kind == GO_AWAY,
        }
    }
    assert!(begun.elapsed() >= SHORT);
    site.has_place().await;

    // One that says nothing at all any more.
    let mut silent = site.connect().await;
    silent.send(PREFACE).await;
    silent.send_frame(Frame::new(SETTINGS, 0, 0, [])).await;
    site.has_place().await;
}
