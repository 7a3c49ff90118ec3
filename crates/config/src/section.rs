//! Typed reading of a mapping, key by key.
//!
//! A [`Section`] gives away each key once. It remembers which names were asked for, and so knows at the end which
//! keys nobody wanted, and which name their writer may have meant.

use secrecy::SecretString;

use crate::tree::{Entry, Node, Scalar, Value};
use crate::{ConfigError, Place, Warning};

/// From this similarity on (1 is equal), a name is suggested for an unknown key.
const NEAR: f64 = 0.85;

/// A mapping with its path, such as `storage.swift`.
pub(crate) struct Section {
    path: String,
    /// The key that opens the section.
    place: Place,
    entries: Vec<Entry>,
    asked: Vec<&'static str>,
}

/// One key with its value, taken out of a section.
pub(crate) struct Field {
    pub(crate) key: Key,
    pub(crate) node: Node,
}

/// A key: its name, its path and its place.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) place: Place,
}

impl Section {
    /// The whole file as a section with an empty path.
    pub(crate) fn root(node: Node) -> Result<Self, ConfigError> {
        let place = Place { line: 1, column: 1, ..node.place.clone() };
        let key = Key { name: String::new(), path: "the file".to_owned(), place };
        Ok(Self { path: String::new(), ..Field { key, node }.section()? })
    }

    /// Makes upper and lower case of its keys the same.
    pub(crate) fn ignore_case(mut self) -> Result<Self, ConfigError> {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for mut entry in self.entries {
            entry.key.make_ascii_lowercase();
            if let Some(first) = entries.iter().find(|first| first.key == entry.key) {
                let key = join(&self.path, &entry.key);
                return Err(ConfigError::Duplicate {
                    place: entry.key_place,
                    key,
                    first: first.key_place.clone(),
                });
            }
            entries.push(entry);
        }
        self.entries = entries;
        Ok(self)
    }

    /// Takes a key out.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Field> {
        self.asked.push(name);
        #[cfg(test)]
        asked::note(&self.path, name);
        let at = self.entries.iter().position(|entry| entry.key == name)?;
        let entry = self.entries.remove(at);
        Some(Field { key: Key::new(&self.path, &entry), node: entry.node })
    }

    /// Takes all the keys that are left, in the order of the file.
    pub(crate) fn take_rest(&mut self) -> Vec<Field> {
        self.entries
            .drain(..)
            .map(|entry| Field { key: Key::new(&self.path, &entry), node: entry.node })
            .collect()
    }

    /// Looks at a key without taking it; `None` also if it says nothing.
    pub(crate) fn given(&self, name: &str) -> Option<Key> {
        let entry = self.entries.iter().find(|entry| entry.key == name && entry.node.is_set())?;
        Some(Key::new(&self.path, entry))
    }

    /// A section in this one; empty if it is absent or null.
    pub(crate) fn section(&mut self, name: &'static str) -> Result<Self, ConfigError> {
        match self.take(name) {
            Some(field) => field.section(),
            None => Ok(Self::empty(join(&self.path, name), self.place.clone())),
        }
    }

    fn empty(path: String, place: Place) -> Self {
        Self { path, place, entries: Vec::new(), asked: Vec::new() }
    }

    /// A text, exactly as it was written whatever it looks like; `None` if it is absent, null or empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        self.take(name).map_or(Ok(None), Field::text)
    }

    /// A text that no error will ever show; `None` as for [`Section::text`].
    pub(crate) fn secret(&mut self, name: &'static str) -> Result<Option<SecretString>, ConfigError> {
        Ok(self.text(name)?.map(SecretString::from))
    }

    /// A YAML 1.1 boolean: `true`, `yes`, `on` and `y`, or their opposites; `None` if it is absent, null or empty.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, ConfigError> {
        self.take(name).map_or(Ok(None), Field::boolean)
    }

    /// A text that `parse` understands; `expected` says in an error what that is.
    pub(crate) fn parse<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.take(name).map_or(Ok(None), |field| field.parse(expected, parse))
    }

    /// A list of what `parse` understands; `None` if it is absent or null, but not if it is empty.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        let Some(items) = self.take(name).map_or(Ok(None), |field| field.items("a list"))? else {
            return Ok(None);
        };
        let parsed = items.into_iter().filter_map(|item| item.parse(expected, &parse).transpose());
        parsed.collect::<Result<_, _>>().map(Some)
    }

    /// A list of texts; empty if it is absent or null.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        self.take(name).map_or(Ok(Vec::new()), Field::texts)
    }

    /// What must be there: turns `None` into an error that points at the section.
    pub(crate) fn required<T>(&self, name: &str, expected: &str, value: Option<T>) -> Result<T, ConfigError> {
        value.ok_or_else(|| ConfigError::Missing {
            place: self.place.clone(),
            key: join(&self.path, name),
            expected: expected.to_owned(),
        })
    }

    /// Warns about the keys that are left: nobody knows them.
    pub(crate) fn finish(mut self, warnings: &mut Vec<Warning>) {
        for field in self.take_rest() {
            let suggestion = self.suggestion(&field.key.name);
            warnings.push(field.key.warning(&format!("unknown key, ignored{suggestion}")));
        }
    }

    /// Refuses what is left: where an ignored key would open something.
    pub(crate) fn finish_strictly(mut self) -> Result<(), ConfigError> {
        let Some(stranger) = self.take_rest().into_iter().next() else { return Ok(()) };
        let suggestion = self.suggestion(&stranger.key.name);
        Err(stranger.key.unsupported(&format!("unknown key{suggestion}")))
    }

    /// Whether it holds no key at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The known name nearest to `word` as a question to its writer; empty if none is near.
    pub(crate) fn suggestion(&self, word: &str) -> String {
        match nearest(word, &self.asked) {
            Some(name) => format!("; did you mean \"{name}\"?"),
            None => String::new(),
        }
    }
}

/// The name nearest to `word`, in upper or lower case, if one is near.
pub(crate) fn nearest(word: &str, names: &[&'static str]) -> Option<&'static str> {
    let word = word.to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&word, name);
    let nearest = names.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(nearest) >= NEAR).then_some(nearest)
}

impl Field {
    /// The mapping that this is; an empty one for null.
    pub(crate) fn section(self) -> Result<Section, ConfigError> {
        match self.node.value {
            Value::Mapping(entries) => {
                Ok(Section { entries, ..Section::empty(self.key.path, self.key.place) })
            }
            Value::Scalar(ref scalar) if !scalar.is_set() => {
                Ok(Section::empty(self.key.path, self.key.place))
            }
            _ => Err(self.invalid("a mapping of keys to values")),
        }
    }

    pub(crate) fn text(self) -> Result<Option<String>, ConfigError> {
        match self.node.value {
            Value::Scalar(scalar) => Ok(Some(scalar).filter(Scalar::is_set).map(|scalar| scalar.text)),
            _ => Err(self.invalid("a single text")),
        }
    }

    pub(crate) fn boolean(self) -> Result<Option<bool>, ConfigError> {
        const EXPECTED: &str = "true or false, without quotes";
        match &self.node.value {
            Value::Scalar(scalar) if !scalar.is_set() => Ok(None),
            Value::Scalar(scalar) if scalar.plain => {
                yaml_boolean(&scalar.text).map(Some).ok_or_else(|| self.invalid(EXPECTED))
            }
            _ => Err(self.invalid(EXPECTED)),
        }
    }

    fn parse<T>(
        self,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match &self.node.value {
            Value::Scalar(scalar) if !scalar.is_set() => Ok(None),
            Value::Scalar(scalar) => parse(&scalar.text).map(Some).ok_or_else(|| self.invalid(expected)),
            _ => Err(self.invalid(expected)),
        }
    }

    pub(crate) fn texts(self) -> Result<Vec<String>, ConfigError> {
        let items = self.items("a list of texts")?.unwrap_or_default();
        items.into_iter().filter_map(|item| item.text().transpose()).collect()
    }

    /// The items of a list, with paths such as `storage.swift.tempurlmethods[0]`; `None` for null.
    pub(crate) fn items(self, expected: &str) -> Result<Option<Vec<Self>>, ConfigError> {
        let Value::Sequence(items) = self.node.value else {
            return if self.node.is_set() { Err(self.invalid(expected)) } else { Ok(None) };
        };
        let field = |(at, node): (usize, Node)| {
            let path = format!("{}[{at}]", self.key.path);
            Self { key: Key { name: String::new(), path, place: node.place.clone() }, node }
        };
        Ok(Some(items.into_iter().enumerate().map(field).collect()))
    }

    /// An error about the value.
    pub(crate) fn invalid(&self, expected: &str) -> ConfigError {
        ConfigError::Invalid {
            place: self.node.place.clone(),
            key: self.key.path.clone(),
            found: found(&self.node),
            expected: expected.to_owned(),
        }
    }
}

impl Key {
    fn new(section: &str, entry: &Entry) -> Self {
        Self { name: entry.key.clone(), path: join(section, &entry.key), place: entry.key_place.clone() }
    }

    /// An error about the key, whatever its value.
    pub(crate) fn unsupported(&self, reason: &str) -> ConfigError {
        ConfigError::Unsupported {
            place: self.place.clone(),
            key: self.path.clone(),
            reason: reason.to_owned(),
        }
    }

    /// A warning about the key.
    pub(crate) fn warning(&self, message: &str) -> Warning {
        Warning { place: self.place.clone(), key: self.path.clone(), message: message.to_owned() }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// What an error shows of a value: its beginning, with control characters escaped, and without what stands before an
/// `@`, which in a URL is a password.
fn found(node: &Node) -> String {
    const LONGEST: usize = 60;
    let text = match &node.value {
        Value::Scalar(scalar) => scalar.text.as_str(),
        Value::Sequence(_) => return "a list".to_owned(),
        Value::Mapping(_) => return "a mapping".to_owned(),
    };
    let shown = match text.rsplit_once('@') {
        Some((_, after)) => format!("<hidden>@{after}"),
        None => text.to_owned(),
    };
    if shown.chars().count() > LONGEST {
        format!("{:?}...", shown.chars().take(LONGEST).collect::<String>())
    } else {
        format!("{shown:?}")
    }
}

/// The words of YAML 1.1, which registry:2 reads.
fn yaml_boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Which keys this thread has asked for, so that a test can hold them against the schema.
#[cfg(test)]
pub(crate) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local!(static ASKED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) });

    pub(super) fn note(section: &str, name: &str) {
        ASKED.with_borrow_mut(|asked| asked.insert(super::join(section, name)));
    }

    pub(crate) fn all() -> BTreeSet<String> {
        ASKED.with_borrow(Clone::clone)
    }
}

#[cfg(test)]
mod tests;
