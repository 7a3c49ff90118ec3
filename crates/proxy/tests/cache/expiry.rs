use std::time::SystemTime;

use apus_storage::{ByteRange, body};
use bytes::Bytes;
use http::Method;

use super::*;
use crate::upstream::{blob, digest, image, manifest, status};

const TTL: Duration = Duration::from_hours(48);

/// A registry with one image of one blob; and a cache of it that deletes.
async fn cached(deletes: bool) -> (Upstream, Here) {
    let content = Bytes::from_static(b"a layer");
    let upstream = Upstream::start(move |asked| {
        if asked.path.contains("/blobs/") { blob(asked, &content) } else { manifest(&image(1)) }
    })
    .await;
    let options = UpstreamOptions { ttl: Some(TTL), ..options(&upstream.url()) };
    let registry = RegistryOptions { deletes, ..RegistryOptions::default() };
    let here = here_with(vec![options], Arc::new(MemoryStorage::new()), registry);
    pull(&here).await;
    (upstream, here)
}

async fn pull(here: &Here) {
    let blob = here.cache.open_blob(&name("a"), &digest(b"a layer"), ByteRange::Full).await.unwrap();
    body::collect(blob.stream, 100).await.unwrap();
    here.cache.manifest(&name("a"), &reference("latest")).await.unwrap();
    let records =
        async || here.names().await.iter().filter(|name| name.starts_with("apus/proxy/")).count() == 2;
    here.wait_until("both are written down", records).await;
}

fn after(time: Duration) -> SystemTime {
    SystemTime::now() + time
}

/// Promise: what nobody has pulled for its time to live goes with all that belongs to it, and comes again when it is wanted.
#[tokio::test]
async fn what_nobody_pulls_goes() {
    let (upstream, here) = cached(true).await;
    here.cache.expire(after(TTL / 2)).await.unwrap();
    assert_eq!(here.names().await.len(), 7);
    here.cache.expire(after(TTL * 2)).await.unwrap();
    assert_eq!(here.names().await, Vec::<String>::new());
    upstream.take();
    pull(&here).await;
    let gets = upstream.asked().iter().filter(|asked| asked.method == Method::GET).count();
    assert_eq!(gets, 2);
}

/// Promise: nothing goes that did not come from the upstream, and no bytes that somebody else has.
#[tokio::test]
async fn what_was_pushed_stays() {
    let (_upstream, here) = cached(true).await;
    assert!(
        here.registry.mount_blob(&digest(b"a layer"), &name("a"), &name("pushed")).await.unwrap().is_some()
    );
    here.cache.expire(after(TTL * 2)).await.unwrap();
    let names = here.names().await;
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(here.registry.open_blob(&name("pushed"), &digest(b"a layer"), ByteRange::Full).await.is_ok());
}

#[tokio::test]
async fn nothing_goes_where_deleting_is_switched_off() {
    let (_upstream, here) = cached(false).await;
    let before = here.names().await;
    assert!(here.cache.expire(after(TTL * 2)).await.is_err());
    assert_eq!(here.names().await, before);
    // It says so, and ends.
    let shortest = UpstreamOptions { ttl: Some(Duration::from_millis(1)), ..options("http://127.0.0.1:9") };
    let registry = RegistryOptions { deletes: false, ..RegistryOptions::default() };
    let house = here_with(vec![shortest], Arc::clone(&here.storage), registry);
    tokio::time::timeout(LIMIT, house.cache.keep_house()).await.unwrap();
}

/// Promise: a pull counts, on whichever replica: what is pulled is kept.
#[tokio::test]
async fn what_is_pulled_stays() {
    let (upstream, here) = cached(true).await;
    let short = UpstreamOptions { ttl: Some(Duration::from_secs(3)), ..options(&upstream.url()) };
    let other = here_with(vec![short], Arc::clone(&here.storage), RegistryOptions::default());
    upstream.now_plays(|_| status(503));
    let begun = SystemTime::now();
    while begun.elapsed().unwrap() < Duration::from_secs(5) {
        pull(&other).await;
        other.cache.expire(SystemTime::now()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    other
        .wait_until("it goes when nobody pulls it", async || {
            other.cache.expire(SystemTime::now()).await.unwrap();
            other.names().await.is_empty()
        })
        .await;
}
