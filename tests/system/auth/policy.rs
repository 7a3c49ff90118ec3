//! The policy over users: who may do what, by what a request does, and not by how it says it.

use super::{ALICE, As, BOB, Closed, MANIFEST, RITA, manifest};
use crate::support::Backend;
use crate::support::content::digest;

/// Everyone reads what is public, alice makes and does not change, rita does everything, and versions stay.
pub(super) const POLICY: &str = "\
access:
  groups: {makers: [alice]}
  rules:
    - {who: [everyone], may: [pull], repositories: ['public/**']}
    - {who: ['group:makers'], may: [pull, push], repositories: ['team/**']}
    - {who: ['user:rita'], may: [pull, push, overwrite, delete, catalog], repositories: ['team/**', 'public/**']}
  protectedtags:
    - {repositories: ['**'], tags: ['v*']}
";

/// Promise: who has not signed in reads what everyone may read, is asked to sign in for the rest, and who has signed in and may
/// not is told so.
#[tokio::test]
async fn who_may_do_what() {
    let closed = Closed::start(POLICY);
    let apus = &closed.apus;
    let (nobody, alice, bob, rita) =
        (As::nobody(apus), As::user(apus, ALICE), As::user(apus, BOB), As::user(apus, RITA));
    let layer = rita.push("public/app", "layer").await;
    rita.put("public/app", "latest", &layer).await.expect(201);
    for client in [&nobody, &alice, &bob] {
        client.ask("GET", "/v2/public/app/manifests/latest").await.expect(200);
        client.ask("HEAD", &format!("/v2/public/app/blobs/{layer}")).await.expect(200);
    }
    // skopeo and podman send an empty name and no password where they have none.
    let mut emptily = nobody.clone();
    emptily.header = Some("Basic Og==".into());
    emptily.ask("GET", "/v2/public/app/manifests/latest").await.expect(200);
    for (method, path) in [
        ("GET", "/v2/"),
        ("GET", "/v2/_catalog"),
        ("GET", "/v2/team/app/manifests/latest"),
        ("POST", "/v2/public/app/blobs/uploads/"),
        ("DELETE", "/v2/public/app/manifests/latest"),
    ] {
        let answer = nobody.ask(method, path).await.expect(401);
        assert!(
            answer.header("www-authenticate").starts_with("Bearer realm="),
            "{method} {path}: {answer:?}"
        );
        if path != "/v2/" {
            let answer = bob.ask(method, path).await.expect(403);
            assert_eq!(answer.code(), "DENIED", "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), "", "signing in again changes nothing");
        }
    }
    alice.push("team/a/b", "layer").await;
    assert_eq!(
        rita.ask("GET", "/v2/_catalog").await.expect(200).body,
        r#"{"repositories":["public/app","team/a/b"]}"#
    );
}

/// Promise: a tag is overwritten only by who may, by whichever request, and a tag that is protected by nobody. What is refused has
/// changed nothing.
#[tokio::test]
async fn a5_a_tag_is_changed_by_effect() {
    for backend in [Backend::memory(), Backend::swift_v1()] {
        let closed = Closed::start_on(&backend, POLICY);
        let (alice, rita) = (As::user(&closed.apus, ALICE), As::user(&closed.apus, RITA));
        let (one, two) = (alice.push("team/app", "one").await, alice.push("team/app", "two").await);
        for tag in ["latest", "stable", "v1"] {
            alice.put("team/app", tag, &one).await.expect(201);
            // The same again changes nothing, so it needs no more.
            alice.put("team/app", tag, &one).await.expect(201);
        }
        let by_digest = digest(manifest(&two).as_bytes());
        for reference in [
            "latest",
            "stable",
            "v1",
            "new?tag=latest",
            "new?tag=other&tag=stable",
            &format!("{by_digest}?tag=v1"),
        ] {
            let answer = alice.put("team/app", reference, &two).await.expect(403);
            assert_eq!(answer.code(), "DENIED", "{reference}");
        }
        rita.put("team/app", "v1", &two).await.expect(403);
        rita.put("team/app", &format!("{by_digest}?tag=new&tag=v1"), &two).await.expect(403);
        let tags = rita.ask("GET", "/v2/team/app/tags/list").await.expect(200);
        assert_eq!(tags.body, r#"{"name":"team/app","tags":["latest","stable","v1"]}"#);
        rita.ask("GET", &format!("/v2/team/app/manifests/{by_digest}")).await.expect(404);

        alice.put("team/app", &by_digest, &two).await.expect(201);
        rita.put("team/app", "latest", &two).await.expect(201);
        let latest = rita.ask("GET", "/v2/team/app/manifests/latest").await.expect(200);
        assert_eq!(latest.header("docker-content-digest"), by_digest);
        assert_eq!(latest.header("content-type"), MANIFEST);
    }
}

/// Promise: a tag that is protected outlives every deletion: of the tag, and of the manifest that it points to.
#[tokio::test]
async fn a3_a_deletion_takes_no_protected_tag_along() {
    let closed = Closed::start(POLICY);
    let (alice, rita) = (As::user(&closed.apus, ALICE), As::user(&closed.apus, RITA));
    let layer = alice.push("team/app", "one").await;
    for tag in ["latest", "v1"] {
        alice.put("team/app", tag, &layer).await.expect(201);
    }
    let by_digest = digest(manifest(&layer).as_bytes());
    for reference in ["latest", "v1", &by_digest] {
        alice.ask("DELETE", &format!("/v2/team/app/manifests/{reference}")).await.expect(403);
    }
    alice.ask("DELETE", &format!("/v2/team/app/blobs/{layer}")).await.expect(403);
    for reference in ["v1", &by_digest] {
        let answer = rita.ask("DELETE", &format!("/v2/team/app/manifests/{reference}")).await.expect(403);
        assert_eq!(answer.code(), "DENIED", "{reference}");
    }
    for reference in ["latest", "v1", &by_digest] {
        rita.ask("GET", &format!("/v2/team/app/manifests/{reference}")).await.expect(200);
    }
    rita.ask("DELETE", "/v2/team/app/manifests/latest").await.expect(202);
    rita.ask("GET", "/v2/team/app/manifests/v1").await.expect(200);

    let other = alice.push("team/app", "two").await;
    alice.put("team/app", "other", &other).await.expect(201);
    let unprotected = digest(manifest(&other).as_bytes());
    rita.ask("DELETE", &format!("/v2/team/app/manifests/{unprotected}")).await.expect(202);
    rita.ask("GET", "/v2/team/app/manifests/other").await.expect(404);
}

/// Promise: a blob is mounted by who may read it there; else it is uploaded, and nothing says whether it is there.
#[tokio::test]
async fn a_mount_needs_both() {
    let closed = Closed::start(POLICY);
    let (alice, rita) = (As::user(&closed.apus, ALICE), As::user(&closed.apus, RITA));
    let public = rita.push("public/app", "public").await;
    let secret = rita.push("team/secret", "secret").await;
    let mount = |digest: &str, from: &str| format!("/v2/team/app/blobs/uploads/?mount={digest}{from}");
    alice.ask("POST", &mount(&public, "&from=public/app")).await.expect(201);
    alice.ask("POST", &mount(&secret, "&from=team/secret")).await.expect(201);
    alice.ask("POST", &mount(&secret, "")).await.expect(202);
    rita.ask("POST", &mount(&secret, "")).await.expect(202);
    let hidden = rita.push("public/hidden", "hidden").await;

    let closed = Closed::start(
        "access:
  rules:
    - {who: ['user:alice'], may: [pull, push], repositories: [team/app]}
    - {who: ['user:rita'], may: [pull, push], repositories: ['**']}
",
    );
    let (alice, rita) = (As::user(&closed.apus, ALICE), As::user(&closed.apus, RITA));
    assert_eq!(rita.push("other", "hidden").await, hidden);
    for from in ["&from=other", "&from=nowhere", ""] {
        let answer = alice.ask("POST", &mount(&hidden, from)).await.expect(202);
        alice.ask("GET", &format!("/v2/team/app/blobs/{hidden}")).await.expect(404);
        // It goes on as any upload does.
        alice.ask("DELETE", &answer.location()).await.expect(204);
    }
    rita.ask("POST", &mount(&hidden, "")).await.expect(201);
}

/// Promise: tags can be protected where there are no rules, and without any sign-in.
#[tokio::test]
async fn protected_tags_alone() {
    let protected = "access: {protectedtags: [{repositories: ['**'], tags: ['v*']}]}";
    let apus = crate::support::Apus::start_with(Backend::memory().storage(), protected);
    let anyone = As::nobody(&apus);
    let (one, two) = (anyone.push("a", "one").await, anyone.push("a", "two").await);
    anyone.put("a", "v1", &one).await.expect(201);
    anyone.put("a", "v1", &two).await.expect(403);
    anyone.put("a", "latest", &one).await.expect(201);
    anyone.put("a", "latest", &two).await.expect(201);
    anyone.ask("GET", "/v2/").await.expect(200);
}
