//! Who may pull through a cache of another registry: asked as everywhere, before the other registry is.

use super::{ALICE, As, BOB, Closed, KINDS};
use crate::support::{Apus, Backend};

/// Everyone reads what is public there, alice everything, and nobody else is let in further.
fn cache_of(upstream: &Apus) -> String {
    format!(
        "\
access:
  rules:
    - {{who: [everyone], may: [pull], repositories: ['hub/public/**']}}
    - {{who: ['user:alice'], may: [pull, push, overwrite, delete], repositories: ['hub/**']}}
proxy:
  upstreams:
    - {{prefix: hub, remoteurl: 'http://{}', ns: [hub.example]}}
",
        upstream.address()
    )
}

/// How often the other registry was asked for anything.
fn asked(upstream: &Apus) -> usize {
    upstream.log().iter().filter(|line| line.contains("\"response completed\"")).count()
}

/// Promise: rules are those of the names that the cache has, by whichever name a client asks; who may not is refused with a
/// challenge, or told that signing in again changes nothing, whether the cache has it or not; and the other registry hears
/// nothing of it.
#[tokio::test]
async fn who_may_pull_from_a_cache() {
    let upstream = Apus::start(Backend::memory().storage());
    let mut layers = Vec::new();
    for repository in ["public/app", "team/app"] {
        let layer = upstream.client().push(repository, repository).await;
        upstream.client().push_manifest(repository, "latest", std::slice::from_ref(&layer)).await;
        layers.push(layer);
    }
    let closed = Closed::start(&cache_of(&upstream));
    let apus = &closed.apus;
    let (nobody, alice, bob) = (As::nobody(apus), As::user(apus, ALICE), As::user(apus, BOB));
    let of_team = [
        "/v2/hub/team/app/manifests/latest".to_owned(),
        "/v2/team/app/manifests/latest?ns=hub.example".to_owned(),
        format!("/v2/hub/team/app/blobs/{}", layers[1]),
        "/v2/hub/team/app/tags/list".to_owned(),
    ];
    // First of what the cache does not have, then of what it has.
    for _ in 0..2 {
        let before = asked(&upstream);
        for path in &of_team {
            for method in ["GET", "HEAD"] {
                let refused = nobody.ask(method, path).await.expect(401);
                assert!(refused.header("www-authenticate").starts_with("Bearer realm="), "{method} {path}");
                let refused = bob.ask(method, path).await.expect(403);
                assert_eq!(refused.header("www-authenticate"), "", "{method} {path}");
                if method == "GET" {
                    assert_eq!(refused.code(), "DENIED", "{path}");
                }
            }
        }
        assert_eq!(asked(&upstream), before, "{:#?}", upstream.log());
        for path in &of_team {
            alice.ask("GET", path).await.expect(200);
        }
        assert!(asked(&upstream) > before);
    }
    for client in [&nobody, &bob, &alice] {
        client.ask("GET", "/v2/hub/public/app/manifests/latest").await.expect(200);
        let layer = client.ask("GET", &format!("/v2/hub/public/app/blobs/{}", layers[0])).await.expect(200);
        assert_eq!(layer.body, "public/app");
    }
    // A layer is no more public by another name than it is by its own.
    nobody.ask("GET", &format!("/v2/hub/public/app/blobs/{}", layers[1])).await.expect(404);
}

/// Promise: who would write is asked who they are first, and then told that a cache takes nothing, whatever they may.
#[tokio::test]
async fn nobody_writes_into_a_cache() {
    let upstream = Apus::start(Backend::memory().storage());
    let closed = Closed::start(&cache_of(&upstream));
    let apus = &closed.apus;
    let (nobody, alice, bob) = (As::nobody(apus), As::user(apus, ALICE), As::user(apus, BOB));
    for (method, rest) in KINDS.iter().filter(|(method, _)| !["GET", "HEAD"].contains(method)) {
        let path = format!("/v2/hub/public/app/{rest}");
        let refused = nobody.ask(method, &path).await.expect(401);
        assert!(refused.header("www-authenticate").starts_with("Bearer realm="), "{method} {path}");
        bob.ask(method, &path).await.expect(403);
        assert_eq!(alice.ask(method, &path).await.expect(405).code(), "UNSUPPORTED", "{method} {path}");
    }
    assert_eq!(asked(&upstream), 0, "{:#?}", upstream.log());
}
