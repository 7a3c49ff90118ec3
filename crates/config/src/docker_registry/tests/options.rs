//! The options beside those of storage: what comes of each, as a whole registry reads them.

use std::time::Duration;

use crate::{Config, Environment, Loaded, LogLevel, V1Access, V1Config};

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.yml");
    std::fs::write(&path, text).unwrap();
    let told = Config::load_with(Some(&path), &Environment::new(variables.iter().copied()));
    told.map_err(|error| error.to_string().replace(&path.display().to_string(), "old.yml"))
}

fn v1(options: &str) -> V1Config {
    load(&format!("storage: local\n{options}"), &[]).unwrap().config.v1.unwrap()
}

/// What is warned about: key and message. That everyone may do everything, as in the original, is warned about each time.
fn warnings(loaded: &Loaded) -> Vec<String> {
    let told = loaded.warnings.iter().filter(|warning| warning.key != "http.addr");
    told.map(|warning| format!("{}: {}", warning.key, warning.message)).collect()
}

#[test]
fn who_is_let_in() {
    let access = |options| v1(options).access;
    let token = |index: &str| V1Access::Token { index_endpoint: index.to_owned() };
    assert_eq!(access("standalone: true"), V1Access::Standalone);
    assert_eq!(access("standalone: yes\ndisable_token_auth: true"), V1Access::Standalone);
    assert_eq!(access("disable_token_auth: on"), V1Access::Open);
    assert_eq!(access("standalone: false"), token("https://index.docker.io"));
    assert_eq!(access(""), token("https://index.docker.io"));
    assert_eq!(access("index_endpoint: https://index.example/"), token("https://index.example"));
    assert_eq!(access("standalone: 1"), V1Access::Standalone, "to the original it was neither");
    assert_eq!(access("standalone: 0\ndisable_token_auth: 1"), V1Access::Open);
    for neither in ["'true'", "2", "maybe", "[true]"] {
        let error = load(&format!("storage: local\nstandalone: {neither}\n"), &[]).unwrap_err();
        assert!(error.starts_with("old.yml:2:13: standalone: found "), "{error}");
    }
}

#[test]
fn an_old_file_is_of_version_1_alone() {
    assert!(v1("standalone: true").exclusive && v1("").exclusive);
    let loaded = load("storage: local\nstandalone: false\n", &[]).unwrap();
    // An index is asked, so it is not open to everyone.
    assert!(loaded.hindrances.is_empty() && loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn what_is_obeyed() {
    let v1 = v1("mirroring: {source: https://a.example/, tags_cache_ttl: 1:00:00}\n\
                 cors: {origins: '*', methods: [GET, PUT], max_age: 0x10, supports_credentials: true}\n\
                 search_backend: sqlalchemy\nregistry_endpoints: r.example\nissue: hello\ndebug: yes\n\
                 privileged_key: /key.pem\n");
    let mirroring = v1.mirroring.unwrap();
    assert_eq!((mirroring.source.as_str(), mirroring.source_index), ("https://a.example", None));
    assert_eq!(mirroring.tags_cache_ttl, Duration::from_hours(1), "YAML 1.1 counts by sixties");
    let cors = v1.cors.unwrap();
    assert_eq!(
        (cors.origins, cors.methods),
        (vec!["*".to_owned()], vec!["GET".to_owned(), "PUT".to_owned()])
    );
    assert_eq!((cors.max_age, cors.supports_credentials), (Some(Duration::from_secs(16)), true));
    assert_eq!(cors.headers, ["Content-Type"]);
    assert!(v1.search && v1.debug);
    assert_eq!((v1.registry_endpoints.as_deref(), v1.issue.as_str()), (Some("r.example"), "hello"));
    assert_eq!(v1.privileged_key.as_deref(), Some(std::path::Path::new("/key.pem")));
}

#[test]
fn what_holds_where_nothing_is_said() {
    let loaded = load("storage: local\n", &[]).unwrap();
    let v1 = loaded.config.v1.as_ref().unwrap();
    assert_eq!((v1.issue.as_str(), v1.search, v1.debug), ("\"docker-registry server\"", false, false));
    assert_eq!((&v1.mirroring, &v1.cors, &v1.flavour), (&None, &None, &None));
    assert!(!loaded.config.storage.redirect.enabled && loaded.config.storage.delete_enabled);
    assert_eq!(loaded.config.http.addr.to_string(), "0.0.0.0:5000");
    assert_eq!(warnings(&loaded), Vec::<String>::new());
    assert!(load("storage: local\nstorage_redirect: true\n", &[]).unwrap().config.storage.redirect.enabled);
}

#[test]
fn levels_are_those_of_python() {
    for (name, level) in [
        ("DEBUG", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("Warning", LogLevel::Warn),
        ("critical", LogLevel::Error),
    ] {
        let loaded = load(&format!("storage: local\nloglevel: {name}\n"), &[]).unwrap();
        assert_eq!(loaded.config.log.level, level);
    }
    let error = load("storage: local\nloglevel: loud\n", &[]).unwrap_err();
    assert_eq!(
        error,
        "old.yml:2:11: loglevel: found \"loud\", expected debug, info, warning, error or critical"
    );
}

/// Of each option that comes to nothing one is told by its name, if it says something.
#[test]
fn what_comes_to_nothing() {
    let text = "storage: local
standalone: 1
cache: {host: redis.example, port: 6379}
cache_lru: {port: 6379, db: 0}
email_exceptions: {smtp_host: mail.example, smtp_password: hunter2, smtp_port: 25}
bugsnag: 0123456789
sqlalchemy_index_database: sqlite:////tmp/a.db
nginx_x_accel_redirect: /layers
search_backend: my.search
s3_bucket: images
swift_container: images
cors: {headers: [Content-Type]}
standalon: true
mirroring: {source: https://a.example, sourc: b}
";
    let loaded = load(text, &[]).unwrap();
    let told = warnings(&loaded);
    assert_eq!(
        told,
        [
            "standalone: 1 is taken as true; to docker-registry it was neither true nor false",
            "cache: no effect: Apus needs no Redis; each replica remembers what can never change",
            "email_exceptions: no effect: no mail is sent; the log tells of failures",
            "bugsnag: no effect: nothing is reported to Bugsnag; the log tells of failures",
            "sqlalchemy_index_database: no effect: the search needs no database",
            "nginx_x_accel_redirect: no effect: layers are sent by Apus itself, or by Swift",
            "search_backend: this search is not there; that of Apus answers in its place, and keeps no index",
            "s3_bucket: no effect: it belongs to a storage driver that is not chosen",
            "swift_container: no effect: it belongs to a storage driver that is not chosen",
            "standalon: unknown key, ignored; did you mean \"standalone\"?",
            "mirroring.sourc: unknown key, ignored; did you mean \"mirroring.source\"?",
        ]
    );
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

/// A variable that is there and empty takes the default's place, as in the original; whoever did not mean that is told.
#[test]
fn an_empty_variable_is_told() {
    let text = "storage: local\nstandalone: _env:STANDALONE:true\n";
    let loaded = load(text, &[("STANDALONE", "")]).unwrap();
    assert!(matches!(loaded.config.v1.as_ref().unwrap().access, V1Access::Token { .. }));
    let told = warnings(&loaded);
    assert!(told[0].starts_with("standalone: the variable STANDALONE is there and empty"), "{told:?}");
    assert_eq!(load(text, &[]).unwrap().config.v1.unwrap().access, V1Access::Standalone);
}

#[test]
fn where_to_listen() {
    let address = |variables: &[(&str, &str)]| {
        load("storage: local\n", variables).map(|loaded| loaded.config.http.addr.to_string())
    };
    assert_eq!(address(&[("REGISTRY_PORT", "80"), ("REGISTRY_HOST", "127.0.0.1")]).unwrap(), "127.0.0.1:80");
    assert_eq!(address(&[("REGISTRY_PORT", "tcp://10.0.0.1:80")]).unwrap(), "0.0.0.0:5000");
    assert_eq!(
        address(&[("REGISTRY_HTTP_ADDR", ":1")]).unwrap(),
        ":1",
        "variables of today have the last word"
    );
    let error = address(&[("REGISTRY_PORT", "many")]).unwrap_err();
    assert_eq!(error, "REGISTRY_PORT: the variable: found \"many\", expected a port");
}

/// The variable that named the old server's file names Apus's, where no other does.
#[test]
fn the_path_in_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.yml");
    std::fs::write(&path, "dev: {storage: local, standalone: true}\n").unwrap();
    let loaded = Config::load_with(None, &Environment::new([("DOCKER_REGISTRY_CONFIG", &path)])).unwrap();
    assert_eq!(loaded.config.v1.unwrap().flavour.as_deref(), Some("dev"));
}
