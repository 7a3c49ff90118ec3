//! Where Ceph's object gateway (RGW) differs from Swift: what it says in answers that are otherwise alike.
//!
//! What it does otherwise stands in the modules below and, where it is a word or two, with what it differs from. All
//! of it was read in the gateway's source, from Pacific to Squid; none of it was compared with one that runs.

pub(crate) mod bulk;
pub(crate) mod info;
pub(crate) mod listing;
pub(crate) mod slo;

use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::answer::{Answer, Refusal};
use crate::representation::{X_MANIFEST_ETAG, X_STATIC_LARGE_OBJECT};
use crate::request::Target;
use crate::sending::Payload;
use crate::tokens::{GATEWAY_PREFIX, sent_token};

/// The type of an object for which none was given.
pub(crate) const DEFAULT_TYPE: &str = "binary/octet-stream";

/// The gateway keeps objects in blocks of this many bytes.
const BLOCK: u64 = 4096;

/// Why someone without a good token is turned away: 401 without any, or with an old one of the gateway's own, but 403
/// with one that Keystone does not know, or does not know any more.
pub(crate) fn refuse_stranger(headers: &HeaderMap) -> Refusal {
    let status = match sent_token(headers) {
        Some(token) if !token.starts_with(GATEWAY_PREFIX) => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    };
    Refusal::standard(status)
}

/// Puts an answer of Swift's into the gateway's words.
pub(crate) fn speak(target: &Target, answer: &mut Answer) {
    match target {
        Target::Object(_) => {
            // A segment that is gone is told as if the whole were.
            if answer.status == StatusCode::CONFLICT {
                answer.status = StatusCode::NOT_FOUND;
            }
            if answer.headers.remove(X_MANIFEST_ETAG).is_some() {
                let mark = HeaderName::from_static("x-object-meta-static-large-object");
                answer.headers.insert(mark, HeaderValue::from_static("True"));
                answer.headers.insert(X_STATIC_LARGE_OBJECT, HeaderValue::from_static("True"));
            }
        }
        Target::Container(_) => {
            tell_blocks(answer, "x-container-bytes-used", "x-container-bytes-used-actual");
        }
        Target::Account(_) => tell_blocks(answer, "x-account-bytes-used", "x-account-bytes-used-actual"),
        Target::Keystone(..) => return,
        _ => {}
    }
    let refused = answer.status.is_client_error() || answer.status.is_server_error();
    if refused && answer.status != StatusCode::NOT_IMPLEMENTED {
        answer.payload = Payload::whole(code(answer.status, target).into());
        answer.headers.remove(WWW_AUTHENTICATE);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
}

/// Adds how much room what is used takes up.
fn tell_blocks(answer: &mut Answer, used: &'static str, actual: &'static str) {
    let bytes = answer.headers.get(used).and_then(|bytes| bytes.to_str().ok()?.parse::<u64>().ok());
    if let Some(bytes) = bytes {
        answer.headers.insert(HeaderName::from_static(actual), bytes.next_multiple_of(BLOCK).into());
    }
}

/// The word for an error, which is the whole body of a refusal.
fn code(status: StatusCode, target: &Target) -> &'static str {
    match (status.as_u16(), target) {
        (400, _) => "InvalidArgument",
        (401 | 403, _) => "AccessDenied",
        (404, Target::Container(_)) => "NoSuchBucket",
        (404, _) => "NoSuchKey",
        (405, _) => "MethodNotAllowed",
        (408, _) => "RequestTimeout",
        (409, _) => "There was a conflict when trying to complete your request.",
        (411, _) => "MissingContentLength",
        (412, _) => "PreconditionFailed",
        (413, _) => "EntityTooLarge",
        (416, _) => "InvalidRange",
        (422, _) => "UnprocessableEntity",
        (498, _) => "Rate Limited",
        (503, _) => "ServiceUnavailable",
        _ => "UnknownError",
    }
}
