//! What variables do to a file: by which names they are known, how their values are read, and that the traps of registry:2
//! are none here. What `OS_*` fill in is in [`openstack`].

mod openstack;

use secrecy::ExposeSecret as _;

use super::Environment;
use crate::{Config, ConfigError, Loaded, StorageDriver};

/// What the image of registry:2 comes with.
const STOCK: &str = "\
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
";

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yml");
    std::fs::write(&path, file).unwrap();
    Config::load_with(Some(&path), &Environment::new(variables.iter().copied()))
}

#[track_caller]
fn over(file: &str, variables: &[(&str, &str)]) -> Loaded {
    load(file, variables).unwrap_or_else(|error| panic!("{variables:?}: {error}"))
}

/// The value of a setting with its source; nothing where it is not set and has no default.
fn setting(loaded: &Loaded, key: &str) -> Option<String> {
    let settings = loaded.effective.settings();
    let found = settings.iter().find(|setting| setting.key == key)?;
    Some(format!("{} of {}", found.value, found.source))
}

/// A variable, the setting that it changes, and what that is then.
#[track_caller]
fn changes(cases: &[(&str, &str, &str, &str)]) {
    for (name, value, key, expected) in cases {
        let loaded = over(STOCK, &[(name, value)]);
        assert_eq!(
            setting(&loaded, key).as_deref(),
            Some(&*format!("{expected} of {name}")),
            "{name}={value}"
        );
        let told: Vec<_> =
            loaded.warnings.iter().filter(|warning| warning.message.contains("ignored")).collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

#[test]
fn by_the_path_of_the_file() {
    changes(&[
        ("REGISTRY_HTTP_ADDR", ":6000", "http.addr", ":6000"),
        ("REGISTRY_HTTP_ADDR", "[::]:6000", "http.addr", "[::]:6000"),
        ("REGISTRY_http_addr", ":6000", "http.addr", ":6000"),
        ("REGISTRY_HTTP_SECRET", "hunter2", "http.secret", "<hidden>"),
        ("REGISTRY_HTTP_RELATIVEURLS", "true", "http.relativeurls", "true"),
        ("REGISTRY_HTTP_HTTP2_DISABLED", "yes", "http.http2.disabled", "yes"),
        ("REGISTRY_HTTP_DEBUG_PROMETHEUS_PATH", "/m", "http.debug.prometheus.path", "/m"),
        ("REGISTRY_HTTP_DEBUG_ADDR", ":5001", "http.debug.addr", ":5001"),
        ("REGISTRY_LOG_LEVEL", "debug", "log.level", "debug"),
        ("REGISTRY_LOGLEVEL", "debug", "loglevel", "debug"),
        ("REGISTRY_LOG_ACCESSLOG_DISABLED", "true", "log.accesslog.disabled", "true"),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "true", "storage.delete.enabled", "true"),
        ("REGISTRY_STORAGE_REDIRECT_DISABLE", "true", "storage.redirect.disable", "true"),
        ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/data", "storage.filesystem.rootdirectory", "/data"),
        ("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "redis", "storage.cache.blobdescriptor", "redis"),
        ("REGISTRY_VALIDATION_DISABLED", "true", "validation.disabled", "true"),
        ("REGISTRY_CATALOG_MAXENTRIES", "100", "catalog.maxentries", "100"),
        ("REGISTRY_PROXY_REMOTEURL", "https://r", "proxy.remoteurl", "https://r"),
        ("REGISTRY_REDIS_ADDR", "redis:6379", "redis.addr", "redis:6379"),
        ("REGISTRY_HEALTH_STORAGEDRIVER_ENABLED", "false", "health.storagedriver.enabled", "false"),
    ]);
}

#[test]
fn by_the_names_that_registry_2_has_for_variables() {
    let cases = [
        ("REGISTRY_COMPATIBILITY_SCHEMA1_TRUSTKEY", "compatibility.schema1.signingkeyfile", "/k"),
        ("REGISTRY_COMPATIBILITY_SCHEMA1_SIGNINGKEYFILE", "compatibility.schema1.signingkeyfile", "/k"),
        (
            "REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES",
            "notifications.events.includereferences",
            "true",
        ),
        ("REGISTRY_NOTIFICATIONS_EVENTS_INCLUDEREFERENCES", "notifications.events.includereferences", "true"),
    ];
    changes(&cases.map(|(name, key, value)| (name, value, key, value)));
    for (name, value, key, expected) in [
        ("REGISTRY_HEALTH_HTTPCHECKERS", "[{uri: 'https://h'}]", "health.http[0].uri", "https://h"),
        ("REGISTRY_HEALTH_HTTP", "[{uri: 'https://h'}]", "health.http[0].uri", "https://h"),
        ("REGISTRY_HEALTH_FILECHECKERS", "[{file: /f}]", "health.file[0].file", "/f"),
        ("REGISTRY_HEALTH_TCPCHECKERS", "[{addr: 'h:1'}]", "health.tcp[0].addr", "h:1"),
        ("REGISTRY_LOG_HOOKS", "[{type: mail, options: {from: a}}]", "log.hooks[0].options.from", "a"),
    ] {
        let shown = setting(&over(STOCK, &[(name, value)]), key).unwrap();
        assert!(shown.starts_with(&format!("{expected} of {name}:1:")), "{shown}");
    }
    let below = [("REGISTRY_LOG_HOOKS_0_TYPE", "mail"), ("REGISTRY_LOG_HOOKS_0_MAILOPTIONS_FROM", "a")];
    let loaded = over(STOCK, &below);
    assert_eq!(setting(&loaded, "log.hooks[0].options.from").unwrap(), format!("a of {}", below[1].0));
}

/// Names in a mapping are their writer's own; registry:2 has them in lower case, if they are not there yet.
#[test]
fn keys_of_mappings() {
    let loaded = over(
        STOCK,
        &[
            ("REGISTRY_HTTP_HEADERS_X-Foo", "[bar, baz]"),
            ("REGISTRY_HTTP_HEADERS_X-CONTENT-TYPE-OPTIONS", "[other]"),
            ("REGISTRY_LOG_FIELDS_SERVICE", "mine"),
            ("REGISTRY_LOG_FIELDS_IN_TWO_WORDS", "007"),
        ],
    );
    for (key, expected) in [
        ("http.headers.x-foo[1]", "baz of REGISTRY_HTTP_HEADERS_X-Foo:1:7"),
        (
            "http.headers.X-Content-Type-Options[0]",
            "other of REGISTRY_HTTP_HEADERS_X-CONTENT-TYPE-OPTIONS:1:2",
        ),
        ("log.fields.service", "mine of REGISTRY_LOG_FIELDS_SERVICE"),
        ("log.fields.in_two_words", "007 of REGISTRY_LOG_FIELDS_IN_TWO_WORDS"),
    ] {
        assert_eq!(setting(&loaded, key).as_deref(), Some(expected));
    }
    assert_eq!(loaded.config.http.headers.len(), 3);
}

/// A list or a section takes the place of the whole one; what names a part comes after what names the whole.
#[test]
fn whole_sections() {
    let file = "version: 0.1\nstorage: inmemory\nlog: {level: error, formatter: json}\nhealth: {tcp: [{addr: 'a:1'}, {addr: 'b:1'}]}\n";
    let loaded = over(
        file,
        &[
            ("REGISTRY_LOG_LEVEL", "debug"),
            ("REGISTRY_LOG", "{level: warn, fields: {a: b}}"),
            ("REGISTRY_HEALTH_TCP", "[{addr: 'c:1'}]"),
        ],
    );
    for (key, expected) in [
        ("log.level", Some("debug of REGISTRY_LOG_LEVEL")),
        ("log.fields.a", Some("b of REGISTRY_LOG:1:27")),
        ("log.formatter", Some("text of default")),
        ("health.tcp[0].addr", Some("c:1 of REGISTRY_HEALTH_TCP:1:9")),
        ("health.tcp[1].addr", None),
    ] {
        assert_eq!(setting(&loaded, key).as_deref(), expected, "{key}");
    }
    // As registry 3 has it: an item by its number, also the next one after the last.
    let items = [("REGISTRY_HEALTH_TCP_1_ADDR", "x:1"), ("REGISTRY_HEALTH_TCP_2_ADDR", "y:1")];
    let loaded = over(file, &items);
    assert_eq!(setting(&loaded, "health.tcp[0].addr").unwrap().split(' ').next(), Some("a:1"));
    assert_eq!(setting(&loaded, "health.tcp[1].addr").unwrap(), format!("x:1 of {}", items[0].0));
    assert_eq!(setting(&loaded, "health.tcp[2].addr").unwrap(), format!("y:1 of {}", items[1].0));
}

/// Whatever a text holds, and however it is quoted: the trap of passwords that look like numbers, and others.
#[test]
fn texts_stay_as_they_are() {
    for (value, expected) in [
        ("12345", "12345"),
        ("007", "007"),
        ("1e5", "1e5"),
        ("0x1F", "0x1F"),
        ("true", "true"),
        ("no", "no"),
        ("a b", "a b"),
        ("a: b", "a: b"),
        ("a #b", "a #b"),
        ("#a", "#a"),
        ("*a", "*a"),
        ("&a b", "&a b"),
        ("!a", "!a"),
        ("%a", "%a"),
        ("@a", "@a"),
        ("[a", "[a"),
        ("{a}", "{a}"),
        ("- a", "- a"),
        ("|", "|"),
        ("'", "'"),
        ("\"a", "\"a"),
        ("'a'b", "'a'b"),
        // In quotes, as those have it who went around the crash of registry:2, or as env-files leave them there.
        ("'12345'", "12345"),
        ("\"12345\"", "12345"),
        ("\"a\\tb\"", "a\tb"),
        ("  a\n", "a"),
    ] {
        let loaded = over(STOCK, &[("REGISTRY_LOG_FIELDS_A", value)]);
        let shown = setting(&loaded, "log.fields.a").unwrap();
        assert_eq!(shown, format!("{expected} of REGISTRY_LOG_FIELDS_A"), "{value:?}");
        let loaded = over(STOCK, &[("REGISTRY_HTTP_SECRET", value)]);
        assert_eq!(loaded.config.http.secret.unwrap().expose_secret(), expected, "{value:?}");
    }
}

/// Quotes around what is no text are those of an env-file.
#[test]
fn quotes_do_not_make_a_text_of_a_word() {
    for value in ["true", "'true'", "\"yes\"", " on ", "true # yes"] {
        let loaded = over(STOCK, &[("REGISTRY_STORAGE_DELETE_ENABLED", value)]);
        assert!(loaded.config.storage.delete_enabled, "{value}");
    }
}

/// An empty variable puts back the default of a value, and says nothing of a section.
#[test]
fn empty_variables() {
    let file =
        "version: 0.1\nstorage: inmemory\nlog: {level: debug}\nauth: {htpasswd: {realm: r, path: /p}}\n";
    let empty = [
        ("REGISTRY_AUTH", ""),
        ("REGISTRY_AUTH_TOKEN_REALM", ""),
        ("REGISTRY_HTTP", " "),
        ("REGISTRY_LOG_LEVEL", ""),
        ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", ""),
    ];
    let loaded = over(file, &empty);
    assert_eq!(setting(&loaded, "log.level").as_deref(), Some("info of default"));
    assert!(loaded.config.auth.is_some(), "an empty variable opens no registry");
    assert_eq!(driver(&loaded), "inmemory", "nor does it choose another storage");
    assert_eq!(loaded.passed_over, ["REGISTRY_AUTH", "REGISTRY_HTTP"]);
    assert!(over(file, &[("REGISTRY_AUTH", "{}")]).config.auth.is_none());
    assert_eq!(driver(&over(STOCK, &[("REGISTRY_STORAGE_INMEMORY", "{}")])), "inmemory");
}

const SWIFT: [(&str, &str); 4] = [
    ("REGISTRY_STORAGE_SWIFT_AUTHURL", "https://k/v3"),
    ("REGISTRY_STORAGE_SWIFT_CONTAINER", "c"),
    ("REGISTRY_STORAGE_SWIFT_PASSWORD", "12345"),
    ("REGISTRY_STORAGE_SWIFT_USERNAME", "u"),
];

fn driver(loaded: &Loaded) -> &'static str {
    match loaded.config.storage.driver {
        StorageDriver::Filesystem(_) => "filesystem",
        StorageDriver::InMemory => "inmemory",
        StorageDriver::Swift(_) => "swift",
    }
}

/// registry:2 stops at a second driver, and drops all of `storage` for a word.
#[test]
fn the_driver_of_the_environment_is_meant() {
    let with = |more: &[(&'static str, &'static str)]| [&SWIFT[..], more].concat();
    for (file, variables, expected, note) in [
        (
            STOCK,
            with(&[]),
            "swift",
            "config.yml:8:3: storage.filesystem is not used: the environment says swift",
        ),
        (STOCK, with(&[("REGISTRY_STORAGE", "swift")]), "swift", "storage.filesystem is not used"),
        (STOCK, vec![("REGISTRY_STORAGE", "inmemory")], "inmemory", "storage.filesystem is not used"),
        (STOCK, vec![("REGISTRY_STORAGE", "filesystem")], "filesystem", ""),
        ("version: 0.1\nstorage: inmemory\n", with(&[]), "swift", "storage.inmemory is not used"),
        ("version: 0.1\n", with(&[]), "swift", ""),
        // What an image has in its environment goes behind the word.
        (
            STOCK,
            with(&[("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/r"), ("REGISTRY_STORAGE", "Swift")]),
            "swift",
            "storage.filesystem is not used",
        ),
    ] {
        let loaded = over(file, &variables);
        assert_eq!(driver(&loaded), expected, "{variables:?}");
        match note {
            "" => assert!(loaded.notes.is_empty(), "{:?}", loaded.notes),
            note => assert!(loaded.notes.len() == 1 && loaded.notes[0].contains(note), "{:?}", loaded.notes),
        }
    }
    let kept = over(STOCK, &[("REGISTRY_STORAGE", "inmemory")]);
    assert!(setting(&kept, "storage.cache.blobdescriptor").is_some(), "the rest of the section stays");

    let both = load(STOCK, &with(&[("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/r")])).unwrap_err();
    assert!(both.to_string().contains("a second storage driver beside"), "{both}");
}

#[test]
fn a_word_chooses_how_clients_sign_in() {
    let variables = [
        ("REGISTRY_AUTH", "htpasswd"),
        ("REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd"),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "Registry Realm"),
    ];
    let loaded = over(STOCK, &variables);
    assert_eq!(
        setting(&loaded, "auth.htpasswd.realm").as_deref(),
        Some("Registry Realm of REGISTRY_AUTH_HTPASSWD_REALM")
    );
    let token = "\nauth: {token: {realm: 'https://t', service: s, issuer: i, rootcertbundle: /c}}\n";
    let loaded = over(&format!("{STOCK}{token}"), &variables);
    assert!(matches!(loaded.config.auth, Some(crate::AuthConfig::Htpasswd { .. })));
    assert_eq!(loaded.notes.len(), 1, "{:?}", loaded.notes);
    let loaded = over(&format!("{STOCK}{token}"), &[("REGISTRY_AUTH", "token")]);
    assert!(
        matches!(loaded.config.auth, Some(crate::AuthConfig::Token(_))),
        "what the file says of it stays"
    );
    // Who is let in is not to be guessed.
    for variables in
        [&variables[1..], &[("REGISTRY_AUTH_HTPASWD_REALM", "r")], &[("REGISTRY_AUTH", "htpaswd")]]
    {
        assert!(load(&format!("{STOCK}{token}"), variables).is_err(), "{variables:?}");
    }
}

/// registry:2 stops at the keys below these sections.
#[test]
fn switches_of_maintenance() {
    for file in [
        STOCK.to_owned(),
        STOCK.replace("  cache:", "  maintenance:\n    uploadpurging: {enabled: true, age: 1h}\n  cache:"),
        STOCK.replace("  cache:", "  maintenance:\n  cache:"),
    ] {
        let off = over(&file, &[("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_ENABLED", "false")]);
        assert!(off.config.storage.upload_purging.is_none(), "{file}");
        let readonly = over(&file, &[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")]);
        assert!(readonly.config.storage.read_only, "{file}");
        let whole = over(&file, &[("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{\"enabled\": true}")]);
        assert!(whole.config.storage.read_only, "{file}");
    }
}

/// For a Service that is named `registry`, `registry-auth` or `registry-storage`.
#[test]
fn variables_of_kubernetes() {
    let services = [
        ("REGISTRY_AUTH_PORT", "tcp://10.0.0.2:5001"),
        ("REGISTRY_AUTH_PORT_5001_TCP", "tcp://10.0.0.2:5001"),
        ("REGISTRY_AUTH_SERVICE_HOST", "10.0.0.2"),
        ("REGISTRY_AUTH_SERVICE_PORT", "5001"),
        ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
        ("REGISTRY_PORT_5000_TCP", "tcp://10.0.0.1:5000"),
        ("REGISTRY_PORT_5000_TCP_ADDR", "10.0.0.1"),
        ("REGISTRY_PORT_5000_TCP_PORT", "5000"),
        ("REGISTRY_PORT_5000_TCP_PROTO", "tcp"),
        ("REGISTRY_PORT_53_UDP", "udp://10.0.0.1:53"),
        ("REGISTRY_REDIS_PORT", "tcp://10.0.0.3:6379"),
        ("REGISTRY_SERVICE_HOST", "10.0.0.1"),
        ("REGISTRY_SERVICE_PORT", "5000"),
        ("REGISTRY_SERVICE_PORT_HTTPS_REGISTRY", "5000"),
        ("REGISTRY_STORAGE_PORT", "tcp://10.0.0.4:80"),
        ("REGISTRY_STORAGE_SERVICE_HOST", "10.0.0.4"),
        ("REGISTRY_STORAGE_SERVICE_PORT_HTTP", "80"),
        ("REGISTRY_AUTH_FILE", "/run/auth.json"),
    ];
    let loaded = over(STOCK, &services);
    let names: Vec<_> = services.map(|(name, _)| name).into_iter().collect();
    let mut passed_over = loaded.passed_over.clone();
    passed_over.sort_by_key(|name| names.iter().position(|known| known == name));
    assert_eq!(passed_over, names);
    assert_eq!(format!("{:?}", loaded.config), format!("{:?}", over(STOCK, &[]).config));
    assert_eq!(loaded.warnings.len(), over(STOCK, &[]).warnings.len());
    // A setting that ends like one of these is one all the same.
    let token = "auth: {token: {realm: 'https://t', issuer: i, rootcertbundle: /c}}";
    let loaded = over(&format!("{STOCK}{token}\n"), &[("REGISTRY_AUTH_TOKEN_SERVICE", "s")]);
    assert!(setting(&loaded, "auth.token.service").is_some());
}

#[test]
fn unknown_variables_are_told_with_a_guess() {
    for (name, expected) in [
        ("REGISTRY_COLOUR", "the file: no setting of a registry has this name, it is ignored"),
        (
            "REGISTRY_HTTP_ADR",
            "http: no setting of a registry has this name, it is ignored; did you mean REGISTRY_HTTP_ADDR?",
        ),
        (
            "REGISTRY_HTPP_ADDR",
            "the file: no setting of a registry has this name, it is ignored; did you mean REGISTRY_HTTP?",
        ),
        (
            "REGISTRY_STORAGE_SWIFT_AUTH_URL",
            "storage.swift: no setting of a registry has this name, it is ignored; did you mean REGISTRY_STORAGE_SWIFT_AUTHURL?",
        ),
        (
            "REGISTRY_HTTP_TLS_CERTIFICATE_FILE",
            "http.tls.certificate: no setting of a registry has this name, it is ignored",
        ),
        (
            "REGISTRY_HEALTH_TCP_FIRST",
            "health.tcp: ignored: below a list stands the number of an item, from 0; or give the list whole",
        ),
        (
            "REGISTRY_HEALTH_TCP_7_ADDR",
            "health.tcp[7].addr: ignored: the configuration has nothing there in which this could stand",
        ),
        ("REGISTRY_VERSION", "version: ignored: the version of a configuration is what its file says"),
        ("REGISTRY_", "the file: no setting of a registry has this name, it is ignored"),
    ] {
        let loaded = over(STOCK, &[(name, "2.8.3")]);
        let told: Vec<_> =
            loaded.warnings.iter().map(ToString::to_string).filter(|told| told.starts_with("REG")).collect();
        assert_eq!(told, [format!("{name}: {expected}")]);
        assert_eq!(format!("{:?}", loaded.config), format!("{:?}", over(STOCK, &[]).config), "{name}");
    }
}

/// The reader of the section names the variable, for it finds it in the place of the file.
#[test]
fn a_bad_value_names_its_variable() {
    for (name, value, expected) in [
        (
            "REGISTRY_HTTP_ADDR",
            "everywhere",
            "http.addr: found \"everywhere\", expected host:port, such as 127.0.0.1:5000, :5000 or [::1]:5000",
        ),
        (
            "REGISTRY_STORAGE_DELETE_ENABLED",
            "perhaps",
            "storage.delete.enabled: found \"perhaps\", expected true or false, without quotes",
        ),
        ("REGISTRY_LOG", "debug", "log: found \"debug\", expected a mapping of keys to values"),
        ("REGISTRY_LOG", "{level: [", "not a valid YAML configuration: unclosed bracket '['"),
        (
            "REGISTRY_STORAGE",
            "s4",
            "storage.s4: no storage driver or key of storage; expected one of filesystem, inmemory, swift",
        ),
    ] {
        let error = load(STOCK, &[(name, value)]).unwrap_err().to_string();
        let (variable, rest) = error.split_once(": ").unwrap();
        assert_eq!(variable.split(':').next(), Some(name), "{error}");
        assert!(rest.starts_with(expected), "{error}");
    }
}

/// Debug shows no value, for it may be a password.
#[test]
fn debug_shows_names_alone() {
    let shown = format!("{:?}", Environment::new([("REGISTRY_HTTP_SECRET", "hunter2")]));
    assert_eq!(shown, "{\"REGISTRY_HTTP_SECRET\"}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
    let environment = Environment::new([("REGISTRY_HTTP_SECRET", bytes)]);
    assert_eq!(
        Config::load_with(None, &environment).unwrap_err().to_string(),
        "REGISTRY_HTTP_SECRET: the variable: found bytes that are not UTF-8, expected a text"
    );
}
