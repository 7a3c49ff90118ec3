//! Writing objects: PUT, POST, DELETE. Reading them is the affair of [`crate::reading`].
//!
//! The order of the checks is Swift's, and matters: what is refused before the body is asked for costs a client
//! that holds it back nothing.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE,
    ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use bytes::Bytes;

use crate::answer::{Answer, Handled, Refusal, md5_hex, value};
use crate::ceph;
use crate::clock::Timestamp;
use crate::conditions::{is_star, unquoted};
use crate::dlo::{self, X_OBJECT_MANIFEST};
use crate::manifest::Manifest;
use crate::metadata;
use crate::options::Feature;
use crate::reading;
use crate::representation::X_STATIC_LARGE_OBJECT;
use crate::request::{Call, ObjectAddress};
use crate::slo;
use crate::state::{Deletion, StoredObject, X_DELETE_AT};

/// Longest name of an object in bytes.
pub(crate) const MAX_NAME: usize = 1024;
const METHODS: &str = "DELETE, PUT, OPTIONS, GET, HEAD, POST";
const METADATA: &str = "x-object-meta-";
const X_COPY_FROM: HeaderName = HeaderName::from_static("x-copy-from");
const X_DELETE_AFTER: HeaderName = HeaderName::from_static("x-delete-after");

/// Headers that are kept and given back besides the metadata.
const KEPT: [HeaderName; 8] = [
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    EXPIRES,
    X_OBJECT_MANIFEST,
    X_STATIC_LARGE_OBJECT,
    HeaderName::from_static("x-robots-tag"),
];

pub(crate) async fn handle(call: &mut Call, at: &ObjectAddress) -> Handled {
    let is_ceph = call.fake.options.is_ceph();
    let large = call.query.get("multipart-manifest");
    let large = large.filter(|_| call.fake.options.has(Feature::StaticLargeObjects));
    match (&call.method, large.unwrap_or_default()) {
        (&Method::GET | &Method::HEAD, _) => reading::handle(call, at),
        (&Method::PUT, _) if call.headers.contains_key(X_COPY_FROM) => Err(Refusal::not_modelled("copies")),
        (&Method::PUT, "put") if is_ceph => ceph::slo::put(call, at).await,
        (&Method::PUT, "put") => slo::put(call, at).await,
        (&Method::PUT, other) if is_ceph && !other.is_empty() => {
            Err(Refusal::standard(StatusCode::BAD_REQUEST))
        }
        (&Method::PUT, _) => put(call, at).await,
        (&Method::POST, _) => post(call, at),
        (&Method::DELETE, "delete") if is_ceph => ceph::slo::delete(call, at),
        (&Method::DELETE, "delete") => slo::delete(call, at),
        (&Method::DELETE, _) => delete(call, at),
        _ if call.method.as_str() == "COPY" => Err(Refusal::not_modelled("copies")),
        _ => Err(Refusal::method(METHODS)),
    }
}

/// A PUT that has passed all checks that come before its body.
pub(crate) struct Begun {
    written: Timestamp,
    headers: HeaderMap,
    content_type: String,
}

/// Checks a PUT of `length` bytes, or of as many as its headers announce. With it the write gets its place among
/// others to the same name. If a newer one is there already, the refusal is 202: nothing is stored, and nothing is
/// wrong.
pub(crate) fn begin(call: &Call, at: &ObjectAddress, length: Option<u64>) -> Result<Begun, Refusal> {
    let is_ceph = call.fake.options.is_ceph();
    // Ceph's gateway takes no notice of the header, and overwrites.
    let only_if_new = !is_ceph && is_star(&call.headers, IF_NONE_MATCH);
    if !is_ceph && call.headers.contains_key(IF_NONE_MATCH) && !only_if_new {
        return Err(Refusal::plain(StatusCode::BAD_REQUEST, "If-None-Match only supports *"));
    }
    call.authorize(&at.account)?;
    let mut state = call.fake.state();
    if !state.containers.contains_key(&at.container) {
        return Err(Refusal::standard(StatusCode::NOT_FOUND));
    }
    check_length(call, length)?;
    if at.object.len() > MAX_NAME {
        let text = format!("Object name length of {} longer than {MAX_NAME}", at.object.len());
        return Err(Refusal::plain(StatusCode::BAD_REQUEST, text));
    }
    let written = state.clock.tick();
    let headers = kept(&call.headers, written)?;
    metadata::check(&call.headers, METADATA)?;
    if let Some(data) = &call.overtaken_by {
        let newer = StoredObject::plain(data.clone(), state.clock.tick());
        state.put_object(&at.container, &at.object, newer);
    }
    if only_if_new && state.object(&at.container, &at.object).is_some() {
        return Err(Refusal::standard(StatusCode::PRECONDITION_FAILED));
    }
    // Of a race the gateway says nothing.
    if !is_ceph && state.has_newer(&at.container, &at.object, written) {
        return Err(Refusal::standard(StatusCode::ACCEPTED));
    }
    let default = if is_ceph { ceph::DEFAULT_TYPE } else { "application/octet-stream" };
    let content_type = call.header(CONTENT_TYPE).unwrap_or(default).to_owned();
    Ok(Begun { written, headers, content_type })
}

/// Stores what `begun` was about, whole. Gives back the `Last-Modified` of it.
pub(crate) fn store(
    call: &Call,
    at: &ObjectAddress,
    begun: Begun,
    data: Bytes,
    manifest: Option<Manifest>,
) -> Result<HeaderValue, Refusal> {
    let mut state = call.fake.state();
    if !state.containers.contains_key(&at.container) {
        return Err(Refusal::standard(StatusCode::NOT_FOUND));
    }
    let object = StoredObject {
        etag: md5_hex(&data),
        data,
        content_type: begun.content_type,
        headers: begun.headers,
        manifest,
        written: begun.written,
        modified: begun.written,
    };
    state.put_object(&at.container, &at.object, object);
    Ok(value(begun.written.as_http_date()))
}

async fn put(call: &mut Call, at: &ObjectAddress) -> Handled {
    check_reserved(call)?;
    dlo::check_header(&call.headers)?;
    let begun = begin(call, at, None)?;
    let data = call.body.collect(call.fake.options.max_file_size).await?;
    let etag = md5_hex(&data);
    // Quotes, too, are the gateway's reason to refuse.
    let read = |expected| if call.fake.options.is_ceph() { expected } else { unquoted(expected) };
    if call.header(ETAG).is_some_and(|expected| read(expected) != etag) {
        return Err(Refusal::standard(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let modified = store(call, at, begun, data, None)?;
    Ok(Answer::standard(StatusCode::CREATED).with(ETAG, value(etag)).with(LAST_MODIFIED, modified))
}

/// The length must be known, or announced, or the body come in chunks.
fn check_length(call: &Call, known: Option<u64>) -> Result<(), Refusal> {
    let announced = call.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let length = known.or(announced);
    if length.is_some_and(|length| length > call.fake.options.max_file_size) {
        return Err(Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, "Your request is too large."));
    }
    if length.is_none() && !call.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::plain(StatusCode::LENGTH_REQUIRED, "Missing Content-Length header."));
    }
    Ok(())
}

fn check_reserved(call: &Call) -> Result<(), Refusal> {
    if call.headers.contains_key(X_STATIC_LARGE_OBJECT) && call.fake.options.has(Feature::StaticLargeObjects)
    {
        return Err(Refusal::html(
            StatusCode::BAD_REQUEST,
            "X-Static-Large-Object is a reserved header. To create a static large object add query param \
             multipart-manifest=put.",
        ));
    }
    Ok(())
}

/// The headers of a request that the object keeps.
fn kept(request: &HeaderMap, now: Timestamp) -> Result<HeaderMap, Refusal> {
    let mut headers: HeaderMap = request
        .iter()
        .filter(|(name, _)| name.as_str().starts_with(METADATA) || KEPT.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(at) = expiry(request, now)? {
        headers.insert(X_DELETE_AT, at.into());
    }
    Ok(headers)
}

/// When the object is to expire, in seconds since 1970.
fn expiry(request: &HeaderMap, now: Timestamp) -> Result<Option<u64>, Refusal> {
    let refuse = |text| Err(Refusal::plain(StatusCode::BAD_REQUEST, text));
    let number = |name| request.get(name).map(|value| value.to_str().ok()?.parse::<i64>().ok());
    let (at, non_integer, past) = match number(X_DELETE_AFTER) {
        Some(after) => {
            let at = after.map(|after| now.seconds().cast_signed().saturating_add(after));
            (at, "Non-integer X-Delete-After", "X-Delete-After in past")
        }
        None => match number(X_DELETE_AT) {
            Some(at) => (at, "Non-integer X-Delete-At", "X-Delete-At in past"),
            None => return Ok(None),
        },
    };
    match at {
        None => refuse(non_integer),
        Some(at) => match u64::try_from(at) {
            Ok(at) if Timestamp::from_seconds(at) > now => Ok(Some(at)),
            _ => refuse(past),
        },
    }
}

/// Replaces all metadata; with it goes what a POST does not repeat, a dynamic large object's manifest too. The
/// content stays, and with it a static large object's.
fn post(call: &Call, at: &ObjectAddress) -> Handled {
    check_reserved(call)?;
    call.authorize(&at.account)?;
    let mut state = call.fake.state();
    let now = state.clock.tick();
    if !state.containers.contains_key(&at.container) {
        return Err(Refusal::standard(StatusCode::NOT_FOUND));
    }
    metadata::check(&call.headers, METADATA)?;
    let headers = kept(&call.headers, now)?;
    let object = state.object(&at.container, &at.object).ok_or(Refusal::standard(StatusCode::NOT_FOUND))?;
    if state.has_newer(&at.container, &at.object, now) {
        return Err(Refusal::standard(StatusCode::CONFLICT));
    }
    let content_type = call.header(CONTENT_TYPE).unwrap_or(&object.content_type).to_owned();
    let changed = StoredObject { headers, content_type, modified: now, ..StoredObject::clone(object) };
    state.put_object(&at.container, &at.object, changed);
    Ok(Answer::standard(StatusCode::ACCEPTED))
}

fn delete(call: &Call, at: &ObjectAddress) -> Handled {
    call.authorize(&at.account)?;
    match call.fake.state().delete_object(&at.container, &at.object) {
        Deletion::Done => Ok(Answer::standard(StatusCode::NO_CONTENT)),
        other => Err(Refusal::standard(other.status())),
    }
}
