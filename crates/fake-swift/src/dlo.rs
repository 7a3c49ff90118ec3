//! Dynamic large objects: an object with `X-Object-Manifest` reads as all objects whose names begin so.
//!
//! What it consists of is looked up in the container's listing at each read, a page at a time; only the first page
//! is known when the headers of the answer are sent.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use percent_encoding::percent_decode;

use crate::answer::{Refusal, md5_hex};
use crate::representation::{Piece, Reader};
use crate::tempurl;
use crate::tokens::Caller;

pub(crate) const X_OBJECT_MANIFEST: HeaderName = HeaderName::from_static("x-object-manifest");

/// Refuses a manifest header that is not `container/prefix`.
pub(crate) fn check_header(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(manifest) = headers.get(X_OBJECT_MANIFEST) else { return Ok(()) };
    let text = manifest.to_str().unwrap_or_default();
    match text.split_once('/') {
        Some((container, prefix))
            if !container.is_empty()
                && !prefix.is_empty()
                && !prefix.starts_with('/')
                && !text.contains(['?', '&']) =>
        {
            Ok(())
        }
        _ => Err(Refusal::html(
            StatusCode::BAD_REQUEST,
            "X-Object-Manifest must be in the format container/prefix",
        )),
    }
}

/// What a dynamic large object consists of at this moment.
pub(crate) struct Dynamic {
    pub(crate) pieces: Vec<Piece>,
    /// Bytes in the pieces of the first page.
    pub(crate) first_page: u64,
    /// MD5 of the pieces' ETags in a row. Only if one page has all of them, and then their size is known too.
    pub(crate) etag: Option<String>,
}

/// Looks up the pieces; 404 if there is no such container.
pub(crate) fn look_up(reader: Reader<'_>, manifest: &HeaderValue) -> Result<Dynamic, Refusal> {
    let Reader { state, replica, caller, page, .. } = reader;
    let text = percent_decode(manifest.as_bytes()).decode_utf8_lossy();
    let (name, prefix) = text.split_once('/').unwrap_or_default();
    if let Caller::Guest { account, .. } = caller
        && !tempurl::may_read(caller, name)
    {
        return Err(Refusal::unauthorized(account));
    }
    let container = state.containers.get(name).ok_or(Refusal::standard(StatusCode::NOT_FOUND))?;
    let (mut pieces, mut etags) = (Vec::new(), String::new());
    for (object, row) in container.rows_with(prefix, state.next_listing(replica)) {
        etags.push_str(&row.hash);
        let content = state.object(name, object).map(|object| object.data.clone());
        pieces.push(Piece { length: row.bytes, content });
    }
    let first_page = pieces.iter().take(page).map(|piece| piece.length).sum();
    let complete = pieces.len() < page;
    Ok(Dynamic { pieces, first_page, etag: complete.then(|| md5_hex(etags.as_bytes())) })
}
