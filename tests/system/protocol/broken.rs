//! Bodies that end before their time, and paths that are none, written byte by byte: no client library would send them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Site, over_every_backend};
use crate::support::Answer;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};

/// How much is promised, and how much of it comes: on either side of what the Swift backend keeps in memory.
const PROMISED_AND_SENT: [(usize, usize); 4] =
    [(1000, 0), (1000, 999), (5 << 20, 300_000), (5 << 20, 4 << 20)];

/// How a request says where its content ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing {
    /// By its length, of which some is then missing.
    Length(usize),
    /// By a last chunk, which then does not come.
    Chunked,
}

impl Site {
    /// Sends the head of a request and a part of its content.
    fn send_part(&self, line: &str, framing: Framing, part: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.apus.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let framing = match framing {
            Framing::Length(length) => format!("content-length: {length}\r\n\r\n"),
            Framing::Chunked => format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", part.len() + 1),
        };
        let head =
            format!("{line} HTTP/1.1\r\nhost: apus\r\ncontent-type: application/octet-stream\r\n{framing}");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(part).unwrap();
        stream
    }

    /// Sends as much, and no more; then takes the answer.
    pub(super) fn send_part_and_stop(&self, line: &str, framing: Framing, part: &[u8]) -> Answer {
        let mut stream = self.send_part(line, framing, part);
        stream.shutdown(Shutdown::Write).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        parse(&bytes)
    }
}

/// An answer from its bytes.
fn parse(bytes: &[u8]) -> Answer {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HeaderMap = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect();
    Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}

/// A body that is shorter than it said is refused with the cause, in every way to push; the blob is not there, an upload
/// stays where it was, and storage holds what it held before.
async fn a_body_that_ends_early_is_refused(site: &Site) {
    let client = site.client();
    let chunk = random(1_200_000);
    let location = client.patch(&site.begin("a").await, chunk.clone()).await.expect(202).location();
    let before = site.holds().await;
    for (promised, sent) in PROMISED_AND_SENT {
        let content = random(promised);
        let digest = digest(&content);
        let fresh = site.begin("a").await;
        let mut lines = vec![
            format!("PUT {}", with_digest(&fresh, &digest)),
            format!("POST /v2/a/blobs/uploads/?digest={digest}"),
            format!("PATCH {fresh}"),
            format!("PATCH {location}"),
            format!("PUT {}", with_digest(&location, &digest)),
        ];
        // A larger one is refused for its size alone.
        if promised < 4 << 20 {
            lines.push("PUT /v2/a/manifests/latest".to_owned());
        }
        for line in lines {
            for framing in [Framing::Length(promised), Framing::Chunked] {
                let answer = site.send_part_and_stop(&line, framing, &content[..sent]);
                let told = site.refused(answer, 400, "SIZE_INVALID");
                let why = match framing {
                    Framing::Length(length) => format!("it broke off after {sent} bytes of {length}"),
                    Framing::Chunked => format!("it broke off after {sent} bytes"),
                };
                assert!(told.contains(&why), "{line}, {framing:?}: {told}");
            }
        }
        assert_eq!(client.get(&fresh).await.expect(204).header("range"), "0-0");
        assert_eq!(client.get(&location).await.expect(204).header("range"), "0-1199999");
        client.head(&format!("/v2/a/blobs/{digest}")).await.expect(404);
        client.head("/v2/a/manifests/latest").await.expect(404);
        site.holds_again(before.as_ref()).await;
    }
    client.put(&with_digest(&location, &digest(&chunk)), "").await.expect(201);
}

/// A connection that is dropped in the middle of a body leaves nothing that can be read; an upload stays where it was, and
/// goes on from there.
async fn a_dropped_connection_leaves_nothing(site: &Site) {
    let client = site.client();
    let first = random(1_200_000);
    let location = client.patch(&site.begin("a").await, first.clone()).await.expect(202).location();
    let before = site.holds().await;
    for (promised, sent) in PROMISED_AND_SENT {
        let content = random(promised);
        let digest = digest(&content);
        let fresh = site.begin("a").await;
        for line in [
            format!("PUT {}", with_digest(&fresh, &digest)),
            format!("POST /v2/a/blobs/uploads/?digest={digest}"),
            format!("PATCH {location}"),
            format!("PUT {}", with_digest(&location, &digest)),
            "PUT /v2/a/manifests/latest".to_owned(),
        ] {
            for framing in [Framing::Length(promised), Framing::Chunked] {
                drop(site.send_part(&line, framing, &content[..sent]));
            }
        }
        // Nobody is left to be answered, so there is nothing to wait for.
        tokio::time::sleep(Duration::from_millis(300)).await;
        site.holds_again(before.as_ref()).await;
        assert_eq!(client.get(&location).await.expect(204).header("range"), "0-1199999");
        client.head(&format!("/v2/a/blobs/{digest}")).await.expect(404);
        client.head("/v2/a/manifests/latest").await.expect(404);
    }
    let second = random(1000);
    let content = Bytes::from([first, second.clone()].concat());
    let whole = digest(&content);
    client.put(&with_digest(&location, &whole), second).await.expect(201);
    assert!(client.get(&format!("/v2/a/blobs/{whole}")).await.expect(200).body == content);
}

/// A byte that no path can have is refused before anybody asks what the path names.
async fn a_byte_that_no_path_has_is_refused(site: &Site) {
    for bad in ["\0", "a\0b", "a\\b", "..\\..", "\u{7f}", "ä", "a\tb", "<a>"] {
        let line = format!("GET /v2/{bad}/tags/list");
        let answer = site.send_part_and_stop(&line, Framing::Length(0), b"").expect(400);
        site.keeps_to_itself(&answer);
    }
    site.client().get("/v2/").await.expect(200);
}

over_every_backend!(
    a_byte_that_no_path_has_is_refused,
    a_body_that_ends_early_is_refused,
    a_dropped_connection_leaves_nothing,
);
