use std::collections::BTreeSet;

use super::{Kind, ROOT};
use crate::section::asked;
use crate::{Config, Environment, Loaded, Source, StorageDriver};

/// Files that between them make the readers ask for every key there is; whether they could be served does not matter.
const FILES: [&str; 6] = [
    "version: 0.1
storage: {swift: {container: c, username: u, password: p, authurl: 'https://k/v3'}}
auth: {htpasswd: {realm: r, path: /p}}
",
    "version: 0.1
storage: {swift: {cloud: c, container: c}}
auth: {token: {realm: 'https://t', service: s, issuer: i, rootcertbundle: /c}}
proxy: {remoteurl: 'https://r', exec: {command: c}, upstreams: [{prefix: a, remoteurl: 'https://s', exec: {command: c}}]}
",
    "version: 0.1
storage: {filesystem: {rootdirectory: /r}}
auth: {silly: {realm: r, service: s}}
proxy: {remoteurl: 'https://r', username: u, password: p}
http: {tls: {certificate: /c, key: /k}}
",
    "version: 0.1
storage: inmemory
auth: none
access:
  rules: [{who: [everyone], may: [pull], repositories: [r]}]
  protectedtags: [{repositories: [r], tags: [t]}]
http: {tls: {letsencrypt: {cachefile: /c, email: e, hosts: [h]}}, debug: {addr: ':5001'}}
",
    "version: 0.1
storage: inmemory
log: {hooks: [{type: mail}]}
middleware: {registry: [{name: a}], repository: [{name: a}], storage: [{name: a}]}
notifications: {endpoints: [{name: a, url: 'https://e'}]}
health: {file: [{file: /f}], http: [{uri: 'https://h'}], tcp: [{addr: 'h:1'}]}
validation: {manifests: {indexes: {platforms: list, platformlist: [{os: o, architecture: a}]}}}
v1: {mirroring: {source: 'https://r'}, cors: {origins: ['*']}}
",
    "version: 0.1
storage: {s3: {bucket: b}}
",
];

/// The path of every key of the schema; `[0]` stands for the items of a list. What is below keys that the writer chooses is
/// not among them, nor what Apus has no idea of.
fn paths(kind: Kind, path: &str, found: &mut BTreeSet<String>) {
    for key in kind.keys() {
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        match key.kind {
            Kind::List(of) => paths(*of, &format!("{path}[0]"), found),
            of => paths(of, &path, found),
        }
        found.insert(path);
    }
}

/// A key that is missing here cannot be set by a variable; one too many is said to hold and does not.
#[test]
fn these_are_the_keys_that_the_readers_ask_for() {
    for file in FILES {
        // Some of them are refused, after the last key was asked for.
        let _ = Config::parse(file, "c.yml");
    }
    let asked = asked::all();
    let mut known = BTreeSet::new();
    paths(ROOT, "", &mut known);
    let foreign = ["azure", "gcs", "oss", "s3", "s3aws", "testdriver"].map(|name| format!("storage.{name}"));
    let never_asked: Vec<_> = known.difference(&asked).filter(|path| !foreign.contains(path)).collect();
    let unknown: Vec<_> = asked.difference(&known).filter(|path| !path.contains("swift_")).collect();
    assert!(
        never_asked.is_empty() && unknown.is_empty(),
        "never asked: {never_asked:#?}\nunknown: {unknown:#?}"
    );
}

/// The configuration as text. What it leaves to the rooms that obey it is as it is there: these defaults are in the manual.
pub(crate) fn config(loaded: &Loaded) -> String {
    let text = format!("{:?}", loaded.config);
    [
        ("relative_urls: None", "relative_urls: Some(true)"),
        ("catalog_max_entries: None", "catalog_max_entries: Some(1000)"),
        ("tags_max_tags: None", "tags_max_tags: Some(10000)"),
        ("endpoint_type: None", "endpoint_type: Some(Public)"),
    ]
    .into_iter()
    .fold(text, |text, (unsaid, said)| text.replace(unsaid, said))
}

/// What is said to be the default is the default: to write it down changes nothing.
#[test]
fn defaults_are_what_holds_anyway() {
    for storage in [
        "filesystem: ",
        "inmemory: ",
        "swift: {container: c, username: u, password: p, authurl: 'https://k/v3'}",
    ] {
        let more = "
http: {tls: {certificate: /c, key: /k}, debug: {addr: ':5001', prometheus: {enabled: true}}}
auth: {token: {realm: 'https://t', service: s, issuer: i, rootcertbundle: /c}}
proxy: {remoteurl: 'https://r'}
notifications: {endpoints: [{name: a, url: 'https://e'}]}
health:
  storagedriver: {enabled: true}
  file: [{file: /f}]
  http: [{uri: 'https://h'}]
  tcp: [{addr: 'h:1'}]
v1: {enabled: true, mirroring: {source: 'https://r'}, cors: {origins: ['*']}}
";
        let file = format!("version: 0.1\nstorage:\n  {storage}\n{more}");
        let implicit = Config::parse(&file, "c.yml").unwrap_or_else(|error| panic!("{error}\n{file}"));
        let written = implicit.effective.to_yaml().replace("<hidden>", "p");
        let explicit = Config::parse(&written, "c.yml").unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(config(&explicit), config(&implicit), "{written}");
    }
}

#[test]
fn without_a_file_the_defaults_are_those_of_config() {
    let loaded = Config::load_with(None, &Environment::default()).unwrap();
    assert_eq!(format!("{:?}", loaded.config), format!("{:?}", Config::default()));
    assert!(matches!(loaded.config.storage.driver, StorageDriver::Filesystem(_)));
    assert!(loaded.effective.is_default());
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

/// The readers translate the names that docker-registry had; what is shown knows them too.
#[test]
fn former_names() {
    let file = "version: 0.1
storage:
  swift:
    swift_authurl: https://k/v3
    swift_auth_version: 3
    swift_user: u
    swift_password: p
    swift_tenant_name: t
    swift_region_name: r
    swift_endpoint_type: internal
    swift_object_storage_url: https://s/v1/AUTH_a
    swift_container: c
    swift_cacert: /ca
";
    let loaded = Config::parse(file, "c.yml").unwrap();
    let settings = loaded.effective.settings();
    let shown = settings.iter().filter(|setting| {
        setting.key.starts_with("storage.swift.") && setting.source.source != Source::Default
    });
    let shown: Vec<_> = shown.map(|setting| setting.key.trim_start_matches("storage.swift.")).collect();
    assert_eq!(shown.len(), 10, "{shown:?}");
    assert_eq!(loaded.warnings.len(), 10, "{:?}", loaded.warnings);
}
