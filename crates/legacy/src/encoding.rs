//! How docker-registry 0.x wrote names into paths: Python 2's `urllib.quote_plus`, over a rule of its own for `.` and `..`,
//! once or twice. What is stored is read back by the same steps in the other order.

use data_encoding::HEXUPPER;

/// `urllib.quote_plus`: letters, digits, `_`, `.` and `-` stay, a space becomes `+`, any other byte `%` and two hexadecimal digits.
pub(crate) fn quote_plus(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' => quoted.push(char::from(byte)),
            b' ' => quoted.push('+'),
            _ => {
                quoted.push('%');
                quoted.push_str(&HEXUPPER.encode(&[byte]));
            }
        }
    }
    quoted
}

/// What [`quote_plus`] made this of; `None` where it can have made it of nothing.
pub(crate) fn unquote_plus(quoted: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                *HEXUPPER.decode(&digits.map(|digit| digit.to_ascii_uppercase())).ok()?.first()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// One component of a path. What is exactly `.` or `..` is escaped before it is quoted, and so is quoted twice.
pub(crate) fn component(text: &str) -> String {
    match text {
        "." => quote_plus("%2E"),
        ".." => quote_plus("%2E%2E"),
        other => quote_plus(other),
    }
}

/// What [`component`] made this of.
pub(crate) fn read_component(stored: &str) -> Option<String> {
    unquote_plus(stored).map(|text| match text.as_str() {
        "%2E" => ".".to_owned(),
        "%2E%2E" => "..".to_owned(),
        _ => text,
    })
}

#[cfg(test)]
mod tests;
