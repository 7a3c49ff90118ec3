use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::parameters;
use crate::section::Section;
use crate::{AuthVersion, Config, ConfigError, EndpointType, StorageDriver, SwiftConfig, yaml};

/// The four parameters that must be there.
const NEEDED: &str = "username: u\npassword: p\nauthurl: https://k.example/v3\ncontainer: c\n";

fn typed(text: &str) -> Result<SwiftConfig, ConfigError> {
    parameters(&mut Section::root(yaml::load(text, &Arc::from("c.yml"))?)?.ignore_case()?)
}

fn with(more: &str) -> SwiftConfig {
    typed(&format!("{NEEDED}{more}\n")).unwrap_or_else(|error| panic!("{more:?}: {error}"))
}

#[test]
fn every_parameter_has_its_place() {
    let swift = typed(
        "
username: robot
password: hunter2
authurl: http://127.0.0.1:5000/v3/
container: images
tenant: project
tenantid: 0123456789012345678901
domain: people
domainid: default
tenantdomain: projects
tenantdomainid: 1e5
trustid: trust
region: RegionOne
authversion: 3
prefix: /a//b/
endpointtype: internal
insecureskipverify: yes
chunksize: 64MiB
secretkey: hunter3
accesskey: access
tempurlcontainerkey: true
tempurlmethods: [GET, HEAD]
applicationcredentialid: ac-id
applicationcredentialname: ac-name
applicationcredentialsecret: hunter4
tokenid: hunter5
",
    )
    .unwrap();
    assert_eq!(swift.username, "robot");
    assert_eq!(swift.password.expose_secret(), "hunter2");
    assert_eq!(swift.auth_url, "http://127.0.0.1:5000/v3/");
    assert_eq!(swift.container, "images");
    assert_eq!(swift.tenant.as_deref(), Some("project"));
    assert_eq!(swift.tenant_id.as_deref(), Some("0123456789012345678901"));
    assert_eq!(swift.domain.as_deref(), Some("people"));
    assert_eq!(swift.domain_id.as_deref(), Some("default"));
    assert_eq!(swift.tenant_domain.as_deref(), Some("projects"));
    assert_eq!(swift.tenant_domain_id.as_deref(), Some("1e5"));
    assert_eq!(swift.trust_id.as_deref(), Some("trust"));
    assert_eq!(swift.region.as_deref(), Some("RegionOne"));
    assert_eq!(swift.auth_version, Some(AuthVersion::V3));
    assert_eq!(swift.prefix, "/a//b/");
    assert_eq!(swift.endpoint_type, EndpointType::Internal);
    assert!(swift.insecure_skip_verify);
    assert_eq!(swift.chunk_size, Some(64 << 20));
    assert_eq!(swift.secret_key.as_ref().unwrap().expose_secret(), "hunter3");
    assert_eq!(swift.access_key.as_deref(), Some("access"));
    assert!(swift.temp_url_container_key);
    assert_eq!(swift.temp_url_methods, ["GET", "HEAD"]);
    assert_eq!(swift.application_credential_id.as_deref(), Some("ac-id"));
    assert_eq!(swift.application_credential_name.as_deref(), Some("ac-name"));
    assert_eq!(swift.application_credential_secret.as_ref().unwrap().expose_secret(), "hunter4");
    assert_eq!(swift.token_id.as_ref().unwrap().expose_secret(), "hunter5");
    assert!(!format!("{swift:?}").contains("hunter"), "Debug shows a secret");
}

#[test]
fn defaults() {
    let swift = with("");
    assert_eq!(swift.tenant, None);
    assert_eq!(swift.auth_version, None);
    assert_eq!(swift.prefix, "");
    assert_eq!(swift.endpoint_type, EndpointType::Public);
    assert!(!swift.insecure_skip_verify);
    assert_eq!(swift.chunk_size, None);
    assert!(swift.temp_url_methods.is_empty());
    assert_eq!(with("authversion: 0").auth_version, None, "0 is Go's way to leave it out");
}

#[test]
fn a_password_arrives_as_it_was_written() {
    for (written, password) in [
        ("007", "007"),
        ("12345", "12345"),
        ("1e5", "1e5"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("3.10", "3.10"),
        ("true", "true"),
        ("off", "off"),
        ("2024-02-30", "2024-02-30"),
        (".inf", ".inf"),
        ("!!str null", "null"),
        ("'null'", "null"),
        ("\"\\x68unter2\"", "hunter2"),
        ("' leading and trailing '", " leading and trailing "),
        ("p@ss#w:rd", "p@ss#w:rd"),
        ("|-\n  two\n  lines", "two\nlines"),
    ] {
        let text = NEEDED.replace("password: p", &format!("password: {written}"));
        assert_eq!(typed(&text).unwrap().password.expose_secret(), password, "{written}");
    }
}

#[test]
fn the_prefix_is_not_cleaned_up() {
    for prefix in ["foo/", "/foo", "//", "a/../b", "007", "ä b"] {
        assert_eq!(with(&format!("prefix: {prefix}")).prefix, prefix);
    }
    assert_eq!(with("prefix: ' foo '").prefix, " foo ");
}

#[test]
fn keys_in_any_case() {
    let swift =
        typed("UserName: u\nPASSWORD: p\nauthURL: https://k/v3\ncontainer: c\nChunkSize: 5M\n").unwrap();
    assert_eq!((swift.username.as_str(), swift.chunk_size), ("u", Some(5 << 20)));
}

#[test]
fn chunk_sizes() {
    for (written, bytes) in
        [("1048576", 1 << 20), ("1M", 1 << 20), ("'20M'", 20 << 20), ("2.097152e+07", 20 << 20)]
    {
        assert_eq!(with(&format!("chunksize: {written}")).chunk_size, Some(bytes), "{written}");
    }
    for written in ["1048575", "0", "-1", "1MB", "huge", "[5M]"] {
        assert!(typed(&format!("{NEEDED}chunksize: {written}\n")).is_err(), "{written}");
    }
}

#[test]
fn auth_urls() {
    let read = |url: &str| typed(&NEEDED.replace("https://k.example/v3", url));
    for url in
        ["http://k", "HTTPS://k:5000/v3", "http://[::1]:8080/auth/v1.0", "https://k.example:443/identity/v3/"]
    {
        assert_eq!(read(url).unwrap().auth_url, url, "{url}");
    }
    for url in [
        "k.example:5000/v3",
        "ftp://k/v3",
        "https://",
        "https:///v3",
        "/v3",
        "https://u:hunter2@k/v3",
        "https://k/?a=b",
        "'https://k/#a'",
        "https://k:99999/",
        "'https://k: 5000'",
        "https://k:/",
        "'https://k /v3'",
    ] {
        let error = read(url).expect_err(url).to_string();
        assert!(error.starts_with("c.yml:3:10: authurl: found "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn what_this_version_cannot_do_stops_the_start() {
    for (line, message) in [
        ("trustid: t", "trustid: not supported yet by this version: sign-in by a trust"),
        (
            "ApplicationCredentialID: a",
            "applicationcredentialid: not supported yet by this version: sign-in by application credential",
        ),
        (
            "applicationcredentialname: a",
            "applicationcredentialname: not supported yet by this version: sign-in by application credential",
        ),
        (
            "applicationcredentialsecret: hunter2",
            "applicationcredentialsecret: not supported yet by this version: sign-in by application credential",
        ),
        ("tokenid: hunter2", "tokenid: not supported yet by this version: sign-in by a token made elsewhere"),
        ("authversion: 2", "authversion: not supported yet by this version: sign-in v2; use 3 or 1"),
    ] {
        let file = format!(
            "version: 0.1\nstorage:\n  swift:\n    username: u\n    password: p\n    authurl: https://k/v3\n    \
             container: c\n    {line}\n"
        );
        let error = Config::parse(&file, "c.yml").unwrap_err();
        assert_eq!(error.to_string(), format!("c.yml:8:5: storage.swift.{message}"));
    }
}

#[test]
fn what_has_no_effect_is_warned_about() {
    let file = "version: 0.1
storage:
  swift:
    username: u
    password: p
    authurl: https://k/v3
    container: c
    secretkey: hunter2
    accesskey:
    tempurlcontainerkey: true
    TempURLMethods: [GET]
    rootdirectory: /registry
    chunk_size: 5M
    cacert: /etc/ca.pem
";
    let loaded = Config::parse(file, "c.yml").unwrap();
    let temporary = "no effect yet: this version redirects no client, it streams every byte itself";
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            format!("c.yml:8:5: storage.swift.secretkey: {temporary}"),
            format!("c.yml:10:5: storage.swift.tempurlcontainerkey: {temporary}"),
            format!("c.yml:11:5: storage.swift.tempurlmethods: {temporary}"),
            "c.yml:12:5: storage.swift.rootdirectory: ignored, as by registry:2; to put a path in front of every \
             name, use \"prefix\""
                .to_owned(),
            "c.yml:13:5: storage.swift.chunk_size: unknown key, ignored; did you mean \"chunksize\"?".to_owned(),
            "c.yml:14:5: storage.swift.cacert: unknown key, ignored".to_owned(),
        ]
    );
    assert!(matches!(loaded.config.storage.driver, StorageDriver::Swift(_)));
}
