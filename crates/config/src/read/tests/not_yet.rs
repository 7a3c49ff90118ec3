//! What this version reads and does not do: what stops `apus serve`, and what is warned about.

use super::parse;
use crate::Loaded;

/// An example of each section that is not obeyed yet.
const EVERYTHING: &str = "version: 0.1
log:
  accesslog: {disabled: false}
  fields: {service: registry}
  formatter: logstash
storage:
  inmemory:
  maintenance:
    uploadpurging: {enabled: true, age: 24h, interval: 1h, dryrun: false}
    readonly: {enabled: yes}
auth: {htpasswd: {realm: r, path: /p}}
http:
  tls: {letsencrypt: {cachefile: /c, hosts: [r.example]}}
notifications: {endpoints: [{name: a, url: 'https://a.example', headers: {Authorization: [hunter2]}}]}
";

fn read(text: &str) -> Loaded {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// To ignore one of these would open a registry that its operator believes closed. To read them is no fault: commands that
/// serve nobody work with such a file.
#[test]
fn what_must_not_be_ignored_hinders_serving() {
    let loaded = read(EVERYTHING);
    let told: Vec<_> = loaded.hindrances.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "config.yml:13:9: http.tls.letsencrypt: this version asks no authority for certificates; let another program \
             do that, and name its files as certificate and key: they are read anew when they change",
        ]
    );
    assert_eq!(
        loaded.fit_to_serve().unwrap_err().to_string(),
        told[0].replace("letsencrypt: ", "letsencrypt: refusing to start: ")
    );

    let harmless = read("version: 0.1\nstorage: inmemory\nauth: none\nhttp: {net: tcp}\n");
    assert!(harmless.hindrances.is_empty());
    assert!(harmless.fit_to_serve().is_ok());
}

#[test]
fn the_rest_is_warned_about() {
    let told: Vec<_> = read(EVERYTHING).warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told, [] as [&str; 0]);
}

/// What switches off what Apus does not do is obeyed.
#[test]
fn what_asks_for_nothing_is_not_warned_about() {
    let loaded = read(
        "version: 0.1
log: {accesslog: {disabled: true}, fields: {}, formatter: json}
storage:
  inmemory:
  maintenance: {uploadpurging: {enabled: false}, readonly: {enabled: false}}
auth: {none: }
http: {net: tcp}
notifications: {events: {includereferences: true}, endpoints: [{url: 'http://a', disabled: true}]}
",
    );
    assert!(loaded.warnings.is_empty() && loaded.hindrances.is_empty(), "{loaded:?}");
}
