//! Who may do what: users with passwords, tokens, the policy, and the answers to those who may not.

mod cached;
pub(crate) mod distribution;
mod own_tokens;
mod passwords;
mod policy;
mod threats;
pub(crate) mod token_server;
mod tokens;

use std::path::PathBuf;

use bytes::Bytes;
use data_encoding::BASE64;
use hyper::Method;
use serde_json::json;

use crate::support::client::with_digest;
use crate::support::content::digest;
use crate::support::{Answer, Apus, Backend, Client};

/// Users as `htpasswd -nbBC 4` writes them; their passwords are in [`ALICE`], [`BOB`] and [`RITA`].
pub(crate) const USERS: &str = "\
alice:$2b$04$CGgP1l6BL0EQDw/zdJBIXOBNpi2cGBcIqS5NordDENgfPZ8ltX/6K
bob:$2b$04$DEI0unnMl6UqI.0iRf.29uJMMrjGLicv9/BNpOlEktZ42FHfw64B2
rita:$2b$04$H3mWnHxZPKr65NGzHCQpL.s16uRCsTa1iOEEMthxIQ/GVCHf0FPAi
";
pub(crate) const ALICE: &str = "alice:open sesame";
const BOB: &str = "bob:hunter2";
const RITA: &str = "rita:correct horse";

/// Who asks for an image's manifest, an upload, a deletion and the catalog: one request of each kind, in a repository.
const KINDS: [(&str, &str); 7] = [
    ("GET", "manifests/latest"),
    ("HEAD", "manifests/latest"),
    ("PUT", "manifests/latest"),
    ("DELETE", "manifests/latest"),
    ("POST", "blobs/uploads/"),
    ("GET", "tags/list"),
    ("DELETE", "blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
];

/// The header by which a client signs in with a name and a password.
fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64.encode(credentials.as_bytes()))
}

/// A registry whose users are in a file.
struct Closed {
    apus: Apus,
    users: PathBuf,
    _directory: tempfile::TempDir,
}

impl Closed {
    /// With more lines at the end of its configuration.
    fn start(more: &str) -> Self {
        Self::start_on(&Backend::memory(), more)
    }

    fn start_on(backend: &Backend, more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("htpasswd");
        std::fs::write(&users, USERS).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: Apus, path: {}}}}}\n{more}", users.display());
        let storage = format!("{}\n  delete: {{enabled: true}}", backend.storage());
        Self { apus: Apus::start_with(&storage, &auth), users, _directory: directory }
    }
}

/// A client that signs in by the same header each time, or not at all.
#[derive(Clone)]
struct As {
    client: Client,
    header: Option<String>,
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl As {
    fn nobody(apus: &Apus) -> Self {
        Self { client: apus.client(), header: None }
    }

    fn user(apus: &Apus, credentials: &str) -> Self {
        Self { client: apus.client(), header: Some(basic(credentials)) }
    }

    fn bearer(apus: &Apus, token: &str) -> Self {
        Self { client: apus.client(), header: Some(format!("Bearer {token}")) }
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, "").await
    }

    async fn send(&self, method: &str, path: &str, content: impl Into<Bytes>) -> Answer {
        let media_type = if path.contains("/manifests/") { MANIFEST } else { "application/octet-stream" };
        let mut headers = vec![("content-type", media_type)];
        headers.extend(self.header.iter().map(|header| ("authorization", header.as_str())));
        let method: Method = method.parse().unwrap();
        self.client.request(method, path, &headers, content).await
    }

    /// Pushes a blob in two requests. Answers its digest.
    async fn push(&self, repository: &str, content: &'static str) -> String {
        let begun = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/")).await.expect(202);
        let name = digest(content.as_bytes());
        self.send("PUT", &with_digest(&begun.location(), &name), content).await.expect(201);
        name
    }

    /// Puts a manifest that names one layer: by a tag or a digest, with a query or without.
    async fn put(&self, repository: &str, reference: &str, layer: &str) -> Answer {
        self.send("PUT", &format!("/v2/{repository}/manifests/{reference}"), manifest(layer)).await
    }
}

/// A manifest that names one layer.
fn manifest(layer: &str) -> String {
    let layers = json!([{ "mediaType": "application/octet-stream", "digest": layer, "size": 1 }]);
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": layers }).to_string()
}
