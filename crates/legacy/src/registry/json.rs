//! JSON as Python 2's `json.dumps` wrote it: a space behind each comma and colon, and nothing but ASCII. The original's objects
//! and answers are in this form.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                writer.write_all(&[u8::try_from(character).unwrap_or(b'?')])?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

/// A value as the original wrote it. Maps come in the order in which they are given.
#[must_use]
pub fn python_json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    // Texts, numbers and lists of them always become JSON.
    if let Err(error) = value.serialize(&mut Serializer::with_formatter(&mut text, Python)) {
        tracing::error!(%error, "a value that is no JSON");
    }
    text
}
