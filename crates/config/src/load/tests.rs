//! Where a configuration comes from: which file, and what holds without any. What cannot be used is in [`bad`].

mod bad;

use crate::{Config, Environment, LogLevel, StorageDriver};

/// The path in the environment counts where the command names no file, and not where it does.
#[test]
fn the_path_in_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, level: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("version: 0.1\nstorage: inmemory\nlog: {{level: {level}}}\n")).unwrap();
        path
    };
    let (one, other) = (write("one.yml", "debug"), write("other.yml", "error"));
    let environment = Environment::new([("REGISTRY_CONFIGURATION_PATH", &one)]);
    let level = |file| Config::load_with(file, &environment).unwrap().config.log.level;
    assert_eq!(level(None), LogLevel::Debug);
    assert_eq!(level(Some(other.as_path())), LogLevel::Error);

    let loaded = Config::load_with(None, &environment).unwrap();
    assert_eq!(loaded.file.as_deref(), Some(one.as_path()));
    assert!(loaded.warnings.is_empty() && loaded.passed_over.is_empty());

    let empty = Environment::new([("REGISTRY_CONFIGURATION_PATH", "")]);
    assert_eq!(Config::load_with(None, &empty).unwrap().file, None);

    let absent = Environment::new([("REGISTRY_CONFIGURATION_PATH", "/absent/config.yml")]);
    assert_eq!(
        Config::load_with(None, &absent).unwrap_err().to_string(),
        "cannot read the configuration file /absent/config.yml: No such file or directory (os error 2)"
    );
}

/// Deleting is off unless a file turns it on; where there is no file it is on, whatever variables say of other things.
#[test]
fn deleting() {
    let directory = tempfile::tempdir().unwrap();
    let swift = [
        ("REGISTRY_STORAGE_SWIFT_AUTHURL", "https://k/v3"),
        ("REGISTRY_STORAGE_SWIFT_USERNAME", "u"),
        ("REGISTRY_STORAGE_SWIFT_PASSWORD", "p"),
        ("REGISTRY_STORAGE_SWIFT_CONTAINER", "c"),
    ];
    let deletes = |file: Option<&'static str>, variables: &[(&str, &str)]| {
        let path = file.map(|text| {
            let path = directory.path().join("config.yml");
            std::fs::write(&path, format!("version: 0.1\n{text}\n")).unwrap();
            path
        });
        let environment = Environment::new(variables.iter().copied());
        Config::load_with(path.as_deref(), &environment).unwrap().config.storage.delete_enabled
    };
    for (file, variables, expected) in [
        (None, &[][..], true),
        (None, &swift[..], true),
        (None, &[("REGISTRY_STORAGE", "inmemory")], true),
        (None, &[("REGISTRY_STORAGE", "{inmemory: }")], true),
        (None, &[("REGISTRY_STORAGE", "{inmemory: , delete: {enabled: false}}")], false),
        (None, &[("REGISTRY_STORAGE_DELETE_ENABLED", "false")], false),
        (Some("storage: inmemory"), &[], false),
        (Some("storage: inmemory"), &swift, false),
        (Some("storage: inmemory"), &[("REGISTRY_STORAGE_DELETE_ENABLED", "true")], true),
        (Some("storage: {inmemory: , delete: {enabled: true}}"), &[], true),
        (Some("storage: {inmemory: , delete: {enabled: true}}"), &[("REGISTRY_STORAGE", "filesystem")], true),
        // As registry:2 does it: a section that is given whole takes the place of the whole section.
        (
            Some("storage: {inmemory: , delete: {enabled: true}}"),
            &[("REGISTRY_STORAGE", "{inmemory: }")],
            false,
        ),
    ] {
        assert_eq!(deletes(file, variables), expected, "{file:?} {variables:?}");
    }
}

/// What a variable brings in is as much there as what a file brings in.
#[test]
fn no_file_at_all() {
    let environment = Environment::new([("REGISTRY_STORAGE", "inmemory"), ("REGISTRY_HTTP_ADDR", ":5001")]);
    let loaded = Config::load_with(None, &environment).unwrap();
    assert!(matches!(loaded.config.storage.driver, StorageDriver::InMemory));
    assert_eq!(loaded.config.http.addr.to_string(), ":5001");
    assert!(loaded.warnings.is_empty() && loaded.notes.is_empty(), "{loaded:?}");
}
