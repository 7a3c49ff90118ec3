//! What a registry wants to know before it answers: `WWW-Authenticate` (RFC 9110 section 11.6.1) as registries use it.

use http::{HeaderMap, header};

/// A challenge that Apus can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A user and a password (RFC 7617).
    Basic,
    /// A token from somewhere else (RFC 6750, and the distribution project's token protocol).
    Bearer {
        /// The URL of the token server.
        realm: String,
        /// The service that the token is for.
        service: Option<String>,
    },
}

impl Challenge {
    /// The first challenge of an answer that can be answered, a bearer's before others.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values =
            || headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let bearer = values().filter_map(|value| after_scheme(value, "bearer")).find_map(|rest| {
            let realm = parameter(rest, "realm")?;
            Some(Self::Bearer { realm, service: parameter(rest, "service") })
        });
        bearer.or_else(|| values().find_map(|value| after_scheme(value, "basic")).map(|_| Self::Basic))
    }
}

/// What follows a scheme's name in a value.
fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let value = value.trim_start();
    let (name, rest) = value.split_once(' ').unwrap_or((value, ""));
    name.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// A parameter, as a token or a quoted string.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (name, value) = rest.trim_start_matches([',', ' ', '\t']).split_once('=')?;
        let value = value.trim_start();
        let (value, after) = if let Some(quoted) = value.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let (value, after) = value.split_at(value.find(',').unwrap_or(value.len()));
            (value.trim_end().to_owned(), after)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

/// The text up to the closing quote, and what follows that.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut escaped = false;
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, text.get(place + 1..)?)),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests;
