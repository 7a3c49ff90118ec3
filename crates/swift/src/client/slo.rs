//! Static large objects: a manifest that names its segments (Swift, "Static Large Objects").

use apus_storage::Freshness;
use bytes::Bytes;
use http::header::{ACCEPT, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::Container;
use super::answer::{Answer, entity_tag, modified};
use super::metadata::ObjectKind;
use super::object::Deletion;
use super::upload::{Stored, Uploaded, is_created, put_headers};
use crate::error::{Result, SwiftError, SwiftErrorKind};
use crate::etag;

/// Swift takes manifests of 8 MiB at most, and gives them back with more in them.
const LONGEST_MANIFEST: usize = 32 << 20;
/// A deletion answers with a line for each segment that could not be deleted.
const LONGEST_REPORT: usize = 4 << 20;

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
    metadata: HeaderMap,
}

impl<'a> SloManifest<'a> {
    /// To be written under this name, in place of whatever is there.
    #[must_use]
    pub fn new(name: &'a str, segments: &'a [Segment]) -> Self {
        Self { name, segments, if_absent: false, metadata: HeaderMap::new() }
    }

    /// Only if nothing is there.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// With this header besides.
    #[must_use]
    pub fn metadata(mut self, metadata: Option<(HeaderName, HeaderValue)>) -> Self {
        self.metadata.extend(metadata.into_iter().map(|(name, value)| (Some(name), value)));
        self
    }
}

#[derive(Serialize)]
struct EntryToWrite<'a> {
    path: String,
    etag: &'a str,
    size_bytes: u64,
}

#[derive(Deserialize)]
struct EntryRead {
    name: String,
}

/// What a deletion of many answers, with status 200 whatever came of it.
#[derive(Deserialize)]
struct Report {
    #[serde(rename = "Response Status", default)]
    status: String,
    #[serde(rename = "Response Body", default)]
    body: String,
    #[serde(rename = "Number Deleted", default)]
    deleted: u64,
    #[serde(rename = "Errors", default)]
    errors: Vec<(String, String)>,
}

impl Container {
    /// Writes a large object's manifest: the object appears whole, at once. Swift checks that each segment is there with
    /// this size and tag; Ceph RGW does not compare the tag.
    pub async fn put_manifest(&self, manifest: SloManifest<'_>) -> Result<Uploaded> {
        let SloManifest { name, segments, if_absent, metadata } = manifest;
        let entries: Vec<EntryToWrite<'_>> = segments
            .iter()
            .map(|segment| EntryToWrite {
                path: format!("/{}/{}", self.name(), segment.name),
                etag: &segment.etag,
                size_bytes: segment.size,
            })
            .collect();
        let body = serde_json::to_vec(&entries).map_err(|error| {
            SwiftError::new(SwiftErrorKind::Unexpected, format!("PUT {name}"), "no manifest")
                .with_source(error)
        })?;
        let call = self
            .call(Method::PUT, Some(name))
            .query("multipart-manifest", "put")
            .headers(put_headers(metadata, if_absent))
            .body(Bytes::from(body).into());
        let answer = self.client.send(call).await?;
        match answer.status {
            status if is_created(status) => {
                let size = segments.iter().map(|segment| segment.size).sum();
                self.made(
                    answer,
                    name,
                    size,
                    etag::of_segments(segments.iter().map(|segment| &*segment.etag)),
                )
                .await
            }
            StatusCode::BAD_REQUEST => {
                let mut error =
                    answer.error(SwiftErrorKind::Damaged, "answered 400: a segment is missing or differs");
                error = error.with_source(answer.refused().await);
                Err(error)
            }
            _ => self.not_created(answer, None).await,
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
    pub async fn manifest(&self, name: &str) -> Result<Option<Vec<String>>> {
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
        let body = answer.bytes(LONGEST_MANIFEST).await?;
        if body.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let entries: Vec<EntryRead> =
            serde_json::from_slice(&body).map_err(|error| unreadable.with_source(error))?;
        let own = format!("/{}/", self.name());
        let names = entries.iter().filter_map(|entry| entry.name.strip_prefix(&own));
        Ok(Some(names.map(str::to_owned).collect()))
    }

    /// Deletes a static large object with all its segments. Segments that are gone already are no failure.
    ///
    /// If it fails half way the object can no longer be read, and doing it again ends it.
    pub async fn delete_with_segments(&self, name: &str) -> Result<Deletion> {
        let call = self
            .call(Method::DELETE, Some(name))
            .query("multipart-manifest", "delete")
            .header(ACCEPT.as_str(), HeaderValue::from_static("application/json"));
        let answer = self.client.send(call).await?;
        match answer.status {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => {
                answer.discard().await;
                return Ok(Deletion::Absent);
            }
            _ => return Err(answer.refused().await),
        }
        let failed = answer.error(SwiftErrorKind::UNAVAILABLE, "not everything was deleted");
        let body = answer.bytes(LONGEST_REPORT).await?;
        let Ok(report) = serde_json::from_slice::<Report>(&body) else {
            return Err(failed.with_finding("its report cannot be read"));
        };
        let not_static = |(_, reason): &(String, String)| reason.contains("Not an SLO");
        if report.body.contains("Not an SLO") || report.errors.iter().any(not_static) {
            return self.delete(name).await;
        }
        if let Some((object, reason)) = report.errors.first() {
            return Err(failed.with_finding(&format!("{object}: {reason}")));
        }
        if report.status.starts_with('2') {
            return Ok(Deletion::Done);
        }
        if report.status.starts_with("404") && report.deleted == 0 {
            return Ok(Deletion::Absent);
        }
        Err(failed.with_finding(&format!("{} {}", report.status, report.body)))
    }
}
