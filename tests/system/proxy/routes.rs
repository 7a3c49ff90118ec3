//! Several upstreams over one cache, and what a cache refuses.

use hyper::Method;

use super::cache;
use super::scripted::{Answer, Asked, Scripted, answer};
use crate::support::authority::Authority;
use crate::support::content::digest;
use crate::support::{Apus, Backend, apus};

/// A registry that answers every manifest with one that says which registry it is.
async fn called(name: &'static str) -> Scripted {
    Scripted::start(move |asked| serve(asked, name)).await
}

fn manifest(name: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[],"annotations":{{"from":"{name}"}}}}"#
    )
}

fn serve(asked: &Asked, name: &str) -> Answer {
    if !asked.path.contains("/manifests/") {
        return answer(404, &[], "");
    }
    let content = manifest(name);
    let headers = [("docker-content-digest", digest(content.as_bytes()))];
    answer(200, &headers.each_ref().map(|(name, value)| (*name, &**value)), content)
}

/// Promise: each name, and each `?ns=`, leads to its own upstream, under the name that it has there; what is not configured is
/// refused, and nobody is asked.
#[tokio::test]
async fn upstreams_by_prefix_and_by_ns() {
    let (hub, quay) = (called("hub").await, called("quay").await);
    let lines = format!(
        "  remoteurl: {}\n  ns: [docker.io]\n  upstreams:\n  - {{prefix: quay.io, remoteurl: \"{}\", remotenamespace: team}}\n",
        hub.url(),
        quay.url()
    );
    let lines = lines.replace("remotenamespace", "ns: [quay.io], remotenamespace");
    let apus = cache(&Backend::memory(), &lines);
    for (path, from, upstream, there) in [
        ("/v2/library/a/manifests/1", "hub", &hub, "/v2/library/a/manifests/1"),
        ("/v2/library/a/manifests/2?ns=docker.io", "hub", &hub, "/v2/library/a/manifests/2"),
        ("/v2/quay.io/a/manifests/1", "quay", &quay, "/v2/team/a/manifests/1"),
        ("/v2/a/manifests/2?ns=quay.io", "quay", &quay, "/v2/team/a/manifests/2"),
    ] {
        let answer = apus.client().get(path).await.expect(200);
        assert_eq!(answer.body, manifest(from), "{path}");
        assert!(upstream.asked().iter().any(|asked| asked.path == there), "{path}");
    }
    let before = (hub.asked().len(), quay.asked().len());
    // A11: neither an unknown registry, nor a name that would be another upstream's.
    for path in [
        "/v2/a/manifests/1?ns=evil.example",
        "/v2/a/manifests/1?ns=",
        "/v2/a/tags/list?ns=ghcr.io",
        "/v2/quay.io/a/manifests/1?ns=docker.io",
    ] {
        let refused = apus.client().get(path).await.expect(404);
        assert_eq!(refused.code(), "NAME_UNKNOWN", "{path}");
    }
    assert_eq!((hub.asked().len(), quay.asked().len()), before);
    let catalog = apus.client().get("/v2/_catalog").await.expect(200);
    assert_eq!(catalog.body, r#"{"repositories":["library/a","quay.io/a"]}"#);
}

/// Promise: a registry whose certificate an authority of one's own has signed is believed once `SSL_CERT_FILE` names that
/// authority, and not before.
#[tokio::test]
async fn an_authority_of_ones_own() {
    let authority = Authority::new();
    let upstream = Apus::start_with(Backend::memory().storage(), &authority.http(""));
    let pushed = authority
        .curl(false)
        .args([
            "--fail",
            "--request",
            "PUT",
            "--header",
            "content-type: application/vnd.oci.image.manifest.v1+json",
        ])
        .args(["--data", &manifest("corp"), &format!("https://{}/v2/a/manifests/1", upstream.address())])
        .output()
        .unwrap();
    assert!(pushed.status.success(), "{pushed:?}");
    for believes in [false, true] {
        let mut command = apus::command();
        if believes {
            command.env("SSL_CERT_FILE", authority.directory(false).join("ca.crt"));
        }
        let proxy = format!("proxy: {{remoteurl: 'https://{}'}}", upstream.address());
        let cache = Apus::run(command, "info", Backend::memory().storage(), &proxy);
        let answer = cache.client().get("/v2/a/manifests/1").await;
        if believes {
            assert_eq!(answer.expect(200).body, manifest("corp"));
        } else {
            answer.expect(503);
            cache.until_it_logs("UnknownIssuer").await;
        }
    }
}

/// Promise: nothing is pushed into a cache, as with registry:2.
#[tokio::test]
async fn a_cache_takes_no_pushes() {
    let upstream = called("any").await;
    let apus = cache(&Backend::memory(), &format!("  remoteurl: {}\n", upstream.url()));
    let digest = digest(b"x");
    for (method, path) in [
        (Method::POST, "/v2/a/blobs/uploads/".to_owned()),
        (Method::PUT, "/v2/a/manifests/latest".to_owned()),
        (Method::DELETE, "/v2/a/manifests/latest".to_owned()),
        (Method::DELETE, format!("/v2/a/blobs/{digest}")),
        (Method::PATCH, "/v2/a/blobs/uploads/x".to_owned()),
    ] {
        let refused = apus.client().request(method, &path, &[], "").await.expect(405);
        assert_eq!(refused.code(), "UNSUPPORTED", "{path}");
    }
    assert!(upstream.asked().is_empty());
}

/// Promise: without the section, `?ns=` says nothing, as before.
#[tokio::test]
async fn a_registry_of_its_own_does_not_mind_ns() {
    let apus = Apus::start(Backend::memory().storage());
    apus.client().push_manifest("a", "1", &[]).await;
    apus.client().get("/v2/a/manifests/1?ns=docker.io").await.expect(200);
}
