use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::section::{Field, Key};
use crate::{
    AuthVersion, Config, ConfigError, EndpointType, Place, StorageDriver, SwiftCapabilities, SwiftConfig,
    SwiftCredentials, SwiftSecret, SwiftSignIn, SwiftUser, Warning, yaml,
};

/// The four parameters that most files have.
const NEEDED: &str = "username: u\npassword: p\nauthurl: https://k.example/v3\ncontainer: c\n";

fn read(text: &str) -> Result<(SwiftConfig, Vec<Warning>), ConfigError> {
    let mut warnings = Vec::new();
    let node = yaml::load(text, &Arc::from("c.yml"))?;
    let key =
        Key { name: "swift".to_owned(), path: String::new(), place: Place { line: 1, ..node.place.clone() } };
    let swift = super::read(Field { key, node }, &mut warnings)?;
    Ok((swift, warnings))
}

fn typed(text: &str) -> Result<SwiftConfig, ConfigError> {
    read(text).map(|(swift, _)| swift)
}

fn with(more: &str) -> SwiftConfig {
    typed(&format!("{NEEDED}{more}\n")).unwrap_or_else(|error| panic!("{more:?}: {error}"))
}

/// Where to sign in, by which version, and as whom.
fn service(swift: &SwiftConfig) -> (&str, Option<AuthVersion>, &SwiftCredentials) {
    match &swift.sign_in {
        SwiftSignIn::Service { auth_url, auth_version, credentials } => {
            (auth_url, *auth_version, credentials)
        }
        SwiftSignIn::Cloud(cloud) => panic!("by the cloud {cloud}"),
    }
}

fn text(secret: &SwiftSecret) -> &str {
    match secret {
        SwiftSecret::Text(text) => text.expose_secret(),
        SwiftSecret::File(path) => panic!("in {}", path.display()),
    }
}

fn password(swift: &SwiftConfig) -> &str {
    match service(swift).2 {
        SwiftCredentials::Password { password, .. } => text(password),
        other => panic!("not by a password: {other:?}"),
    }
}

#[test]
fn every_parameter_has_its_place() {
    let (swift, warnings) = read(
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
region: RegionOne
authversion: 3
prefix: /a//b/
endpointtype: internal
storageurl: https://swift.example/v1/AUTH_1/
insecureskipverify: yes
cacert: /etc/ssl/cloud.pem
clientcertificate: /etc/apus/own.pem
clientkey: /etc/apus/own.key
chunksize: 64MiB
secretkey: hunter3
accesskey: access
tempurlcontainerkey: true
tempurlmethods: [GET, HEAD]
tempurldigests: [SHA256]
tempurlhost: https://objects.example:8443/
connecttimeout: 5s
answertimeout: 20s
idletimeout: 1m30s
totaltimeout: 1h
maxtries: 1
maxrequests: 64
verifychecksums: no
useragent: whoever
capabilities:
  maxfilesize: 2GiB
  containerlistinglimit: 500
  MaxManifestSegments: 0
  minsegmentsize: 1MiB
  maxdeletesperrequest: 0
  conditionalwrites: false
",
    )
    .unwrap();
    let (auth_url, auth_version, credentials) = service(&swift);
    assert_eq!((auth_url, auth_version), ("http://127.0.0.1:5000/v3/", Some(AuthVersion::V3)));
    let SwiftCredentials::Password { user, password } = credentials else { panic!("{credentials:?}") };
    assert_eq!((user, text(password)), (&SwiftUser::Name("robot".to_owned()), "hunter2"));
    assert_eq!(swift.container, "images");
    assert_eq!(swift.tenant.as_deref(), Some("project"));
    assert_eq!(swift.tenant_id.as_deref(), Some("0123456789012345678901"));
    assert_eq!(swift.domain.as_deref(), Some("people"));
    assert_eq!(swift.domain_id.as_deref(), Some("default"));
    assert_eq!(swift.tenant_domain.as_deref(), Some("projects"));
    assert_eq!(swift.tenant_domain_id.as_deref(), Some("1e5"));
    assert_eq!(swift.trust_id, None);
    assert_eq!(swift.region.as_deref(), Some("RegionOne"));
    assert_eq!(swift.prefix, "/a//b/");
    assert_eq!(swift.endpoint_type, Some(EndpointType::Internal));
    assert_eq!(swift.storage_url.as_deref(), Some("https://swift.example/v1/AUTH_1/"));
    assert!(swift.insecure_skip_verify);
    assert_eq!(swift.ca_cert.as_deref(), Some(Path::new("/etc/ssl/cloud.pem")));
    let own = ("/etc/apus/own.pem", "/etc/apus/own.key");
    assert_eq!(swift.client_certificate, Some((PathBuf::from(own.0), PathBuf::from(own.1))));
    assert_eq!(swift.chunk_size, Some(64 << 20));
    assert_eq!(swift.secret_key.as_ref().unwrap().expose_secret(), "hunter3");
    assert_eq!(swift.access_key.as_deref(), Some("access"));
    assert!(swift.temp_url_container_key);
    assert_eq!(swift.temp_url_methods, ["GET", "HEAD"]);
    assert_eq!(swift.temp_url_digests, ["sha256"]);
    assert_eq!(swift.temp_url_host.as_deref(), Some("https://objects.example:8443"));
    let seconds = |time: Option<Duration>| time.unwrap().as_secs();
    assert_eq!((seconds(swift.connect_timeout), seconds(swift.answer_timeout)), (5, 20));
    assert_eq!((seconds(swift.idle_timeout), seconds(swift.total_timeout)), (90, 3600));
    assert_eq!(
        (swift.max_tries, swift.max_requests, swift.verify_checksums),
        (Some(1), Some(64), Some(false))
    );
    let capabilities = SwiftCapabilities {
        max_file_size: Some(2 << 30),
        container_listing_limit: Some(500),
        max_manifest_segments: Some(0),
        min_segment_size: Some(1 << 20),
        max_deletes_per_request: Some(0),
        conditional_writes: Some(false),
    };
    assert_eq!(swift.capabilities, capabilities);
    assert!(!format!("{swift:?}").contains("hunter"), "Debug shows a secret");
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// What signs in, with a secret `hunter2`, and what it becomes: the text of `Debug`, which hides that secret.
#[test]
fn every_way_to_sign_in() {
    let hidden = "Text(SecretBox<str>([REDACTED]))";
    for (lines, credentials) in [
        ("userid: u1\npassword: hunter2", format!("Password {{ user: Id(\"u1\"), password: {hidden} }}")),
        (
            "username: u\nuserid: u1\npassword: hunter2",
            format!("Password {{ user: Id(\"u1\"), password: {hidden} }}"),
        ),
        (
            "username: u\npasswordfile: /run/secrets/p",
            "Password { user: Name(\"u\"), password: File(\"/run/secrets/p\") }".to_owned(),
        ),
        (
            "applicationcredentialid: a1\napplicationcredentialsecret: hunter2",
            format!("ApplicationCredential {{ id: \"a1\", secret: {hidden} }}"),
        ),
        (
            "ApplicationCredentialID: a1\nApplicationCredentialName: a\nApplicationCredentialSecretFile: /s",
            "ApplicationCredential { id: \"a1\", secret: File(\"/s\") }".to_owned(),
        ),
        (
            "applicationcredentialname: a\nusername: u\napplicationcredentialsecret: hunter2",
            format!("NamedApplicationCredential {{ name: \"a\", user: Name(\"u\"), secret: {hidden} }}"),
        ),
        ("tokenid: hunter2", format!("Token({hidden})")),
        ("tokenfile: /run/token", "Token(File(\"/run/token\"))".to_owned()),
        // A template that fills in one of them leaves the others empty.
        (
            "username: ''\npassword: ''\ntokenid: ~\napplicationcredentialid: a1\n\
             applicationcredentialname:\napplicationcredentialsecret: hunter2",
            format!("ApplicationCredential {{ id: \"a1\", secret: {hidden} }}"),
        ),
    ] {
        let (swift, warnings) = read(&format!("authurl: https://k/v3\ncontainer: c\n{lines}\n")).unwrap();
        assert_eq!(format!("{:?}", service(&swift).2), credentials, "{lines}");
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn a_cloud_says_all_of_it() {
    let (swift, warnings) = read(
        "cloud: mycloud\ncontainer: c\nregion: r\nendpointtype: internal\ncacert: /ca.pem\nusername: ''\n",
    )
    .unwrap();
    assert!(matches!(&swift.sign_in, SwiftSignIn::Cloud(cloud) if cloud == "mycloud"), "{swift:?}");
    assert_eq!(swift.region.as_deref(), Some("r"));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for line in [
        "authurl: https://k",
        "authversion: 3",
        "username: u",
        "userid: u",
        "password: hunter2",
        "passwordfile: /p",
        "applicationcredentialid: a",
        "tokenid: hunter2",
        "tenant: t",
        "domainid: d",
        "trustid: t",
    ] {
        let error = typed(&format!("cloud: mycloud\ncontainer: c\n{line}\n")).unwrap_err();
        let name = line.split(':').next().unwrap();
        assert_eq!(
            error.to_string(),
            format!("c.yml:3:1: {name}: given beside \"cloud\", which says this already; remove one of them")
        );
    }
}

/// OpenStack Magnum signs in by a trust.
#[test]
fn a_file_as_magnum_writes_it() {
    let file = "version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    layerinfo: inmemory
  swift:
    authurl: \"http://keystone.example:5000/v3\"
    region: \"RegionOne\"
    username: \"trustee\"
    password: \"hunter2\"
    domainid: \"0123456789abcdef\"
    trustid: \"fedcba9876543210\"
    container: \"docker_registry\"
    insecureskipverify: false
    chunksize: 5242880
http:
  addr: :5000
";
    let loaded = Config::parse(file, "c.yml").unwrap();
    let StorageDriver::Swift(swift) = &loaded.config.storage.driver else { panic!("{loaded:?}") };
    assert_eq!(password(swift), "hunter2");
    assert_eq!(swift.domain_id.as_deref(), Some("0123456789abcdef"));
    assert_eq!(swift.trust_id.as_deref(), Some("fedcba9876543210"));
}

#[test]
fn what_cannot_sign_in_is_told_where_and_why() {
    const BASE: &str = "authurl: https://k\ncontainer: c\n";
    const TWO: &str = "give a password, an application credential or a token, and the others not";
    let second =
        |at: &str, beside: &str| format!("c.yml:{at}: a second way to sign in, beside {beside:?}: {TWO}");
    for (lines, message) in [
        ("", "c.yml:1:1: username: missing, expected the name of a user".to_owned()),
        ("username: u", "c.yml:1:1: password: missing, expected the user's password".to_owned()),
        ("password: hunter2", "c.yml:1:1: username: missing, expected the name of a user".to_owned()),
        (
            "password: hunter2\npasswordfile: /p",
            "c.yml:4:1: passwordfile: given beside \"password\"; remove one of them".to_owned(),
        ),
        (
            "applicationcredentialid: a",
            "c.yml:1:1: applicationcredentialsecret: missing, expected the secret of the application credential"
                .to_owned(),
        ),
        (
            "applicationcredentialsecret: hunter2",
            "c.yml:1:1: applicationcredentialid: missing, expected the id of the application credential, or \
             applicationcredentialname"
                .to_owned(),
        ),
        (
            "applicationcredentialname: a\napplicationcredentialsecret: hunter2",
            "c.yml:1:1: username: missing, expected the name of a user".to_owned(),
        ),
        (
            "username: u\npassword: hunter2\napplicationcredentialid: a",
            second("5:1: applicationcredentialid", "password"),
        ),
        ("tokenid: hunter2\nusername: u\npassword: hunter2", second("3:1: tokenid", "password")),
        ("tokenfile: /t\napplicationcredentialid: a", second("3:1: tokenfile", "applicationcredentialid")),
        ("tokenid: hunter2\ntrustid: t", {
            "c.yml:4:1: trustid: a trust needs \"username\" and \"password\"".to_owned()
        }),
        (
            "tokenid: hunter2\nauthversion: 2",
            "c.yml:4:1: authversion: application credentials, tokens and trusts need version 3".to_owned(),
        ),
        (
            "username: u\npassword: hunter2\ntrustid: t\nauthversion: 1",
            "c.yml:6:1: authversion: application credentials, tokens and trusts need version 3".to_owned(),
        ),
        (
            "username: u\npassword: hunter2\nclientkey: /k",
            "c.yml:1:1: clientcertificate: missing, expected the file of the certificate that the key of \
             \"clientkey\" belongs to"
                .to_owned(),
        ),
        (
            "username: u\npassword: hunter2\nstorageurl: https://me:hunter2@s/v1",
            "c.yml:5:13: storageurl: found \"<hidden>@s/v1\", expected an http or https URL without credentials, \
             such as https://swift.example/v1/AUTH_0123456789abcdef"
                .to_owned(),
        ),
    ] {
        let error = typed(&format!("{BASE}{lines}\n")).unwrap_err();
        assert_eq!(error.to_string(), message, "{lines}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn what_names_the_project_once_more_is_warned_about() {
    for (lines, reason) in [
        (
            "username: u\npassword: p\ntrustid: t\ntenant: x",
            "no effect beside \"trustid\": the trust is for a project",
        ),
        (
            "applicationcredentialid: a\napplicationcredentialsecret: s\ntenant: x",
            "no effect: an application credential is for the project in which it was made",
        ),
    ] {
        let (_, warnings) = read(&format!("authurl: https://k/v3\ncontainer: c\n{lines}\n")).unwrap();
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        let line = 2 + lines.lines().count();
        assert_eq!(warnings, [format!("c.yml:{line}:1: tenant: {reason}")]);
    }
}

#[test]
fn one_file_may_hold_a_certificate_and_its_key() {
    let both = Some((PathBuf::from("/own.pem"), PathBuf::from("/own.pem")));
    assert_eq!(with("clientcertificate: /own.pem").client_certificate, both);
}

#[test]
fn defaults() {
    let swift = with("");
    assert_eq!(swift.tenant, None);
    assert_eq!(service(&swift).1, None);
    assert_eq!(swift.prefix, "");
    assert_eq!(swift.endpoint_type, None);
    assert_eq!((swift.storage_url, swift.ca_cert, swift.client_certificate), (None, None, None));
    assert!(!swift.insecure_skip_verify);
    assert_eq!(swift.chunk_size, None);
    assert!(swift.temp_url_methods.is_empty() && swift.temp_url_digests.is_empty());
    assert_eq!((swift.temp_url_container_key, swift.temp_url_host), (false, None));
    assert_eq!((swift.connect_timeout, swift.total_timeout, swift.max_tries), (None, None, None));
    assert_eq!((swift.max_requests, swift.verify_checksums), (None, None));
    assert_eq!(swift.capabilities, SwiftCapabilities::default());
    for (written, version) in [
        ("0", None),
        ("1", Some(AuthVersion::V1)),
        ("2", Some(AuthVersion::V2)),
        ("2.0", Some(AuthVersion::V2)),
        ("'3'", Some(AuthVersion::V3)),
    ] {
        let swift = with(&format!("authversion: {written}"));
        assert_eq!(service(&swift).1, version, "{written}");
    }
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
        assert_eq!(self::password(&typed(&text).unwrap()), password, "{written}");
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
    assert_eq!((password(&swift), swift.chunk_size), ("p", Some(5 << 20)));
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
    let with_url = |url: &str| typed(&NEEDED.replace("https://k.example/v3", url));
    for url in
        ["http://k", "HTTPS://k:5000/v3", "http://[::1]:8080/auth/v1.0", "https://k.example:443/identity/v3/"]
    {
        assert_eq!(service(&with_url(url).unwrap()).0, url, "{url}");
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
        let error = with_url(url).expect_err(url).to_string();
        assert!(error.starts_with("c.yml:3:10: authurl: found "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn what_is_out_of_bounds_is_told_with_the_bounds() {
    for (line, key, found, expected) in [
        ("connecttimeout: 10", "connecttimeout", "10", "a time from 1s to 10m, such as 30s"),
        ("answertimeout: 0s", "answertimeout", "0s", "a time from 1s to 10m, such as 30s"),
        ("idletimeout: 11m", "idletimeout", "11m", "a time from 1s to 10m, such as 30s"),
        ("totaltimeout: 61m", "totaltimeout", "61m", "a time from 1s to 1h, such as 2m"),
        ("maxtries: 0", "maxtries", "0", "a number from 1 to 20"),
        ("maxrequests: 15", "maxrequests", "15", "a number from 16 to 10000"),
        ("tempurldigests: [md5]", "tempurldigests[0]", "md5", "sha512, sha256 or sha1"),
        (
            "tempurlhost: https://objects.example/v1",
            "tempurlhost",
            "https://objects.example/v1",
            "a scheme and a host, such as https://objects.example.org",
        ),
        (
            "tempurlhost: objects.example",
            "tempurlhost",
            "objects.example",
            "a scheme and a host, such as https://objects.example.org",
        ),
        (
            "capabilities: {maxfilesize: 1000}",
            "capabilities.maxfilesize",
            "1000",
            "a number of bytes, at least 1048576, such as 5GiB",
        ),
        (
            "capabilities: {containerlistinglimit: 0}",
            "capabilities.containerlistinglimit",
            "0",
            "a number from 1 to 100000",
        ),
        (
            "capabilities: {maxdeletesperrequest: -1}",
            "capabilities.maxdeletesperrequest",
            "-1",
            "a number from 0, for none, to 100000",
        ),
    ] {
        let error = typed(&format!("{NEEDED}{line}\n")).expect_err(line).to_string();
        let message = format!("{key}: found {found:?}, expected {expected}");
        assert!(error.starts_with("c.yml:5:") && error.ends_with(&message), "{error}");
    }
}

/// The keys of docker-registry's driver, as they stand in its files.
#[test]
fn the_names_of_docker_registry_are_taken_for_what_they_mean() {
    let file = "version: 0.1
storage:
  swift:
    swift_authurl: https://k/v2.0
    swift_auth_version: 2.0
    swift_user: u
    swift_password: '007'
    swift_tenant_name: t
    swift_region_name: r
    swift_endpoint_type: admin
    swift_object_storage_url: https://s/v1/AUTH_t
    Swift_Container: c
    swift_cacert: /ca.pem
    storage_path: /registry
";
    let loaded = Config::parse(file, "c.yml").unwrap();
    let StorageDriver::Swift(swift) = &loaded.config.storage.driver else { panic!("{loaded:?}") };
    assert_eq!((service(swift).0, service(swift).1), ("https://k/v2.0", Some(AuthVersion::V2)));
    assert_eq!((password(swift), &*swift.container), ("007", "c"));
    assert_eq!((swift.tenant.as_deref(), swift.region.as_deref()), (Some("t"), Some("r")));
    assert_eq!(swift.endpoint_type, Some(EndpointType::Admin));
    assert_eq!(swift.storage_url.as_deref(), Some("https://s/v1/AUTH_t"));
    assert_eq!(swift.ca_cert.as_deref(), Some(Path::new("/ca.pem")));
    assert_eq!(swift.prefix, "");
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 11, "{warnings:#?}");
    assert_eq!(
        warnings[8..],
        [
            "c.yml:12:5: storage.swift.Swift_Container: the name that docker-registry had; taken as \"container\"",
            "c.yml:13:5: storage.swift.swift_cacert: the name that docker-registry had; taken as \"cacert\"",
            "c.yml:14:5: storage.swift.storage_path: ignored: what docker-registry stored lies elsewhere and is not \
             read; to put a path in front of every name, use \"prefix\"",
        ]
    );

    let both = Config::parse(&format!("{file}    username: other\n"), "c.yml").unwrap_err();
    assert_eq!(both.to_string(), "c.yml:15:5: storage.swift.username: given twice, first at c.yml:6:5");
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
    rootdirectory: /registry
    chunk_size: 5M
    useragent: docker-distribution/v2.8.3
    cafile: /etc/ca.pem
    capabilities: {slo: false}
";
    let loaded = Config::parse(file, "c.yml").unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "c.yml:8:5: storage.swift.rootdirectory: ignored, as by registry:2; to put a path in front of every \
             name, use \"prefix\"",
            "c.yml:9:5: storage.swift.chunk_size: unknown key, ignored; did you mean \"chunksize\"?",
            "c.yml:11:5: storage.swift.cafile: unknown key, ignored",
            "c.yml:12:20: storage.swift.capabilities.slo: unknown key, ignored",
        ]
    );
    assert!(matches!(loaded.config.storage.driver, StorageDriver::Swift(_)));
}
