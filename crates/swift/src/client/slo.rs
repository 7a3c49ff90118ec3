//! Static large objects: a manifest that names its segments (Swift, "Static Large Objects").

use apus_storage::Freshness;
use bytes::Bytes;
use http::header::{ACCEPT, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::Container;
use super::answer::{Answer, broke_off, entity_tag, modified};
use super::metadata::ObjectKind;
use super::object::Deletion;
use super::troubles::Troubles;
use super::upload::{Stored, Uploaded, is_created, put_headers};
use crate::error::{Result, SwiftError, SwiftErrorKind};
use crate::etag;
use crate::retry::Tries;

/// Swift takes manifests of 8 MiB at most, and gives them back with more in them.
const LONGEST_MANIFEST: usize = 32 << 20;

/// An object that is a segment of a large one, in the same container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Its entity tag.
    pub etag: String,
    /// Its bytes.
    pub size: u64,
}

/// A large object to be made of segments that are there.
#[derive(Debug, Clone)]
pub struct SloManifest<'a> {
    name: &'a str,
    segments: &'a [Segment],
    if_absent: bool,
    pub(super) headers: HeaderMap,
}

impl<'a> SloManifest<'a> {
    /// To be written under this name, in place of whatever is there.
    #[must_use]
    pub fn new(name: &'a str, segments: &'a [Segment]) -> Self {
        Self { name, segments, if_absent: false, headers: HeaderMap::new() }
    }

    /// Only if nothing is there.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// With these headers besides, such as `Content-Type`, `X-Object-Meta-Color` or `X-Delete-After`.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

#[derive(Serialize)]
struct EntryToWrite<'a> {
    path: String,
    etag: Option<&'a str>,
    size_bytes: u64,
}

#[derive(Deserialize)]
struct EntryRead {
    #[serde(default)]
    name: String,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    bytes: u64,
}

impl Container {
    /// Writes a large object's manifest: the object appears whole, at once. Swift checks that each segment is there with
    /// this size and tag; Ceph RGW does not compare the tag.
    ///
    /// # Errors
    /// [`SwiftErrorKind::Damaged`] when a segment is missing or differs; nothing was written then.
    pub async fn put_manifest(&self, manifest: SloManifest<'_>) -> Result<Uploaded> {
        let SloManifest { name, segments, if_absent, headers } = manifest;
        if if_absent && self.is_known_to_exist(name).await? {
            return Ok(Uploaded::Exists { again: None, repeated: false });
        }
        let entries: Vec<EntryToWrite<'_>> = segments
            .iter()
            .map(|segment| EntryToWrite {
                path: format!("/{}/{}", self.name(), segment.name),
                etag: Some(&*segment.etag).filter(|tag| !tag.is_empty()),
                size_bytes: segment.size,
            })
            .collect();
        let body = serde_json::to_vec(&entries).map_err(|error| {
            SwiftError::new(SwiftErrorKind::Unexpected, format!("PUT {name}"), "no manifest")
                .with_source(error)
        })?;
        let body = Bytes::from(body);
        let headers = put_headers(headers, if_absent);
        let mut troubles = Troubles::new(self);
        loop {
            let call = self
                .call(Method::PUT, Some(name))
                .query("multipart-manifest", "put")
                .headers(headers.clone())
                .header(ACCEPT.as_str(), HeaderValue::from_static("application/json"))
                .body(body.clone().into());
            let answer = self.client.send(call).await?;
            match answer.status {
                status if is_created(status) => {
                    let size = segments.iter().map(|segment| segment.size).sum();
                    let tag = etag::of_segments(segments.iter().map(|segment| &*segment.etag));
                    return self.made(answer, name, size, tag).await;
                }
                StatusCode::BAD_REQUEST => troubles.of_a_manifest(answer).await?,
                // Ceph RGW says so of a segment.
                StatusCode::NOT_FOUND if self.exists().await? => {
                    let error = answer.error(SwiftErrorKind::Damaged, "answered 404: a segment is missing");
                    answer.discard().await;
                    return Err(error);
                }
                _ => return self.not_created(answer, None).await,
            }
        }
    }

    /// A cluster without static large objects stores the text of the manifest as an object of its own.
    async fn made(&self, answer: Answer, name: &str, size: u64, expected: String) -> Result<Uploaded> {
        let agrees = entity_tag(&answer.headers).is_some_and(|tag| tag.eq_ignore_ascii_case(&expected));
        let modified = modified(&answer.headers);
        let error =
            answer.error(SwiftErrorKind::Unexpected, "the cluster does not make static large objects");
        answer.discard().await;
        if !agrees {
            let stored = self.head(name, Freshness::Newest).await?;
            if stored.is_none_or(|stored| stored.kind != ObjectKind::Static) {
                let _ = self.delete(name).await;
                return Err(error.with_advice("enable the middleware slo in Swift's proxy"));
            }
        }
        Ok(Uploaded::Stored(Stored { size, entity_tag: expected, modified }))
    }

    /// The segments that a large object's manifest names, those of other containers left out; empty where the cluster
    /// does not say (Ceph RGW), and `None` when the object is none or no static large object.
    pub async fn manifest(&self, name: &str) -> Result<Option<Vec<Segment>>> {
        let mut tries = Tries::by(self.client.0.retry);
        let (body, unreadable) = loop {
            let call = self
                .call(Method::GET, Some(name))
                .query("multipart-manifest", "get")
                .header("x-newest", HeaderValue::from_static("true"));
            let answer = self.client.send(call).await?;
            let is_static = answer.headers.contains_key("x-static-large-object");
            match answer.status {
                StatusCode::OK if is_static => {}
                StatusCode::OK | StatusCode::NOT_FOUND => return Ok(None),
                _ => return Err(answer.refused().await),
            }
            let unreadable = answer.error(SwiftErrorKind::Unexpected, "its manifest cannot be read");
            match answer.bytes(LONGEST_MANIFEST).await {
                Ok(body) => break (body, unreadable),
                Err(error) => broke_off(error, &mut tries).await?,
            }
        };
        if body.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let entries: Vec<EntryRead> =
            serde_json::from_slice(&body).map_err(|error| unreadable.with_source(error))?;
        let own = format!("/{}/", self.name());
        let segments = entries.into_iter().filter_map(|EntryRead { name, hash, bytes }| {
            Some(Segment { name: name.strip_prefix(&own)?.to_owned(), etag: hash, size: bytes })
        });
        Ok(Some(segments.collect()))
    }

    /// Deletes a static large object with all its segments. Segments that are gone already are no failure. An object of
    /// another kind is deleted itself.
    ///
    /// Swift deletes the manifest even if it fails to delete a segment. Such segments are deleted by themselves; if that
    /// fails as well, they stay behind.
    pub async fn delete_with_segments(&self, name: &str) -> Result<Deletion> {
        let mut troubles = Troubles::new(self);
        loop {
            let call = self
                .call(Method::DELETE, Some(name))
                .query("multipart-manifest", "delete")
                .header(ACCEPT.as_str(), HeaderValue::from_static("application/json"));
            let answer = self.client.send(call).await?;
            let again = answer.repeated || troubles.repeated;
            let missing = if again { Deletion::Done } else { Deletion::Absent };
            match answer.status {
                status if status.is_success() => {}
                StatusCode::NOT_FOUND => {
                    answer.discard().await;
                    return Ok(missing);
                }
                _ => return Err(answer.refused().await),
            }
            match troubles.of_a_deletion(answer).await? {
                None => {}
                Some(report) if report.says_it_is_not_static() => return self.delete(name).await,
                Some(report) => {
                    for deletion in self.delete_many(std::mem::take(&mut troubles.failed)).await {
                        deletion?;
                    }
                    return Ok(if report.deleted == 0 { missing } else { Deletion::Done });
                }
            }
        }
    }
}
