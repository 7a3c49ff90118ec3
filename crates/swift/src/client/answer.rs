//! What Swift answered: its headers read, and its refusals turned into errors.

use std::sync::Arc;
use std::time::SystemTime;

use apus_http_client::{RequestBody, ResponseBody};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::measured;
use crate::auth::Account;
use crate::error::{Result, SwiftError, SwiftErrorKind};
use crate::etag;
use crate::retry::{Tries, is_transient, retry_after};

/// Bytes of an answer that are read only for what they say of an error.
pub(super) const LONGEST_REMARK: usize = 16 * 1024;

/// Swift's identifier of a transaction.
pub(super) fn transaction(headers: &HeaderMap) -> Option<&str> {
    text(headers, "x-trans-id").or_else(|| text(headers, "x-openstack-request-id"))
}

/// A header as text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The entity tag, without quotes.
pub(super) fn entity_tag(headers: &HeaderMap) -> Option<&str> {
    text(headers, "etag").map(etag::unquoted).filter(|tag| !tag.is_empty())
}

/// When the object was written or touched last. Old Ceph RGW omits it of some objects, and then now is as good as any.
pub(super) fn modified(headers: &HeaderMap) -> SystemTime {
    ["last-modified", "date"]
        .iter()
        .find_map(|name| httpdate::parse_http_date(text(headers, name)?).ok())
        .unwrap_or_else(SystemTime::now)
}

/// Waits until a request may be made again whose answer could not be read to its end; the error when it may not.
pub(super) async fn broke_off(error: SwiftError, tries: &mut Tries) -> Result<()> {
    if !matches!(error.kind(), SwiftErrorKind::Unavailable { .. }) {
        return Err(error);
    }
    let Some(pause) = tries.another(None) else { return Err(error) };
    tracing::warn!(error = &error as &dyn std::error::Error, ?pause, "trying again");
    measured::again(pause);
    tokio::time::sleep(pause).await;
    Ok(())
}

/// An answer.
pub(super) struct Answer {
    pub(super) request: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: ResponseBody,
    /// As whom it was asked.
    pub(super) account: Arc<Account>,
    /// The body of the request, if it can be sent again.
    pub(super) again: Option<RequestBody>,
    /// Swift may have done what was asked for more than once.
    pub(super) repeated: bool,
    /// The token was renewed for it.
    pub(super) renewed: bool,
}

impl Answer {
    /// An error of this request.
    pub(super) fn error(&self, kind: SwiftErrorKind, finding: impl Into<String>) -> SwiftError {
        SwiftError::new(kind, &self.request, finding)
            .with_transaction(transaction(&self.headers).map(str::to_owned))
    }

    /// The whole body, no longer than `limit`. A connection that breaks meanwhile is an error, after which the request can be
    /// made again ([`broke_off`]).
    pub(super) async fn bytes(self, limit: usize) -> Result<Bytes> {
        let broken = self.error(SwiftErrorKind::UNAVAILABLE, "the answer broke off");
        self.body.collect(limit).await.map_err(|error| broken.with_source(error))
    }

    /// Reads what nobody needs, so that the connection can be used again.
    pub(super) async fn discard(self) {
        let _ = self.body.collect(LONGEST_REMARK).await;
    }

    /// The error of an answer that is none of those hoped for.
    pub(super) async fn refused(self) -> SwiftError {
        let Self { status, .. } = self;
        let transaction = transaction(&self.headers).map(str::to_owned);
        let asked = retry_after(&self.headers);
        let remark = self.body.collect(LONGEST_REMARK).await.map(|body| plain(&body)).unwrap_or_default();
        let (kind, advice) = match status.as_u16() {
            401 if self.renewed => (
                SwiftErrorKind::Denied,
                Some(
                    "a token that was given out just now is refused: check that the object store trusts this \
                      identity service",
                ),
            ),
            401 => (SwiftErrorKind::UNAVAILABLE, Some("the token had expired; try again")),
            403 => (
                SwiftErrorKind::Denied,
                Some(
                    "give the user a role that may read and write the container, such as member or swiftoperator",
                ),
            ),
            413 if remark.to_lowercase().contains("quota") => (SwiftErrorKind::Full, Some("raise the quota")),
            413 => (SwiftErrorKind::TooLarge, None),
            507 => (SwiftErrorKind::Full, Some("the cluster's disks are full")),
            // A PUT whose bytes changed on the way.
            409 | 422 => (SwiftErrorKind::UNAVAILABLE, Some("try again")),
            _ if is_transient(status) => (SwiftErrorKind::Unavailable { retry_after: asked }, None),
            _ => (SwiftErrorKind::Unexpected, None),
        };
        let finding = if remark.is_empty() {
            format!("answered {status}")
        } else {
            format!("answered {status}, {remark:?}")
        };
        let error = SwiftError::new(kind, self.request, finding).with_transaction(transaction);
        match advice {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }
}

/// The words of an HTML page, or of whatever else it is; not many.
pub(super) fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut words = String::new();
    let mut in_tag = false;
    for character in text.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                words.push(' ');
            }
            _ if in_tag => {}
            _ => words.push(character),
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_a_line() {
        let page = b"<html><h1>Forbidden</h1><p>Access was denied to\n this resource.</p></html>";
        assert_eq!(plain(page), "Forbidden Access was denied to this resource.");
        assert_eq!(plain(b"Upload exceeds quota."), "Upload exceeds quota.");
        assert_eq!(plain(&[b'x'; 1000]).len(), 300);
    }

    #[test]
    fn headers_are_read_as_they_come() {
        let mut headers = HeaderMap::new();
        headers.insert("etag", "\"abc\"".parse().unwrap());
        headers.insert("x-openstack-request-id", "tx1".parse().unwrap());
        headers.insert("last-modified", "Thu, 01 Jan 1970 00:00:07 GMT".parse().unwrap());
        assert_eq!(entity_tag(&headers), Some("abc"));
        assert_eq!(transaction(&headers), Some("tx1"));
        assert_eq!(modified(&headers), SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7));
    }
}
