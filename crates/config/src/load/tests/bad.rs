//! Thirty-odd kinds of configuration that cannot be used, by file and by variable: each ends in one line, which says where
//! and what, and shows no secret.

use crate::{Config, Environment};

/// What every file here has, with the storage that some of them spoil.
const HEAD: &str = "version: 0.1\nstorage: inmemory\n";

const SWIFT: &str =
    "version: 0.1\nstorage:\n  swift:\n    authurl: https://k/v3\n    container: c\n    username: u\n";

/// The file; variables; how the message goes on after the name of the file or the variable.
struct Bad {
    file: String,
    variables: Vec<(&'static str, &'static str)>,
    message: &'static str,
}

fn file(text: &str, message: &'static str) -> Bad {
    Bad { file: text.to_owned(), variables: Vec::new(), message }
}

fn with(more: &str, message: &'static str) -> Bad {
    file(&format!("{HEAD}{more}\n"), message)
}

fn swift(more: &str, message: &'static str) -> Bad {
    file(&format!("{SWIFT}{more}"), message)
}

fn variable(name: &'static str, value: &'static str, message: &'static str) -> Bad {
    Bad { file: HEAD.to_owned(), variables: vec![(name, value)], message }
}

fn kinds() -> Vec<Bad> {
    vec![
        file("", ":1:1: version: missing, expected 0.1"),
        file("version: 3\nstorage: inmemory\n", ":1:10: version: found \"3\", expected 0.1"),
        file("just words\n", ":1:1: the file: found \"just words\", expected a mapping of keys to values"),
        file("version: 0.1\n", ":1:1: storage: missing, expected one of filesystem, inmemory, swift"),
        file("version: 0.1\nstorage: s4\n", ":2:10: storage.s4: no storage driver or key of storage"),
        file(
            "version: 0.1\nstorage: {s3: {bucket: b}}\n",
            ":2:11: storage.s3: Apus has no such storage driver",
        ),
        file(
            "version: 0.1\nstorage: {inmemory: , filesystem: }\n",
            ":2:23: storage.filesystem: a second storage driver beside storage.inmemory at ",
        ),
        with("log: {level: info\n", ":3:6: not a valid YAML configuration: unclosed bracket"),
        with("http:\n\taddr: ':1'", ":4:2: not a valid YAML configuration: tabs disallowed"),
        with("log: {}\nlog: {}", ":4:1: log: given twice, first at "),
        with("---\nlog: {}", ":3:1: not a valid YAML configuration: a second document begins here"),
        with(
            "http: *nothing",
            ":3:7: not a valid YAML configuration: while parsing node, found unknown anchor",
        ),
        with("a: &a [*a]", ":3:8: not a valid YAML configuration: an alias inside of what it stands for"),
        with(
            "log: !include log.yml",
            ":3:15: not a valid YAML configuration: a tag that has no meaning here",
        ),
        with("log: {level: loud}", ":3:14: log.level: found \"loud\", expected error, warn, info or debug"),
        with("log: debug", ":3:6: log: found \"debug\", expected a mapping of keys to values"),
        with("http: {addr: everywhere}", ":3:14: http.addr: found \"everywhere\", expected host:port"),
        with(
            "http: {host: registry.example}",
            ":3:14: http.host: found \"registry.example\", expected an http",
        ),
        with("http: {draintimeout: soon}", ":3:22: http.draintimeout: found \"soon\", expected a duration"),
        with(
            "http: {prefix: v3}",
            ":3:16: http.prefix: found \"v3\", expected a path that begins with a slash",
        ),
        with("http: {trustedproxies: [10.0.0.0/99]}", ":3:25: http.trustedproxies[0]: found \"10.0.0.0/99\""),
        with(
            "http: {relativeurls: 'true'}",
            ":3:22: http.relativeurls: found \"true\", expected true or false",
        ),
        with(
            "catalog: {maxentries: many}",
            ":3:23: catalog.maxentries: found \"many\", expected a whole number",
        ),
        with(
            "validation: {manifests: {indexes: {platforms: some}}}",
            ":3:47: validation.manifests.indexes.platforms",
        ),
        swift(
            "    password: p\n    chunksize: 5K\n",
            ":8:16: storage.swift.chunksize: found \"5K\", expected a number",
        ),
        swift("", ":3:3: storage.swift.password: missing, expected the user's password"),
        swift(
            "    password: hunter2\n    tokenid: hunter2\n",
            ":8:5: storage.swift.tokenid: a second way to sign in, beside \"password\"",
        ),
        swift(
            "    password: hunter2: x\n",
            ":7:22: not a valid YAML configuration: mapping values are not allowed",
        ),
        variable("REGISTRY_HTTP_ADDR", "5000", ": http.addr: found \"5000\", expected host:port"),
        variable("REGISTRY_LOG", "{level: [}", ":1:9: not a valid YAML configuration: mismatched bracket"),
        variable("REGISTRY_HTTP", "[a]", ": http: found a list, expected a mapping of keys to values"),
        variable(
            "REGISTRY_HTTP_HEADERS_X-A",
            "[{hunter2: a}]",
            ":1:2: http.headers.x-a[0]: found a mapping, expected ",
        ),
        variable("REGISTRY_STORAGE", "swfit", ": storage.swfit: no storage driver or key of storage"),
        variable(
            "REGISTRY_STORAGE_DELETE_ENABLED",
            "2",
            ": storage.delete.enabled: found \"2\", expected true or",
        ),
        variable(
            "REGISTRY_STORAGE_SWIFT_CONTAINER",
            "c",
            ": storage.swift.username: missing, expected the name of a user",
        ),
        variable("REGISTRY_AUTH_HTPASWD_REALM", "r", ": auth.htpaswd: "),
    ]
}

#[test]
fn every_kind_ends_in_one_line_that_says_where_and_what() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yml");
    assert!(kinds().len() > 30);
    for Bad { file, variables, message } in kinds() {
        std::fs::write(&path, &file).unwrap();
        let environment = Environment::new(variables.iter().copied());
        let Err(error) = Config::load_with(Some(&path), &environment) else {
            panic!("usable, but should say {message:?}: {variables:?}\n{file}");
        };
        let told = error.to_string();
        let name =
            variables.first().map_or_else(|| path.display().to_string(), |(name, _)| (*name).to_owned());
        assert!(told.starts_with(&format!("{name}{message}")), "{told}\n{message}");
        assert!(!told.contains('\n'), "{told}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

/// Whatever a variable is named and holds, it is a setting, a warning or an error.
#[test]
fn no_variable_panics() {
    let names = [
        "REGISTRY_",
        "REGISTRY__",
        "REGISTRY_HTTP_",
        "REGISTRY_HTTP__ADDR",
        "REGISTRY_STORAGE_",
        "REGISTRY_AUTH__",
        "REGISTRY_STORAGE_SWIFT",
        "REGISTRY_STORAGE_S3_A_B",
        "REGISTRY_HTTP_HEADERS_",
        "REGISTRY_LOG_FIELDS__",
        "REGISTRY_HEALTH_HTTP_",
        "REGISTRY_HEALTH_HTTP_0",
        "REGISTRY_HEALTH_HTTP_0_",
        "REGISTRY_HEALTH_HTTP__URI",
        "REGISTRY_HEALTH_HTTP_99999999999999999999_URI",
        "REGISTRY_HEALTH_HTTP_0_HEADERS_A",
        "REGISTRY_é",
        "REGISTRY_HTTÉ",
        "REGISTRY_MIDDLEWARE_STORAGE_0_OPTIONS_A_B",
        "REGISTRY_AUTH",
        "REGISTRY_STORAGE",
        "REGISTRY_HTTP_ADDR",
        "OS_AUTH_URL",
        "OS_INTERFACE",
        "OS_IDENTITY_API_VERSION",
    ];
    let values = [
        "",
        " ",
        "~",
        "null",
        "{}",
        "[]",
        "{a: 1}",
        "[a]",
        "a",
        "0",
        "true",
        "'",
        "\"",
        "'a",
        "\"a\"",
        "*a",
        "&a",
        "!!str a",
        "a: b: c",
        "- a",
        "|",
        "{",
        "}",
        "\u{0}",
        "é",
        "swift",
        "filesystem",
        "none",
    ];
    for file in [HEAD, SWIFT, "version: 0.1\nstorage: []\nauth: x\nhealth: {http: x}\n", "", "- a\n"] {
        for name in names {
            for value in values {
                let environment = Environment::new([(name, value)]);
                let tree = crate::yaml::load(file, &"c.yml".into()).unwrap();
                let _ = super::super::finish(tree, &environment, None);
            }
        }
    }
}
