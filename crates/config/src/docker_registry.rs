//! The configuration of docker-registry 0.x: a file of flavours, of which the environment chooses one, with values that begin
//! with `_env:` and are variables. Here it becomes the tree of a file of today, in which every value still knows its place; what
//! a key of today means is not known here.
//!
//! `flavour` chooses the part of the file that counts, `variables` puts in what its variables say, `storage` and `options` give
//! each option its present name, by `typing` where YAML 1.1 and Python had a say in the value. [`Converted`] is the same for people.

mod convert;
mod flavour;
mod options;
mod storage;
mod typing;
mod variables;

use std::path::Path;

pub use convert::Converted;
pub(crate) use flavour::{HOST, PORT};

use crate::environment::Environment;
use crate::tree::{Entry, Node, Scalar, Value};
use crate::{Config, ConfigError, Place, Source, StorageDriver, Warning, load, read};

/// Where a registry keeps its images, as the file of a docker-registry 0.x says it.
#[derive(Clone, Debug)]
pub struct DockerRegistryStorage {
    /// The flavour that was chosen; `None` where the file has none, or is a file of today.
    pub flavour: Option<String>,
    /// `storage`, `storage_path` and what belongs to them.
    pub driver: StorageDriver,
    /// What the file's writer ought to know of that.
    pub warnings: Vec<Warning>,
}

impl DockerRegistryStorage {
    /// Reads the file of at most 1 MiB, with the variables that it names and the flavour that `SETTINGS_FLAVOR` chooses: `dev`
    /// where there is no such variable, the file itself where it is empty. A file of today may say where an old registry's images
    /// are too. Other variables have no say: they are those of the registry of today.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let file = load::read_file(path)?;
        if is_one(&file) {
            return Self::of(file, environment);
        }
        let mut warnings = Vec::new();
        let (Config { storage, .. }, _) = read::interpret(file, false, &mut warnings)?;
        Ok(Self { flavour: None, driver: storage.driver, warnings: about_storage(warnings) })
    }

    fn of(file: Node, environment: &Environment) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let translated = translate(file, environment, Secrets::Needed, &mut warnings)?;
        let (Config { storage, .. }, _) = read::interpret(translated.tree, true, &mut warnings)?;
        let warnings = about_storage(warnings);
        Ok(Self { flavour: translated.flavour, driver: storage.driver, warnings })
    }
}

fn about_storage(warnings: Vec<Warning>) -> Vec<Warning> {
    let is_about = |warning: &Warning| ["storage", "swift_"].iter().any(|name| warning.key.starts_with(name));
    warnings.into_iter().filter(is_about).collect()
}

/// A file of today that means what an old one does.
pub(crate) struct Translated {
    pub(crate) tree: Node,
    pub(crate) flavour: Option<String>,
}

/// Whether a variable that holds a secret must be there.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Secrets {
    /// It is about to be used.
    Needed,
    /// Its name is enough.
    Named,
}

/// Whether a file is one of docker-registry 0.x: it has no version, and in it, or in one of its flavours, `storage` is a word.
pub(crate) fn is_one(file: &Node) -> bool {
    let Value::Mapping(entries) = &file.value else { return false };
    let has_version = entries.iter().any(|entry| entry.key == "version");
    !has_version && (is_old_flavour(file) || entries.iter().any(|entry| has_storage(&entry.node)))
}

/// Whether this is a whole configuration, and no file of flavours.
fn is_old_flavour(node: &Node) -> bool {
    let Value::Mapping(entries) = &node.value else { return false };
    let is_of_today = |entry: &Entry| matches!(entry.key.as_str(), "http" | "log" | "auth" | "health");
    has_storage(node) && !entries.iter().any(is_of_today)
}

fn has_storage(node: &Node) -> bool {
    let Value::Mapping(entries) = &node.value else { return false };
    entries.iter().filter(|entry| entry.key == "storage").any(|entry| match &entry.node.value {
        // Words for drivers of today, whose file lacks its version.
        Value::Scalar(word) => word.is_set() && !matches!(word.text.as_str(), "filesystem" | "inmemory"),
        _ => false,
    })
}

/// The file of today that means the same.
pub(crate) fn translate(
    file: Node,
    environment: &Environment,
    secrets: Secrets,
    warnings: &mut Vec<Warning>,
) -> Result<Translated, ConfigError> {
    let (flavour, chosen) = flavour::choose(file, environment)?;
    let place = chosen.place.clone();
    let chosen = variables::put_in(chosen, environment, secrets, warnings)?;
    let Value::Mapping(old) = chosen.value else {
        return Err(wrong(&place, "the configuration", "something else", "a mapping of keys to values"));
    };
    let mut today = Today { entries: vec![text("version", "0.1", &place)] };
    let mut old = Old { entries: old, place: place.clone() };
    today.put("http.addr", flavour::address(environment)?);
    storage::translate(&mut old, &mut today, environment)?;
    today.put("v1.enabled", text("enabled", "true", &place));
    today.put("v1.exclusive", text("exclusive", "true", &place));
    if let Some(flavour) = &flavour {
        let value = Value::Scalar(Scalar { text: flavour.clone(), plain: false });
        today.put("v1.flavour", entry("flavour", value, &place));
    }
    options::translate(old, &mut today, warnings)?;
    let tree = Node { value: Value::Mapping(today.entries), place };
    Ok(Translated { tree, flavour })
}

/// What is left of the old configuration.
struct Old {
    entries: Vec<Entry>,
    place: Place,
}

impl Old {
    /// Takes a key out, also one in a section, `section.key`; `None` if it says nothing.
    fn take(&mut self, path: &str) -> Option<Entry> {
        let (section, key) = path.split_once('.').map_or((None, path), |(section, key)| (Some(section), key));
        let entries = match section {
            None => &mut self.entries,
            Some(section) => match &mut self.find(section)?.node.value {
                Value::Mapping(entries) => entries,
                _ => return None,
            },
        };
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at)).filter(|entry| entry.node.is_set())
    }

    fn find(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == name)
    }
}

/// The configuration of today, as far as it is made.
struct Today {
    entries: Vec<Entry>,
}

impl Today {
    /// Puts a value under a path; the sections above it are made.
    fn put(&mut self, path: &str, value: Entry) {
        put(&mut self.entries, path, value);
    }
}

fn put(entries: &mut Vec<Entry>, path: &str, value: Entry) {
    let Some((section, rest)) = path.split_once('.') else {
        entries.push(called(path, value));
        return;
    };
    for entry in entries.iter_mut().filter(|entry| entry.key == section) {
        if let Value::Mapping(entries) = &mut entry.node.value {
            return put(entries, rest, value);
        }
    }
    let place = value.key_place.clone();
    let mut below = Vec::new();
    put(&mut below, rest, value);
    entries.push(entry(section, Value::Mapping(below), &place));
}

fn called(name: &str, entry: Entry) -> Entry {
    Entry { key: name.to_owned(), ..entry }
}

fn text(key: &str, value: &str, place: &Place) -> Entry {
    entry(key, Value::Scalar(Scalar { text: value.to_owned(), plain: true }), place)
}

/// What holds where nobody says anything.
fn default(key: &str, value: &str) -> Entry {
    text(key, value, &Place::beginning(Source::Default))
}

fn entry(key: &str, value: Value, place: &Place) -> Entry {
    Entry { key: key.to_owned(), key_place: place.clone(), node: Node { place: place.clone(), value } }
}

fn wrong(place: &Place, key: &str, found: &str, expected: &str) -> ConfigError {
    ConfigError::Invalid {
        place: place.clone(),
        key: key.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests;
