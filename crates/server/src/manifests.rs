//! Manifests: by tag or digest, byte for byte (OCI distribution specification, "Pulling manifests", "Pushing Manifests").

use apus_registry::{Error, MediaType, PutManifest, Reference, RepositoryName, Tag};
use http::request::Parts;
use http::{HeaderName, StatusCode, header};

use crate::App;
use crate::action::Content;
use crate::answer::{Answer, CONTENT_DIGEST, WithHeader, content, status};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::{none_match, queries, text};
use crate::received::Received;

/// `OCI-Subject`: that a manifest was taken as a referrer of this one.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// `OCI-Tag`: that a tag was moved along.
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// Tags that one request may move. The specification wants ten at least.
const MOST_TAGS: usize = 100;

impl App {
    pub(crate) async fn get_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        wanted: Content,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        let mut manifest = self.registry().manifest(name, reference).await?;
        if matches!(reference, Reference::Tag(_))
            && manifest.media_type.is_docker_list()
            && knows_no_lists(head)
        {
            // As registry:2 does for clients from before there were lists.
            manifest = self.registry().default_platform(name, &manifest).await?.unwrap_or(manifest);
        }
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
        let tags = queries(&head.uri, "tag").map(|tag| Tag::parse(&tag)).collect::<Result<Vec<_>, _>>()?;
        if tags.len() > MOST_TAGS {
            let message = format!("no more than {MOST_TAGS} tags at once");
            return Err(Failure::new(StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid, message));
        }
        let put = PutManifest { repository: name, reference, tags: &tags, media_type, content };
        let stored = self.registry().put_manifest(put).await?;
        let digest = stored.digest.to_string();
        let mut answer = status(StatusCode::CREATED)
            .with_header(header::LOCATION, self.location(&format!("/v2/{name}/manifests/{digest}")))
            .with_header(CONTENT_DIGEST, digest);
        if let Some(subject) = stored.subject {
            answer = answer.with_header(SUBJECT, subject.to_string());
        }
        for tag in &tags {
            answer = answer.with_another(TAG, tag.as_str());
        }
        Ok(answer)
    }

    pub(crate) async fn delete_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Answer, Failure> {
        match reference {
            Reference::Tag(tag) => self.registry().delete_tag(name, tag).await?,
            Reference::Digest(digest) => self.registry().delete_manifest(name, digest).await?,
        }
        Ok(status(StatusCode::ACCEPTED))
    }
}

/// Whether the client says what it takes, and a list of manifests is not among it.
fn knows_no_lists(head: &Parts) -> bool {
    let mut accepted =
        head.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    accepted.peek().is_some()
        && !accepted.flat_map(|value| value.split(',')).any(|range| {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            matches!(media_type, "*/*" | "application/*")
                || media_type.contains(".manifest.list.")
                || media_type.contains(".image.index.")
        })
}
