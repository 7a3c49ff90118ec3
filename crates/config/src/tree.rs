//! The tree between text and types: mappings, sequences and scalars, each with its place in the file.
//!
//! A scalar keeps its exact text, because only the reader of a key knows whether `007` is a number or a password.
//! These types have no `Debug`: they hold passwords that are not yet known as such.

use crate::Place;

/// A value and where it begins. A mapping in block style begins at its first key.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order of the file; no key twice.
    Mapping(Vec<Entry>),
}

#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes and without a tag that makes it a text: may be null, a boolean or a number.
    pub(crate) plain: bool,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// A value that says nothing.
    pub(crate) fn null(place: Place) -> Self {
        Self { place, value: Value::Scalar(Scalar { text: String::new(), plain: true }) }
    }

    /// Whether it says anything: not null, not an empty text or list, not a mapping of such.
    /// Templates often leave keys of that kind behind.
    pub(crate) fn is_set(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => scalar.is_set(),
            Value::Sequence(items) => !items.is_empty(),
            Value::Mapping(entries) => entries.iter().any(|entry| entry.node.is_set()),
        }
    }

    /// How many nodes it consists of, itself included.
    pub(crate) fn count(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::Sequence(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.node.count()).sum::<usize>(),
        }
    }
}

impl Scalar {
    pub(crate) fn is_set(&self) -> bool {
        let is_null = self.plain && matches!(self.text.as_str(), "~" | "null" | "Null" | "NULL");
        !(is_null || self.text.is_empty())
    }
}
