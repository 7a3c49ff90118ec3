//! Files that start, what they mean, and what they are warned about.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::parse;
use crate::{
    Config, Loaded, LogFormat, LogLevel, StorageDriver, SwiftConfig, SwiftCredentials, SwiftSecret,
    SwiftSignIn, SwiftUser,
};

/// The files of this table are made to start; one that does not is the fault of the test.
fn read(text: &str) -> Loaded {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.warnings.iter().map(ToString::to_string).collect()
}

fn root_directory(config: &Config) -> &str {
    match &config.storage.driver {
        StorageDriver::Filesystem(filesystem) => filesystem.root_directory.to_str().unwrap(),
        other => panic!("not the filesystem: {other:?}"),
    }
}

fn swift(config: &Config) -> &SwiftConfig {
    match &config.storage.driver {
        StorageDriver::Swift(swift) => swift,
        other => panic!("not Swift: {other:?}"),
    }
}

/// The name of the user, and the password.
fn login(swift: &SwiftConfig) -> (&str, &str) {
    match &swift.sign_in {
        SwiftSignIn::Service {
            credentials:
                SwiftCredentials::Password { user: SwiftUser::Name(name), password: SwiftSecret::Text(password) },
            ..
        } => (name, password.expose_secret()),
        other => panic!("not by a password: {other:?}"),
    }
}

#[test]
fn no_file() {
    let config = Config::default();
    assert_eq!(config.http.addr.to_string(), "127.0.0.1:5000");
    assert_eq!(config.http.drain_timeout, Duration::from_secs(30));
    assert_eq!(root_directory(&config), "./apus-data");
    assert!(config.storage.delete_enabled);
    assert_eq!((config.log.level, config.log.format), (LogLevel::Info, LogFormat::Text));
}

#[test]
fn the_least_file() {
    let loaded = read("version: 0.1\nstorage:\n  filesystem:\n");
    assert_eq!(root_directory(&loaded.config), "/var/lib/registry");
    assert!(!loaded.config.storage.delete_enabled, "a file has to turn deletion on");
    assert_eq!(loaded.config.http.addr.to_string(), "127.0.0.1:5000");
    assert!(loaded.warnings.is_empty());
}

/// Canonical's charm writes keys that it has no value for, and quotes what is text.
#[test]
fn a_file_as_the_charm_of_canonical_writes_it() {
    let loaded = read(
        "version: '0.1'
log: {level: info, fields: {service: registry, environment: staging}}
storage:
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
  swift:
    authurl: \"https://keystone.example:5000/v3\"
    username: \"docker\"
    password: \"00123\"
    region: \"RegionOne\"
    container: \"docker-registry\"
    tenant: \"admin\"
    domain: ''
http: {addr: '0.0.0.0:5000', tls: {certificate: '', key: ''}}
auth: none
",
    );
    let swift = swift(&loaded.config);
    assert_eq!(login(swift).1, "00123");
    assert_eq!(swift.region.as_deref(), Some("RegionOne"));
    assert_eq!(swift.domain, None, "an empty text is no domain");
    assert!(loaded.config.storage.delete_enabled);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

/// OpenShift's operator knows only names and ids; ids may be all digits.
#[test]
fn a_file_with_the_parameters_that_openshift_uses() {
    let loaded = read(
        "version: 0.1
storage:
  swift:
    authURL: http://keystone.example:5000/identity/v3
    authVersion: 3
    username: image-registry
    password: 12345
    tenant: openshift
    tenantID: 00000000000000000000000000000042
    domain: Default
    domainID: default
    regionName: RegionTwo
    container: image-registry-xyz
    chunksize: 5242880
  maintenance:
    uploadpurging: {enabled: false}
    readonly: {enabled: false}
",
    );
    let swift = swift(&loaded.config);
    assert_eq!(login(swift).1, "12345");
    assert_eq!(swift.tenant_id.as_deref(), Some("00000000000000000000000000000042"));
    assert_eq!(swift.chunk_size, Some(5 << 20));
    assert_eq!(
        warnings(&loaded),
        ["config.yml:12:5: storage.swift.regionname: unknown key, ignored; did you mean \"region\"?"]
    );
}

#[test]
fn anchors_and_merges() {
    let loaded = read(
        "version: 0.1
x-login: &login {username: u, password: 007, authurl: 'https://k/v3'}
storage:
  swift:
    <<: *login
    container: c
    username: v
",
    );
    assert_eq!(login(swift(&loaded.config)), ("v", "007"));
    assert_eq!(warnings(&loaded), ["config.yml:2:1: x-login: unknown key, ignored"]);
}

#[test]
fn the_short_form_of_storage() {
    assert!(matches!(
        read("version: 0.1\nstorage: inmemory\n").config.storage.driver,
        StorageDriver::InMemory
    ));
    assert_eq!(root_directory(&read("version: 0.1\nstorage: filesystem\n").config), "/var/lib/registry");
}

#[test]
fn http() {
    let loaded = read(
        "version: 0.1
storage: inmemory
http:
  net: tcp
  addr: '[::1]:0'
  secret: 0042
  relativeurls: yes
  host: https://registry.example:8443/
  prefix: /mirror/
  draintimeout: 1m30s
",
    );
    let http = &loaded.config.http;
    assert_eq!((http.addr.host.as_str(), http.addr.port), ("::1", 0));
    assert_eq!(http.secret.as_ref().unwrap().expose_secret(), "0042");
    assert_eq!(http.relative_urls, Some(true));
    assert_eq!(http.host.as_deref(), Some("https://registry.example:8443"));
    assert_eq!(http.prefix, "/mirror");
    assert_eq!(http.drain_timeout, Duration::from_secs(90));
    assert!(loaded.warnings.is_empty());
    assert!(!format!("{loaded:?}").contains("0042"), "Debug shows a secret");

    let empty =
        read("version: 0.1\nstorage: inmemory\nhttp: {prefix: /, host: '', secret: '', draintimeout: 0}\n");
    assert_eq!(empty.config.http.prefix, "");
    assert_eq!(empty.config.http.host, None);
    assert!(empty.config.http.secret.is_none());
    assert_eq!(empty.config.http.drain_timeout, Duration::ZERO);
    assert!(empty.warnings.is_empty());
}

#[test]
fn seconds_without_a_unit_are_a_trap() {
    let loaded = read("version: 0.1\nstorage: inmemory\nhttp:\n  draintimeout: 30\n");
    assert_eq!(loaded.config.http.drain_timeout, Duration::from_nanos(30));
    assert_eq!(
        warnings(&loaded),
        [
            "config.yml:4:3: http.draintimeout: a bare number is nanoseconds, as in registry:2; for seconds write 30s"
        ]
    );
}

/// What a template leaves empty closes nothing, so it may be ignored.
#[test]
fn empty_sections_say_nothing() {
    for section in [
        "auth:",
        "auth: {}",
        "auth: none",
        "auth: {none: }",
        "proxy:",
        "proxy: {remoteurl: '', username: ~}",
        "http: {tls: , debug: {addr: ''}, headers: {}}",
        "http: {tls: {certificate: ~, clientcas: [], letsencrypt: {hosts: []}}}",
        "notifications: {endpoints: []}",
        "redis: {addr: ''}",
        "log:",
    ] {
        let loaded = read(&format!("version: 0.1\nstorage: inmemory\n{section}\n"));
        assert!(loaded.warnings.is_empty(), "{section}: {:?}", warnings(&loaded));
    }
}

#[test]
fn unknown_keys_are_warned_about_with_a_guess() {
    let loaded = read(
        "version: 0.1
verison: 0.1
storage:
  filesystem:
    RootDirectory: /data
  delete:
    enable: true
  maintenance:
    read_only: {enabled: false}
http:
  address: :5000
  relativeURLs: true
colour: blue
",
    );
    assert_eq!(
        warnings(&loaded),
        [
            "config.yml:2:1: verison: unknown key, ignored; did you mean \"version\"?",
            "config.yml:5:5: storage.filesystem.RootDirectory: unknown key, ignored; did you mean \"rootdirectory\"?",
            "config.yml:7:5: storage.delete.enable: unknown key, ignored; did you mean \"enabled\"?",
            "config.yml:9:5: storage.maintenance.read_only: unknown key, ignored; did you mean \"readonly\"?",
            "config.yml:11:3: http.address: unknown key, ignored; did you mean \"addr\"?",
            "config.yml:12:3: http.relativeURLs: unknown key, ignored; did you mean \"relativeurls\"?",
            "config.yml:13:1: colour: unknown key, ignored",
        ]
    );
    assert_eq!(root_directory(&loaded.config), "/var/lib/registry", "registry:2 minds the case here");
}
