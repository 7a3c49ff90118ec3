//! Listings of a container, page by page. They may lag behind the objects (Swift's containers are eventually consistent).

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use http::{Method, StatusCode};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Container;
use super::answer::broke_off;
use crate::error::{Result, SwiftError, SwiftErrorKind};
use crate::retry::Tries;

/// Asked for where the cluster does not say what it gives: what a stock Swift gives at most.
const USUAL_LIMIT: usize = 10_000;
/// Ten thousand names of 1,024 bytes each, escaped.
const LONGEST_PAGE: usize = 64 << 20;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListingRequest<'a> {
    /// Only names that begin so.
    pub prefix: &'a str,
    /// Only names after this one.
    pub marker: &'a str,
    /// Fold what has another slash after the prefix.
    pub one_level: bool,
    /// At most this many entries; the cluster may give fewer.
    pub limit: usize,
}

/// One page.
#[derive(Debug)]
pub struct Listing {
    /// In the order of their bytes.
    pub entries: Vec<ListingEntry>,
    /// There is nothing after this page.
    pub is_last: bool,
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingEntry {
    /// An object.
    Object {
        /// Its name.
        name: String,
        /// Its bytes; of a dynamic large object 0.
        size: u64,
        /// When it was written.
        modified: SystemTime,
    },
    /// Names that begin so, up to and with the slash.
    Folder(String),
}

impl ListingEntry {
    /// The name, or what the names begin with.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Object { name, .. } | Self::Folder(name) => name,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Folder { subdir: String },
    Object { name: String, bytes: u64, last_modified: String },
}

impl Container {
    /// One page of names.
    pub async fn list(&self, request: &ListingRequest<'_>) -> Result<Listing> {
        let known = self.client.capabilities().await?.container_listing_limit;
        let learned = &self.client.0.learned_listing_limit;
        let most = known.unwrap_or(USUAL_LIMIT).min(learned.load(Ordering::Relaxed));
        let mut limit = request.limit.clamp(1, most.max(1));
        let mut tries = Tries::by(self.client.0.retry);
        loop {
            let mut call =
                self.call(Method::GET, None).query("format", "json").query("limit", &limit.to_string());
            for (key, value) in [("prefix", request.prefix), ("marker", request.marker)] {
                if !value.is_empty() {
                    call = call.query(key, value);
                }
            }
            if request.one_level {
                call = call.query("delimiter", "/");
            }
            let answer = self.client.send(call).await?;
            let entries = match answer.status {
                StatusCode::OK => {
                    let unreadable = answer.error(SwiftErrorKind::Unexpected, "the listing cannot be read");
                    let body = match answer.bytes(LONGEST_PAGE).await {
                        Ok(body) => body,
                        Err(error) => {
                            broke_off(error, &mut tries).await?;
                            continue;
                        }
                    };
                    entries(&body).map_err(|error| unreadable.with_source(error))?
                }
                StatusCode::NO_CONTENT => Vec::new(),
                // More than the cluster gives.
                StatusCode::PRECONDITION_FAILED if limit > 1 => {
                    answer.discard().await;
                    limit /= 2;
                    learned.fetch_min(limit, Ordering::Relaxed);
                    continue;
                }
                StatusCode::NOT_FOUND => return Err(self.vanished(answer).await),
                _ => return Err(answer.refused().await),
            };
            // A short page is the last only if the cluster is known to give as many as were asked for.
            let is_last = entries.is_empty() || (known.is_some() && entries.len() < limit);
            if entries.last().is_some_and(|last| last.name() == request.marker) {
                let finding = "it begins again at every page: something in between takes the marker away";
                return Err(SwiftError::new(
                    SwiftErrorKind::Unexpected,
                    format!("GET {}", self.name()),
                    finding,
                ));
            }
            return Ok(Listing { entries, is_last });
        }
    }
}

impl Container {
    /// All names that begin so, page after page as they are asked for. With `one_level`, what has another slash after the
    /// prefix is folded.
    pub fn entries(
        &self,
        prefix: impl Into<String>,
        one_level: bool,
    ) -> BoxStream<'static, Result<ListingEntry>> {
        let walk = Walk { container: self.clone(), prefix: prefix.into(), marker: String::new(), one_level };
        let pages = stream::try_unfold(Some(walk), |walk| async move {
            let Some(mut walk) = walk else { return Ok(None) };
            let page = walk.next_page().await?;
            let entries = stream::iter(page.entries.into_iter().map(Ok));
            Ok(Some((entries, (!page.is_last).then_some(walk))))
        });
        pages.try_flatten().boxed()
    }
}

/// A listing under way.
struct Walk {
    container: Container,
    prefix: String,
    marker: String,
    one_level: bool,
}

impl Walk {
    async fn next_page(&mut self) -> Result<Listing> {
        let request = ListingRequest {
            prefix: &self.prefix,
            marker: &self.marker,
            one_level: self.one_level,
            limit: usize::MAX,
        };
        let page = self.container.list(&request).await?;
        if let Some(last) = page.entries.last() {
            last.name().clone_into(&mut self.marker);
        }
        Ok(page)
    }
}

fn entries(body: &[u8]) -> Result<Vec<ListingEntry>, serde_json::Error> {
    let entries: Vec<Entry> = serde_json::from_slice(body)?;
    let read = entries.into_iter().map(|entry| match entry {
        Entry::Folder { subdir } => ListingEntry::Folder(subdir),
        Entry::Object { name, bytes, last_modified } => {
            ListingEntry::Object { name, size: bytes, modified: time(&last_modified) }
        }
    });
    Ok(read.collect())
}

/// Swift writes UTC without saying so; others may append `Z`. What is no time at all is taken for new.
fn time(text: &str) -> SystemTime {
    let civil: Option<DateTime> = text.trim_end_matches('Z').parse().ok();
    let time = civil.and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
    time.and_then(|time| time.try_into().ok()).unwrap_or_else(SystemTime::now)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_page_is_read() {
        let body = br#"[
            {"subdir": "a/"},
            {"hash": "x", "last_modified": "1970-01-01T00:00:01.500000", "bytes": 7, "name": "b \u00e9",
             "content_type": "application/octet-stream"},
            {"name": "c", "bytes": 0, "last_modified": "1970-01-01T00:00:02Z"}]"#;
        let object = |name: &str, size, milliseconds| ListingEntry::Object {
            name: name.to_owned(),
            size,
            modified: UNIX_EPOCH + Duration::from_millis(milliseconds),
        };
        let expected = [ListingEntry::Folder("a/".to_owned()), object("b é", 7, 1500), object("c", 0, 2000)];
        assert_eq!(entries(body).unwrap(), expected);
        entries(b"{}").unwrap_err();
    }
}
