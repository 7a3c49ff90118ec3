//! GET and HEAD of an object of any kind: whether a condition stands against it, which bytes of it are wanted, and
//! the answer with them.

use std::ops::Range;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONNECTION, CONTENT_RANGE, CONTENT_TYPE, IF_MATCH};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::answer::{Answer, Handled, Refusal, md5_hex, value};
use crate::conditions;
use crate::range::Ranges;
use crate::representation::{Piece, Reader, Representation, cut, plain, represent};
use crate::request::{Call, ObjectAddress};
use crate::state::StoredObject;

const X_NEWEST: HeaderName = HeaderName::from_static("x-newest");
/// Swift's web server holds so many bytes back before it sends the headers.
const HELD_BACK: usize = 4096;

pub(crate) fn handle(call: &Call, at: &ObjectAddress) -> Handled {
    call.authorize(&at.account)?;
    let as_stored = call.query.get("multipart-manifest") == Some("get");
    if as_stored && call.query.get("format") == Some("raw") {
        return Err(Refusal::not_modelled("manifests in raw format"));
    }
    let found = {
        let state = call.fake.state();
        let object = if wants_truth(call) {
            state.object(&at.container, &at.object)
        } else {
            state.next_read(&at.container, &at.object, call.replica)
        };
        match object {
            None if conditions::is_star(&call.headers, IF_MATCH) => {
                return Ok(Answer::new(
                    StatusCode::PRECONDITION_FAILED,
                    HeaderValue::from_static("text/html; charset=UTF-8"),
                    "",
                ));
            }
            None => return Err(Refusal::standard(StatusCode::NOT_FOUND)),
            Some(object) if as_stored && call.fake.options.is_ceph() => without_manifest(object),
            Some(object) if as_stored => plain(object),
            Some(object) => represent(Reader::new(call, &state), object)?,
        }
    };
    Ok(respond(call, found))
}

/// What Ceph's gateway gives of a large object when it is asked for the manifest: nothing.
fn without_manifest(object: &StoredObject) -> Representation {
    let mut found = plain(object);
    if object.manifest.is_some() {
        found.headers.insert(CONTENT_TYPE, value(&object.content_type));
        (found.length, found.known, found.pieces) = (Some(0), 0, Vec::new());
    }
    found
}

/// Whether Swift is to ask all of its servers and to answer with the newest copy.
fn wants_truth(call: &Call) -> bool {
    let wish = call.header(X_NEWEST).unwrap_or_default().to_ascii_lowercase();
    ["true", "1", "yes", "on", "t", "y"].contains(&wish.as_str())
}

fn respond(call: &Call, found: Representation) -> Answer {
    let mut answer = Answer::standard(StatusCode::OK);
    answer.headers = found.headers;
    answer.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(status) = conditions::check(&call.headers, &found.etag, found.modified) {
        answer.status = status;
        if status == StatusCode::PRECONDITION_FAILED {
            answer.headers.remove(ACCEPT_RANGES);
            answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
        }
        return answer;
    }
    let ranges = Ranges::from_headers(&call.headers).filter(|ranges| {
        // Of a dynamic large object Swift answers one range, and only if the first page shows that it is there.
        let known = found.length.is_some() || ranges.end_of_single().is_some_and(|end| end < found.known);
        !found.dynamic || (ranges.is_single() && known)
    });
    answer.payload.length = found.length;
    if call.method == Method::HEAD {
        // Of a length that it does not know, Swift says 0; or that of the first page, if the range is in there.
        let unknown = if ranges.is_some() { found.known } else { 0 };
        answer.payload.length = Some(found.length.unwrap_or(unknown));
        return answer;
    }
    let Some(ranges) = ranges.map(|ranges| ranges.within(found.known)) else {
        let all = found.pieces.iter().map(|piece| piece.length).sum();
        return send(answer, &found.pieces, &[Part::bare(0..all)], Bytes::new());
    };
    match ranges.as_slice() {
        [] => unsatisfiable(answer, found.known, found.dynamic),
        // The end of nothing: RFC 9110 has no Content-Range for it.
        [range] if found.known == 0 && range.is_empty() => answer,
        [range] => {
            answer.status = StatusCode::PARTIAL_CONTENT;
            answer.headers.insert(CONTENT_RANGE, value(content_range(range, found.known)));
            answer.payload.length = Some(range.end - range.start);
            send(answer, &found.pieces, &[Part::bare(range.clone())], Bytes::new())
        }
        several => multipart(answer, &found.pieces, several, found.known),
    }
}

fn content_range(range: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1))
}

fn unsatisfiable(found: Answer, length: u64, dynamic: bool) -> Answer {
    let mut refusal = Answer::standard(StatusCode::RANGE_NOT_SATISFIABLE);
    // Of a dynamic large object nothing is told.
    if !dynamic {
        refusal.headers = found.headers;
    }
    refusal
        .with(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        .with(CONTENT_RANGE, value(format!("bytes */{length}")))
}

/// Some bytes of the object with what the answer has before them.
struct Part {
    before: Bytes,
    range: Range<u64>,
}

impl Part {
    fn bare(range: Range<u64>) -> Self {
        Self { before: Bytes::new(), range }
    }
}

fn multipart(mut answer: Answer, pieces: &[Piece], ranges: &[Range<u64>], length: u64) -> Answer {
    let boundary = md5_hex(format!("boundary {ranges:?}").as_bytes());
    let content_type = answer.headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static(""));
    let content_type = String::from_utf8_lossy(content_type.as_bytes()).into_owned();
    let part = |(index, range): (usize, &Range<u64>)| {
        let before = format!(
            "{}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {}\r\n\r\n",
            if index == 0 { "" } else { "\r\n" },
            content_range(range, length)
        );
        Part { before: before.into(), range: range.clone() }
    };
    let parts: Vec<_> = ranges.iter().enumerate().map(part).collect();
    let end = Bytes::from(format!("\r\n--{boundary}--"));
    let total: u64 =
        parts.iter().map(|part| part.before.len() as u64 + part.range.end - part.range.start).sum();
    answer.status = StatusCode::PARTIAL_CONTENT;
    answer.payload.length = Some(total + end.len() as u64);
    answer.headers.insert(CONTENT_TYPE, value(format!("multipart/byteranges;boundary={boundary}")));
    send(answer, pieces, &parts, end)
}

/// Fills in the body. Swift looks at the first piece before it answers, and says 409 if that cannot be had; that a
/// later one cannot, it finds out on the way and breaks off.
fn send(mut answer: Answer, pieces: &[Piece], parts: &[Part], end: Bytes) -> Answer {
    let mut chunks = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        chunks.push(part.before.clone());
        for (position, piece) in cut(pieces, part.range.clone()).into_iter().enumerate() {
            match piece.content {
                Some(bytes) => chunks.push(bytes),
                None if index == 0 && position == 0 => return Answer::standard(StatusCode::CONFLICT),
                None if chunks.iter().map(Bytes::len).sum::<usize>() < HELD_BACK => {
                    let text = "The answer broke off while its headers were still held back.";
                    return Answer::new(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        HeaderValue::from_static("text/plain"),
                        text,
                    )
                    .with(CONNECTION, HeaderValue::from_static("close"));
                }
                None => {
                    answer.payload.chunks = chunks;
                    answer.payload.broken = true;
                    return answer;
                }
            }
        }
    }
    chunks.push(end);
    answer.payload.chunks = chunks;
    answer
}

#[cfg(test)]
mod tests;
