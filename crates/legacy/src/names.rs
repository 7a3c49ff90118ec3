//! The names of docker-registry 0.x: images by their identifiers, repositories in namespaces, tags. How they become paths is
//! the matter of `layout`.

use std::fmt;

/// The identifier of an image: 64 hexadecimal digits in lower case; 16 in the oldest data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(String);

impl ImageId {
    /// Takes an identifier in; `None` unless it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (matches!(text.len(), 16 | 64) && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The namespace that names without one belong to.
const DEFAULT_NAMESPACE: &str = "library";

/// A repository, as clients named it. Neither part is empty; the second may hold slashes and anything else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    namespace: String,
    name: String,
}

impl Repository {
    /// What a path of the V1 API names: slashes at its end do not count, the first one ends the namespace, and without one the
    /// namespace is `library`. `None` for nothing.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        let (namespace, name) = path.split_once('/').unwrap_or((DEFAULT_NAMESPACE, path));
        Self::new(namespace, name)
    }

    /// From its parts; `None` if one of them is empty.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Option<Self> {
        let named = !namespace.is_empty() && !name.is_empty();
        named.then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// What stands before the first slash.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What stands behind it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that clients give it: without the namespace `library`, which they never say. No two repositories have the same:
    /// `library/a/b` keeps all of its name, for `a/b` is another one.
    #[must_use]
    pub fn familiar(&self) -> String {
        let is_short = self.namespace == DEFAULT_NAMESPACE && !self.name.contains('/');
        if is_short { self.name.clone() } else { self.to_string() }
    }

    /// The repository that has this [`familiar`](Self::familiar) name; `None` if none can have it.
    #[must_use]
    pub fn of_familiar(name: &str) -> Option<Self> {
        Self::parse(name).filter(|repository| repository.familiar() == name)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests;
