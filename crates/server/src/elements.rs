//! Lists in header values (RFC 9110, section 5.6): their elements, the parameters of an element, and quoted strings in either.
//! Pure functions, each one pass over the text; what is malformed is cut somewhere, never refused.

use std::borrow::Cow;

/// What stands between the `delimiter`s outside quoted strings, without the white space around it; nothing where that is empty.
pub(crate) fn split(text: &str, delimiter: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        #[cfg(test)]
        work::done();
        let delimits = !quoted && character == delimiter;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        delimits
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

/// A parameter's name and value, such as `q=0.5` or `host="registry:5000"`.
pub(crate) fn parameter(text: &str) -> Option<(&str, Cow<'_, str>)> {
    let (name, value) = text.split_once('=')?;
    Some((name.trim(), unquote(value.trim())))
}

/// The text of a token or of a quoted string.
fn unquote(value: &str) -> Cow<'_, str> {
    let Some(quoted) = value.strip_prefix('"') else { return Cow::Borrowed(value) };
    let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
    if !quoted.contains('\\') {
        return Cow::Borrowed(quoted);
    }
    let mut escapes = false;
    let is_text = |character: &char| {
        escapes = !escapes && *character == '\\';
        !escapes
    };
    quoted.chars().filter(is_text).collect()
}

/// How many characters this thread has looked at, for tests that count work in place of time.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local!(static DONE: Cell<usize> = const { Cell::new(0) });

    pub(super) fn done() {
        DONE.set(DONE.get() + 1);
    }

    /// What was done since the last call.
    pub(crate) fn take() -> usize {
        DONE.take()
    }
}

#[cfg(test)]
mod tests;
