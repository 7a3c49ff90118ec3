//! docker 1.3, request by request: what its sources send, in their order, with their headers; and what they need of the answers.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use hyper::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Old, TOP};
use crate::support::client::{full, streamed};
use crate::support::content::random;
use crate::support::{Answer, Apus, Client};

const AGENT: &str = "docker/1.3.2 go/go1.3.3 git-commit/39fa2fa kernel/3.16.0-25-generic os/linux arch/amd64";

/// A docker: its requests go out with what it always sends.
struct Docker {
    client: Client,
    token: Option<String>,
}

impl Docker {
    fn new(client: Client) -> Self {
        Self { client, token: None }
    }

    async fn send(&self, method: Method, path: &str, more: &[(&str, &str)], body: Body) -> Answer {
        let token = self.token.as_ref().map(|token| format!("Token {token}"));
        let mut headers = vec![("user-agent", AGENT), ("accept-encoding", "gzip")];
        match &token {
            Some(token) => headers.push(("authorization", token)),
            // Nobody's name and nobody's password.
            None => headers.push(("authorization", "Basic Og==")),
        }
        headers.extend(more);
        let body = match body {
            Body::None => full(""),
            Body::Whole(bytes) => full(bytes),
            Body::Chunked(bytes) => {
                // As the layer is compressed on its way: without a length.
                streamed(stream::iter(bytes.chunks(32_768).map(Bytes::copy_from_slice).collect::<Vec<_>>()))
            }
        };
        self.client.try_request(method, path, &headers, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::None).await
    }

    async fn ping(&self) {
        let ping = self.get("/v1/_ping").await.expect(200);
        assert_eq!((&ping.body[..], ping.header("x-docker-registry-standalone")), (&b"{}"[..], "True"));
    }

    /// What it takes from the answers by which a push and a pull begin.
    fn admitted(&mut self, answer: &Answer) {
        let token = answer.header("x-docker-token");
        assert!(token.starts_with("Token signature="), "{answer:?}");
        self.token = Some(token.to_owned());
        assert!(!answer.header("x-docker-endpoints").is_empty(), "{answer:?}");
    }
}

enum Body {
    None,
    Whole(Bytes),
    Chunked(Bytes),
}

/// An image as docker has it before a push.
pub(super) struct Image {
    pub(super) id: String,
    json: String,
    /// In gzip.
    layer: Bytes,
}

impl Image {
    pub(super) fn new(parent: Option<&str>, files: usize) -> Self {
        let id = data_encoding::HEXLOWER.encode(&random(32));
        let mut described =
            json!({ "id": id, "created": "2014-11-20T00:00:04Z", "os": "linux", "Size": files });
        if let Some(parent) = parent {
            described["parent"] = parent.into();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(files as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, "srv/file", &random(files)[..]).unwrap();
        encoder.write_all(&builder.into_inner().unwrap()).unwrap();
        Self { id, json: described.to_string(), layer: encoder.finish().unwrap().into() }
    }

    fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.json);
        hash.update(b"\n");
        hash.update(&self.layer);
        format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash.finalize()))
    }

    fn path(&self, part: &str) -> String {
        format!("/v1/images/{}/{part}", self.id)
    }
}

/// `docker push`, of the images from the lowest on, the last of which has the tag.
pub(super) async fn push(client: Client, repository: &str, tag: &str, images: &[&Image]) {
    let mut docker = Docker::new(client);
    docker.ping().await;
    let mut list: Vec<Value> = images.iter().map(|image| json!({ "id": image.id })).collect();
    list.last_mut().unwrap()["Tag"] = tag.into();
    let list = Value::from(list).to_string();
    let json = [("content-type", "application/json"), ("x-docker-token", "true")];
    let path = format!("/v1/repositories/{repository}/");
    let begun = docker.send(Method::PUT, &path, &json, Body::Whole(list.into())).await.expect(200);
    docker.admitted(&begun);
    for image in images {
        if docker.get(&image.path("json")).await.status == 200 {
            continue;
        }
        let described = Body::Whole(image.json.clone().into());
        docker
            .send(Method::PUT, &image.path("json"), &[("content-type", "application/json")], described)
            .await
            .expect(200);
        let layer = Body::Chunked(image.layer.clone());
        docker.send(Method::PUT, &image.path("layer"), &[], layer).await.expect(200);
        let sums = [
            ("x-docker-checksum", "tarsum.dev+sha256:00"),
            ("x-docker-checksum-payload", &*image.checksum()),
        ];
        let sums = [sums[0], sums[1], ("content-length", "0")];
        docker.send(Method::PUT, &image.path("checksum"), &sums, Body::None).await.expect(200);
    }
    let id = Body::Whole(format!("\"{}\"", images.last().unwrap().id).into());
    let path = format!("/v1/repositories/{repository}/tags/{tag}");
    docker.send(Method::PUT, &path, &[("content-type", "application/json")], id).await.expect(200);
    let endpoints =
        [("content-type", "application/json"), ("x-docker-endpoints", begun.header("x-docker-endpoints"))];
    let path = format!("/v1/repositories/{repository}/images");
    docker.send(Method::PUT, &path, &endpoints, Body::Whole("[]".into())).await.expect(204);
}

/// `docker pull` of a tag. Answers descriptions and layers, from the lowest on.
async fn pull(client: Client, repository: &str, tag: &str) -> Vec<(Bytes, Bytes)> {
    let mut docker = Docker::new(client);
    docker.ping().await;
    let path = format!("/v1/repositories/{repository}/images");
    let begun = docker.send(Method::GET, &path, &[("x-docker-token", "true")], Body::None).await.expect(200);
    docker.admitted(&begun);
    assert!(serde_json::from_slice::<Value>(&begun.body).unwrap().is_array());
    let tags = docker.get(&format!("/v1/repositories/{repository}/tags")).await.expect(200);
    let tags: Value = serde_json::from_slice(&tags.body).unwrap();
    let top = tags[tag].as_str().unwrap_or_else(|| panic!("{tags}"));
    let ancestry = docker.get(&format!("/v1/images/{top}/ancestry")).await.expect(200);
    let mut ancestry: Vec<String> = serde_json::from_slice(&ancestry.body).unwrap();
    ancestry.reverse();
    let mut images = Vec::new();
    for id in ancestry {
        let json = docker.get(&format!("/v1/images/{id}/json")).await.expect(200);
        let size: usize = json.header("x-docker-size").parse().unwrap();
        let layer = docker.get(&format!("/v1/images/{id}/layer")).await.expect(200);
        assert_eq!((layer.body.len(), layer.header("accept-ranges")), (size, "bytes"), "{id}");
        // It was cut, and goes on from where it was; then it has all of it.
        let half = size / 2;
        let range = format!("bytes={half}-{size}");
        let rest = docker
            .send(Method::GET, &format!("/v1/images/{id}/layer"), &[("range", &range)], Body::None)
            .await;
        if size > 0 {
            assert_eq!(rest.status, 206, "{rest:?}");
            assert_eq!(rest.header("content-range"), format!("bytes {half}-{}/{size}", size - 1));
            assert!(rest.body == layer.body.slice(half..), "{id}: other bytes from {half} on");
        }
        let end = format!("bytes={size}-{size}");
        let end =
            docker.send(Method::GET, &format!("/v1/images/{id}/layer"), &[("range", &end)], Body::None).await;
        assert_eq!((end.status.as_u16(), end.body.len(), end.header("content-length")), (416, 0, "0"));
        images.push((json.body, layer.body));
    }
    images
}

async fn pushes_and_pulls(old: Old) {
    let below = Image::new(None, 100);
    let above = Image::new(Some(&below.id), 3 << 20);
    let apus = old.start();
    push(apus.client(), "acme/app", "latest", &[&below, &above]).await;
    let expected = [&below, &above].map(|image| (Bytes::from(image.json.clone()), image.layer.clone()));
    assert!(pull(apus.client(), "acme/app", "latest").await == expected, "{}: other bytes", old.name);
    // Another process reads the same; what it finds is what docker-registry 0.x would find.
    drop(apus);
    let apus = old.start();
    assert!(pull(apus.client(), "acme/app", "latest").await == expected, "{}: other bytes", old.name);
    let object = async |name: &str| old.object(name).await.map(|content| String::from_utf8(content).unwrap());
    let image = |part: &str| format!("images/{}/{part}", above.id);
    assert_eq!(object("repositories/acme/app/tag_latest").await.unwrap(), above.id);
    assert_eq!(object(&image("json")).await.unwrap(), above.json);
    assert_eq!(object(&image("_checksum")).await.unwrap(), format!("[\"{}\"]", above.checksum()));
    assert_eq!(object(&image("ancestry")).await.unwrap(), format!("[\"{}\", \"{}\"]", above.id, below.id));
    assert_eq!(object(&image("_inprogress")).await, None);
    assert!(old.object(&image("layer")).await.unwrap() == above.layer);

    // A second push says what is here already, and moves a tag.
    push(apus.client(), "acme/app", "again", &[&below, &above]).await;
    assert!(pull(apus.client(), "acme/app", "again").await == expected);
    drop(apus);
    old.remove().await;
}

/// Promise: a push and a pull in the exact order of docker 1.3, over the real Swift.
#[tokio::test]
async fn docker_pushes_and_pulls_over_swift() {
    pushes_and_pulls(Old::in_swift()).await;
}

/// The same over a directory.
#[tokio::test]
async fn docker_pushes_and_pulls_over_a_directory() {
    pushes_and_pulls(Old::in_directory()).await;
}

/// Layers beyond the largest object of the cluster: there it is 5 GiB, on this one 1 MiB.
#[tokio::test]
async fn layers_larger_than_the_largest_object() {
    let options = Options { max_file_size: 1 << 20, ..Options::default() };
    let fake = FakeSwift::start(options).await.unwrap();
    let configuration = format!(
        "swift:\n  storage: swift\n  swift_auth_version: 1\n  swift_authurl: {}\n  swift_user: test:tester\n  \
         swift_password: testing\n  standalone: true\n",
        fake.auth_url_v1()
    );
    let apus = Apus::start_file(super::command(), &configuration);
    let (chunked, whole) = (Image::new(None, 3 << 20), Image::new(None, 3 << 20));
    push(apus.client(), "a/b", "chunked", &[&chunked]).await;
    assert!(pull(apus.client(), "a/b", "chunked").await == [(chunked.json.into(), chunked.layer)]);
    // Of a length that is said before.
    let client = apus.client();
    client.put(&whole.path("json"), whole.json.clone()).await.expect(200);
    client.put(&whole.path("layer"), whole.layer.clone()).await.expect(200);
    let sum = [("x-docker-checksum-payload", &*whole.checksum())];
    client.request(Method::PUT, &whole.path("checksum"), &sum, "").await.expect(200);
    client.put("/v1/repositories/a/b/tags/whole", format!("\"{}\"", whole.id)).await.expect(200);
    assert!(pull(client, "a/b", "whole").await == [(whole.json.into(), whole.layer)]);
}

/// Promise: what the original wrote is served, and built upon.
#[tokio::test]
async fn the_originals_sample_is_pulled_and_pushed_to() {
    for old in [Old::in_swift(), Old::in_directory()] {
        let old = old.with_sample().await;
        let apus = old.start();
        for (repository, tag, images) in [
            ("acme/webapp", "latest", 5),
            ("acme/webapp", "dev", 5),
            ("acme/webapp", "1.0", 4),
            ("base", "2.0", 3),
        ] {
            let pulled = pull(apus.client(), repository, tag).await;
            assert_eq!(pulled.len(), images, "{}: {repository}:{tag}", old.name);
            for (json, layer) in pulled {
                let json_: Value = serde_json::from_slice(&json).unwrap();
                let id = json_["id"].as_str().unwrap();
                assert!(old.object(&format!("images/{id}/json")).await.unwrap() == json);
                assert!(old.object(&format!("images/{id}/layer")).await.unwrap() == layer);
            }
        }
        let new = Image::new(Some(TOP), 1000);
        push(apus.client(), "acme/webapp", "2.0", &[&new]).await;
        assert_eq!(pull(apus.client(), "acme/webapp", "2.0").await.len(), 6);
        drop(apus);
        old.remove().await;
    }
}

/// Trap: an upload that was cut answered 200 or left half a layer. Here nothing is there, and docker's next push brings it.
#[tokio::test]
async fn a_layer_whose_upload_was_cut_is_not_there() {
    for old in [Old::in_swift(), Old::in_directory()] {
        let apus = old.start();
        let image = Image::new(None, 2 << 20);
        let client = apus.client();
        client.put(&image.path("json"), image.json.clone()).await.expect(200);
        let mut cut = 0;
        for head in ["transfer-encoding: chunked", "content-length: 3000000"] {
            let mut socket = TcpStream::connect(apus.address()).unwrap();
            let path = image.path("layer");
            write!(socket, "PUT {path} HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n").unwrap();
            if head.starts_with("transfer") {
                write!(socket, "{:x}\r\n", 1 << 20).unwrap();
            }
            socket.write_all(&image.layer[..1 << 20]).unwrap();
            drop(socket);
            cut += 1;
            until_it_logs(&apus, &format!("\"{path}\""), cut).await;
        }
        client.get(&image.path("layer")).await.expect(400);
        assert_eq!(old.object(&format!("images/{}/layer", image.id)).await, None, "{}", old.name);
        push(client, "a/b", "latest", &[&image]).await;
        assert_eq!(pull(client, "a/b", "latest").await.len(), 1);
        drop(apus);
        old.remove().await;
    }
}

/// Waits until so many lines of its log hold these words.
async fn until_it_logs(apus: &Apus, words: &str, lines: usize) {
    let begun = Instant::now();
    while apus.log().iter().filter(|line| line.contains(words)).count() < lines {
        assert!(begun.elapsed() < Duration::from_mins(1), "{words}:\n{}", apus.log().join("\n"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
