//! Upstreams that break off, that poison and that send elsewhere, as a client of the cache sees them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::{Method, Request};
use tokio::sync::Semaphore;

use super::scripted::{Scripted, answer, streamed};
use super::{cache, cache_of};
use crate::support::client::{BoxError, full};
use crate::support::content::{digest, random};
use crate::support::swift::{Container, object_names};
use crate::support::{Apus, Backend, Client};

const SIZE: usize = 8 << 20;

/// Reads an answer to its end, or until it breaks.
async fn read(client: Client, path: &str) -> (u16, Bytes, Result<(), BoxError>) {
    let request = Request::get(path).header("host", "apus").body(full("")).unwrap();
    let answer = client.try_open(request).await.unwrap();
    let (status, mut body, mut whole) = (answer.status().as_u16(), answer.into_body(), Vec::new());
    loop {
        match body.frame().await {
            Some(Ok(frame)) => whole.extend_from_slice(&frame.into_data().unwrap()),
            Some(Err(error)) => return (status, whole.into(), Err(error.into())),
            None => return (status, whole.into(), Ok(())),
        }
    }
}

/// Half of a layer, and then the connection breaks, as soon as a client has that half.
fn half(layer: &Bytes, gate: &Arc<Semaphore>) -> super::scripted::Answer {
    let (first, gate) = (layer.slice(..SIZE / 2), Arc::clone(gate));
    let broken = stream::once(async move {
        gate.acquire().await?.forget();
        Err::<Bytes, BoxError>("cut".into())
    });
    streamed(SIZE, SyncPieces(stream::iter([Ok(first)]).chain(broken).boxed().into()))
}

/// A stream that one task alone looks at, as one that several could.
struct SyncPieces(std::sync::Mutex<stream::BoxStream<'static, Result<Bytes, BoxError>>>);

impl futures_util::Stream for SyncPieces {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.get_mut().0.get_mut().unwrap().poll_next_unpin(context)
    }
}

/// Where a range begins.
fn first_of(range: &str) -> Option<usize> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

/// Promise: an upstream that is cut in mid-body and comes back is asked for the rest, and no client notices; one that does
/// not come back breaks the clients' connections, and leaves nothing behind, in the filesystem and in Swift.
#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_cut_leaves_nothing_wrong_behind() {
    for backend in [Backend::filesystem(), Backend::swift_v1()] {
        let layer = random(SIZE);
        let (path, gate) = (format!("/v2/a/blobs/{}", digest(&layer)), Arc::new(Semaphore::new(0)));
        let (served, opened) = (layer.clone(), Arc::clone(&gate));
        let upstream = Scripted::start(move |asked| {
            if !asked.range.is_empty() || !asked.path.contains("/blobs/") {
                answer(404, &[], "")
            } else {
                half(&served, &opened)
            }
        })
        .await;
        let apus = cache_of(&upstream.url(), &backend);
        let reading = tokio::spawn({
            let (client, path) = (apus.client(), path.clone());
            async move { read(client, &path).await }
        });
        gate.add_permits(1);
        let (_, part, end) = reading.await.unwrap();
        assert!(end.is_err() || part.len() < SIZE);
        assert!(layer.starts_with(&part) || part.len() < 1000, "{} bytes", part.len());
        apus.until_it_logs("could not be fetched").await;
        assert_eq!(apus.client().get("/v2/a/tags/list").await.status, 404);
        match backend.container() {
            Some(container) => {
                let names = object_names(container).await;
                assert!(
                    names.iter().all(|name| !name.contains("/blobs/") && !name.contains("link")),
                    "{names:?}"
                );
            }
            None => assert!(!backend.directory().unwrap().join("docker").exists()),
        }

        let (served, opened) = (layer.clone(), Arc::clone(&gate));
        let good = Scripted::start(move |asked| {
            if let Some(from) = first_of(&asked.range) {
                let range = format!("bytes {from}-{}/{SIZE}", SIZE - 1);
                answer(206, &[("content-range", &range)], served.slice(from..))
            } else {
                half(&served, &opened)
            }
        })
        .await;
        let apus = cache_of(&good.url(), &backend);
        gate.add_permits(1);
        let (status, whole, end) = read(apus.client(), &path).await;
        assert!(status == 200 && end.is_ok() && whole == layer, "{}: {end:?}", backend.name);
        // Not all of the half need have arrived when the connection broke.
        let ranges: Vec<Option<usize>> = good.asked().iter().map(|asked| first_of(&asked.range)).collect();
        assert!(matches!(ranges[..], [None, Some(from)] if from <= SIZE / 2), "{ranges:?}");
        let (status, whole, end) = read(apus.client(), &path).await;
        assert!(status == 200 && end.is_ok() && whole == layer, "{}", backend.name);
        assert_eq!(good.blobs(), 2);
        apus.kill();
        if let Some(container) = backend.container() {
            Container::open(container).await.remove().await;
        }
    }
}

/// Promise (A11): wrong bytes never come to the end of an answer, and are not kept.
#[tokio::test]
async fn a11_a_poisoned_layer_breaks_the_connection() {
    let (wanted, poison) = (random(SIZE), random(SIZE));
    let path = format!("/v2/a/blobs/{}", digest(&wanted));
    let upstream = Scripted::start(move |_| answer(200, &[], poison.clone())).await;
    let backend = Backend::filesystem();
    let apus = cache_of(&upstream.url(), &backend);
    for _ in 0..2 {
        let (status, part, end) = read(apus.client(), &path).await;
        // It may prove wrong before the head of the answer is sent.
        assert!(
            (status == 200 && part.len() < SIZE && end.is_err()) || status == 502,
            "{status}: {}",
            part.len()
        );
    }
    assert!(!backend.directory().unwrap().join("docker").exists());
}

/// Promise (A8): an upstream cannot send the cache to a cloud's secrets; the client is told that it is the upstream's fault, and
/// the log what an operator can do.
#[tokio::test]
async fn a8_an_upstream_that_sends_to_link_local_addresses_is_not_followed() {
    let location = [("location", "http://169.254.169.254/latest/meta-data/")];
    let upstream = Scripted::start(move |_| answer(302, &location, "")).await;
    let apus = cache_of(&upstream.url(), &Backend::memory());
    let path = format!("/v2/a/blobs/{}", digest(b"x"));
    assert_eq!(apus.client().get_here(&path, &[]).await.status, 502);
    apus.client().get("/v2/a/manifests/latest").await.expect(502);
    apus.until_it_logs("allowednetworks").await;
}

/// Promise (A9): a challenge that names another host's token server does not get the credentials there.
#[tokio::test]
async fn a9_credentials_are_not_sent_to_a_realm_on_another_host() {
    let thief = Scripted::start_at("127.0.0.2", |_| answer(200, &[], r#"{"token":"t"}"#)).await;
    let challenge = format!(r#"Bearer realm="{}/token",service="s""#, thief.url());
    let upstream = Scripted::start(move |_| answer(401, &[("www-authenticate", &challenge)], "")).await;
    let lines = format!("  remoteurl: {}\n  username: me\n  password: hunter2\n", upstream.url());
    let apus = cache(&Backend::memory(), &lines);
    let refused = apus.client().get("/v2/a/manifests/latest").await.expect(403);
    assert_eq!(refused.code(), "DENIED");
    assert!(thief.asked().is_empty());
    assert_no_secret(&apus);
}

/// Promise (A10): who the upstream redirects to sees no credentials, and neither does the log.
#[tokio::test]
async fn a10_credentials_are_not_sent_along_with_a_redirect() {
    let layer = random(1000);
    let served = layer.clone();
    let storage = Scripted::start_at("127.0.0.2", move |_| answer(200, &[], served.clone())).await;
    let to = format!("{}/layer?signature=hunter2", storage.url());
    let upstream = Scripted::start(move |asked| {
        if asked.authorization == "Basic bWU6aHVudGVyMg==" {
            answer(307, &[("location", &to)], "")
        } else {
            answer(401, &[("www-authenticate", "Basic realm=\"r\"")], "")
        }
    })
    .await;
    let lines = format!("  remoteurl: {}\n  username: me\n  password: hunter2\n", upstream.url());
    let apus = Apus::start_at("debug", Backend::memory().storage(), &format!("proxy:\n{lines}"));
    let pulled = apus.client().get(&format!("/v2/a/blobs/{}", digest(&layer))).await.expect(200);
    assert_eq!(pulled.body, layer);
    assert_eq!(storage.asked().iter().map(|asked| &*asked.authorization).collect::<Vec<_>>(), [""]);
    assert!(upstream.asked().iter().all(|asked| asked.method == Method::GET));
    assert_no_secret(&apus);
}

fn assert_no_secret(apus: &Apus) {
    let log = apus.log().join("\n");
    assert!(!log.contains("hunter2") && !log.contains("bWU6aHVudGVyMg"), "{log}");
}
