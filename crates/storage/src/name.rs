//! Names of objects: what may be one. Every backend receives names that passed this gate, and never a raw string.

use std::fmt;

/// The name of an object: components joined by `/`, without a leading or a trailing one.
///
/// A component is not empty, neither `.` nor `..`, at most [`ObjectName::MAX_COMPONENT_BYTES`] bytes of UTF-8, and holds
/// no control character and no backslash. A whole name is at most [`ObjectName::MAX_BYTES`] bytes, which leaves room for a
/// prefix within Swift's limit of 1,024 bytes (Swift, "Object Storage API overview", constraints).
///
/// Names are compared and listed by their bytes. No name may be an object and a prefix of another object at once: a
/// file system cannot hold both. Layouts are built so; backends that could hold both do not check it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 900;
    /// The longest component, in bytes: what file systems allow.
    pub const MAX_COMPONENT_BYTES: usize = 255;

    /// Takes a name in, or says why it is none.
    pub fn parse(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        match defect(&name) {
            None => Ok(Self(name)),
            Some(reason) => Err(InvalidName { name: name.chars().take(200).collect(), reason }),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components of the name, in order.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

fn defect(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > ObjectName::MAX_BYTES {
        return Some("it is longer than 900 bytes");
    }
    if name.chars().any(|character| character.is_control() || character == '\\') {
        return Some("it holds a control character or a backslash");
    }
    name.split('/').find_map(|component| match component {
        "" => Some("a component is empty"),
        "." | ".." => Some("a component is . or .."),
        long if long.len() > ObjectName::MAX_COMPONENT_BYTES => Some("a component is longer than 255 bytes"),
        _ => None,
    })
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// A text that cannot be the name of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot name an object: {reason}")]
pub struct InvalidName {
    /// The text, cut to 200 characters.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

#[cfg(test)]
mod tests;
