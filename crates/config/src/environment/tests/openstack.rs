//! `OS_*`: whole groups, and never a part of one.

use super::{load, over};
use crate::Loaded;

const FILE: &str = "version: 0.1\nstorage:\n  swift:\n    container: c\n";

/// What a cloud's dashboard gives to its users.
const OPENRC: [(&str, &str); 8] = [
    ("OS_AUTH_URL", "https://k.example/v3"),
    ("OS_IDENTITY_API_VERSION", "3"),
    ("OS_PASSWORD", "hunter2"),
    ("OS_PROJECT_DOMAIN_ID", "default"),
    ("OS_PROJECT_NAME", "p"),
    ("OS_REGION_NAME", "R"),
    ("OS_USER_DOMAIN_NAME", "Default"),
    ("OS_USERNAME", "u"),
];

/// The keys of `storage.swift` that are taken from variables.
fn taken(loaded: &Loaded) -> Vec<String> {
    let settings = loaded.effective.settings();
    let taken = settings.iter().filter(|setting| setting.source.to_string().starts_with("OS_"));
    let mut taken: Vec<_> = taken
        .map(|setting| {
            let key = setting.key.trim_start_matches("storage.swift.");
            format!("{key}={} of {}", setting.value, setting.source)
        })
        .collect();
    taken.sort();
    taken
}

/// A file of `storage.swift` with these lines, in an environment: what is taken from there.
#[track_caller]
fn fills(lines: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let loaded = over(&format!("{FILE}    {}\n", lines.replace('\n', "\n    ")), variables);
    assert_eq!(taken(&loaded), expected, "{lines}");
    assert_eq!(loaded.notes.len(), usize::from(!expected.is_empty()), "{:?}", loaded.notes);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

const ENDPOINT: &str = "region=R of OS_REGION_NAME";

const SCOPE: [&str; 2] = ["tenant=p of OS_PROJECT_NAME", "tenantdomainid=default of OS_PROJECT_DOMAIN_ID"];

#[test]
fn all_of_it() {
    fills(
        "",
        &OPENRC,
        &[
            "authurl=https://k.example/v3 of OS_AUTH_URL",
            "authversion=3 of OS_IDENTITY_API_VERSION",
            "domain=Default of OS_USER_DOMAIN_NAME",
            "password=<hidden> of OS_PASSWORD",
            ENDPOINT,
            SCOPE[0],
            SCOPE[1],
            "username=u of OS_USERNAME",
        ],
    );
}

/// Half of one cloud and half of another would come out.
#[test]
fn no_single_key() {
    let login = "authurl: https://other/v3\nusername: me\npassword: p";
    fills(login, &OPENRC, &[ENDPOINT, SCOPE[0], SCOPE[1]]);
    fills(&format!("{login}\ntenant: q"), &OPENRC, &[ENDPOINT]);
    fills(&format!("{login}\ntenantdomain: d\ntenant: q\nendpointtype: internal"), &OPENRC, &[]);
    let missing = load(&format!("{FILE}    username: me\n"), &OPENRC).unwrap_err().to_string();
    assert!(missing.contains("storage.swift.password: missing"), "{missing}");
}

/// These are for one project by themselves, or know none.
#[test]
fn no_project_where_there_is_none_to_choose() {
    let credential = "authurl: https://other/v3\napplicationcredentialid: a\napplicationcredentialsecret: s";
    fills(credential, &OPENRC, &[ENDPOINT]);
    fills("authurl: http://swift/auth/v1.0\nusername: a:u\npassword: p", &OPENRC, &[]);
    fills("authurl: http://swift\nauthversion: 1\nusername: a:u\npassword: p", &OPENRC, &[]);
    fills("cloud: mine", &OPENRC, &[]);
    fills("cloud: envvars", &OPENRC, &[]);
}

#[test]
fn other_ways_to_sign_in() {
    let url = ("OS_AUTH_URL", "https://k/v3");
    let url_taken = "authurl=https://k/v3 of OS_AUTH_URL";
    fills(
        "",
        &[
            url,
            ("OS_APPLICATION_CREDENTIAL_ID", "a"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", "hunter2"),
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_PASSWORD", "hunter3"),
            ("OS_INTERFACE", "publicURL"),
            ("OS_CACERT", "/ca.pem"),
        ],
        &[
            "applicationcredentialid=a of OS_APPLICATION_CREDENTIAL_ID",
            "applicationcredentialsecret=<hidden> of OS_APPLICATION_CREDENTIAL_SECRET",
            url_taken,
            "cacert=/ca.pem of OS_CACERT",
            "endpointtype=public of OS_INTERFACE",
        ],
    );
    fills(
        "",
        &[url, ("OS_TOKEN", "hunter2"), ("OS_PROJECT_ID", "p1")],
        &[url_taken, "tenantid=p1 of OS_PROJECT_ID", "tokenid=<hidden> of OS_TOKEN"],
    );
    fills(
        "",
        &[url, ("OS_USERNAME", "u"), ("OS_PASSWORD", "p"), ("OS_TRUST_ID", "t"), ("OS_PROJECT_NAME", "q")],
        &[
            url_taken,
            "password=<hidden> of OS_PASSWORD",
            "trustid=t of OS_TRUST_ID",
            "username=u of OS_USERNAME",
        ],
    );
    fills("", &[("OS_CLOUD", "mine"), ("OS_REGION_NAME", "R")], &["cloud=mine of OS_CLOUD"]);
    fills(
        "cacert: /own.pem",
        &[url, ("OS_TOKEN", "t"), ("OS_CACERT", "/ca.pem")],
        &[url_taken, "tokenid=<hidden> of OS_TOKEN"],
    );
}

/// What is empty is left out, in the file as in the environment; who stores elsewhere is left alone.
#[test]
fn what_says_nothing() {
    fills(
        "username: ''\npassword:\ntenant: ~",
        &[("OS_AUTH_URL", "https://k"), ("OS_USERNAME", "u"), ("OS_PASSWORD", "p"), ("OS_REGION_NAME", "")],
        &[
            "authurl=https://k of OS_AUTH_URL",
            "password=<hidden> of OS_PASSWORD",
            "username=u of OS_USERNAME",
        ],
    );
    let loaded = over("version: 0.1\nstorage: inmemory\n", &OPENRC);
    assert!(taken(&loaded).is_empty() && loaded.notes.is_empty());
}

/// Variables of the registry count for more than those of the cloud.
#[test]
fn beside_variables_of_the_registry() {
    let variables =
        [&OPENRC[..], &[("REGISTRY_STORAGE", "swift"), ("REGISTRY_STORAGE_SWIFT_TENANT", "q")]].concat();
    let loaded = over(FILE, &variables);
    let taken = taken(&loaded);
    assert!(taken.contains(&"username=u of OS_USERNAME".to_owned()), "{taken:?}");
    assert!(!taken.iter().any(|taken| taken.starts_with("tenant")), "{taken:?}");
}

#[test]
fn a_bad_value_names_its_variable() {
    let variables = [&OPENRC[1..], &[("OS_AUTH_URL", "k.example")]].concat();
    let error = load(FILE, &variables).unwrap_err().to_string();
    assert!(error.starts_with("OS_AUTH_URL: storage.swift.authurl: found \"k.example\""), "{error}");
    let variables = [&OPENRC[..], &[("OS_AUTH_TYPE", "v3oidcpassword")]].concat();
    let error = load(FILE, &variables).unwrap_err().to_string();
    assert!(error.starts_with("OS_AUTH_TYPE: storage.swift: found \"v3oidcpassword\", expected"), "{error}");
}
