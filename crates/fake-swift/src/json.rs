//! JSON as Swift writes it, with Python's `json.dumps`: a space after each separator, and ASCII only.
//!
//! The bytes matter: the ETag of a static large object's manifest is the MD5 of such a text, and a client that reads
//! names out of it has to undo `\u` escapes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// `document` without a space, in UTF-8, as all others write it. Empty as [`dumps`] is.
pub(crate) fn compact(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}

/// `document` as text. Empty if it cannot be written, which no type of this crate brings about.
pub(crate) fn dumps(document: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Python);
    match document.serialize(&mut serializer) {
        Ok(()) => text,
        Err(_) => Vec::new(),
    }
}

struct Python;

impl Python {
    fn separate<W: ?Sized + Write>(writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        Self::separate(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        Self::separate(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
