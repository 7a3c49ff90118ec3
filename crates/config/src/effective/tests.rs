use crate::schema::tests::config;
use crate::{Config, Environment};

fn yaml(file: &str) -> String {
    Config::parse(file, "c.yml").unwrap_or_else(|error| panic!("{error}\n{file}")).effective.to_yaml()
}

#[track_caller]
fn has(yaml: &str, line: &str) {
    assert!(yaml.lines().any(|shown| shown.trim() == line), "{line:?} is not in:\n{yaml}");
}

#[test]
fn every_value_has_its_source() {
    let shown = yaml(
        "version: 0.1\nlog: {level: debug}\nstorage:\n  swift:\n    AuthURL: https://k/v3\n    username: 007\n    \
         password: hunter2\n    container: c\n",
    );
    for line in [
        "version: 0.1  # c.yml:1:10",
        "level: debug  # c.yml:2:14",
        "formatter: text  # default",
        "authurl: https://k/v3  # c.yml:5:14",
        "username: 007  # c.yml:6:15",
        "password: <hidden>  # c.yml:7:15",
        "endpointtype: public  # default",
        "addr: 127.0.0.1:5000  # default",
    ] {
        has(&shown, line);
    }
    assert!(!shown.contains("tenant"), "what nobody says and has no default is left out:\n{shown}");
    assert!(!shown.contains("filesystem"), "nor is a driver shown that is not used:\n{shown}");
}

/// Whatever may be a secret, wherever it stands.
#[test]
fn secrets_are_hidden() {
    let loaded = Config::parse(
        "version: 0.1
storage:
  swift:
    authurl: https://k/v3
    tenant: p
    username: u
    password: hunter2
    container: c
    secretkey: hunter2
    accesskey: hunter2
http: {secret: hunter2}
proxy: {remoteurl: 'https://r', username: u, password: hunter2}
notifications:
  endpoints:
  - name: a
    url: https://me:hunter2@events.example/hooks/hunter2?key=hunter2
    headers: {Authorization: [Bearer hunter2]}
health: {http: [{uri: 'https://h', headers: {X-Token: [hunter2]}}]}
redis: {addr: 'h:1', password: hunter2}
reporting: {bugsnag: {apikey: hunter2}, newrelic: {licensekey: hunter2}}
middleware: {storage: [{name: cloudfront, options: {privatekey: hunter2, baseurl: 'https://a:hunter2@b'}}]}
log: {hooks: [{type: mail, options: {smtp: {password: hunter2}}}]}
",
        "c.yml",
    )
    .unwrap();
    let shown = loaded.effective.to_yaml();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!format!("{:?}", loaded.effective).contains("hunter2"));
    assert!(loaded.effective.settings().iter().all(|setting| !setting.value.contains("hunter2")));
    assert_eq!(shown.matches("<hidden>").count(), 15, "{shown}");
    has(&shown, "url: https://<hidden>@events.example/<hidden>  # c.yml:16:10");
}

/// A file that is made of what is shown says the same, and its values come from the same keys.
#[test]
fn what_is_shown_can_be_read_again() {
    let file = "
version: 0.1
log:
  fields: {a: 'yes', b: '007', c: 'x: y', d: ' #', e: \"\\u0007\\n\\\"\\\\é\", f: '- g', h: '*', 'i j': k, l: '', m: '~n', o: null }
storage: {filesystem: {rootdirectory: '/srv/my registry'}}
http:
  addr: '[::1]:0'
  headers: {X-A: ['b', 'c: d'], X-Empty: []}
  trustedproxies: []
  draintimeout: 90s
auth: {htpasswd: {realm: 'a \"b\"', path: /p}}
";
    let first = Config::parse(file, "c.yml").unwrap();
    let second = first.effective.to_yaml();
    let again = Config::parse(&second, "c.yml").unwrap_or_else(|error| panic!("{error}\n{second}"));
    assert_eq!(config(&again), config(&first), "{second}");
    let (first, again) = (first.effective.settings(), again.effective.settings());
    let told = |settings: &[crate::Setting]| -> Vec<_> {
        settings.iter().map(|setting| (setting.key.clone(), setting.value.clone())).collect()
    };
    assert_eq!(told(&first), told(&again));
}

#[test]
fn settings_have_paths() {
    let file =
        "version: 0.1\nstorage: inmemory\nhttp: {headers: {X-A: [b, c]}}\nhealth: {tcp: [{addr: 'h:1'}]}\n";
    let settings = Config::parse(file, "c.yml").unwrap().effective.settings();
    let value = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key);
        setting.map(|setting| format!("{} {}", setting.value, setting.source))
    };
    for (key, expected) in [
        ("storage.inmemory", Some("{} c.yml:2:10")),
        ("http.headers.X-A[1]", Some("c c.yml:3:27")),
        ("health.tcp[0].addr", Some("h:1 c.yml:4:23")),
        ("health.tcp[0].interval", Some("10s default")),
        ("health.tcp[0].timeout", None),
    ] {
        assert_eq!(value(key).as_deref(), expected, "{key}");
    }
}

#[test]
fn who_says_nothing_is_told_apart() {
    let with = |variables: &[(&str, &str)]| {
        let environment = Environment::new(variables.iter().copied());
        Config::load_with(None, &environment).unwrap().effective.is_default()
    };
    assert!(with(&[]));
    assert!(with(&[("REGISTRY_PORT", "tcp://10.0.0.1:5000")]));
    assert!(!with(&[("REGISTRY_LOG_LEVEL", "info")]));
}
