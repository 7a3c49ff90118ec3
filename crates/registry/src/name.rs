//! The grammar of repository names and tags (OCI distribution specification, "Pulling manifests"). Only what passed this
//! gate may become part of an object's name.

use std::fmt;

use crate::{Digest, Error};

/// The name of a repository: components of lower-case letters and digits, joined by `/`; within a component `.`, `_`, `__`
/// or hyphens may stand between letters or digits. At most 255 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Takes a name in.
    ///
    /// # Errors
    /// [`Error::NameInvalid`] when it is none.
    pub fn parse(name: &str) -> Result<Self, Error> {
        if name.len() <= Self::MAX_BYTES && name.split('/').all(is_component) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Error::NameInvalid { name: excerpt(name) })
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_component(component: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends = |byte: Option<&u8>| byte.copied().is_some_and(alphanumeric);
    ends(bytes.first())
        && ends(bytes.last())
        && bytes.split(|byte| alphanumeric(*byte)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-')
        })
}

/// A tag: 1 to 128 of letters, digits, `_`, `.`, `-`, the first neither `.` nor `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// The longest tag, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Takes a tag in.
    ///
    /// # Errors
    /// [`Error::TagInvalid`] when it is none.
    pub fn parse(tag: &str) -> Result<Self, Error> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let first = tag.bytes().next().is_some_and(word);
        if first
            && tag.len() <= Self::MAX_BYTES
            && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
        {
            Ok(Self(tag.to_owned()))
        } else {
            Err(Error::TagInvalid { tag: excerpt(tag) })
        }
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A name that can be moved.
    Tag(Tag),
    /// The content itself.
    Digest(Digest),
}

impl Reference {
    /// Takes a reference in: with a colon it is a digest, else a tag.
    ///
    /// # Errors
    /// [`Error::DigestInvalid`] or [`Error::TagInvalid`] when it is neither.
    pub fn parse(reference: &str) -> Result<Self, Error> {
        if reference.contains(':') {
            Digest::parse(reference).map(Self::Digest)
        } else {
            Tag::parse(reference).map(Self::Tag)
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }
    )*};
}

text!(RepositoryName, Tag);

/// What an error shows of a text that a client sent: enough to know it again, never a flood.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(256).collect()
}

#[cfg(test)]
mod tests;
