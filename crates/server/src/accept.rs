//! `Accept` (RFC 9110, section 12.5.1): whether a client takes a media type. One pass over the header for each question; what
//! cannot be read in it says nothing.

use http::{HeaderMap, header};

use crate::elements::{parameter, split};

/// Whether the client takes `media_type`, by what it says of it most specifically: by name, by `type/*`, or by `*/*`. `None`
/// when it says nothing of it. Parameters other than the weight do not count: no media type of a registry has any.
pub(crate) fn takes(headers: &HeaderMap, media_type: &str) -> Option<bool> {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let words = lines.flat_map(|line| split(line, ',')).filter_map(|element| {
        let mut parts = split(element, ';');
        let specificity = specificity(parts.next()?, media_type)?;
        let refused = parts.filter_map(parameter).any(|(name, weight)| {
            name.eq_ignore_ascii_case("q")
                && weight.starts_with('0')
                && weight.trim_matches(['0', '.']).is_empty()
        });
        Some((specificity, !refused))
    });
    words.max().map(|(_, takes)| takes)
}

/// How closely a media range names a media type; `None` when it does not.
fn specificity(range: &str, media_type: &str) -> Option<u8> {
    let is_prefix = |kind: &str| {
        media_type.split_once('/').is_some_and(|(of_type, _)| of_type.eq_ignore_ascii_case(kind))
    };
    match range {
        // The bare star is an error of old Java clients.
        "*/*" | "*" => Some(0),
        range if range.eq_ignore_ascii_case(media_type) => Some(2),
        range => range.strip_suffix("/*").is_some_and(is_prefix).then_some(1),
    }
}

#[cfg(test)]
mod tests;
