//! Against a peer that plays a script over a bare socket.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::body::{BoxError, ByteStream};

mod proxies;
mod tls;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SHORT: Duration = Duration::from_millis(200);

/// A peer on a free port that runs `script` for each connection, one after the other; the task gives what the last one
/// answered.
async fn peer<F, Fut>(connections: usize, script: F) -> (String, JoinHandle<String>)
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = String> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut last = String::new();
        for _ in 0..connections {
            let (socket, _) = listener.accept().await.unwrap();
            last = script(socket).await;
        }
        last
    });
    (url, task)
}

/// Reads until `end` was read or the connection ended.
async fn read_until(socket: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&read).ends_with(end) {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8(read).unwrap()
}

fn client(change: impl FnOnce(&mut Options)) -> HttpClient {
    let mut options = Options::default();
    change(&mut options);
    HttpClient::new(options).unwrap()
}

fn put(url: &str, body: impl Into<RequestBody>) -> Request<RequestBody> {
    Request::builder().method(Method::PUT).uri(url).body(body.into()).unwrap()
}

fn get(url: &str) -> Request<RequestBody> {
    Request::builder().uri(url).body(RequestBody::empty()).unwrap()
}

fn pieces(pieces: &[&'static [u8]]) -> ByteStream {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
    Box::pin(stream::iter(pieces))
}

/// Pieces, then nothing for ever.
fn stalled(first: &'static [u8]) -> ByteStream {
    Box::pin(pieces(&[first]).chain(stream::pending()))
}

#[tokio::test]
async fn lengths_are_said_as_they_are_known() {
    let cases: [(RequestBody, &str, &str); 3] = [
        (RequestBody::empty(), "content-length: 0\r\n", ""),
        (RequestBody::stream(Some(5), pieces(&[b"abc", b"de"])), "content-length: 5\r\n", "abcde"),
        (
            RequestBody::stream(None, pieces(&[b"abc", b"de"])),
            "transfer-encoding: chunked\r\n",
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        ),
    ];
    for (body, header, sent) in cases {
        let end = if sent.is_empty() { "\r\n\r\n".to_owned() } else { format!("\r\n\r\n{sent}") };
        let expected = end.clone();
        let (url, peer) = peer(1, move |mut socket| {
            let end = end.clone();
            async move {
                let request = read_until(&mut socket, &end).await;
                socket.write_all(OK).await.unwrap();
                request
            }
        })
        .await;
        let response = client(|_| ()).send(put(&url, body)).await.unwrap();
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.body.collect(2).await.unwrap(), "ok");
        let request = peer.await.unwrap();
        assert!(request.contains(header), "{request}");
        assert!(request.contains("user-agent: apus\r\n"), "{request}");
        assert!(request.ends_with(&expected), "{request}");
    }
}

#[tokio::test]
async fn a_refused_body_is_not_sent_and_comes_back() {
    let (url, peer) = peer(1, |mut socket| async move {
        let head = read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert!(head.contains("expect: 100-continue\r\n"), "{head}");
        read_until(&mut socket, "end of the connection").await
    })
    .await;
    let body = RequestBody::stream(None, pieces(&[b"abc"]));
    let response = client(|_| ()).send_expecting(put(&url, body), Duration::from_secs(30)).await.unwrap();
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    assert!(response.unsent.is_some());
    drop(response);
    assert_eq!(peer.await.unwrap(), "");
}

#[tokio::test]
async fn a_wanted_body_is_sent_when_it_is_asked_for() {
    let (url, peer) = peer(1, |mut socket| async move {
        read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let body = read_until(&mut socket, "abc").await;
        socket.write_all(OK).await.unwrap();
        body
    })
    .await;
    let body = RequestBody::stream(Some(3), pieces(&[b"abc"]));
    let response = client(|_| ()).send_expecting(put(&url, body), Duration::from_secs(30)).await.unwrap();
    assert!(response.unsent.is_none());
    assert_eq!(peer.await.unwrap(), "abc");
}

#[tokio::test]
async fn a_peer_that_does_not_know_the_expectation_gets_the_body_after_a_while() {
    let (url, peer) = peer(1, |mut socket| async move {
        read_until(&mut socket, "\r\n\r\n").await;
        let body = read_until(&mut socket, "abc").await;
        socket.write_all(OK).await.unwrap();
        body
    })
    .await;
    let body = RequestBody::stream(Some(3), pieces(&[b"abc"]));
    let response = client(|_| ()).send_expecting(put(&url, body), SHORT).await.unwrap();
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(peer.await.unwrap(), "abc");
}

#[tokio::test]
async fn the_callers_error_comes_back_and_the_peer_sees_no_whole_body() {
    #[derive(Debug, thiserror::Error)]
    #[error("refused")]
    struct Refused;

    let (url, peer) = peer(1, |mut socket| async move { read_until(&mut socket, "0\r\n\r\n").await }).await;
    let stream = pieces(&[b"abc"]).chain(stream::iter([Err(BoxError::from(Refused))]));
    let body = RequestBody::stream(None, Box::pin(stream));
    let failure = client(|_| ()).send(put(&url, body)).await.unwrap_err();
    let Error::Body { source } = failure.error else { panic!("{failure:?}") };
    assert!(source.is::<Refused>());
    assert!(!peer.await.unwrap().ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn a_dropped_request_is_never_seen_whole() {
    let (url, peer) = peer(1, |mut socket| async move { read_until(&mut socket, "abcdef").await }).await;
    let (gate, opened) = tokio::sync::oneshot::channel::<()>();
    let rest = stream::once(async move {
        let _ = opened.await;
        Ok(Bytes::from_static(b"def"))
    });
    let body = RequestBody::stream(Some(6), Box::pin(pieces(&[b"abc"]).chain(rest)));
    let client = client(|_| ());
    let sent = timeout(SHORT, client.send(put(&url, body))).await;
    assert!(sent.is_err(), "it waits for the rest of the body");
    drop(gate);
    assert!(peer.await.unwrap().ends_with("\r\n\r\nabc"));
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let body = RequestBody::stream(None, pieces(&[b"abc"]));
    let failure = client(|_| ()).send(put(&url, body)).await.unwrap_err();
    assert!(
        matches!(&failure.error, Error::Connect { to, .. } if to.starts_with("127.0.0.1:")),
        "{failure:?}"
    );
    assert!(failure.unsent.is_some());
}

#[tokio::test]
async fn a_url_without_a_host_cannot_be_sent() {
    let failure = client(|_| ()).send(get("/path")).await.unwrap_err();
    assert!(matches!(failure.error, Error::Request { .. }), "{failure:?}");
}

#[tokio::test]
async fn each_stage_has_its_time_out() {
    let patient = Duration::from_secs(30);
    let quick_answer = client(|options| options.answer_timeout = SHORT);
    let (silent, _peer) = peer(1, |mut socket| async move { read_until(&mut socket, "never").await }).await;
    let failure = quick_answer.send(get(&silent)).await.unwrap_err();
    assert!(matches!(failure.error, Error::Timeout { stage: Stage::Answer, .. }), "{failure:?}");

    let idle = client(|options| (options.idle_timeout, options.answer_timeout) = (SHORT, patient));
    let (silent, _peer) = peer(1, |mut socket| async move { read_until(&mut socket, "never").await }).await;
    let body = RequestBody::stream(None, stalled(b"abc"));
    let failure = idle.send(put(&silent, body)).await.unwrap_err();
    assert!(matches!(failure.error, Error::Timeout { stage: Stage::CallerBody, .. }), "{failure:?}");

    let (deaf, _peer) = peer(1, |socket| async move {
        sleep(Duration::from_secs(20)).await;
        drop(socket);
        String::new()
    })
    .await;
    let endless = stream::repeat_with(|| Ok(Bytes::from(vec![0; 1 << 16])));
    let body = RequestBody::stream(None, Box::pin(endless));
    let failure = idle.send(put(&deaf, body)).await.unwrap_err();
    assert!(matches!(failure.error, Error::Timeout { stage: Stage::SendBody, .. }), "{failure:?}");

    let (stops, _peer) = peer(1, |mut socket| async move {
        read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();
        read_until(&mut socket, "never").await
    })
    .await;
    let response = idle.send(get(&stops)).await.unwrap();
    let error = response.body.collect(9).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { stage: Stage::ReadBody, .. }), "{error:?}");

    // Only the handshake of TLS waits here: TCP connects at once.
    let quick_connect = client(|options| options.connect_timeout = SHORT);
    let (silent, _peer) = peer(1, |mut socket| async move { read_until(&mut socket, "never").await }).await;
    let failure = quick_connect.send(get(&silent.replace("http:", "https:"))).await.unwrap_err();
    assert!(matches!(failure.error, Error::Timeout { stage: Stage::Connect, .. }), "{failure:?}");
}

#[tokio::test]
async fn what_goes_on_is_not_timed_out() {
    let brisk = client(|options| (options.idle_timeout, options.answer_timeout) = (SHORT * 2, SHORT * 2));
    let (url, _peer) = peer(1, |mut socket| async move {
        read_until(&mut socket, "0\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").await.unwrap();
        for _ in 0..6 {
            sleep(SHORT / 2).await;
            socket.write_all(b"x").await.unwrap();
        }
        String::new()
    })
    .await;
    let slow = stream::iter(0..6).then(|_| async {
        sleep(SHORT / 2).await;
        Ok(Bytes::from_static(b"x"))
    });
    let body = RequestBody::stream(None, Box::pin(slow));
    let mut response = brisk.send(put(&url, body)).await.unwrap();
    let first = response.body.try_next().await.unwrap().unwrap();
    // A reader may take its time.
    sleep(SHORT * 3).await;
    let rest = response.body.collect(6).await.unwrap();
    assert_eq!(first.len() + rest.len(), 6);
}

#[tokio::test]
async fn a_short_answer_is_an_error_and_a_long_one_is_not_taken_in() {
    let script = |mut socket: TcpStream| async move {
        read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdef").await.unwrap();
        String::new()
    };
    let (url, _peer) = peer(2, script).await;
    let client = client(|_| ());
    let error = client.send(get(&url)).await.unwrap().body.collect(9).await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
    let error = client.send(get(&url)).await.unwrap().body.collect(5).await.unwrap_err();
    assert!(matches!(error, Error::TooLong { limit: 5 }), "{error:?}");
}

#[tokio::test]
async fn a_request_waits_for_its_turn() {
    let (url, _peer) = peer(1, |mut socket| async move {
        for _ in 0..2 {
            read_until(&mut socket, "\r\n\r\n").await;
            socket.write_all(OK).await.unwrap();
        }
        read_until(&mut socket, "never").await
    })
    .await;
    let narrow = client(|options| (options.max_requests, options.idle_timeout) = (1, SHORT));
    let first = narrow.send(get(&url)).await.unwrap();
    let failure = narrow.send(get(&url)).await.unwrap_err();
    assert!(matches!(failure.error, Error::Timeout { stage: Stage::Permit, .. }), "{failure:?}");
    first.body.collect(2).await.unwrap();
    // The second request goes over the same connection: the peer accepts only one.
    narrow.send(get(&url)).await.unwrap().body.collect(2).await.unwrap();
}

#[tokio::test]
async fn requests_of_another_limit_pass() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let (url, _peer) = peer(2, move |mut socket| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::spawn(async move {
                while !read_until(&mut socket, "\r\n\r\n").await.is_empty() {
                    socket.write_all(OK).await.unwrap();
                }
            });
            String::new()
        }
    })
    .await;
    let narrow = client(|options| options.max_requests = 1);
    let _held = narrow.send(get(&url)).await.unwrap();
    narrow.with_own_limit(1).send(get(&url)).await.unwrap().body.collect(2).await.unwrap();
    assert!(connections.load(Ordering::Relaxed) <= 2);
}
