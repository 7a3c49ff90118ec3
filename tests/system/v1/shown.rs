//! The images of version 1 in version 2, where they are: an old configuration and one word more.

use std::fs;
use std::process::Command;

use hyper::Method;
use serde_json::Value;

use super::docker::{Image, push};
use super::versions::ALICE;
use super::{Old, TOP, command, sample};
use crate::clients::docker::Docker;
use crate::clients::programs::run;
use crate::clients::tree::assert_same;
use crate::docker_registry::files::{COMPRESSIONS, by_hand, unpacked};
use crate::docker_registry::old::{Made, archive};
use crate::docker_registry::{import, written};
use crate::support::backend::PROVEN;
use crate::support::client::follow;
use crate::support::content::digest;
use crate::support::swift::object_names;
use crate::support::{Apus, Backend};

/// What a client of today accepts.
const ACCEPT: [(&str, &str); 1] = [(
    "accept",
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
)];

fn shown(old: &Old) -> Apus {
    shown_with(old, &[])
}

fn shown_with(old: &Old, variables: &[(&str, &str)]) -> Apus {
    let mut command = command();
    command.env("REGISTRY_V1_VERSION2", "true").envs(variables.iter().copied());
    Apus::start_file(command, &old.configuration)
}

/// A manifest with its digest.
async fn manifest(apus: &Apus, repository: &str, reference: &str) -> (Value, String) {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let answer = apus.client().request(Method::GET, &path, &ACCEPT, "").await.expect(200);
    let digest = answer.header("docker-content-digest").to_owned();
    (serde_json::from_slice(&answer.body).unwrap(), digest)
}

/// Of configuration and layers.
fn digests(manifest: &Value) -> Vec<&str> {
    let layers = manifest["layers"].as_array().unwrap().iter();
    let all = std::iter::once(&manifest["config"]).chain(layers);
    all.map(|descriptor| descriptor["digest"].as_str().unwrap()).collect()
}

/// How many layers an Apus has read to find out what they are.
fn layers_read(apus: &Apus) -> usize {
    apus.log().iter().filter(|line| line.contains("reading a layer of docker-registry 0.x")).count()
}

/// Promise: skopeo and docker pull what the original pushed, out of the real Swift and out of a directory, with the digests that
/// the import would give it.
#[tokio::test]
async fn clients_of_today_pull_what_the_original_pushed() {
    let docker = Docker::start();
    let directory = tempfile::tempdir().unwrap();
    let imported = import(&sample(), &written(&Backend::memory(), directory.path()), &["--dry-run"]);
    for old in [Old::in_swift().with_sample().await, Old::in_directory().with_sample().await] {
        let apus = shown(&old);
        let mut seen = 0;
        for tag in imported.events("tag") {
            let name = tag["name"].as_str().unwrap();
            let (repository, reference) = name.split_once(':').unwrap();
            let (found, digest) = manifest(&apus, repository, reference).await;
            assert_eq!(digest, tag["digest"].as_str().unwrap(), "{}: {name}", old.name);
            let pulled = format!("{}/{name}", apus.address());
            run(docker.command().args(["pull", "--quiet", &pulled]));
            assert_eq!(docker.id(&pulled), found["config"]["digest"].as_str().unwrap());
            run(docker.command().args(["image", "rm", "--force", &pulled]));
            seen += 1;
        }
        assert_eq!(seen, 6, "{:?}", imported.events("tag"));
        let files = unpacked(&apus, "acme/webapp:latest");
        assert_same(&files, &by_hand(&sample(), TOP));
        let listed = apus.client().get("/v2/base/tags/list").await.expect(200);
        assert_eq!(listed.body.trim_ascii(), br#"{"name":"base","tags":["1.0","2.0","latest"]}"#);
        // What is private is in no list, as in the search.
        let listed = apus.client().get("/v2/_catalog").await.expect(200);
        assert_eq!(listed.body.trim_ascii(), br#"{"repositories":["base"]}"#);
        // Version 1 goes on beside it.
        apus.client().get(&format!("/v1/images/{TOP}/json")).await.expect(200);
        old.remove().await;
    }
}

/// Promise: layers in any compression that the original took come out as layers of today, with the same files.
#[tokio::test]
async fn layers_in_every_compression() {
    let mut made = Made::new();
    let mut top = String::new();
    for (number, how) in COMPRESSIONS.into_iter().enumerate() {
        let (new, removed) = (format!("srv/{number}"), format!("srv/.wh.{}", number.wrapping_sub(2)));
        top = made.image(&archive(how, &[(&new, "content"), (&removed, "")]));
    }
    made.tag("acme/web", "latest", &top);
    for old in [Old::in_swift().with(made.root()).await, Old::in_directory().with(made.root()).await] {
        let apus = shown(&old);
        assert_same(&unpacked(&apus, "acme/web:latest"), &by_hand(made.root(), &top));
        // Whatever a client has of one already, it can have the rest.
        let (found, _) = manifest(&apus, "acme/web", "latest").await;
        for digest in digests(&found) {
            let path = format!("/v2/acme/web/blobs/{digest}");
            let whole = apus.client().get(&path).await.expect(200).body;
            let range = [("range", "bytes=10-")];
            let rest = apus.client().request(Method::GET, &path, &range, "").await.expect(206).body;
            assert_eq!(rest, whole.slice(10..), "{}: {digest}", old.name);
        }
        old.remove().await;
    }
}

/// Promise: what is pushed by version 1 is there in version 2 as soon as it is pushed; version 2 itself takes no pushes.
#[tokio::test]
async fn pushed_by_version_1_and_pulled_by_version_2() {
    for old in [Old::in_swift(), Old::in_directory()] {
        let apus = shown(&old);
        let below = Image::new(None, 100_000);
        let above = Image::new(Some(&below.id), 300_000);
        apus.client().get("/v2/a/b/manifests/1.0").await.expect(404);
        push(apus.client(), "a/b", "1.0", &[&below, &above]).await;
        let (found, digest) = manifest(&apus, "a/b", "1.0").await;
        assert_eq!(found["layers"].as_array().unwrap().len(), 2);
        let directory = tempfile::tempdir().unwrap();
        let to = format!("dir:{}", directory.path().join("pulled").display());
        let name = format!("docker://{}/a/b@{digest}", apus.address());
        run(Command::new("skopeo").args(["copy", "--src-tls-verify=false", &name, &to]));

        let upload = apus.client().post("/v2/a/b/blobs/uploads/").await.expect(405);
        assert!(String::from_utf8_lossy(&upload.body).contains("UNSUPPORTED"), "{upload:?}");
        let path = format!("/v2/a/b/manifests/{digest}");
        apus.client().request(Method::DELETE, &path, &[], "").await.expect(405);
        manifest(&apus, "a/b", "1.0").await;
        old.remove().await;
    }
}

/// Promise: any replica answers what another one has begun, without reading what that has read; and so does the next start.
#[tokio::test]
async fn replicas_share_what_they_have_found_out() {
    let old = Old::in_swift().with_sample().await;
    let (one, other) = (shown(&old), shown(&old));
    let (found, digest) = manifest(&one, "acme/webapp", "latest").await;
    assert_eq!(layers_read(&one), 5);
    for blob in digests(&found) {
        let path = format!("/v2/acme/webapp/blobs/{blob}");
        assert_eq!(other.client().get(&path).await.expect(200).body, one.client().get(&path).await.body);
    }
    assert_eq!(manifest(&other, "acme/webapp", &digest).await, (found.clone(), digest.clone()));
    // Neither is of another repository.
    other.client().get(&format!("/v2/base/manifests/{digest}")).await.expect(404);
    let own = digests(&found).pop().unwrap().to_owned();
    other.client().get(&format!("/v2/base/blobs/{own}")).await.expect(404);
    assert_eq!(layers_read(&other), 0);
    drop((one, other));
    let again = shown(&old);
    assert_eq!(manifest(&again, "acme/webapp", "latest").await.1, digest);
    assert_eq!(layers_read(&again), 0);
    old.remove().await;
}

/// Promise: clients are sent to Swift for layers that lie there as they are, once it is known which those are.
#[tokio::test]
async fn clients_are_sent_to_swift_for_layers() {
    let old = Old::in_swift().with_sample().await;
    let apus = shown_with(&old, &[("REGISTRY_STORAGE_REDIRECT_DISABLE", "false")]);
    apus.until_it_logs(PROVEN).await;
    let (found, _) = manifest(&apus, "acme/webapp", "latest").await;
    let [configuration, .., top] = &*digests(&found) else { panic!("{found}") };
    apus.client().get(&format!("/v2/acme/webapp/blobs/{configuration}")).await.expect(200);
    let sent = apus.client().get_here(&format!("/v2/acme/webapp/blobs/{top}"), &[]).await.expect(307);
    assert!(sent.header("location").contains(&format!("/registry/images/{TOP}/layer?")), "{sent:?}");
    let layer = follow(&sent, &[]).await.expect(200).body;
    assert_eq!(digest(&layer), **top);
    apus.client().get(&format!("/v2/base/blobs/{top}")).await.expect(404);
    old.remove().await;
}

/// Promise: a registry that is read-only writes nothing for it, and shows the same.
#[tokio::test]
async fn read_only_it_writes_nothing() {
    let old = Old::in_swift().with_sample().await;
    let container = old.container.clone().unwrap();
    let before = object_names(&container).await;
    let apus = shown_with(&old, &[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")]);
    let (found, digest) = manifest(&apus, "acme/webapp", "dev").await;
    assert_eq!(manifest(&apus, "acme/webapp", &digest).await.0, found);
    for blob in digests(&found) {
        apus.client().get(&format!("/v2/acme/webapp/blobs/{blob}")).await.expect(200);
    }
    assert_eq!(object_names(&container).await, before);
    old.remove().await;
}

/// Promise: a repository that is private is there only for who has signed in, though a policy lets everyone read; without any
/// sign-in it is there for everyone, as in version 1.
#[tokio::test]
async fn what_is_private_is_for_who_has_signed_in() {
    let old = Old::in_directory().with_sample().await;
    let root = old.directory.as_ref().unwrap().path();
    let users = root.join("htpasswd");
    fs::write(&users, format!("{ALICE}\n")).unwrap();
    let storage = format!("  filesystem: {{rootdirectory: {}}}", root.display());
    let open = Apus::start_with(&storage, "v1: {version2: true}");
    let (found, digest) = manifest(&open, "acme/webapp", "latest").await;
    open.client().get("/v1/_ping").await.expect(404);
    drop(open);
    let more = format!(
        "auth: {{htpasswd: {{realm: r, path: {}}}}}\nv1: {{version2: true}}\naccess:\n  rules:\n    \
         - {{who: [everyone], may: [pull], repositories: [\"**\"]}}\n",
        users.display()
    );
    let apus = Apus::start_with(&storage, &more);
    let alice = format!("Basic {}", data_encoding::BASE64.encode(b"alice:wonderland"));
    let given = apus.client().get("/v2/token?scope=repository:acme/webapp:pull").await.expect(200);
    let given: Value = serde_json::from_slice(&given.body).unwrap();
    let anonymous = format!("Bearer {}", given["token"].as_str().unwrap());
    let layer = digests(&found).pop().unwrap();
    for path in [
        "/v2/acme/webapp/manifests/latest".to_owned(),
        format!("/v2/acme/webapp/manifests/{digest}"),
        format!("/v2/acme/webapp/blobs/{layer}"),
        "/v2/acme/webapp/tags/list".to_owned(),
    ] {
        let get = async |headers: &[(&str, &str)]| {
            let headers = [&ACCEPT[..], headers].concat();
            apus.client().request(Method::GET, &path, &headers, "").await
        };
        for refused in [get(&[]).await, get(&[("authorization", &anonymous)]).await] {
            let challenge = refused.expect(401).header("www-authenticate").to_owned();
            assert!(challenge.contains("scope=\"repository:acme/webapp:pull\""), "{path}: {challenge}");
        }
        get(&[("authorization", &alice)]).await.expect(200);
    }
    manifest(&apus, "base", "latest").await;
}

/// Promise: an index that says who may read is not passed by: somebody has to say who may read by version 2.
#[tokio::test]
async fn an_index_is_not_passed_by() {
    let old = Old::in_directory();
    let text = old
        .configuration
        .replace("standalone: true", "standalone: false\n  index_endpoint: http://127.0.0.1:1");
    let file = old.directory.as_ref().unwrap().path().join("config.yml");
    fs::write(&file, &text).unwrap();
    let mut refused = command();
    refused.env("REGISTRY_V1_VERSION2", "true");
    let refused = refused.arg("serve").arg(&file).output().unwrap();
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && complaint.contains("an index says who may read"), "{complaint}");

    let mut said = command();
    said.envs([("REGISTRY_V1_VERSION2", "true"), ("REGISTRY_AUTH", "none")]);
    let apus = Apus::start_file(said, &text);
    apus.client().get("/v2/").await.expect(200);
}
