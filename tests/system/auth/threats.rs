//! Attacks that other registries fell to, each by its number in the project's list; those on tokens and tags are in their rooms.

use std::process::Command;

use super::{ALICE, As, BOB, Closed, manifest};
use crate::support::client::with_digest;
use crate::support::content::digest;
use crate::support::{Apus, Backend, apus};

/// Promise (threat A1): whatever number of entries is asked for, no more memory is taken than for a page.
#[tokio::test]
async fn a1_a_page_of_any_size_costs_no_memory() {
    let apus = Apus::start(Backend::memory().storage());
    let client = As::nobody(&apus);
    let layer = client.push("a", "layer").await;
    client.put("a", "latest", &layer).await.expect(201);
    let before = apus.peak_memory();
    for list in ["/v2/_catalog", "/v2/a/tags/list"] {
        for size in ["9223372036854775808", "18446744073709551616", &"9".repeat(4000)] {
            client.ask("GET", &format!("{list}?n={size}")).await.expect(200);
        }
        for size in ["-1", "abc", "1e9", "0x7fffffff", "%31%30%00"] {
            let answer = client.ask("GET", &format!("{list}?n={size}")).await.expect(400);
            assert_eq!(answer.code(), "PAGINATION_NUMBER_INVALID", "{size}");
        }
    }
    let grown = apus.peak_memory().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB more");
}

/// Promise (threat A3): where deleting is off nothing is deleted, by tag, by digest, or as a blob; and where it is on, the policy
/// is asked all the same.
#[tokio::test]
async fn a3_no_route_deletes_where_deleting_is_off() {
    let apus = Apus::start(&format!("{}\n  delete: {{enabled: false}}", Backend::memory().storage()));
    let client = As::nobody(&apus);
    let layer = client.push("a", "layer").await;
    client.put("a", "latest", &layer).await.expect(201);
    let by_digest = digest(manifest(&layer).as_bytes());
    let paths = ["manifests/latest".to_owned(), format!("manifests/{by_digest}"), format!("blobs/{layer}")];
    for path in &paths {
        let answer = client.ask("DELETE", &format!("/v2/a/{path}")).await.expect(405);
        assert_eq!(answer.code(), "UNSUPPORTED", "{path}");
        client.ask("GET", &format!("/v2/a/{path}")).await.expect(200);
    }
    let rules = "access: {rules: [{who: [signedin], may: [pull, push, overwrite], repositories: ['**']}]}";
    let closed = Closed::start(rules);
    let alice = As::user(&closed.apus, ALICE);
    alice.push("a", "layer").await;
    alice.put("a", "latest", &layer).await.expect(201);
    for path in &paths {
        alice.ask("DELETE", &format!("/v2/a/{path}")).await.expect(403);
        alice.ask("GET", &format!("/v2/a/{path}")).await.expect(200);
    }
}

/// Promise (threat A4): a blob that was deleted here is not readable here, though it was read a moment ago, and is still there for
/// others.
#[tokio::test]
async fn a4_a_deleted_blob_does_not_come_back_by_another_repository() {
    for backend in [Backend::memory(), Backend::swift_v1()] {
        let apus = Apus::start(&format!("{}\n  delete: {{enabled: true}}", backend.storage()));
        let client = As::nobody(&apus);
        let layer = client.push("a", "layer").await;
        assert_eq!(client.push("b", "layer").await, layer);
        let (here, there) = (format!("/v2/a/blobs/{layer}"), format!("/v2/b/blobs/{layer}"));
        client.ask("GET", &here).await.expect(200);
        client.ask("DELETE", &here).await.expect(202);
        client.ask("GET", &there).await.expect(200);
        for method in ["HEAD", "GET", "DELETE"] {
            client.ask(method, &here).await.expect(404);
        }
        client.put("a", "latest", &layer).await.expect(400);
        client.ask("GET", &there).await.expect(200);
    }
}

/// Promise (threat A7): an upload is of its repository and of who began it. To all others it is unknown, by its whole URL too, and
/// nothing that they try harms it.
#[tokio::test]
async fn a7_an_upload_is_its_owners_alone() {
    for backend in [Backend::memory(), Backend::filesystem(), Backend::swift_v3()] {
        let closed = Closed::start_on(&backend, "");
        let (alice, bob) = (As::user(&closed.apus, ALICE), As::user(&closed.apus, BOB));
        let begun = alice.ask("POST", "/v2/mine/blobs/uploads/").await.expect(202).location();
        let staged = alice.send("PATCH", &begun, "secret ").await.expect(202).location();
        let whole = digest(b"secret content");
        let without_state = |url: &str| url.split('?').next().unwrap().to_owned();
        for url in [&begun, &staged, &without_state(&staged)] {
            let elsewhere = url.replace("/v2/mine/", "/v2/yours/");
            for (client, url) in [(&bob, url), (&alice, &elsewhere), (&bob, &elsewhere)] {
                for method in ["GET", "HEAD", "PATCH", "DELETE"] {
                    let answer =
                        client.send(method, url, if method == "PATCH" { "x" } else { "" }).await.expect(404);
                    assert!(method == "HEAD" || answer.code() == "BLOB_UPLOAD_UNKNOWN", "{method} {url}");
                }
                client.send("PUT", &with_digest(url, &whole), "content").await.expect(404);
            }
        }
        assert_eq!(alice.ask("GET", &staged).await.expect(204).header("range"), "0-6");
        alice.send("PUT", &with_digest(&staged, &whole), "content").await.expect(201);
        assert_eq!(
            alice.ask("GET", &format!("/v2/mine/blobs/{whole}")).await.expect(200).body,
            "secret content"
        );
    }
}

/// Promise (threat A12): a document is what its header, its own words and its shape agree on.
#[tokio::test]
async fn a12_a_document_is_not_two_things_at_once() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const IMAGE: &str = super::MANIFEST;
    let apus = Apus::start(Backend::memory().storage());
    let client = As::nobody(&apus);
    let layer = client.push("a", "layer").await;
    let entry = format!(r#"{{"mediaType":"application/octet-stream","digest":"{layer}","size":5}}"#);
    for (content_type, document) in [
        (IMAGE, format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","layers":[{entry}],"manifests":[]}}"#)),
        (INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","layers":[{entry}],"manifests":[]}}"#)),
        (INDEX, format!(r#"{{"schemaVersion":2,"manifests":[],"config":{entry}}}"#)),
        (IMAGE, format!(r#"{{"schemaVersion":2,"config":{entry},"layers":[],"manifests":[{entry}]}}"#)),
        (INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{entry},"layers":[]}}"#)),
        (IMAGE, format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]}}"#)),
        (IMAGE, r#"{"schemaVersion":2,"manifests":[]}"#.to_owned()),
        (INDEX, format!(r#"{{"schemaVersion":2,"config":{entry},"layers":[]}}"#)),
    ] {
        let headers = [("content-type", content_type)];
        let answer =
            client.client.request(hyper::Method::PUT, "/v2/a/manifests/t", &headers, document.clone()).await;
        assert_eq!(answer.status, 400, "{content_type} {document}");
        assert_eq!(answer.code(), "MANIFEST_INVALID", "{content_type} {document}");
    }
    client.ask("GET", "/v2/a/manifests/t").await.expect(404);
}

/// Promise (threat A21): nobody is let in by a name and password that no operator gave; and a registry that would be open to others
/// does not start, unless it is a file of registry:2 or its operator says so.
#[tokio::test]
async fn a21_no_door_is_open_by_default() {
    let closed = Closed::start("");
    for credentials in
        ["admin:Harbor12345", "admin:admin", "docker:docker", "admin:", "root:root", "apus:apus"]
    {
        As::user(&closed.apus, credentials).ask("GET", "/v2/").await.expect(401);
    }
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, more: &str| {
        let path = directory.path().join(name);
        std::fs::write(
            &path,
            format!("version: 0.1\nstorage: inmemory\nhttp: {{addr: '0.0.0.0:0'}}\n{more}"),
        )
        .unwrap();
        path
    };
    // Whether it could be served, without serving it: tests listen on loopback only.
    let check = |command: &mut Command| {
        let output = command.current_dir(directory.path()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let refused =
        "error: REGISTRY_HTTP_ADDR: http.addr: whoever reaches this address may read and change all images";
    let (usable, said) = check(apus::command().args(["config", "check"]).env("REGISTRY_HTTP_ADDR", ":0"));
    assert!(!usable && said.contains(refused) && said.contains("auth: none"), "{said}");
    let mut serve = apus::command();
    let served =
        serve.arg("serve").env("REGISTRY_HTTP_ADDR", ":0").current_dir(directory.path()).output().unwrap();
    let said = String::from_utf8(served.stderr).unwrap();
    assert_eq!(served.status.code(), Some(1), "{said}");
    assert!(said.contains("refusing to start: whoever reaches this address"), "{said}");
    let mut told = apus::command();
    told.args(["config", "check"]).env("REGISTRY_HTTP_ADDR", ":0").env("REGISTRY_AUTH", "none");
    assert_eq!(check(&mut told), (true, "The configuration can be used.\n".to_owned()));

    let (usable, said) = check(apus::command().args(["config", "check"]).arg(file("registry2.yml", "")));
    assert!(usable && said.contains("warning: ") && said.contains("whoever reaches this address"), "{said}");
    let own = "access: {protectedtags: [{repositories: ['**'], tags: ['v*']}]}";
    let (usable, said) = check(apus::command().args(["config", "check"]).arg(file("apus.yml", own)));
    assert!(!usable && said.contains("whoever reaches this address"), "{said}");
    let users = format!("auth: {{htpasswd: {{realm: r, path: {}/none}}}}", directory.path().display());
    let missing = apus::command()
        .arg("serve")
        .arg(file("users.yml", &users))
        .env("REGISTRY_HTTP_ADDR", "127.0.0.1:0")
        .output()
        .unwrap();
    let said = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(1), "{said}");
    assert!(said.contains("auth.htpasswd: nobody could sign in; htpasswd -B -c FILE USER"), "{said}");
    assert!(!directory.path().join("none").exists(), "no file of users is made");
}

/// Promise (threat A22): to know the digest of something is not to have it. What is asked for in a repository is looked for there.
#[tokio::test]
async fn a22_what_is_in_a_repository_is_found_in_no_other() {
    let rules = "access:
  rules:
    - {who: ['user:alice'], may: [pull, push, overwrite, delete], repositories: ['alice/**']}
    - {who: ['user:bob'], may: [pull, push, overwrite, delete], repositories: ['bob/**']}
";
    let closed = Closed::start(rules);
    let (alice, bob) = (As::user(&closed.apus, ALICE), As::user(&closed.apus, BOB));
    let layer = alice.push("alice/app", "layer").await;
    alice.put("alice/app", "latest", &layer).await.expect(201);
    let by_digest = digest(manifest(&layer).as_bytes());
    bob.push("bob/app", "another").await;
    for rest in [
        format!("blobs/{layer}"),
        format!("manifests/{by_digest}"),
        "manifests/latest".to_owned(),
        "tags/list".to_owned(),
        format!("referrers/{by_digest}"),
    ] {
        bob.ask("GET", &format!("/v2/alice/app/{rest}")).await.expect(403);
        if !rest.starts_with("tags") && !rest.starts_with("referrers") {
            bob.ask("GET", &format!("/v2/bob/app/{rest}")).await.expect(404);
            bob.ask("DELETE", &format!("/v2/bob/app/{rest}")).await.expect(404);
            bob.ask("DELETE", &format!("/v2/alice/app/{rest}")).await.expect(403);
        }
    }
    let tags = bob.ask("GET", "/v2/bob/app/tags/list").await.expect(200);
    assert_eq!(tags.body, r#"{"name":"bob/app","tags":[]}"#);
    let referrers = bob.ask("GET", &format!("/v2/bob/app/referrers/{by_digest}")).await.expect(200);
    assert!(String::from_utf8_lossy(&referrers.body).contains(r#""manifests":[]"#), "{referrers:?}");
    bob.put("bob/app", "latest", &layer).await.expect(400);
    bob.ask("GET", "/v2/_catalog").await.expect(403);
    alice.ask("GET", "/v2/alice/app/manifests/latest").await.expect(200);
}
