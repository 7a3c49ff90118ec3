use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;

use super::support::*;
use crate::{Mirror, MirrorOptions, V1Options};

fn mirroring(source: &str, ttl: Duration) -> V1Options {
    let options = MirrorOptions { source: source.to_owned(), source_index: None, tags_cache_ttl: ttl };
    V1Options { mirror: Some(Mirror::new(outgoing(), options)), ..V1Options::default() }
}

async fn eventually(storage: &apus_storage::MemoryStorage, name: &str) -> bytes::Bytes {
    let begun = Instant::now();
    loop {
        if let Some(found) = content(storage, name).await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{name} does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A pull from a mirror, then the same when the source is gone.
#[tokio::test]
async fn images_come_once() {
    let source = sample().await;
    let address = site(over(&source, V1Options::default())).await;
    let storage = Arc::new(apus_storage::MemoryStorage::new());
    let mirror = over(&storage, mirroring(&format!("http://{address}/"), Duration::ZERO));
    assert_eq!(get(&mirror, "/v1/_ping").await.header("x-docker-registry-standalone"), "mirror");
    let images = get(&mirror, "/v1/repositories/acme/webapp/images").await;
    assert_eq!((images.status, images.header("x-docker-endpoints")), (200, "registry.example:5000"));
    assert!(!images.header("x-docker-token").is_empty());
    assert!(get(&mirror, "/v1/repositories/acme/webapp/tags").await.text().contains(TOP));

    for part in ["json", "ancestry", "layer"] {
        let path = format!("/v1/images/{TOP}/{part}");
        // A part of a layer is not asked for: what comes is kept whole.
        let told = ask(&mirror, Method::GET, &path, &[("range", "bytes=5-")], "").await;
        let original = content(&source, &format!("images/{TOP}/{part}")).await.unwrap();
        assert_eq!((told.status, &told.body), (200, &original), "{part}");
        assert_eq!(told.headers.get_all("cache-control").iter().count(), 1, "{told:?}");
        assert_eq!(eventually(&storage, &format!("images/{TOP}/{part}")).await, original);
    }
    // With its checksum and size, which the original forgot.
    assert_eq!(
        content(&storage, &format!("images/{TOP}/_checksum")).await,
        content(&source, &format!("images/{TOP}/_checksum")).await
    );
    let alone = over(&storage, mirroring("http://127.0.0.1:9", Duration::ZERO));
    let json = get(&alone, &format!("/v1/images/{TOP}/json")).await;
    assert_eq!((json.status, json.header("x-docker-size")), (200, "98579"));
    assert_eq!(json.headers.get_all("x-docker-checksum-payload").iter().count(), 1);
    assert_eq!(
        get(&alone, &format!("/v1/images/{NEW}/json")).await.error(),
        (404, "Image not found".to_owned())
    );
    // An error of the server in the original.
    assert_eq!(get(&mirror, "/v1/repositories/acme/webapp/json").await.status, 200);
}

/// A layer that is not what its checksum says goes to the client, who will see that, and is not kept.
#[tokio::test]
async fn what_is_damaged_is_not_kept() {
    let source = sample().await;
    put(&source, &format!("images/{TOP}/layer"), "damaged").await;
    let address = site(over(&source, V1Options::default())).await;
    let storage = Arc::new(apus_storage::MemoryStorage::new());
    let mirror = over(&storage, mirroring(&format!("http://{address}"), Duration::ZERO));
    assert_eq!(get(&mirror, &format!("/v1/images/{TOP}/json")).await.status, 200);
    assert_eq!(get(&mirror, &format!("/v1/images/{TOP}/layer")).await.text(), "damaged");
    // The next one is kept: by then the first has been judged.
    let other = "115a9d267f094c530e4f5519e5a0a6a127742ed83a1205b033be6bac1c1e044f";
    for part in ["json", "layer"] {
        assert_eq!(get(&mirror, &format!("/v1/images/{other}/{part}")).await.status, 200);
    }
    eventually(&storage, &format!("images/{other}/layer")).await;
    assert_eq!(content(&storage, &format!("images/{TOP}/layer")).await, None);
}

#[tokio::test]
async fn tags_are_believed_for_a_while() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let address = serve(move |_, _, _| {
        counting.fetch_add(1, Ordering::Relaxed);
        async move { full(200, &[], format!(r#"{{"latest": "{TOP}"}}"#)) }
    })
    .await;
    let mirror = |ttl| over(&Arc::default(), mirroring(&format!("http://{address}"), ttl));
    let (believing, doubting) = (mirror(Duration::from_hours(1)), mirror(Duration::ZERO));
    for _ in 0..3 {
        assert_eq!(get(&believing, "/v1/repositories/a/b/tags").await.status, 200);
    }
    assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
    for _ in 0..3 {
        get(&doubting, "/v1/repositories/a/b/tags").await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn the_source_is_searched_too() {
    let source = sample().await;
    put(&source, "repositories/far/away/tag_x", TOP).await;
    let address = site(over(&source, V1Options::default())).await;
    let mirror = over(&sample().await, mirroring(&format!("http://{address}"), Duration::ZERO));
    let found: serde_json::Value = serde_json::from_str(get(&mirror, "/v1/search?q=a").await.text()).unwrap();
    let names: Vec<_> =
        found["results"].as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap()).collect();
    assert_eq!((found["num_results"].as_u64(), names), (Some(2), vec!["far/away", "library/base"]));
}

/// Redirects are followed, and credentials go nowhere else.
#[tokio::test]
async fn redirects_are_followed() {
    let elsewhere = serve(|_, _, headers| async move {
        let shown = headers.contains_key("authorization");
        full(200, &[], if shown { "[]" } else { r#"{"a": "b"}"# })
    })
    .await;
    let address = serve(move |_, path, _| async move {
        if path.ends_with("/tags") {
            full(302, &[("location", "/other")], "")
        } else {
            full(307, &[("location", &format!("http://{elsewhere}/x"))], "")
        }
    })
    .await;
    let mirror = over(&Arc::default(), mirroring(&format!("http://{address}"), Duration::ZERO));
    let told =
        ask(&mirror, Method::GET, "/v1/repositories/a/b/tags", &[("authorization", "Token x")], "").await;
    assert_eq!(told.said(), (200, r#"{"a": "b"}"#));
}
