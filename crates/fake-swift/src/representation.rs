//! What an object consists of when it is read: itself, or the pieces of a large one.

use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::account::X_TIMESTAMP;
use crate::answer::{Refusal, value};
use crate::clock::Timestamp;
use crate::dlo::{self, X_OBJECT_MANIFEST};
use crate::manifest::{Entry, Manifest, Segment};
use crate::replicas::Replica;
use crate::request::Call;
use crate::state::{State, StoredObject};
use crate::tempurl;
use crate::tokens::Caller;

pub(crate) const X_STATIC_LARGE_OBJECT: HeaderName = HeaderName::from_static("x-static-large-object");
pub(crate) const X_MANIFEST_ETAG: HeaderName = HeaderName::from_static("x-manifest-etag");

/// How deep static large objects may lie in each other.
const MAX_DEPTH: usize = 10;

/// Some bytes of an object.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) length: u64,
    /// `None`: the object that should hold them is gone, or is not any more what it was.
    pub(crate) content: Option<Bytes>,
}

impl Piece {
    pub(crate) fn present(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, content: Some(bytes) }
    }
}

/// An object as a reader finds it.
pub(crate) struct Representation {
    pub(crate) headers: HeaderMap,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    /// The size, unless it is a dynamic large object of more than a page.
    pub(crate) length: Option<u64>,
    /// The bytes that are known to be there: the size, or that of the first page.
    pub(crate) known: u64,
    /// Whether it is a dynamic large object, which answers one range only.
    pub(crate) dynamic: bool,
    pub(crate) pieces: Vec<Piece>,
}

/// The object as it is stored: of a static large object, the manifest.
pub(crate) fn plain(object: &StoredObject) -> Representation {
    let mut headers = object.headers.clone();
    headers.insert(CONTENT_TYPE, value(&object.content_type));
    headers.insert(ETAG, value(&object.etag));
    headers.insert(LAST_MODIFIED, value(object.modified.as_http_date()));
    headers.insert(X_TIMESTAMP, value(object.modified.as_decimal()));
    if object.manifest.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.insert(X_STATIC_LARGE_OBJECT, HeaderValue::from_static("True"));
    }
    let length = object.data.len() as u64;
    Representation {
        headers,
        etag: object.etag.clone(),
        modified: object.modified,
        length: Some(length),
        known: length,
        dynamic: false,
        pieces: vec![Piece::present(object.data.clone())],
    }
}

/// What it takes to put a large object together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) state: &'a State,
    /// The copy of listings that is to answer.
    pub(crate) replica: Option<Replica>,
    /// Who reads it.
    pub(crate) caller: &'a Caller,
    /// How long a page of a listing is.
    pub(crate) page: usize,
    is_ceph: bool,
    /// How deep the object lies in static large objects.
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(call: &'a Call, state: &'a State) -> Self {
        let options = &call.fake.options;
        let is_ceph = options.is_ceph();
        // Ceph's gateway reads the listing to its end before it answers.
        let page = if is_ceph { usize::MAX } else { options.container_listing_limit };
        Self { state, replica: call.replica, caller: &call.caller, page, is_ceph, depth: 0 }
    }
}

/// The object as it reads; a large object put together.
pub(crate) fn represent(reader: Reader<'_>, object: &StoredObject) -> Result<Representation, Refusal> {
    let mut found = plain(object);
    if let Some(manifest) = &object.manifest {
        found.headers.insert(CONTENT_TYPE, value(&object.content_type));
        found.headers.insert(X_MANIFEST_ETAG, value(&object.etag));
        found.etag = manifest.etag();
        found.headers.insert(ETAG, value(format!("\"{}\"", found.etag)));
        found.known = manifest.size();
        found.length = Some(found.known);
        found.pieces = assemble(reader, manifest);
    } else if let Some(manifest) = object.headers.get(X_OBJECT_MANIFEST) {
        let dynamic = dlo::look_up(reader, manifest)?;
        found.dynamic = true;
        found.known = dynamic.first_page;
        found.length = dynamic.etag.as_ref().map(|_| dynamic.first_page);
        found.pieces = dynamic.pieces;
        if reader.is_ceph && found.pieces.is_empty() {
            found.headers.remove(LAST_MODIFIED);
        }
        if let Some(etag) = dynamic.etag {
            found.headers.insert(ETAG, value(format!("\"{etag}\"")));
            found.etag = etag;
        }
    }
    Ok(found)
}

/// The pieces of a static large object, each as long as the manifest says.
fn assemble(reader: Reader<'_>, manifest: &Manifest) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for entry in &manifest.0 {
        match entry {
            Entry::Inline { bytes, .. } => pieces.push(Piece::present(bytes.clone())),
            Entry::Segment(segment) => {
                let whole = fetch(reader, segment)
                    .unwrap_or_else(|| vec![Piece { length: segment.bytes, content: None }]);
                pieces.extend(cut(&whole, segment.range.clone().unwrap_or(0..segment.bytes)));
            }
        }
    }
    pieces
}

/// The whole of the object that a manifest names, if it is still as it was then.
fn fetch(reader: Reader<'_>, segment: &Segment) -> Option<Vec<Piece>> {
    let (container, name) = segment.address();
    let may_read = reader.depth < MAX_DEPTH && tempurl::may_read(reader.caller, container);
    let object = reader.state.object(container, name).filter(|_| may_read)?;
    let found = represent(Reader { depth: reader.depth + 1, ..reader }, object).ok()?;
    // Ceph's gateway compares sizes only.
    let is_same = reader.is_ceph || found.etag == segment.hash;
    (is_same && found.length == Some(segment.bytes)).then_some(found.pieces)
}

/// The part of `pieces` that lies in `range`.
pub(crate) fn cut(pieces: &[Piece], range: Range<u64>) -> Vec<Piece> {
    let mut start = 0;
    let mut part = Vec::new();
    for piece in pieces {
        let from = range.start.clamp(start, start + piece.length) - start;
        let to = range.end.clamp(start, start + piece.length) - start;
        start += piece.length;
        if from < to {
            let content = piece.content.as_ref().map(|bytes| slice(bytes, from..to));
            part.push(Piece { length: to - from, content });
        }
    }
    part
}

fn slice(bytes: &Bytes, range: Range<u64>) -> Bytes {
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(bound(range.start)..bound(range.end))
}

#[cfg(test)]
mod tests;
