//! Manifests: by tag or digest, byte for byte (OCI distribution specification, "Pulling manifests", "Pushing Manifests").

use apus_registry::{Error, MediaType, PutManifest, Reference, RepositoryName};
use http::request::Parts;
use http::{StatusCode, header};

use crate::App;
use crate::action::Content;
use crate::answer::{Answer, CONTENT_DIGEST, WithHeader, content, status};
use crate::errors::Failure;
use crate::parameters::{none_match, text};
use crate::received::Received;

impl App {
    pub(crate) async fn get_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        wanted: Content,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        let manifest = self.registry().manifest(name, reference).await?;
        let digest = manifest.digest.to_string();
        let answer = if none_match(&head.headers, &digest) {
            status(StatusCode::NOT_MODIFIED)
        } else {
            let length = manifest.content.len().to_string();
            let bytes = if wanted == Content::Sent { manifest.content } else { bytes::Bytes::new() };
            content(StatusCode::OK, manifest.media_type.as_str(), bytes)
                .with_header(header::CONTENT_LENGTH, length)
        };
        Ok(answer.with_header(header::ETAG, format!("\"{digest}\"")).with_header(CONTENT_DIGEST, digest))
    }

    pub(crate) async fn put_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        head: &Parts,
        received: Received,
    ) -> Result<Answer, Failure> {
        let limit = self.registry().manifest_limit();
        let Some(content) = received.collect(limit).await.map_err(Error::ContentBroken)? else {
            return Err(Error::ManifestTooLarge { limit }.into());
        };
        let media_type = text(&head.headers, header::CONTENT_TYPE).and_then(MediaType::parse);
        let put = PutManifest { repository: name, reference, media_type, content };
        let digest = self.registry().put_manifest(put).await?.to_string();
        Ok(status(StatusCode::CREATED)
            .with_header(header::LOCATION, self.location(&format!("/v2/{name}/manifests/{digest}")))
            .with_header(CONTENT_DIGEST, digest))
    }
}
