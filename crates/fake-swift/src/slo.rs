//! Static large objects: a manifest is read, each segment is looked at, and only then is the object stored.

use std::collections::VecDeque;

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{ACCEPT, CONTENT_LENGTH, ETAG, LAST_MODIFIED, TRANSFER_ENCODING};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::accept::{self, FORMATS};
use crate::answer::{Answer, Handled, Refusal, status_line, value};
use crate::bulk::{self, Doomed};
use crate::conditions::unquoted;
use crate::json::dumps;
use crate::manifest::{Entry, Manifest, Segment};
use crate::object;
use crate::range::Ranges;
use crate::representation::{Reader, represent};
use crate::request::{Call, ObjectAddress};

/// Longest manifest in bytes, as the client sends it.
pub(crate) const MAX_MANIFEST_SIZE: u64 = 8 * 1024 * 1024;

/// An entry of a manifest as the client sends it.
#[derive(Debug)]
enum Wanted {
    Segment { path: String, etag: Option<String>, size: Option<u64>, range: Option<Ranges> },
    Inline { data: String, bytes: Bytes },
}

pub(crate) async fn put(call: &mut Call, at: &ObjectAddress) -> Handled {
    if call.query.has("heartbeat") {
        return Err(Refusal::not_modelled("heartbeats"));
    }
    match call.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > MAX_MANIFEST_SIZE => {
            let text = format!("Manifest File > {MAX_MANIFEST_SIZE} bytes");
            return Err(Refusal::html(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        None if !call.headers.contains_key(TRANSFER_ENCODING) => {
            return Err(Refusal::standard(StatusCode::LENGTH_REQUIRED));
        }
        _ => {}
    }
    let body = call.body.collect(MAX_MANIFEST_SIZE).await?;
    let wanted = parse(&body, at, call.fake.options.min_segment_size)?;
    let most = call.fake.options.max_manifest_segments;
    if wanted.iter().filter(|entry| matches!(entry, Wanted::Segment { .. })).count() > most {
        let text = format!("Number of object-backed segments must be <= {most}");
        return Err(Refusal::html(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    let manifest = match check_segments(call, at, wanted) {
        Ok(manifest) => manifest,
        Err(problems) => return Ok(refuse(call, &problems)),
    };
    let etag = manifest.etag();
    if call.header(ETAG).is_some_and(|expected| unquoted(expected) != etag) {
        return Err(Refusal::standard(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let data = Bytes::from(manifest.as_json());
    let begun = match object::begin(call, at, Some(data.len() as u64)) {
        // Here Swift tells the ETag of what it did not store.
        Err(refusal) if refusal.status == StatusCode::ACCEPTED => {
            return Ok(Answer::from(refusal).with(ETAG, value(format!("\"{etag}\""))));
        }
        begun => begun?,
    };
    let modified = object::store(call, at, begun, data, Some(manifest))?;
    Ok(Answer::standard(StatusCode::CREATED)
        .with(ETAG, value(format!("\"{etag}\"")))
        .with(LAST_MODIFIED, modified))
}

/// Reads a manifest, telling all that is wrong with its form at once.
fn parse(body: &[u8], at: &ObjectAddress, least: u64) -> Result<Vec<Wanted>, Refusal> {
    let refuse = |text| Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return refuse("Manifest must be valid JSON.\n");
    };
    let Some(entries) = document.as_array() else { return refuse("Manifest must be a list.\n") };
    let (mut wanted, mut problems) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let entry =
            entry.as_object().filter(|entry| entry.contains_key("path") || entry.contains_key("data"));
        // Swift fails over its own error message here.
        let Some(entry) = entry else {
            return Err(Refusal::plain(StatusCode::INTERNAL_SERVER_ERROR, "An error occurred"));
        };
        match parse_entry(entry, at, least, index + 1 == entries.len()) {
            Ok(entry) => wanted.push(entry),
            Err(problem) => problems.push(format!("Index {index}: {problem}\n")),
        }
    }
    if !wanted.is_empty() && wanted.iter().all(|entry| matches!(entry, Wanted::Inline { .. })) {
        problems.push("Inline data segments require at least one object-backed segment.\n".into());
    }
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(Refusal::plain(StatusCode::BAD_REQUEST, problems.concat()))
    }
}

fn too_small(least: u64) -> String {
    format!("each segment must be at least {least} byte{}.", if least == 1 { "" } else { "s" })
}

fn parse_entry(
    entry: &Map<String, Value>,
    at: &ObjectAddress,
    least: u64,
    is_last: bool,
) -> Result<Wanted, String> {
    let allowed: &[&str] =
        if entry.contains_key("data") { &["data"] } else { &["path", "etag", "size_bytes", "range"] };
    let extraneous: Vec<_> =
        entry.keys().filter(|key| !allowed.contains(&key.as_str())).map(|key| format!("\"{key}\"")).collect();
    if !extraneous.is_empty() {
        return Err(format!("extraneous keys {}", extraneous.join(", ")));
    }
    if let Some(data) = entry.get("data") {
        let bytes = data.as_str().and_then(|data| BASE64.decode(data.as_bytes()).ok());
        let bytes = bytes.ok_or("data must be valid base64")?;
        if bytes.is_empty() {
            return Err(format!("too small; {}", too_small(1)));
        }
        return Ok(Wanted::Inline { data: BASE64.encode(&bytes), bytes: bytes.into() });
    }
    let path = entry.get("path").and_then(Value::as_str).ok_or("\"path\" must be a string")?;
    let etag = match entry.get("etag") {
        None | Some(Value::Null) => None,
        Some(Value::String(etag)) => Some(etag.clone()),
        Some(_) => return Err("\"etag\" must be a string or null (if provided)".into()),
    };
    if !path.trim_matches('/').contains('/') {
        return Err("path does not refer to an object. Path must be of the form /container/object.".into());
    }
    let size = match entry.get("size_bytes") {
        None | Some(Value::Null) => None,
        Some(Value::String(size)) => Some(size.parse::<u64>().map_err(|_| "invalid size_bytes")?),
        Some(size) => Some(size.as_u64().ok_or("invalid size_bytes")?),
    };
    if size.is_some_and(|size| size < least) && !is_last {
        return Err(format!("too small; {}", too_small(least)));
    }
    if path.trim_start_matches('/').split_once('/') == Some((&at.container, &at.object)) {
        return Err("manifest must not include itself as a segment".into());
    }
    let range = match entry.get("range").and_then(Value::as_str).filter(|range| !range.is_empty()) {
        None => None,
        Some(range) => Some(Ranges::parse(range).ok_or("invalid range")?),
    };
    if range.as_ref().is_some_and(|range| !range.is_single()) {
        return Err("multiple ranges (only one allowed)".into());
    }
    if let (Some(range), Some(size)) = (&range, size)
        && range.within(size).len() != 1
    {
        return Err("unsatisfiable range".into());
    }
    Ok(Wanted::Segment { path: path.to_owned(), etag, size, range })
}

/// A segment's path, percent-encoded, and what is wrong with it.
type Problem = (String, String);

/// Looks at each segment; the manifest, or all that is wrong.
fn check_segments(call: &Call, at: &ObjectAddress, wanted: Vec<Wanted>) -> Result<Manifest, Vec<Problem>> {
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    let count = wanted.len();
    for (index, entry) in wanted.into_iter().enumerate() {
        match entry {
            Wanted::Inline { data, bytes } => entries.push(Entry::Inline { data, bytes }),
            Wanted::Segment { path, etag, size, range } => {
                let name = bulk::quote(path.as_bytes());
                let mut problem = |text: String| problems.push((name.clone(), text));
                let mut segment = match look_at(call, at, &path) {
                    Ok(segment) => segment,
                    Err(status) => {
                        problem(status_line(status));
                        continue;
                    }
                };
                match range.map(|range| range.within(segment.bytes)).as_deref() {
                    None => {}
                    Some([range]) if *range == (0..segment.bytes) => {}
                    Some([range]) => segment.range = Some(range.clone()),
                    Some(_) => problem("Unsatisfiable Range".into()),
                }
                let length = segment.range.as_ref().map_or(segment.bytes, |range| range.end - range.start);
                let least = call.fake.options.min_segment_size;
                if length < least && index + 1 != count {
                    problem(format!("Too small; {}", too_small(least)));
                }
                if size.is_some_and(|size| size != segment.bytes) {
                    problem("Size Mismatch".into());
                }
                if etag.is_some_and(|etag| etag != segment.hash) {
                    problem("Etag Mismatch".into());
                }
                entries.push(Entry::Segment(segment));
            }
        }
    }
    if problems.is_empty() { Ok(Manifest(entries)) } else { Err(problems) }
}

/// What a HEAD tells of a segment, or its status.
fn look_at(call: &Call, at: &ObjectAddress, path: &str) -> Result<Segment, StatusCode> {
    call.authorize(&at.account).map_err(|refusal| refusal.status)?;
    let path = path.trim_start_matches('/');
    let (container, name) = path.split_once('/').unwrap_or_default();
    let state = call.fake.state();
    let object = state.object(container, name).ok_or(StatusCode::NOT_FOUND)?;
    let found = represent(Reader::new(call, &state), object).map_err(|refusal| refusal.status)?;
    Ok(Segment {
        name: format!("/{path}"),
        bytes: found.length.unwrap_or(0),
        hash: found.etag,
        content_type: object.content_type.clone(),
        last_modified: object.modified.as_iso_rounded_up(),
        range: None,
        sub_slo: object.manifest.is_some(),
    })
}

/// 400 with the problems, in the form that the client likes best.
fn refuse(call: &Call, problems: &[Problem]) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document<'a> {
        errors: &'a [Problem],
    }

    let format = accept::choose(call.header(ACCEPT), FORMATS).unwrap_or("text/plain");
    let body = match format {
        "application/json" => dumps(&Document { errors: problems }),
        "text/plain" => bulk::errors_as_text(problems).into_bytes(),
        _ => return Refusal::not_modelled("answers in XML").into(),
    };
    Answer::chunked(StatusCode::BAD_REQUEST, HeaderValue::from_static(format), body)
}

/// Deletes a static large object with its segments, those of the objects it consists of too: first what it consists
/// of, then itself.
pub(crate) fn delete(call: &Call, at: &ObjectAddress) -> Handled {
    if call.query.has("async") {
        return Err(Refusal::not_modelled("asynchronous deletes"));
    }
    let mut doomed = Vec::new();
    let mut waiting = VecDeque::from([(format!("/{}/{}", at.container, at.object), true)]);
    while let Some((path, large)) = waiting.pop_front() {
        if !large {
            doomed.push(Doomed::new(path));
            continue;
        }
        match segments(call, at, &path) {
            Ok(segments) => {
                waiting.extend(segments);
                waiting.push_back((path, false));
            }
            Err((status, text)) => doomed.push(Doomed::spared(path, status, text)),
        }
    }
    Ok(bulk::answer(call, &at.account, None, || Ok(doomed)))
}

/// The paths of a large object's segments, and whether they are large objects.
fn segments(
    call: &Call,
    at: &ObjectAddress,
    path: &str,
) -> Result<Vec<(String, bool)>, (StatusCode, String)> {
    call.authorize(&at.account).map_err(|refusal| match refusal.status {
        StatusCode::UNAUTHORIZED => (refusal.status, status_line(refusal.status)),
        status => (status, "Unable to load SLO manifest or segment.".to_owned()),
    })?;
    let (container, name) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    let state = call.fake.state();
    let object =
        state.object(container, name).ok_or((StatusCode::NOT_FOUND, "SLO manifest not found".to_owned()))?;
    let manifest =
        object.manifest.as_ref().ok_or((StatusCode::BAD_REQUEST, "Not an SLO manifest".to_owned()))?;
    let segments = manifest.0.iter().filter_map(|entry| match entry {
        Entry::Segment(segment) => Some((segment.name.clone(), segment.sub_slo)),
        Entry::Inline { .. } => None,
    });
    Ok(segments.collect())
}
