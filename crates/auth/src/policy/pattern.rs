//! Patterns of names: `*` stands for anything within a segment, `**` for anything over segments. The time to match grows with
//! the product of both lengths at the most, whatever the pattern.

use std::fmt;
use std::str::FromStr;

/// A pattern of a name. Every other character stands for itself, and the whole name must match.
///
/// `team/*` is every repository directly in `team`, `team/**` every one below it at any depth, `**` every one there is.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// `*`
    WithinSegment,
    /// `**`
    OverSegments,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is no pattern of a name: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: &'static str,
}

impl Pattern {
    /// The longest pattern, in bytes: that of the longest name of a repository.
    pub const MAX_BYTES: usize = 255;

    /// Whether a whole name is meant by this pattern.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        // Which beginnings of the pattern match what was read of the name so far: a step for each byte, no way back.
        let mut reached = vec![false; self.parts.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        self.pass_stars(&mut reached);
        let mut next = vec![false; reached.len()];
        for byte in name.bytes() {
            next.fill(false);
            for (place, part) in self.parts.iter().enumerate() {
                if !reached.get(place).copied().unwrap_or_default() {
                    continue;
                }
                let to = match part {
                    Part::Byte(expected) if *expected == byte => place + 1,
                    Part::WithinSegment if byte != b'/' => place,
                    Part::OverSegments => place,
                    Part::Byte(_) | Part::WithinSegment => continue,
                };
                if let Some(to) = next.get_mut(to) {
                    *to = true;
                }
            }
            self.pass_stars(&mut next);
            std::mem::swap(&mut reached, &mut next);
        }
        reached.last().copied().unwrap_or_default()
    }

    /// Whether it is `**`, which no name escapes.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::OverSegments])
    }

    /// A star may stand for nothing.
    fn pass_stars(&self, reached: &mut [bool]) {
        let mut before = false;
        for (place, reached) in reached.iter_mut().enumerate() {
            *reached |= before;
            before = *reached && !matches!(self.parts.get(place), Some(Part::Byte(_)) | None);
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let error = |reason| PatternError { pattern: text.chars().take(80).collect(), reason };
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(error("it must have 1 to 255 bytes"));
        }
        let mut parts = Vec::new();
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            parts.push(match byte {
                b'*' if bytes.next_if_eq(&b'*').is_some() => Part::OverSegments,
                b'*' => Part::WithinSegment,
                b'[' | b']' | b'{' | b'}' | b'?' | b'!' | b'^' | b'$' | b'\\' => {
                    return Err(error("of special characters there is only the star"));
                }
                b'!'..=b'~' => Part::Byte(byte),
                _ => return Err(error("no name holds spaces, control characters or letters beyond ASCII")),
            });
            if matches!(parts.last(), Some(Part::OverSegments)) && bytes.peek() == Some(&b'*') {
                return Err(error("three stars in a row mean nothing"));
            }
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

#[cfg(test)]
mod tests;
