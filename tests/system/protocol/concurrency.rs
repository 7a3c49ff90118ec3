//! A thousand requests of all kinds at the same time: each gets the answer that it would get alone, and what was pushed is there.

use std::process::Command;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use super::manifests::{OCI_IMAGE, image, put};
use super::{Site, over_every_backend};
use crate::support::client::{RequestBody, full, with_digest};
use crate::support::content::{digest, random};
use crate::support::{Answer, Client};

/// So many guests each have as many requests as there are kinds.
const GUESTS: usize = 50;
const KINDS: usize = 20;
/// Open files that a thousand connections need, and those behind them to Swift.
const OPEN_FILES: u64 = 4096;

/// What a guest has in its repository, and has yet to bring.
struct Guest {
    repository: String,
    /// In the repository before and after.
    kept: Bytes,
    kept_image: Bytes,
    /// In the repository before, and deleted by one of the requests.
    doomed: Bytes,
    doomed_image: Bytes,
    /// Brought in the ways to push a blob: by POST, by PUT, by PATCH and a later PUT, by PATCH before and PUT.
    brought: [Bytes; 4],
    uploads: [String; 3],
    brought_images: [Bytes; 2],
}

/// A request, and the status that it is to have.
struct Shot {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    status: u16,
}

impl Guest {
    async fn arrive(client: Client, number: usize) -> Self {
        let repository = format!("guest/{number}");
        let (kept, doomed) = (random(3000), random(3000));
        let layer = client.push(&repository, kept.clone()).await;
        client.push(&repository, doomed.clone()).await;
        let subject = json!({ "mediaType": OCI_IMAGE, "digest": digest(b"subject"), "size": 7 });
        let images = [0, 1, 2, 3].map(|number| {
            let mut image: serde_json::Value = serde_json::from_slice(&image(OCI_IMAGE, &layer)).unwrap();
            image["annotations"] = json!({ "number": format!("{repository} {number}") });
            image["subject"] = subject.clone();
            Bytes::from(image.to_string())
        });
        let [kept_image, doomed_image, one, other] = images;
        for (tag, image) in [("kept", &kept_image), ("doomed", &kept_image), ("with-it", &doomed_image)] {
            let path = format!("/v2/{repository}/manifests/{tag}");
            put(client, &path, OCI_IMAGE, image).await.expect(201);
        }
        let brought = [random(2000), random(2000), random(2000), random(2000)];
        let begin = || async {
            client.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202).location()
        };
        let begun = begin().await;
        let patched = client.patch(&begun, brought[3].clone()).await.expect(202).location();
        let uploads = [begin().await, begin().await, patched];
        let brought_images = [one, other];
        Self { repository, kept, kept_image, doomed, doomed_image, brought, uploads, brought_images }
    }

    fn blob(&self, content: &[u8]) -> String {
        format!("/v2/{}/blobs/{}", self.repository, digest(content))
    }

    fn manifest(&self, reference: &str) -> String {
        format!("/v2/{}/manifests/{reference}", self.repository)
    }

    fn shots(&self) -> [Shot; KINDS] {
        let repository = &self.repository;
        let [posted, put, patched, finished] = &self.brought;
        let [put_url, patch_url, finish_url] = &self.uploads;
        let [by_tag, by_digest] = &self.brought_images;
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        let shot = |method: Method, path: String, status: u16| Shot {
            method,
            path,
            headers: Vec::new(),
            body: Bytes::new(),
            status,
        };
        let with = |shot: Shot, body: &Bytes| Shot { body: body.clone(), ..shot };
        let with_image = |shot: Shot, body: &Bytes| Shot {
            headers: vec![("content-type", OCI_IMAGE.to_owned())],
            ..with(shot, body)
        };
        let lacking = image(OCI_IMAGE, &digest(b"nobody has this"));
        let both = format!("{}?tag=by-digest&tag=too", digest(by_digest));
        let mount =
            format!("/v2/of-{repository}/blobs/uploads/?mount={}&from={repository}", digest(&self.kept));
        [
            with(shot(Method::POST, format!("{uploads}?digest={}", digest(posted)), 201), posted),
            with(shot(Method::PUT, with_digest(put_url, &digest(put)), 201), put),
            with(shot(Method::PATCH, patch_url.clone(), 202), patched),
            shot(Method::PUT, with_digest(finish_url, &digest(finished)), 201),
            shot(Method::POST, mount, 201),
            shot(Method::HEAD, self.blob(&self.kept), 200),
            shot(Method::GET, self.blob(&self.kept), 200),
            Shot {
                headers: vec![("range", "bytes=100-199".to_owned())],
                ..shot(Method::GET, self.blob(&self.kept), 206)
            },
            shot(Method::GET, self.manifest("kept"), 200),
            shot(Method::HEAD, self.manifest(&digest(&self.kept_image)), 200),
            with_image(shot(Method::PUT, self.manifest("by-tag"), 201), by_tag),
            with_image(shot(Method::PUT, self.manifest(&both), 201), by_digest),
            shot(Method::GET, format!("/v2/{repository}/tags/list"), 200),
            shot(Method::GET, "/v2/_catalog?n=7".to_owned(), 200),
            shot(Method::GET, format!("/v2/{repository}/referrers/{}", digest(b"subject")), 200),
            shot(Method::DELETE, self.blob(&self.doomed), 202),
            shot(Method::DELETE, self.manifest("doomed"), 202),
            shot(Method::DELETE, self.manifest(&digest(&self.doomed_image)), 202),
            with_image(shot(Method::PUT, self.manifest("lacking"), 400), &lacking),
            with(shot(Method::POST, format!("{uploads}?digest={}", digest(b"other")), 400), posted),
        ]
    }

    /// Everything is as the requests have left it.
    async fn is_content(&self, client: Client) {
        let [posted, put, patched, finished] = &self.brought;
        // The upload that had only its chunk goes on.
        let status = client.get(&self.uploads[1]).await.expect(204);
        client.put(&with_digest(&status.location(), &digest(patched)), "").await.expect(201);
        for content in [posted, put, patched, finished, &self.kept] {
            assert!(client.get(&self.blob(content)).await.expect(200).body == *content);
        }
        let mounted = self.blob(&self.kept).replace("/v2/", "/v2/of-");
        assert!(client.get(&mounted).await.expect(200).body == self.kept);
        let [by_tag, by_digest] = &self.brought_images;
        for (tag, image) in
            [("kept", &self.kept_image), ("by-tag", by_tag), ("by-digest", by_digest), ("too", by_digest)]
        {
            for reference in [tag, &digest(image)] {
                assert!(
                    client.get(&self.manifest(reference)).await.expect(200).body == *image,
                    "{reference}"
                );
            }
        }
        client.head(&self.blob(&self.doomed)).await.expect(404);
        for gone in ["doomed", "with-it", "lacking", &digest(&self.doomed_image)] {
            client.head(&self.manifest(gone)).await.expect(404);
        }
        let list = |answer: Answer| -> serde_json::Value { serde_json::from_slice(&answer.body).unwrap() };
        let tags = list(client.get(&format!("/v2/{}/tags/list", self.repository)).await.expect(200));
        assert_eq!(tags["tags"], json!(["by-digest", "by-tag", "kept", "too"]));
        let path = format!("/v2/{}/referrers/{}", self.repository, digest(b"subject"));
        let referrers = list(client.get(&path).await.expect(200));
        let mut found: Vec<_> = referrers["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|referrer| referrer["digest"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        let mut expected = [&self.kept_image, by_tag, by_digest].map(|image| digest(image));
        expected.sort();
        assert_eq!(found, expected);
    }
}

impl Shot {
    async fn fire(self, mut sender: SendRequest<RequestBody>) -> Answer {
        let mut request = Request::builder().method(&self.method).uri(&self.path).header("host", "apus");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = sender.send_request(request.body(full(self.body)).unwrap()).await;
        let (head, body) =
            answer.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path)).into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: head.status, headers: head.headers, body };
        assert_eq!(answer.status, self.status, "{} {}: {answer:?}", self.method, self.path);
        answer
    }
}

/// Allows a process the files that it needs, where the limit of the shell does not: each connection is one.
fn allow_open_files(process: u32) {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let limit = files.split_whitespace().next().unwrap();
    if limit.parse().is_ok_and(|limit: u64| limit < OPEN_FILES) {
        let (process, limit) = (process.to_string(), format!("--nofile={OPEN_FILES}:"));
        let status = Command::new("prlimit").args(["--pid", &process, &limit]).status();
        assert!(status.is_ok_and(|status| status.success()), "needs `ulimit -n {OPEN_FILES}`");
    }
}

/// A thousand requests are in flight at the same time. None fails, breaks or is answered with less than it would be alone;
/// afterwards each thing that was pushed is there with its bytes, and each that was deleted is not.
async fn a_thousand_requests_at_once(site: &Site) {
    allow_open_files(std::process::id());
    allow_open_files(site.apus.pid());
    let client = site.client();
    let guests: Vec<Guest> =
        stream::iter(0..GUESTS).map(|number| Guest::arrive(client, number)).buffered(8).collect().await;
    // All connections first, so that nothing is answered before the last one is there.
    let address = site.apus.address();
    let connections: Vec<SendRequest<RequestBody>> = stream::iter(0..GUESTS * KINDS)
        .map(|_| async move {
            let stream = TokioIo::new(TcpStream::connect(address).await?);
            let (sender, connection) = http1::handshake(stream).await.map_err(std::io::Error::other)?;
            tokio::spawn(connection);
            std::io::Result::Ok(sender)
        })
        .buffered(64)
        .try_collect()
        .await
        .unwrap();
    // Each kind from all guests in turn, so that those at the front are of all kinds.
    let mut shots: Vec<_> = guests.iter().flat_map(Guest::shots).collect();
    assert_eq!(shots.len(), 1000);
    let stride = 7 * KINDS + 3;
    let mut mixed = Vec::new();
    let mut place = 0;
    while !shots.is_empty() {
        place = (place + stride) % shots.len();
        mixed.push(shots.swap_remove(place));
    }
    let answers =
        future::join_all(mixed.into_iter().zip(connections).map(|(shot, sender)| shot.fire(sender))).await;
    assert_eq!(answers.len(), 1000);
    stream::iter(&guests).for_each_concurrent(8, |guest| guest.is_content(client)).await;
}

over_every_backend!(a_thousand_requests_at_once);
