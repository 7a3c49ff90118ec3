//! What stands in a request beside its path: query parameters, and the headers that carry numbers.

use http::{HeaderMap, HeaderName, Uri, header};
use percent_encoding::percent_decode_str;

/// The first value of a query parameter, decoded; `None` when it is absent.
pub(crate) fn query(uri: &Uri, name: &str) -> Option<String> {
    queries(uri, name).next()
}

/// All values of a query parameter, decoded. What is no UTF-8 comes with replacement characters: nothing that has them is a
/// name, a digest or a number, so it is refused as what it was to be, and not taken for absent.
pub(crate) fn queries(uri: &Uri, name: &str) -> impl Iterator<Item = String> {
    uri.query().unwrap_or_default().split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = (key == name).then(|| value.replace('+', "%20"))?;
        Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
    })
}

/// A header as text; `None` when it is absent or no visible ASCII.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Where a chunk says that it begins: `Content-Range: <first>-<last>` as the OCI specification writes it, with or without
/// the `bytes` and the total of RFC 9110. `Err` when the header is there and is none.
pub(crate) fn chunk_range(headers: &HeaderMap) -> Result<Option<(u64, u64)>, ()> {
    let Some(value) = headers.get(header::CONTENT_RANGE) else { return Ok(None) };
    let parse = |value: &str| {
        let value = value.trim();
        let value = value.strip_prefix("bytes").unwrap_or(value).trim_start_matches([' ', '=']);
        let (first, last) = value.split('/').next()?.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then_some((first, last))
    };
    value.to_str().ok().and_then(parse).map(Some).ok_or(())
}

/// Digits only: `u64::from_str` would take a sign.
pub(crate) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Whether `If-None-Match` names this entity tag, given without quotes (RFC 9110, section 13.1.2).
pub(crate) fn none_match(headers: &HeaderMap, entity_tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*" || tag.trim_matches('"') == entity_tag
        })
    })
}

#[cfg(test)]
mod tests;
