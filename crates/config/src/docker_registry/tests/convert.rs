//! What is converted means the same.

use std::path::Path;

use super::{OPENSTACK, README};
use crate::{AuthConfig, Config, Converted, Environment, Loaded};

fn converted(text: &str, variables: &[(&str, &str)]) -> (Converted, Config) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.yml");
    std::fs::write(&path, text).unwrap();
    let environment = Environment::new(variables.iter().copied());
    let old = Config::load_with(Some(&path), &environment).unwrap().config;
    (Converted::load(&path, &environment).unwrap().unwrap(), old)
}

/// The configuration that the new file comes to, of a registry in which nobody signs in: only the new file says so.
fn read_back(converted: &Converted, variables: &[(&str, &str)]) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.yml");
    std::fs::write(&path, &converted.yaml).unwrap();
    let environment = Environment::new(variables.iter().copied());
    let loaded = Config::load_with(Some(&path), &environment)
        .and_then(Loaded::fit_to_serve)
        .unwrap_or_else(|error| panic!("{error}\n{}", converted.yaml));
    assert_eq!(loaded.config.auth, Some(AuthConfig::Nobody), "{}", converted.yaml);
    Config { auth: None, ..loaded.config }
}

#[test]
fn the_readmes_example() {
    let (converted, old) = converted(README, &OPENSTACK);
    let new = read_back(&converted, &[("REGISTRY_STORAGE_SWIFT_PASSWORD", "007")]);
    assert_eq!(format!("{new:?}"), format!("{old:?}"));
    assert!(!converted.yaml.contains("007"), "{}", converted.yaml);
    let expected = "\
    # password: OS_PASSWORD held it (swift_password). Give the same in REGISTRY_STORAGE_SWIFT_PASSWORD, or in a file that \
                    passwordfile names.
    tenant: images  # OS_TENANT_NAME
";
    assert!(converted.yaml.contains(expected), "{}", converted.yaml);
}

/// To be told which variable has to be set, nobody needs the secret.
#[test]
fn a_secret_need_not_be_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.yml");
    std::fs::write(&path, README).unwrap();
    let environment = Environment::new(OPENSTACK.into_iter().filter(|(name, _)| *name != "OS_PASSWORD"));
    let error = Config::load_with(Some(&path), &environment).unwrap_err().to_string();
    assert!(error.contains("swift_password: missing"), "{error}");
    assert!(Converted::load(&path, &environment).unwrap().unwrap().yaml.contains("OS_PASSWORD held it"));
}

#[test]
fn everything_else() {
    let text = "dev:
  storage: swift
  storage_path: '//a b'
  storage_redirect: true
  swift_authurl: https://k.example/v3
  swift_user: '007'
  swift_password: \"a: #b\"
  swift_tenant_name: yes
  swift_endpoint_type: internalURL
  standalone: on
  loglevel: WARNING
  issue: '\"hello\"'
  search_backend: sqlalchemy
  mirroring: {source: https://a.example, source_index: https://b.example, tags_cache_ttl: 60}
  cors: {origins: [https://a.example, 'null'], max_age: 60, vary_header: off}
  cache: {host: redis.example}
  unknown: \"a\\nb\"
";
    let (converted, old) = converted(text, &[("REGISTRY_PORT", "5001")]);
    let new = read_back(&converted, &[]);
    assert_eq!(format!("{new:?}"), format!("{old:?}"));
    let secret = |config: &Config| match &config.storage.driver {
        crate::StorageDriver::Swift(swift) => format!("{:?}", swift.sign_in),
        other => panic!("{other:?}"),
    };
    assert_eq!(secret(&new), secret(&old));
    assert!(converted.yaml.contains("password: \"a: #b\"\n"), "{}", converted.yaml);
    assert!(converted.yaml.contains("cache: no effect: Apus needs no Redis"), "{}", converted.yaml);
    assert_eq!(converted.warnings.len(), 2);
}

#[test]
fn a_file_of_today_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.yml");
    std::fs::write(&path, "version: 0.1\nstorage: inmemory\n").unwrap();
    assert!(Converted::load(Path::new(&path), &Environment::default()).unwrap().is_none());
}
