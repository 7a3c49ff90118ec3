//! The configuration of docker-registry 0.x: a file of flavours, of which the environment chooses one, with values that begin
//! with `_env:` and are variables. Here it becomes the tree of a file of today, in which every value still knows its place; what
//! a key of today means is not known here.
//!
//! Only where such a registry keeps its images is read as yet: that is what whoever moves them needs.

mod flavour;
mod variables;

use std::path::Path;

use crate::environment::Environment;
use crate::tree::{Entry, Node, Scalar, Value};
use crate::{Config, ConfigError, Place, StorageDriver, Warning, load, read};

/// Where a registry of docker-registry 0.x keeps its images.
#[derive(Clone, Debug)]
pub struct DockerRegistryStorage {
    /// The flavour that was chosen; `None` where the file has none.
    pub flavour: Option<String>,
    /// `storage`, `storage_path` and what belongs to them.
    pub driver: StorageDriver,
    /// What the file's writer ought to know.
    pub warnings: Vec<Warning>,
}

/// The keys of the Swift driver, and what they are called today. The last three are Apus's own, for Keystone's version 3.
const SWIFT_KEYS: [(&str, &str); 13] = [
    ("swift_authurl", "authurl"),
    ("swift_auth_version", "authversion"),
    ("swift_user", "username"),
    ("swift_password", "password"),
    ("swift_tenant_name", "tenant"),
    ("swift_region_name", "region"),
    ("swift_container", "container"),
    ("swift_object_storage_url", "storageurl"),
    ("swift_cacert", "cacert"),
    ("swift_endpoint_type", "endpointtype"),
    ("swift_tenant_id", "tenantid"),
    ("swift_domain_name", "domain"),
    ("swift_tenant_domain_name", "tenantdomain"),
];

/// Those without which there is no Swift.
const NEEDED: [&str; 3] = ["swift_authurl", "swift_user", "swift_password"];

/// What docker-registry has where the file says nothing.
const DEFAULT_CONTAINER: &str = "dev_container";
const DEFAULT_ROOT: &str = "/";
const DEFAULT_DIRECTORY: &str = "./tmp";

impl DockerRegistryStorage {
    /// Reads the file of at most 1 MiB, with the variables that it names and the flavour that `SETTINGS_FLAVOR` chooses: `dev`
    /// where there is no such variable, the file itself where it is empty.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        Self::of(load::read_file(path)?, environment)
    }

    fn of(tree: Node, environment: &Environment) -> Result<Self, ConfigError> {
        let (flavour, chosen) = flavour::choose(tree, environment)?;
        let chosen = variables::put_in(chosen, environment)?;
        let mut warnings = Vec::new();
        let (Config { storage, .. }, _) = read::interpret(today(chosen)?, &mut warnings)?;
        Ok(Self { flavour, driver: storage.driver, warnings })
    }
}

/// The file of today that keeps images in the same place.
fn today(chosen: Node) -> Result<Node, ConfigError> {
    let place = chosen.place.clone();
    let Value::Mapping(mut entries) = chosen.value else {
        return Err(wrong(&place, "the configuration", "a mapping of keys to values"));
    };
    let mut take = |name: &str| {
        let at = entries.iter().position(|entry| entry.key == name)?;
        Some(entries.remove(at)).filter(|entry| entry.node.is_set())
    };
    let Some(storage) = take("storage") else { return Err(missing(&place, "storage")) };
    let Value::Scalar(Scalar { text: kind, .. }) = &storage.node.value else {
        return Err(wrong(&storage.node.place, "storage", "the name of a storage driver"));
    };
    let root = take("storage_path");
    let (driver, parameters) = match kind.to_lowercase().as_str() {
        "swift" => {
            let known = SWIFT_KEYS.iter().filter_map(|(old, new)| Some((new, take(old)?)));
            let mut parameters: Vec<Entry> = known.map(|(new, entry)| called(new, entry)).collect();
            for (old, new) in SWIFT_KEYS.iter().filter(|(old, _)| NEEDED.contains(old)) {
                if !parameters.iter().any(|entry| entry.key == *new) {
                    return Err(missing(&storage.key_place, old));
                }
            }
            parameters.iter_mut().filter(|entry| entry.key == "endpointtype").for_each(without_url);
            let mut default = |key: &str, value: &str| {
                if !parameters.iter().any(|entry| entry.key == key) {
                    parameters.push(text(key, value, &storage.key_place));
                }
            };
            default("container", DEFAULT_CONTAINER);
            default("authversion", "2");
            let root = root.unwrap_or_else(|| text("prefix", DEFAULT_ROOT, &storage.key_place));
            parameters.push(called("prefix", root));
            parameters.push(text("naming", "docker-registry", &storage.key_place));
            ("swift", parameters)
        }
        "local" | "file" => {
            let root = root.unwrap_or_else(|| text("rootdirectory", DEFAULT_DIRECTORY, &storage.key_place));
            ("filesystem", vec![called("rootdirectory", root)])
        }
        "dumb" => ("inmemory", Vec::new()),
        _ => {
            let reason = "Apus does not have this storage driver; it has swift and local. Copy the objects to one of them";
            let (place, key) = (storage.node.place, storage.key);
            return Err(ConfigError::Unsupported { place, key, reason: reason.to_owned() });
        }
    };
    let driver = mapping(driver, parameters, &storage.key_place);
    let version = text("version", "0.1", &place);
    Ok(Node {
        value: Value::Mapping(vec![version, mapping("storage", vec![driver], &storage.key_place)]),
        place,
    })
}

/// Keystone's catalog of version 2, from which these words are, has `adminURL` and the like.
fn without_url(entry: &mut Entry) {
    if let Value::Scalar(scalar) = &mut entry.node.value
        && let Some(word) = scalar.text.strip_suffix("URL")
    {
        scalar.text = word.to_owned();
    }
}

fn missing(place: &Place, key: &str) -> ConfigError {
    let expected = "it here, or in the variable that is named here".to_owned();
    ConfigError::Missing { place: place.clone(), key: key.to_owned(), expected }
}

fn called(name: &str, entry: Entry) -> Entry {
    Entry { key: name.to_owned(), ..entry }
}

fn text(key: &str, value: &str, place: &Place) -> Entry {
    let value = Value::Scalar(Scalar { text: value.to_owned(), plain: true });
    entry(key, value, place)
}

fn mapping(key: &str, entries: Vec<Entry>, place: &Place) -> Entry {
    entry(key, Value::Mapping(entries), place)
}

fn entry(key: &str, value: Value, place: &Place) -> Entry {
    Entry { key: key.to_owned(), key_place: place.clone(), node: Node { place: place.clone(), value } }
}

fn wrong(place: &Place, key: &str, expected: &str) -> ConfigError {
    ConfigError::Invalid {
        place: place.clone(),
        key: key.to_owned(),
        found: "something else".to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests;
