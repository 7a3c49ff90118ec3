use std::sync::Arc;

use secrecy::ExposeSecret as _;

mod convert;
mod options;

use super::{DockerRegistryStorage, is_one};
use crate::{
    AuthVersion, ConfigError, EndpointType, Environment, StorageDriver, SwiftConfig, SwiftCredentials,
    SwiftNaming, SwiftSecret, SwiftSignIn, SwiftUser, yaml,
};

/// As the README of docker-registry-driver-swift had it.
const README: &str = "\
common: &common
    standalone: true
    loglevel: _env:LOGLEVEL:info

swift: &swift
    <<: *common
    storage: swift
    storage_path: _env:STORAGE_PATH:/registry
    swift_authurl: _env:OS_AUTH_URL
    swift_container: _env:OS_CONTAINER
    swift_user: _env:OS_USERNAME
    swift_password: _env:OS_PASSWORD
    swift_tenant_name: _env:OS_TENANT_NAME
    swift_region_name: _env:OS_REGION_NAME

dev:
    <<: *common
    storage: local
    storage_path: _env:STORAGE_PATH:/tmp/registry
";

const OPENSTACK: [(&str, &str); 7] = [
    ("SETTINGS_FLAVOR", "swift"),
    ("OS_AUTH_URL", "http://keystone.example:5000/v2.0/"),
    ("OS_CONTAINER", "registry"),
    ("OS_USERNAME", "docker"),
    ("OS_PASSWORD", "007"),
    ("OS_TENANT_NAME", "images"),
    ("OS_REGION_NAME", "north"),
];

fn read(text: &str, variables: &[(&str, &str)]) -> Result<DockerRegistryStorage, ConfigError> {
    let environment = Environment::new(variables.iter().copied());
    DockerRegistryStorage::of(yaml::load(text, &Arc::from("config.yml"))?, &environment)
}

fn swift(text: &str, variables: &[(&str, &str)]) -> SwiftConfig {
    match read(text, variables).unwrap().driver {
        StorageDriver::Swift(swift) => *swift,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_readmes_example() {
    let swift = swift(README, &OPENSTACK);
    let SwiftSignIn::Service { auth_url, auth_version, credentials } = swift.sign_in else { panic!() };
    assert_eq!(auth_url, "http://keystone.example:5000/v2.0/");
    assert_eq!(auth_version, Some(AuthVersion::V2));
    let SwiftCredentials::Password { user: SwiftUser::Name(user), password: SwiftSecret::Text(password) } =
        credentials
    else {
        panic!()
    };
    assert_eq!((user.as_str(), password.expose_secret()), ("docker", "007"));
    assert_eq!((swift.container.as_str(), swift.prefix.as_str()), ("registry", "/registry"));
    assert_eq!((swift.tenant.as_deref(), swift.region.as_deref()), (Some("images"), Some("north")));
    assert_eq!(swift.naming, SwiftNaming::DockerRegistry);
}

#[test]
fn the_options_and_their_defaults() {
    let least =
        "storage: swift\nswift_authurl: http://swift.example/auth/v1.0\nswift_user: a:b\nswift_password: c\n";
    let whole = [("SETTINGS_FLAVOR", "")];
    let swift_ = swift(least, &whole);
    assert_eq!((swift_.container.as_str(), swift_.prefix.as_str()), ("dev_container", "/"));
    let more = "swift_auth_version: 3\nswift_domain_name: Default\nswift_tenant_id: 12\nswift_cacert: /ca.pem\n\
                swift_endpoint_type: internalURL\nswift_object_storage_url: https://swift.example/v1/AUTH_a\n";
    let swift_ = swift(&format!("{least}{more}"), &whole);
    let SwiftSignIn::Service { auth_version, .. } = swift_.sign_in else { panic!() };
    assert_eq!(auth_version, Some(AuthVersion::V3));
    assert_eq!((swift_.domain.as_deref(), swift_.tenant_id.as_deref()), (Some("Default"), Some("12")));
    assert_eq!(swift_.endpoint_type, Some(EndpointType::Internal));
    assert_eq!(swift_.storage_url.as_deref(), Some("https://swift.example/v1/AUTH_a"));
    assert_eq!(swift_.ca_cert.as_deref(), Some(std::path::Path::new("/ca.pem")));
}

#[test]
fn flavours() {
    let local = read(README, &[]).unwrap();
    assert_eq!(local.flavour.as_deref(), Some("dev"));
    let StorageDriver::Filesystem(filesystem) = local.driver else { panic!() };
    assert_eq!(filesystem.root_directory.to_str(), Some("/tmp/registry"));

    let error = read(README, &[("SETTINGS_FLAVOR", "prod")]).unwrap_err().to_string();
    assert_eq!(
        error,
        "SETTINGS_FLAVOR: prod: the file has no such flavour; choose one by SETTINGS_FLAVOR of: common, swift, dev"
    );
    let error = read("prod: {storage: local}\n", &[]).unwrap_err().to_string();
    assert!(error.starts_with("config.yml:1:1: dev: the file has no such flavour"), "{error}");
    assert_eq!(read("storage: local\n", &[]).unwrap().flavour, None, "it is a flavour itself");
}

/// What is merged is merged flat, and nothing is merged that is not named.
#[test]
fn anchors() {
    let text = "a: &a {storage: local, cache: {host: h, port: 1}}\ndev: {<<: *a, cache: {db: 2}, storage_path: /a}\n\
                common: {storage_path: /b}\nprod: {storage: local}\n";
    let root = |flavour| match read(text, &[("SETTINGS_FLAVOR", flavour)]).unwrap().driver {
        StorageDriver::Filesystem(filesystem) => filesystem.root_directory.display().to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!((root("dev").as_str(), root("prod").as_str()), ("/a", "./tmp"));
}

#[test]
fn which_kind_of_file_it_is() {
    let is_one = |text: &str| is_one(&yaml::load(text, &Arc::from("config.yml")).unwrap());
    assert!(is_one(README));
    assert!(is_one("storage: swift\nswift_user: a\n"));
    for of_today in [
        "version: 0.1\nstorage: inmemory\n",
        "storage: inmemory\nhttp: {addr: ':5000'}\n",
        "storage: {inmemory: }\n",
        "middleware: {storage: [{name: a}]}\n",
        "",
        "text\n",
    ] {
        assert!(!is_one(of_today), "{of_today}");
    }
}

#[test]
fn variables() {
    let path = |text: &str, variables: &[(&str, &str)]| {
        let text = format!("dev: {{storage: local, storage_path: \"{text}\"}}\n");
        match read(&text, variables).unwrap().driver {
            StorageDriver::Filesystem(filesystem) => filesystem.root_directory.display().to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(path("_env:A:/b:c", &[]), "/b:c");
    assert_eq!(path("_env:A:/b", &[("A", "/a")]), "/a");
    assert_eq!(
        path("_env:A:/b", &[("A", "")]),
        "./tmp",
        "where a variable is empty, its default does not count"
    );
    assert_eq!(path("_env:A", &[]), "./tmp");
    assert_eq!(path("_env:A", &[("A", "0755")]), "0755", "a text stays as it is");
    assert_eq!(path("x_env:A", &[("A", "/a")]), "x_env:A");
    assert_eq!(path("_env:A", &[("A", "'/a b' # c")]), "/a b", "it is YAML");
    assert_eq!(path("_env:A", &[("A", "@a: b")]), "@a: b", "a text need not be YAML");
    assert_eq!(path("_env:A", &[("A", "[a, b]")]), "[a, b]");
    let round = "dev: {storage: local, cache: \"_env:A\"}\n";
    let error = read(round, &[("A", "{host: '_env:A'}")]).unwrap_err().to_string();
    assert!(error.contains("variables that stand for one another"), "{error}");
}

#[test]
fn passwords_stay_what_was_written() {
    for (written, password) in
        [("007", "007"), ("1e3", "1e3"), ("%a: b", "%a: b"), ("'0755'", "0755"), ("yes", "yes")]
    {
        let variables = OPENSTACK.map(|(name, value)| match name {
            "OS_PASSWORD" | "OS_TENANT_NAME" => (name, written),
            _ => (name, value),
        });
        let swift = swift(README, &variables);
        let SwiftSignIn::Service {
            credentials: SwiftCredentials::Password { password: SwiftSecret::Text(found), .. },
            ..
        } = swift.sign_in
        else {
            panic!()
        };
        assert_eq!((found.expose_secret(), swift.tenant.as_deref()), (password, Some(password)));
    }
}

/// The original took version 2 for granted, and could not use a URL of another one.
#[test]
fn the_version_to_sign_in_by() {
    let version = |url: &str, more: &str| {
        let text = format!("storage: swift\nswift_authurl: {url}\nswift_user: a\nswift_password: b\n{more}");
        match swift(&text, &[]).sign_in {
            SwiftSignIn::Service { auth_version, .. } => auth_version,
            cloud @ SwiftSignIn::Cloud(_) => panic!("{cloud:?}"),
        }
    };
    assert_eq!(version("http://k.example/v2.0", ""), Some(AuthVersion::V2));
    assert_eq!(version("http://k.example", ""), Some(AuthVersion::V2));
    assert_eq!(version("http://k.example/v3/", ""), None);
    assert_eq!(version("http://k.example/auth/v1.0", "swift_auth_version: '1'"), Some(AuthVersion::V1));
    assert_eq!(version("http://k.example", "swift_auth_version: 3"), Some(AuthVersion::V3));
}

#[test]
fn what_cannot_be() {
    let wrong = [
        (
            "dev: {}\na: {storage: s3}\n",
            "config.yml:1:6: storage: missing, expected it here, or in the variable that is named here; SETTINGS_FLAVOR \
             chooses another flavour than dev",
        ),
        ("dev: {storage: s3}\n", "config.yml:1:16: storage: Apus does not have this storage driver"),
        ("a: {storage: s3}\ndev: {storage: [swift]}\n", "config.yml:2:16: storage: found something else"),
        ("a: {storage: s3}\ndev: swift\n", "config.yml:2:6: the configuration: found something else"),
        ("dev: {storage: swift}\n", "config.yml:1:7: swift_authurl: missing"),
    ];
    for (text, beginning) in wrong {
        let error = read(text, &[]).unwrap_err().to_string();
        assert!(error.starts_with(beginning), "{error}");
    }
    let error = read("dev: {storage: local, standalone: \"_env:A\"}\n", &[("A", "[")]).unwrap_err();
    assert!(error.to_string().starts_with("A:"), "{error}");
}
