//! skopeo, which copies an image as it is.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};

use super::image::{DOCKER_IMAGE, DOCKER_LIST, Image, OCI_INDEX, parsed};
use super::programs::{complaint, run};
use super::source::{ARCHITECTURES, Small, Source};
use super::{log, over_every_backend};
use crate::support::{Apus, Backend};

const REPOSITORY: &str = "debian/small";

/// Promise: an image goes into Swift, with the sign-in of version 1, and comes back with the same bytes.
#[tokio::test]
async fn skopeo_over_swift_v1() {
    round_trip(&Backend::swift_v1(), true).await;
}

/// Promise: the same with the sign-in of version 3.
#[tokio::test]
async fn skopeo_over_swift_v3() {
    round_trip(&Backend::swift_v3(), true).await;
}

/// Promise: the same over the filesystem.
#[tokio::test]
async fn skopeo_over_the_filesystem() {
    round_trip(&Backend::filesystem(), true).await;
}

/// Promise: the same over memory, as long as the process runs.
#[tokio::test]
async fn skopeo_over_memory() {
    round_trip(&Backend::memory(), false).await;
}

/// Pushes the image, and pulls it, from another process where the backend outlives one.
async fn round_trip(backend: &Backend, outlives: bool) {
    let debian = Source::debian().await;
    let mut apus = Apus::start(backend.storage());
    push(&debian, &apus, &format!("{REPOSITORY}:latest"));
    if outlives {
        apus.kill();
        apus = Apus::start(backend.storage());
    }
    pulled(&apus, &format!("{REPOSITORY}:latest")).await.assert_same(&debian.image().await);
}

/// Promise: a list goes in and comes back with all its images, and one image of it comes by its platform.
#[tokio::test]
async fn skopeo_copies_lists() {
    let small = Small::make();
    let list = small.list().image().await;
    over_every_backend(async |apus| {
        push(&small.list(), apus, "small:list");
        Image::in_registry(apus.client(), "small", "list").await.assert_same(&list);
        pulled(apus, "small:list").await.assert_same(&list);
        for architecture in ARCHITECTURES {
            let one = pulled_for(apus, "small:list", architecture).await;
            one.assert_same(&small.image(architecture).image().await);
        }
    })
    .await;
}

/// Promise: an image and a list go in in the formats of Docker, come out in those of OCI, and keep what they describe.
#[tokio::test]
async fn skopeo_copies_formats() {
    let small = Small::make();
    let (image, list) = (small.image("arm64").image().await, small.list().image().await);
    over_every_backend(async |apus| {
        let to_docker = ["copy", "--quiet", "--all", "--format", "v2s2", "--dest-tls-verify=false"];
        run(skopeo(&[]).args(to_docker).args([&small.image("arm64").name(), &at(apus, "docker:image")]));
        let docker = Image::in_registry(apus.client(), "docker", "image").await;
        assert_eq!(docker.media_type(), DOCKER_IMAGE);
        assert!(docker.parts() == image.parts(), "other configuration or layers");

        run(skopeo(&[]).args(to_docker).args([&small.list().name(), &at(apus, "docker:list")]));
        let docker = Image::in_registry(apus.client(), "docker", "list").await;
        assert_eq!(docker.media_type(), DOCKER_LIST);
        assert_eq!(docker.for_architecture("arm64").await.media_type(), DOCKER_IMAGE);

        let to_oci = ["copy", "--quiet", "--all", "--format", "oci", "--src-tls-verify=false"];
        let directory = tempfile::tempdir().unwrap();
        let target = Source { layout: directory.path().join("layout"), tag: "pulled" };
        run(skopeo(&[]).args(to_oci).args([&at(apus, "docker:list"), &target.name()]));
        let oci = target.image().await;
        assert_eq!(oci.media_type(), OCI_INDEX);
        for architecture in ARCHITECTURES {
            let (found, wanted) =
                (oci.for_architecture(architecture).await, list.for_architecture(architecture).await);
            // skopeo writes the configuration anew.
            assert_eq!(found.layers(), wanted.layers());
            assert_eq!(parsed(found.config())["rootfs"], parsed(wanted.config())["rootfs"]);
        }
    })
    .await;
}

/// Promise: an image goes in by its digest, without a tag, and comes back by it.
#[tokio::test]
async fn skopeo_copies_by_digest() {
    let small = Small::make();
    let image = small.image("amd64").image().await;
    over_every_backend(async |apus| {
        let name = format!("small@{}", image.digest());
        push(&small.image("amd64"), apus, &name);
        assert_eq!(tags(apus, "small"), json!([]));
        pulled(apus, &name).await.assert_same(&image);
        let other = small.image("arm64").image().await.digest();
        let refused = complaint(inspect(&[]).arg(at(apus, &format!("small@{other}"))));
        assert!(refused.contains("manifest unknown"), "{refused}");
    })
    .await;
}

/// Promise: from one repository to another, layers are mounted, and none of their bytes moves.
#[tokio::test]
async fn skopeo_copies_between_repositories() {
    let small = Small::make();
    let image = small.image("amd64").image().await;
    over_every_backend(async |apus| {
        push(&small.image("amd64"), apus, "from:latest");
        let between = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        run(copy(&[]).args(between).args([at(apus, "from:latest"), at(apus, "to/another:latest")]));
        Image::in_registry(apus.client(), "to/another", "latest").await.assert_same(&image);

        let requests = log::requests(apus, "to/another").await;
        let mounts = requests.iter().filter(|request| request.mounts_blob()).count();
        assert_eq!(mounts, image.layers().len(), "{requests:#?}");
        // skopeo pushes the configuration anew, by PATCH and PUT.
        let sent = requests.iter().filter(|request| request.sends_blob()).count();
        assert_eq!(sent, 2, "{requests:#?}");
    })
    .await;
}

/// Promise: a whole repository goes to a directory, and from there to another repository.
#[tokio::test]
async fn skopeo_synchronises() {
    let small = Small::make();
    let (image, list) = (small.image("arm64").image().await, small.list().image().await);
    over_every_backend(async |apus| {
        push(&small.image("arm64"), apus, "team/small:image");
        push(&small.list(), apus, "team/small:list");
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().to_str().unwrap();
        let mut from = skopeo(&[]);
        from.args(["sync", "--all", "--preserve-digests", "--src-tls-verify=false", "--src", "docker"]);
        run(from.args(["--dest", "dir", &format!("{}/team/small", apus.address()), place]));
        Image::in_directory(&directory.path().join("small:image")).await.assert_same(&image);
        Image::in_directory(&directory.path().join("small:list")).await.assert_same(&list);

        let mut to = skopeo(&[]);
        to.args(["sync", "--all", "--preserve-digests", "--dest-tls-verify=false", "--src", "dir"]);
        run(to.args(["--dest", "docker", place, &format!("{}/copies", apus.address())]));
        assert_eq!(tags(apus, "copies/small"), json!(["image", "list"]));
        let copies = async |tag| Image::in_registry(apus.client(), "copies/small", tag).await;
        copies("image").await.assert_same(&image);
        copies("list").await.assert_same(&list);
    })
    .await;
}

/// Promise: what is deleted is gone with all its tags, other images stay, and deleting it again is refused.
#[tokio::test]
async fn skopeo_deletes() {
    let small = Small::make();
    over_every_backend(async |apus| {
        for name in ["small:gone", "small:too"] {
            push(&small.image("amd64"), apus, name);
        }
        push(&small.image("arm64"), apus, "small:stays");
        let delete = || {
            let mut command = skopeo(&[]);
            command.args(["delete", "--tls-verify=false", &at(apus, "small:gone")]);
            command
        };
        run(&mut delete());
        assert_eq!(tags(apus, "small"), json!(["stays"]));
        for name in ["small:gone", "small:too"] {
            let refused = complaint(inspect(&[]).arg(at(apus, name)));
            assert!(refused.contains("manifest unknown"), "{refused}");
        }
        let refused = complaint(&mut delete());
        assert!(refused.contains("may not exist"), "{refused}");
        pulled(apus, "small:stays").await.assert_same(&small.image("arm64").image().await);
    })
    .await;
}

/// Promise: an image is inspected as a whole, as its manifest, and as its configuration, each byte for byte, and out of a
/// list by its platform.
#[tokio::test]
async fn skopeo_inspects() {
    let small = Small::make();
    let (image, list) = (small.image("arm64").image().await, small.list().image().await);
    over_every_backend(async |apus| {
        push(&small.image("arm64"), apus, "small:image");
        push(&small.list(), apus, "small:list");
        let (as_image, as_list) = (at(apus, "small:image"), at(apus, "small:list"));
        assert_eq!(run(inspect(&[]).args(["--raw", &as_image])).as_bytes(), image.manifest());
        assert_eq!(run(inspect(&[]).args(["--raw", &as_list])).as_bytes(), list.manifest());
        assert_eq!(run(inspect(&[]).args(["--config", "--raw", &as_image])).as_bytes(), image.config());

        let arm = for_platform("arm64");
        for (name, digest) in [(&as_image, image.digest()), (&as_list, list.digest())] {
            let told = parsed(run(inspect(&arm).arg(name)).as_bytes());
            assert_eq!(told["Name"], format!("{}/small", apus.address()));
            assert_eq!(told["Digest"], digest);
            assert_eq!(told["RepoTags"], json!(["image", "list"]));
            assert_eq!((&told["Os"], &told["Architecture"]), (&json!("linux"), &json!("arm64")));
            assert_eq!(told["Layers"], json!(image.layers()));
            let config = parsed(run(inspect(&arm).args(["--config", name])).as_bytes());
            assert_eq!(config["architecture"], "arm64");
        }
    })
    .await;
}

/// Promise: all tags of a repository are listed, in the order of their bytes.
#[tokio::test]
async fn skopeo_lists_tags() {
    let small = Small::make();
    over_every_backend(async |apus| {
        let unknown = complaint(&mut list_tags(apus, "small"));
        assert!(unknown.contains("404"), "{unknown}");
        let sorted = ["0.10", "0.2", "A", "_private", "a", "a-b", "a.b", "a_b", "latest"];
        for tag in sorted.iter().rev() {
            push(&small.image("amd64"), apus, &format!("small:{tag}"));
        }
        assert_eq!(tags(apus, "small"), json!(sorted));
    })
    .await;
}

/// Pushes an image, or a list with its images.
pub(super) fn push(source: &Source, apus: &Apus, name: &str) {
    push_to(source, apus.address(), name);
}

/// The same to any registry.
pub(super) fn push_to(source: &Source, registry: SocketAddr, name: &str) {
    let target = format!("docker://{registry}/{name}");
    run(copy(&[]).args(["--all", "--dest-tls-verify=false", &source.name(), &target]));
}

/// Pulls an image to an OCI layout.
pub(super) fn pull(apus: &Apus, name: &str, target: &Source) {
    run(copy(&[]).args(["--src-tls-verify=false", &at(apus, name), &target.name()]));
}

/// What comes when an image, or a list with its images, is pulled.
pub(super) async fn pulled(apus: &Apus, name: &str) -> Image {
    pulled_by(copy(&[]).arg("--all"), apus, name).await
}

/// What comes of a list when the image for one architecture is pulled.
async fn pulled_for(apus: &Apus, name: &str, architecture: &str) -> Image {
    pulled_by(&mut copy(&for_platform(architecture)), apus, name).await
}

async fn pulled_by(copy: &mut Command, apus: &Apus, name: &str) -> Image {
    // Unlike an OCI layout, it takes Docker's formats as they are.
    let directory = tempfile::tempdir().unwrap();
    let target = format!("dir:{}", directory.path().display());
    run(copy.args(["--src-tls-verify=false", &at(apus, name), &target]));
    Image::in_directory(directory.path()).await
}

fn tags(apus: &Apus, repository: &str) -> Value {
    parsed(run(&mut list_tags(apus, repository)).as_bytes())["Tags"].clone()
}

fn list_tags(apus: &Apus, repository: &str) -> Command {
    let mut command = skopeo(&[]);
    command.args(["list-tags", "--tls-verify=false", &at(apus, repository)]);
    command
}

fn inspect(options: &[&str]) -> Command {
    let mut command = skopeo(options);
    command.args(["inspect", "--tls-verify=false"]);
    command
}

fn copy(options: &[&str]) -> Command {
    let mut command = skopeo(options);
    command.args(["copy", "--quiet", "--preserve-digests"]);
    command
}

/// skopeo with its general options. No signatures are asked for, whatever the machine's policy says.
fn skopeo(options: &[&str]) -> Command {
    let mut command = Command::new("skopeo");
    command.arg("--insecure-policy").args(options);
    command
}

/// The options that choose an image of a list.
fn for_platform(architecture: &str) -> [&str; 4] {
    ["--override-os", "linux", "--override-arch", architecture]
}

/// What skopeo calls a repository, with a tag or a digest.
fn at(apus: &Apus, name: &str) -> String {
    format!("docker://{}/{name}", apus.address())
}
