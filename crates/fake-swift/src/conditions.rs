//! The conditions of a GET or HEAD: `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since`.

use std::time::UNIX_EPOCH;

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::clock::Timestamp;

/// Takes the quotes off an ETag; Swift compares with and without them alike.
pub(crate) fn unquoted(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(etag)
}

/// Whether the list of ETags in header `name` has `etag` or `*`; `None` without the header.
fn listed(headers: &HeaderMap, name: HeaderName, etag: &str) -> Option<bool> {
    let list = headers.get(name)?.to_str().unwrap_or_default();
    Some(list.split(',').map(str::trim).any(|tag| tag == "*" || unquoted(tag) == etag))
}

/// Whether header `name` is `*`, or has it among its ETags.
pub(crate) fn is_star(headers: &HeaderMap, name: HeaderName) -> bool {
    listed(headers, name, "*").unwrap_or(false)
}

/// The time in header `name`, in seconds.
fn seconds(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    let time = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// 304 or 412, if a condition of the request asks for it; `etag` is without quotes.
pub(crate) fn check(headers: &HeaderMap, etag: &str, modified: Timestamp) -> Option<StatusCode> {
    let modified = modified.seconds_rounded_up();
    if listed(headers, IF_NONE_MATCH, etag) == Some(true) {
        Some(StatusCode::NOT_MODIFIED)
    } else if listed(headers, IF_MATCH, etag) == Some(false) {
        Some(StatusCode::PRECONDITION_FAILED)
    } else if seconds(headers, IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) {
        Some(StatusCode::NOT_MODIFIED)
    } else if seconds(headers, IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) {
        Some(StatusCode::PRECONDITION_FAILED)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
