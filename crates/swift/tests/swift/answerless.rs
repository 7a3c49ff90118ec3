//! A real Swift whose answers are lost on the way: what a repeated request meets then is Swift's own word, not a script's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apus_storage::{Outcome, Publication, Storage, WriteMode};
use futures_util::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::dynamic::raw;
use crate::support::{MEBIBYTE, assert_content, name, random, real_v1, staged, storage, variable};
use crate::temporary_urls::outside::Owner;

/// What stands between us and a Swift: it hands on all requests, and of some it keeps the answer.
struct Between {
    url: String,
    lost: Arc<AtomicUsize>,
}

impl Between {
    /// Keeps the answers to so many requests that begin with `method`, and have `part` in their first line.
    async fn start(swift: &str, method: &'static str, part: &'static str, times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (host, path) = swift.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let url = format!("http://{}/{path}", listener.local_addr().unwrap());
        let (host, lost) = (host.to_owned(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&lost);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (host, lost) = (host.clone(), Arc::clone(&counter));
                let is_lost = move |head: &str| {
                    let line = head.lines().next().unwrap_or_default();
                    line.starts_with(method)
                        && line.contains(part)
                        && lost
                            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |lost| {
                                (lost < times).then_some(lost + 1)
                            })
                            .is_ok()
                };
                tokio::spawn(async move { relay(client, &host, is_lost).await });
            }
        });
        Self { url, lost }
    }
}

/// Hands on until either end closes. Requests of one connection follow each other, so what comes after an answer begins a
/// request.
async fn relay(mut client: TcpStream, host: &str, is_lost: impl Fn(&str) -> bool) {
    let Ok(mut swift) = TcpStream::connect(host).await else { return };
    let (mut question, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut begins, mut loses) = (true, false);
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let Ok(length @ 1..) = read else { return };
                if begins {
                    loses = is_lost(&String::from_utf8_lossy(&question[..length]));
                }
                begins = false;
                if swift.write_all(&question[..length]).await.is_err() {
                    return;
                }
            }
            read = swift.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if answer.starts_with(b"HTTP/1.1 100") {
                    // The body is asked for.
                } else if loses {
                    return;
                } else {
                    begins = true;
                }
                if client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_real_swift_that_was_not_heard_keeps_all_that_it_published() {
    let owner = Owner::sign_in(&variable("ST_AUTH"), &variable("ST_USER"), &variable("ST_KEY")).await;
    let container = format!("apus-answerless-{:08x}", rand::random::<u32>());
    let mut config = real_v1(&container);
    config.segment_size = 1 << 20;
    let raw = raw(&config);
    // Two tries in a row, so that the third one meets what the first one made.
    for (part, length) in [
        ("multipart-manifest=put", 3 * MEBIBYTE + 5),
        ("/files/", 1000),
        ("/apus/sessions/", 3 * MEBIBYTE),
        ("/apus/records/", 3 * MEBIBYTE),
    ] {
        for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
            let between = Between::start(&owner.storage_url, "PUT", part, 2).await;
            config.storage_url = Some(between.url.clone());
            let storage = storage(&config);
            let bytes = random(length);
            let (stage, state) = staged(&storage, "s", &bytes).await;
            let published = storage.stage_publish(&stage, &state.revision, &name("o"), mode).await;
            assert!(matches!(published, Ok(Publication::Published(_))), "{part} {mode:?}: {published:?}");
            assert_eq!(between.lost.load(Ordering::SeqCst), 2, "{part} {mode:?}");
            // Whoever cleans up after it takes nothing away.
            assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Absent);
            assert_content(&storage, "o", &bytes).await;
            assert_eq!(storage.delete(&[name("o")]).await.remove(0).unwrap(), Outcome::Done);
            let left: Vec<_> = raw.entries("", false).try_collect().await.unwrap();
            assert_eq!(left, [], "{part} {mode:?}");
        }
    }
    assert!(raw.remove().await.unwrap());
}
