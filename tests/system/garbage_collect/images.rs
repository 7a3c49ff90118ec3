//! Images on the real Swift, and in a directory.

use super::*;
use crate::support::backend::variable;
use crate::support::swift::{Container, object_names};

/// Large enough to become segments.
const LARGE: usize = 5 << 20;

/// Promise: what is needed can be pulled afterwards byte by byte; what is not leaves no object behind, no segment and no record.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_gone_from_swift_and_the_rest_is_whole() {
    let backend = Backend::swift_v1();
    let container = backend.container().unwrap().to_owned();
    let collector = Collector::of(&backend);
    let apus = serve(&backend);
    let client = apus.client();
    let kept = Image::push(client, "kept/image", Some("v1"), LARGE).await;
    let child = Image::push(client, "kept/image", None, LARGE).await;
    put(client, "kept/image", Some("all"), INDEX, &index(&[&child])).await;
    let signature = put(client, "kept/image", None, MANIFEST, &referrer(&child.digest, "signature")).await;
    let before = object_names(&container).await;

    let gone = Image::push(client, "other", Some("v1"), LARGE).await;
    let small = Image::push(client, "kept/image", Some("small"), 1000).await;
    let lost = put(client, "other", None, MANIFEST, &referrer(&gone.digest, "lost")).await;
    gone.delete(client).await;
    small.delete(client).await;
    apus.kill();

    // Its subject is gone, but nobody has asked to delete what has no tag.
    let summary = collector.collect(&[]);
    assert_eq!(
        (&summary["deleted_blobs"], &summary["deleted_manifests"]),
        (&4.into(), &0.into()),
        "{summary}"
    );
    let bytes = gone.layer.len() + gone.manifest.len() + small.layer.len() + small.manifest.len();
    assert_eq!(summary["freed_bytes"], bytes, "{summary}");
    assert_eq!(summary["deleted_links"], 2, "{summary}");
    let names = object_names(&container).await;
    let of_lost: Vec<&String> = names.iter().filter(|name| name.contains(&lost["sha256:".len()..])).collect();
    assert_eq!(of_lost.len(), 3, "{names:#?}");
    assert_eq!(names.len(), before.len() + of_lost.len(), "{names:#?}");

    let summary = collector.collect(&["-m"]);
    assert_eq!(
        (&summary["deleted_blobs"], &summary["deleted_manifests"]),
        (&1.into(), &1.into()),
        "{summary}"
    );
    assert_eq!(object_names(&container).await, before);

    let apus = serve(&backend);
    let client = apus.client();
    kept.is_whole(client).await;
    child.is_whole(client).await;
    client.get(&format!("/v2/kept/image/manifests/{signature}")).await.expect(200);
    let referrers = client.get(&format!("/v2/kept/image/referrers/{}", child.digest)).await.expect(200);
    assert!(String::from_utf8_lossy(&referrers.body).contains(&signature));
    client.get("/v2/kept/image/manifests/all").await.expect(200);
    gone.is_gone(client).await;
    small.is_gone(client).await;
    // It can come back.
    client.push("other", gone.layer.clone()).await;
    client.head(&format!("/v2/other/blobs/{}", gone.layer_digest)).await.expect(200);
    apus.kill();
    Container::open(&container).await.remove().await;
}

/// The lines are those of registry:2, and a dry run changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn it_prints_what_registry_2_prints() {
    let backend = Backend::filesystem();
    let collector = Collector::of(&backend);
    let apus = serve(&backend);
    let client = apus.client();
    let kept = Image::push(client, "a", Some("v1"), 100).await;
    let untagged = Image::push(client, "a", None, 100).await;
    let garbage = client.push("a", random(100)).await;
    apus.kill();

    let size = untagged.manifest.len() + 200;
    let mut eligible = [&untagged.digest, &untagged.layer_digest, &garbage];
    eligible.sort();
    let told = format!(
        "a\na: marking manifest {} \na: marking blob {}\nmanifest eligible for deletion: {}\n\n\
         2 blobs marked, 3 blobs and 1 manifests eligible for deletion\n{}",
        kept.digest,
        kept.layer_digest,
        untagged.digest,
        eligible.map(|digest| format!("blob eligible for deletion: {digest}\n")).concat()
    );
    let output = collector.run(&["--dry-run", "-m"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
    assert_eq!(stdout, format!("{told}dry run: nothing deleted; it would free {size} bytes\n"));

    let output = collector.run(&["-m=true"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
    assert_eq!(stdout, format!("{told}deleted 3 blobs, 1 manifests and 2 links; freed {size} bytes\n"));
    let output = collector.run(&["-q", "--delete-untagged"]);
    assert_eq!((output.status.code(), texts(&output)), (Some(0), (String::new(), String::new())));

    let apus = serve(&backend);
    kept.is_whole(apus.client()).await;
    untagged.is_gone(apus.client()).await;
}

/// Promise: nothing younger than a day goes unless it is said.
#[tokio::test]
async fn what_is_young_is_kept() {
    let backend = Backend::filesystem();
    let apus = serve(&backend);
    let garbage = apus.client().push("a", random(100)).await;
    let collector = Collector::of(&backend);
    let run = |arguments: &[&str]| {
        let mut command = command();
        command.arg("garbage-collect").args(arguments).current_dir(collector.directory.path());
        texts(&command.output().unwrap()).0
    };
    for arguments in [&["config.yml"][..], &["config.yml", "--min-age", "1h30m"]] {
        assert!(run(arguments).contains("0 blobs and 0 manifests eligible for deletion"));
        apus.client().head(&format!("/v2/a/blobs/{garbage}")).await.expect(200);
    }
}

/// Promise: a dynamic large object without a size, which no cluster reads, does not keep the rest from being collected.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_blob_is_told_of_and_passed_over() {
    let backend = Backend::swift_v1();
    let container = backend.container().unwrap().to_owned();
    let collector = Collector::of(&backend);
    let apus = serve(&backend);
    let client = apus.client();
    let kept = Image::push(client, "a", Some("v1"), 100).await;
    let gone = Image::push(client, "a", Some("v2"), 100).await;
    gone.delete(client).await;
    apus.kill();
    let hex = "ab".repeat(32);
    let damaged = format!("files/docker/registry/v2/blobs/sha256/ab/{hex}/data");
    put_dynamic(&container, &damaged, &format!("{container}/segments/nothing")).await;

    let summary = collector.collect(&[]);
    assert_eq!((&summary["deleted_blobs"], &summary["warnings"]), (&2.into(), &1.into()), "{summary}");
    let names = object_names(&container).await;
    assert!(names.contains(&damaged) && !names.iter().any(|name| gone.has(name)), "{names:#?}");
    let output = collector.run(&[]);
    let (stdout, stderr) = texts(&output);
    assert!(stderr.contains(&hex) && stderr.contains("is damaged"), "{stdout}{stderr}");
    let apus = serve(&backend);
    kept.is_whole(apus.client()).await;
    apus.kill();
    Container::open(&container).await.remove().await;
}

/// Writes a dynamic large object past Apus, by the sign-in of version 1.
async fn put_dynamic(container: &str, name: &str, manifest: &str) {
    let (user, key) = (variable("ST_USER"), variable("ST_KEY"));
    let client_of = |url: &str| {
        let uri: hyper::Uri = url.parse().unwrap();
        (Client::new(uri.authority().unwrap().as_str().parse().unwrap()), uri.path().to_owned())
    };
    let (client, path) = client_of(&variable("ST_AUTH"));
    let headers = [("x-auth-user", &*user), ("x-auth-key", &*key)];
    let signed_in = client.request(Method::GET, &path, &headers, "").await.expect(200);
    let (client, account) = client_of(signed_in.header("x-storage-url"));
    let headers = [("x-auth-token", signed_in.header("x-auth-token")), ("x-object-manifest", manifest)];
    client.request(Method::PUT, &format!("{account}/{container}/{name}"), &headers, "").await.expect(201);
}
