//! What registry:2 and 3 have and Apus has no use for: read all the same, and told if it asks for anything.

use super::parse;

/// The warnings about the lines, without the name of the file.
fn warnings(lines: &str) -> Vec<String> {
    let text = format!("version: 0.1\n{lines}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(loaded.hindrances.is_empty());
    let told = loaded.warnings.iter().map(ToString::to_string);
    told.map(|told| told.replacen("config.yml:", "", 1)).collect()
}

fn error(lines: &str) -> String {
    parse(&format!("version: 0.1\n{lines}\n")).expect_err(lines).to_string()
}

#[test]
fn redis_of_registry_2_and_of_registry_3() {
    let reason = "no effect: Apus needs no Redis; each replica remembers what can never change";
    for keys in [
        "addr: 'redis:6379', password: hunter2, db: 1, dialtimeout: 10ms, readtimeout: 10ms, writetimeout: 10ms, pool: \
         {maxidle: 16, maxactive: 64, idletimeout: 300s}, tls: {enabled: false}",
        "addrs: ['a:1', 'b:2'], mastername: m, username: u, password: hunter2, sentinelusername: u, sentinelpassword: \
         hunter2, db: 0, maxidleconns: 16, poolsize: 64, connmaxidletime: 300s, minretrybackoff: 8ms, routerandomly: \
         true, tls: {certificate: /c, key: /k, rootcas: [/a], clientcas: [/b]}",
        "addr: 'a:26379,b:26379', sentinelMasterSet: harbor",
    ] {
        let told = warnings(&format!("storage: inmemory\nredis: {{{keys}}}"));
        assert_eq!(told, [format!("3:1: redis: {reason}")], "{keys}");
    }
}

#[test]
fn middleware() {
    assert_eq!(
        warnings(
            "storage: inmemory
middleware:
  registry: [{name: mine, options: {a: [b]}}]
  repository: [{name: off, disabled: true}]
  storage:
  - {name: cloudfront, options: {baseurl: https://c.example, privatekey: /k, keypairid: k}}
  - name: redirect"
        ),
        [
            "4:15: middleware.registry[0].name: no effect: Apus has no middleware",
            "7:6: middleware.storage[0].name: no effect: Apus has no S3 driver, and Cloudfront is in front of nothing \
             else",
            "8:5: middleware.storage[1].name: no effect: clients are sent to Swift by temporary URLs; \
             storage.swift.tempurlhost names another host for them",
        ]
    );
}

#[test]
fn reporting() {
    assert_eq!(
        warnings(
            "storage: inmemory
reporting: {bugsnag: {apikey: hunter2, releasestage: s, endpoint: e}, newrelic: {licensekey: hunter2, name: n, verbose: true}}"
        ),
        ["3:1: reporting: no effect: Apus reports nothing to Bugsnag or New Relic; its log has it"]
    );
}

#[test]
fn schema_1_and_classes() {
    assert_eq!(
        warnings(
            "storage: inmemory
compatibility: {schema1: {enabled: true, signingkeyfile: /k}}
policy: {repository: {classes: [image]}}"
        ),
        [
            "3:27: compatibility.schema1.enabled: no effect: manifests of schema 1 are not taken, and none are made out \
             of others; those that are stored are served as they are",
            "4:23: policy.repository.classes: no effect: Apus does not tell images from plugins: who may push may push \
             either",
        ]
    );
    assert!(
        warnings("storage: inmemory\ncompatibility: {schema1: {enabled: false, signingkeyfile: /k}}")
            .is_empty()
    );
}

#[test]
fn keys_of_storage() {
    let storage = |keys: &str| warnings(&format!("storage: {{inmemory: , {keys}}}"));
    assert!(storage("cache: {blobdescriptor: inmemory}").is_empty(), "this is what Apus does");
    assert!(storage("cache: {layerinfo: inmemory}").is_empty());
    assert_eq!(
        storage("cache: {blobdescriptor: redis, blobdescriptorsize: 10000}"),
        [
            "2:31: storage.cache.blobdescriptor: no effect: Apus needs no Redis; each replica remembers what can never \
             change",
            "2:54: storage.cache.blobdescriptorsize: no effect: Apus bounds its memory by itself",
        ]
    );
    assert_eq!(
        storage("cache: {layerinfo: memcached}"),
        [
            "2:31: storage.cache.layerinfo: no such cache; expected inmemory or redis, and both are the same to Apus"
        ]
    );
    assert_eq!(
        storage("tag: {concurrencylimit: 8}"),
        [
            "2:29: storage.tag.concurrencylimit: no effect: how many tags are looked up at once is not to be chosen"
        ]
    );
    assert_eq!(
        warnings("storage: {filesystem: {maxthreads: 100}}"),
        ["2:24: storage.filesystem.maxthreads: no effect: Apus bounds its work on files by itself"]
    );
}

#[test]
fn what_is_wrong() {
    for (lines, told) in [
        ("redis: {db: zero}", "3:13: redis.db: found \"zero\", expected a whole number"),
        ("redis: {Password: [hunter2]}", "3:19: redis.password: found a list, expected a single text"),
        ("redis: {addrs: 'a:1'}", "3:16: redis.addrs: found \"a:1\", expected a list of texts"),
        (
            "redis: {pool: {idletimeout: long}}",
            "3:29: redis.pool.idletimeout: found \"long\", expected a duration, such as 30s or 1m30s",
        ),
        ("middleware: [redirect]", "3:13: middleware: found a list, expected a mapping of keys to values"),
        (
            "middleware: {storage: {name: redirect}}",
            "3:23: middleware.storage: found a mapping, expected a list of middleware",
        ),
        (
            "middleware: {storage: [{}]}",
            "3:24: middleware.storage[0].name: missing, expected the name of a middleware",
        ),
        (
            "reporting: {bugsnag: hunter2}",
            "3:22: reporting.bugsnag: found \"hunter2\", expected a mapping of keys to values",
        ),
        (
            "reporting: {newrelic: {verbose: 2}}",
            "3:33: reporting.newrelic.verbose: found \"2\", expected true or false, without quotes",
        ),
        (
            "compatibility: {schema1: {enabled: maybe}}",
            "3:36: compatibility.schema1.enabled: found \"maybe\", expected true or false, without quotes",
        ),
        (
            "policy: {repository: {classes: image}}",
            "3:32: policy.repository.classes: found \"image\", expected a list of texts",
        ),
    ] {
        assert_eq!(error(&format!("storage: inmemory\n{lines}")), format!("config.yml:{told}"), "{lines}");
    }
    assert_eq!(
        error("storage: {inmemory: , cache: {blobdescriptorsize: big}}"),
        "config.yml:2:51: storage.cache.blobdescriptorsize: found \"big\", expected a whole number"
    );
    assert_eq!(
        error("storage: {filesystem: {maxthreads: many}}"),
        "config.yml:2:36: storage.filesystem.maxthreads: found \"many\", expected a whole number"
    );
    assert_eq!(
        warnings("storage: inmemory\nmiddleware: {storages: [{name: redirect}]}"),
        ["3:14: middleware.storages: unknown key, ignored; did you mean \"storage\"?"]
    );
}
