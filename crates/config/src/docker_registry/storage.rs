//! `storage`, `storage_path`, and the options of the Swift driver.

use super::{Old, Today, called, default, wrong};
use crate::environment::Environment;
use crate::tree::{Entry, Scalar, Value};
use crate::{ConfigError, Place};

/// The options of the Swift driver, and what they are called today. The last three are Apus's own, for Keystone's version 3.
pub(super) const SWIFT: [(&str, &str); 13] = [
    ("swift_authurl", "authurl"),
    ("swift_auth_version", "authversion"),
    ("swift_user", "username"),
    (SECRET, "password"),
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

/// The option that is a secret.
pub(super) const SECRET: &str = "swift_password";

/// Those without which there is no Swift.
const NEEDED: [&str; 3] = ["swift_authurl", "swift_user", SECRET];

/// What docker-registry has where the file says nothing.
const DEFAULT_CONTAINER: &str = "dev_container";
const DEFAULT_ROOT: &str = "/";
const DEFAULT_DIRECTORY: &str = "./tmp";

/// Where images are kept. Whoever reaches an old registry may delete tags, so it is allowed here.
pub(super) fn translate(
    old: &mut Old,
    today: &mut Today,
    environment: &Environment,
) -> Result<(), ConfigError> {
    let Some(storage) = old.take("storage") else { return Err(missing(&old.place, "storage", environment)) };
    let Value::Scalar(Scalar { text: kind, .. }) = &storage.node.value else {
        return Err(wrong(&storage.node.place, "storage", "something else", "the name of a storage driver"));
    };
    let place = storage.key_place.clone();
    let root = old.take("storage_path");
    match kind.to_lowercase().as_str() {
        "swift" => swift(old, today, root, &place, environment)?,
        "local" | "file" => {
            let root = root.unwrap_or_else(|| default("rootdirectory", DEFAULT_DIRECTORY));
            today.put("storage.filesystem.rootdirectory", root);
        }
        "dumb" => today.put("storage.inmemory", super::entry("inmemory", Value::Mapping(Vec::new()), &place)),
        _ => {
            let reason = "Apus does not have this storage driver; it has swift and local. Copy the objects to one of them";
            let place = storage.node.place.clone();
            return Err(ConfigError::Unsupported { place, key: storage.key, reason: reason.to_owned() });
        }
    }
    today.put("storage.delete.enabled", default("enabled", "true"));
    Ok(())
}

fn swift(
    old: &mut Old,
    today: &mut Today,
    root: Option<Entry>,
    place: &Place,
    environment: &Environment,
) -> Result<(), ConfigError> {
    let mut parameters: Vec<Entry> =
        SWIFT.iter().filter_map(|(old_name, new)| Some(called(new, old.take(old_name)?))).collect();
    for (name, new) in SWIFT.iter().filter(|(name, _)| NEEDED.contains(name)) {
        if !parameters.iter().any(|entry| entry.key == *new) {
            return Err(missing(place, name, environment));
        }
    }
    parameters.iter_mut().filter(|entry| entry.key == "endpointtype").for_each(without_url);
    if !says(&parameters, "container") {
        parameters.push(default("container", DEFAULT_CONTAINER));
    }
    // The original took 2 for granted. A URL that ends in another version could not be used with it.
    if !says(&parameters, "authversion") && !ends_in_another_version(&parameters) {
        parameters.push(default("authversion", "2"));
    }
    parameters.push(root.map_or_else(|| default("prefix", DEFAULT_ROOT), |root| called("prefix", root)));
    parameters.push(default("naming", "docker-registry"));
    for parameter in parameters {
        let path = format!("storage.swift.{}", parameter.key);
        today.put(&path, parameter);
    }
    Ok(())
}

fn says(parameters: &[Entry], key: &str) -> bool {
    parameters.iter().any(|entry| entry.key == key)
}

fn ends_in_another_version(parameters: &[Entry]) -> bool {
    let is_other = |url: &str| {
        let url = url.trim_end_matches('/');
        ["/v3", "/v1.0", "/v1"].iter().any(|version| url.ends_with(version))
    };
    parameters.iter().filter(|entry| entry.key == "authurl").any(|entry| match &entry.node.value {
        Value::Scalar(scalar) => is_other(&scalar.text),
        _ => false,
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

fn missing(place: &Place, key: &str, environment: &Environment) -> ConfigError {
    let flavour = match environment.value("SETTINGS_FLAVOR") {
        Ok(Some(_)) => "",
        _ => "; SETTINGS_FLAVOR chooses another flavour than dev",
    };
    let expected = format!("it here, or in the variable that is named here{flavour}");
    ConfigError::Missing { place: place.clone(), key: key.to_owned(), expected }
}
