//! User metadata: which headers it is, and Swift's limits on it.

use http::{HeaderMap, StatusCode};

use crate::answer::Refusal;

/// Longest value of any header.
pub(crate) const MAX_HEADER: usize = 8192;
/// Most items of metadata.
pub(crate) const MAX_COUNT: usize = 90;
/// Longest name of an item, without the prefix.
pub(crate) const MAX_NAME: usize = 128;
/// Longest value of an item.
pub(crate) const MAX_VALUE: usize = 256;
/// Most bytes in all names and values.
pub(crate) const MAX_OVERALL: usize = 4096;

/// Refuses headers that exceed the limits with 400; metadata are those that begin with `prefix`, in lower case.
pub(crate) fn check(headers: &HeaderMap, prefix: &str) -> Result<(), Refusal> {
    let refuse = |text: String| Err(Refusal::plain(StatusCode::BAD_REQUEST, text));
    let (mut count, mut overall) = (0, 0);
    for (name, value) in headers {
        if value.len() > MAX_HEADER {
            return refuse(format!("Header value too long: {}", title_case(name.as_str())));
        }
        let Some(name) = name.as_str().strip_prefix(prefix) else { continue };
        if name.is_empty() {
            return refuse("Metadata name cannot be empty".into());
        }
        count += 1;
        overall += name.len() + value.len();
        if name.len() > MAX_NAME {
            return refuse(format!("Metadata name too long: {prefix}{}", title_case(name)));
        }
        if value.len() > MAX_VALUE {
            return refuse(format!("Metadata value longer than {MAX_VALUE}: {prefix}{}", title_case(name)));
        }
        if count > MAX_COUNT {
            return refuse(format!("Too many metadata items; max {MAX_COUNT}"));
        }
        if overall > MAX_OVERALL {
            return refuse(format!("Total metadata too large; max {MAX_OVERALL}"));
        }
    }
    Ok(())
}

/// Changes the metadata of an account or a container: items without a value go, as do those named by
/// `x-remove-{prefix without x-}` headers; all others that the request does not name stay.
pub(crate) fn merge(metadata: &mut HeaderMap, request: &HeaderMap, prefix: &str) {
    let removal = format!("x-remove-{}", prefix.trim_start_matches("x-"));
    for (name, value) in request {
        if let Some(item) = name.as_str().strip_prefix(&removal) {
            metadata.remove(format!("{prefix}{item}"));
        } else if name.as_str().starts_with(prefix) && value.is_empty() {
            metadata.remove(name);
        } else if name.as_str().starts_with(prefix) {
            metadata.insert(name.clone(), value.clone());
        }
    }
}

fn title_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
