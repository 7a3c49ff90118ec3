//! Manifests: by tag or digest, byte for byte (OCI distribution specification, "Pulling manifests", "Pushing Manifests").

use std::sync::{Mutex, MutexGuard, PoisonError};

use apus_events::Told;
use apus_registry::{Error, KeptTags, Manifest, MediaType, PutManifest, Reference, RepositoryName, Tag};
use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::accept::takes;
use crate::answer::{Answer, CONTENT_DIGEST, WithHeader, content, status};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::{none_match, queries, text};
use crate::received::Received;
use crate::request::Head;
use crate::warning::warn;
use crate::{App, Route};

/// `OCI-Subject`: that a manifest was taken as a referrer of this one.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// `OCI-Tag`: that a tag was moved along.
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// Tags that one request may move. The specification wants ten at least.
const MOST_TAGS: usize = 100;

/// The media type of an index, which a list of referrers is too.
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

const ONE_OF_A_LIST: &str = "this is the image for linux/amd64 out of a list of images for several platforms: the request's \
                             Accept names no lists";
const SCHEMA_1: &str = "this image is in the obsolete format of manifest schema 1, which new clients do not read and which \
                        cannot be pushed any more: pull it with an old client, and push it again in schema 2 or OCI format";

impl App {
    pub(crate) async fn get_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        head: &Head,
    ) -> Result<Answer, Failure> {
        let manifest = self.manifest(name, reference).await?;
        let is_known = none_match(&head.headers, &manifest.digest.to_string());
        if !is_known {
            self.manifest_pulled(name, tag_of(reference), &manifest, head).await;
        }
        let of_list = match reference {
            Reference::Tag(_) if manifest.media_type.is_docker_list() && knows_no_lists(&head.headers) => {
                // As registry:2 does for clients from before there were lists.
                self.default_platform(name, &manifest).await?
            }
            _ => None,
        };
        if let Some(image) = of_list.as_ref().filter(|_| !is_known) {
            self.manifest_pulled(name, None, image, head).await;
        }
        Ok(match of_list {
            Some(image) => warn(described(image, head), ONE_OF_A_LIST),
            None if manifest.media_type.is_schema_1() => warn(described(manifest, head), SCHEMA_1),
            None => described(manifest, head),
        })
    }

    pub(crate) async fn put_manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
        head: &Head,
        received: Received,
    ) -> Result<Answer, Failure> {
        let tags = queries(&head.uri, "tag").map(|tag| Tag::parse(&tag)).collect::<Result<Vec<_>, _>>()?;
        if tags.len() > MOST_TAGS {
            let message = format!("no more than {MOST_TAGS} tags at once");
            return Err(Failure::new(StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid, message));
        }
        let limit = self.registry().manifest_limit();
        let too_large = || Error::ManifestTooLarge { limit };
        let length = match received.length {
            Some(length) => {
                usize::try_from(length).ok().filter(|length| *length <= limit).ok_or_else(too_large)?
            }
            None => limit,
        };
        // Before anything of it is read: a client that waits for `100 Continue` waits here.
        let _memory = self.manifest_memory().share(length as u64).await.ok_or_else(|| {
            let message = "too many manifests are being pushed at this moment; try again";
            Failure::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message)
        })?;
        let content = received.collect(length).await.map_err(Error::ContentBroken)?.ok_or_else(too_large)?;
        let media_type = text(&head.headers, header::CONTENT_TYPE).and_then(MediaType::parse);
        let is_kept = |tag: &Tag| !head.permit.may_overwrite(name.as_str(), tag.as_str());
        let kept = KeptTags::those(&is_kept);
        let put = PutManifest {
            repository: name,
            reference,
            tags: &tags,
            kept,
            media_type,
            content: content.clone(),
        };
        let stored = self.registry().put_manifest(put).await?;
        let manifest = Manifest { digest: stored.digest.clone(), media_type: stored.media_type, content };
        self.manifest_pushed(name, tag_of(reference).into_iter().chain(&tags), &manifest, head).await;
        let place = Route::Manifest(name.clone(), Reference::Digest(stored.digest.clone()));
        let mut answer = status(StatusCode::CREATED)
            .with_header(header::LOCATION, head.location(&place))
            .with_header(CONTENT_DIGEST, stored.digest.to_string());
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
        head: &Head,
    ) -> Result<Answer, Failure> {
        let is_kept = |tag: &Tag| !head.permit.may_delete_tag(name.as_str(), tag.as_str());
        match reference {
            Reference::Tag(tag) if is_kept(tag) => {
                return Err(Error::TagKept { repository: name.clone(), tag: tag.clone() }.into());
            }
            Reference::Tag(tag) => {
                self.registry().delete_tag(name, tag).await?;
                self.deleted(name, reference, head).written().await;
            }
            Reference::Digest(digest) => {
                // To know which tags it has is a reading of all of them: only where some may have to stay.
                let kept = if head.permit.may_delete_all_tags(name.as_str()) {
                    KeptTags::NONE
                } else {
                    KeptTags::those(&is_kept)
                };
                // Of each at once, for the deletion may end in the middle; the last word is written after all others.
                let last = Mutex::new(Told::default());
                let gone = |gone: Reference| *lock(&last) = self.deleted(name, &gone, head);
                let deleted = self.registry().delete_manifest_and_tell(name, digest, kept, &gone).await;
                let last = std::mem::take(&mut *lock(&last));
                last.written().await;
                deleted?;
            }
        }
        Ok(status(StatusCode::ACCEPTED))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tag_of(reference: &Reference) -> Option<&Tag> {
    match reference {
        Reference::Tag(tag) => Some(tag),
        Reference::Digest(_) => None,
    }
}

fn described(manifest: Manifest, head: &Head) -> Answer {
    let digest = manifest.digest.to_string();
    let answer = if none_match(&head.headers, &digest) {
        status(StatusCode::NOT_MODIFIED)
    } else {
        content(StatusCode::OK, manifest.media_type.as_str(), manifest.content)
    };
    answer.with_header(header::ETAG, format!("\"{digest}\"")).with_header(CONTENT_DIGEST, digest)
}

/// Whether the client takes images, and no lists of them. Its word on Docker's lists counts; where it has none for them, that on
/// OCI's, for who reads those reads both.
fn knows_no_lists(headers: &HeaderMap) -> bool {
    const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    let takes_images = IMAGES.iter().any(|image| takes(headers, image) == Some(true));
    let takes_lists = takes(headers, DOCKER_LIST).or_else(|| takes(headers, OCI_INDEX));
    takes_images && takes_lists != Some(true)
}

#[cfg(test)]
mod tests;
