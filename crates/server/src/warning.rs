//! `Warning` (OCI distribution specification, "Warnings"): what a client ought to show to its user though the request went well.

use http::HeaderValue;
use http::header::WARNING;

use crate::answer::Answer;

/// Bytes that all warnings of an answer may have together.
const MOST_BYTES: usize = 4096;

/// Adds a warning to an answer. What cannot stand in a quoted string is left out; a text for which no room is left is cut, or
/// left out with the rest.
pub(crate) fn warn(mut answer: Answer, text: &str) -> Answer {
    const AROUND: usize = "299 - \"\"".len();
    let taken: usize = answer.headers().get_all(WARNING).iter().map(HeaderValue::len).sum();
    let room = MOST_BYTES.saturating_sub(taken + AROUND);
    if room == 0 {
        return answer;
    }
    let mut quoted = String::new();
    for character in text.chars().filter(|character| matches!(character, ' '..='~')) {
        let escape = matches!(character, '"' | '\\');
        if quoted.len() + 1 + usize::from(escape) > room {
            break;
        }
        quoted.extend(escape.then_some('\\'));
        quoted.push(character);
    }
    if let Ok(value) = HeaderValue::try_from(format!("299 - \"{quoted}\"")) {
        answer.headers_mut().append(WARNING, value);
    }
    answer
}

#[cfg(test)]
mod tests;
