//! What the tests push, by requests that either registry takes; and the questions by which all of it is asked for.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::answers::{Answers, answers};
use crate::support::Client;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};

/// How a document says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Docker,
    Oci,
    /// As OCI, but it does not say so itself, which OCI 1.0 allows.
    Unmarked,
}

impl Format {
    pub(super) fn image(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
            Self::Oci | Self::Unmarked => "application/vnd.oci.image.manifest.v1+json",
        }
    }

    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
            Self::Oci | Self::Unmarked => "application/vnd.oci.image.index.v1+json",
        }
    }

    fn config(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.container.image.v1+json",
            Self::Oci | Self::Unmarked => "application/vnd.oci.image.config.v1+json",
        }
    }

    fn layer(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            Self::Oci | Self::Unmarked => "application/vnd.oci.image.layer.v1.tar+gzip",
        }
    }
}

/// How a blob goes in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// POST, and PUT with all of it.
    Whole,
    /// POST, PATCH with all of it, PUT.
    Stream,
    /// POST, PATCH after PATCH of so many bytes, PUT.
    Chunks(usize),
}

/// What a manifest says of one of its parts.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) digest: String,
    pub(super) size: usize,
}

impl Part {
    pub(super) fn of(content: &[u8]) -> Self {
        Self { digest: digest(content), size: content.len() }
    }

    pub(super) fn described(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest, "size": self.size })
    }
}

/// What was pushed, and what was taken away again.
#[derive(Debug, Clone, Default)]
pub(super) struct Stock {
    /// What is asked for.
    paths: BTreeSet<String>,
}

impl Stock {
    /// Images and lists in every format, tags that were moved, layers on either side of a segment, a mount, deletions.
    pub(super) async fn push(client: Client) -> Self {
        let mut stock = Self::default();
        let shared = stock.tags(client).await;
        stock.lists(client, "lists", &[Format::Docker, Format::Oci, Format::Unmarked]).await;
        stock.mount(client, &shared).await;
        stock.large(client).await;
        stock.deleted(client).await;
        stock
    }

    /// Less of it, where it is only another way to the same storage.
    pub(super) async fn push_some(client: Client) -> Self {
        let mut stock = Self::default();
        stock.lists(client, "lists", &[Format::Oci]).await;
        stock.large(client).await;
        stock
    }

    /// What is answered to all of them.
    pub(super) async fn answers(&self, client: Client) -> Answers {
        answers(client, &self.paths).await
    }

    /// Tags of which one was moved, so that an image is left that has none. Answers a layer of it.
    async fn tags(&mut self, client: Client) -> Part {
        let repository = "library/app";
        let shared = self.blob(client, repository, &random(300_000), Way::Stream).await;
        for (version, also) in
            [("1.0", "latest"), ("1.1", "latest"), ("nightly", "nightly"), ("nightly", "nightly")]
        {
            let layer = self.blob(client, repository, &random(1_500_000), Way::Whole).await;
            let layers = [shared.clone(), layer];
            let image = self.image(client, repository, version, Format::Docker, &layers).await;
            self.tag(client, repository, also, &image).await;
        }
        shared
    }

    /// A list of two images in each of these formats, each in a repository of its own below this name.
    pub(super) async fn lists(&mut self, client: Client, under: &str, formats: &[Format]) {
        for &format in formats {
            let repository = &format!("{under}/{format:?}").to_lowercase();
            let mut images = Vec::new();
            for architecture in ["amd64", "arm64"] {
                let layer = self.blob(client, repository, &random(70_000), Way::Stream).await;
                let image = self.image(client, repository, architecture, format, &[layer]).await;
                let mut described = image.described(format.image());
                described["platform"] = json!({ "architecture": architecture, "os": "linux" });
                images.push(described);
            }
            let list = marked(format, format.list(), json!({ "manifests": images }));
            self.manifest(client, repository, "list", format.list(), list).await;
        }
    }

    async fn mount(&mut self, client: Client, shared: &Part) {
        let repository = "library/app/nested/1deep";
        let from = format!("/v2/{repository}/blobs/uploads/?mount={}&from=library/app", shared.digest);
        client.post(&from).await.expect(201);
        self.ask(format!("/v2/{repository}/blobs/{}", shared.digest));
        self.image(client, repository, "mounted", Format::Oci, std::slice::from_ref(shared)).await;
    }

    /// 50 MiB, which registry:2 stores in three segments and Apus lets Swift read; and more, in chunks, which Apus reads
    /// segment by segment.
    async fn large(&mut self, client: Client) {
        let repository = "large";
        let mut layers = Vec::new();
        for (mebibytes, way) in [(50, Way::Stream), (52, Way::Chunks(9 << 20))] {
            layers.push(self.blob(client, repository, &random(mebibytes << 20), way).await);
        }
        self.image(client, repository, "large", Format::Oci, &layers).await;
    }

    /// An image that is deleted with its tag, and a layer that is deleted alone.
    async fn deleted(&mut self, client: Client) {
        let repository = "library/deleted";
        let [kept, gone] = [(); 2].map(|()| random(5000));
        let kept = self.blob(client, repository, &kept, Way::Whole).await;
        let gone = self.blob(client, repository, &gone, Way::Whole).await;
        self.image(client, repository, "kept", Format::Docker, std::slice::from_ref(&kept)).await;
        let image = self.image(client, repository, "gone", Format::Docker, &[kept, gone.clone()]).await;
        self.delete(client, &format!("/v2/{repository}/manifests/{}", image.digest)).await;
        self.delete(client, &format!("/v2/{repository}/blobs/{}", gone.digest)).await;
    }

    /// Pushes a blob.
    pub(super) async fn blob(&mut self, client: Client, repository: &str, content: &Bytes, way: Way) -> Part {
        let part = Part::of(content);
        let chunk = match way {
            Way::Whole => usize::MAX,
            Way::Stream => content.len(),
            Way::Chunks(length) => length,
        };
        let mut place = client.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202).location();
        let mut rest = content.clone();
        while rest.len() >= chunk && !rest.is_empty() {
            place = client.patch(&place, rest.split_to(chunk)).await.expect(202).location();
        }
        client.put(&with_digest(&place, &part.digest), rest).await.expect(201);
        self.ask(format!("/v2/{repository}/blobs/{}", part.digest));
        part
    }

    /// Pushes the configuration and the manifest of an image.
    pub(super) async fn image(
        &mut self,
        client: Client,
        repository: &str,
        reference: &str,
        format: Format,
        layers: &[Part],
    ) -> Part {
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {}, "author": format!("{:x}", rand::random::<u64>()),
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>() },
            "history": layers.iter().map(|_| json!({ "created_by": "a test" })).collect::<Vec<_>>()
        });
        let config = self.blob(client, repository, &config.to_string().into(), Way::Stream).await;
        let layers: Vec<_> = layers.iter().map(|layer| layer.described(format.layer())).collect();
        let manifest = json!({ "config": config.described(format.config()), "layers": layers });
        let manifest = marked(format, format.image(), manifest);
        self.manifest(client, repository, reference, format.image(), manifest).await
    }

    /// Pushes a manifest under a tag.
    pub(super) async fn manifest(
        &mut self,
        client: Client,
        repository: &str,
        tag: &str,
        media_type: &str,
        content: Value,
    ) -> Part {
        let content = content.to_string();
        put_manifest(client, repository, tag, media_type, content.clone()).await;
        let part = Part::of(content.as_bytes());
        self.ask(format!("/v2/{repository}/manifests/{}", part.digest));
        self.ask_for_tag(repository, tag);
        part
    }

    /// Pushes an image manifest that has another as its subject, by its digest alone. Answers the digest.
    pub(super) async fn referrer(&mut self, client: Client, repository: &str, subject: &Part) -> String {
        let config = self.blob(client, repository, &"{}".into(), Way::Whole).await;
        let manifest = json!({
            "config": config.described("application/vnd.oci.empty.v1+json"), "layers": [],
            "artifactType": "application/vnd.example.signature", "subject": subject.described(Format::Oci.image())
        });
        let manifest = marked(Format::Oci, Format::Oci.image(), manifest).to_string();
        let digest = digest(manifest.as_bytes());
        put_manifest(client, repository, &digest, Format::Oci.image(), manifest).await;
        self.ask(format!("/v2/{repository}/manifests/{digest}"));
        digest
    }

    /// Sends the rest of a blob, of which `sent` bytes are there.
    pub(super) async fn finish(
        &mut self,
        client: Client,
        repository: &str,
        place: &str,
        content: &Bytes,
        sent: usize,
    ) {
        let part = Part::of(content);
        client.put(&with_digest(place, &part.digest), content.slice(sent..)).await.expect(201);
        self.ask(format!("/v2/{repository}/blobs/{}", part.digest));
    }

    /// Gives an image one more tag.
    pub(super) async fn tag(&mut self, client: Client, repository: &str, tag: &str, image: &Part) {
        let path = format!("/v2/{repository}/manifests/{}", image.digest);
        let accept = [("accept", Format::Docker.image())];
        let stored = client.request(hyper::Method::GET, &path, &accept, "").await.expect(200);
        put_manifest(client, repository, tag, Format::Docker.image(), stored.body).await;
        self.ask_for_tag(repository, tag);
    }

    pub(super) async fn delete(&mut self, client: Client, path: &str) {
        client.delete(path).await.expect(202);
        self.ask(path.to_owned());
    }

    fn ask_for_tag(&mut self, repository: &str, tag: &str) {
        self.ask(format!("/v2/{repository}/manifests/{tag}"));
        self.ask(format!("/v2/{repository}/tags/list"));
    }

    /// Asks for this too.
    pub(super) fn ask(&mut self, path: String) {
        self.paths.insert(path);
        self.paths.insert("/v2/_catalog?n=1000".to_owned());
    }
}

/// Puts a manifest.
pub(super) async fn put_manifest(
    client: Client,
    repository: &str,
    reference: &str,
    media_type: &str,
    content: impl Into<Bytes>,
) {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let headers = [("content-type", media_type)];
    client.request(hyper::Method::PUT, &path, &headers, content).await.expect(201);
}

/// The document, which says what it is where the format has it so.
fn marked(format: Format, media_type: &str, mut document: Value) -> Value {
    document["schemaVersion"] = 2.into();
    if format != Format::Unmarked {
        document["mediaType"] = media_type.into();
    }
    document
}
