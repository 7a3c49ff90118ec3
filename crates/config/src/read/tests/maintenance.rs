//! `storage.maintenance`

use std::time::Duration;

use super::parse;
use crate::{StorageConfig, UploadPurging};

fn maintenance(keys: &str) -> StorageConfig {
    let text = format!("version: 0.1\nstorage: {{inmemory: , maintenance: {{{keys}}}}}\n");
    parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).config.storage
}

fn error(keys: &str) -> String {
    let text = format!("version: 0.1\nstorage: {{inmemory: , maintenance: {{{keys}}}}}\n");
    parse(&text).expect_err(keys).to_string()
}

#[test]
fn read_only() {
    for (keys, read_only) in [
        ("", false),
        ("readonly: ", false),
        ("readonly: {enabled: false}", false),
        ("readonly: {enabled: yes}", true),
    ] {
        assert_eq!(maintenance(keys).read_only, read_only, "{keys}");
    }
}

#[test]
fn upload_purging() {
    let purging = |keys: &str| maintenance(&format!("uploadpurging: {{{keys}}}")).upload_purging;
    assert_eq!(purging(""), Some(UploadPurging::default()));
    assert_eq!(purging("enabled: false, age: 1h"), None);
    let hours = Duration::from_hours;
    assert_eq!(
        purging("age: 48h, interval: 12h, dryrun: true"),
        Some(UploadPurging { age: hours(48), interval: hours(12), dry_run: true })
    );
    assert_eq!(
        purging("enabled: true, dryrun: on"),
        Some(UploadPurging { age: hours(168), interval: hours(24), dry_run: true })
    );
}

#[test]
fn what_is_wrong() {
    for (keys, told) in [
        (
            "readonly: true",
            "47: storage.maintenance.readonly: found \"true\", expected a mapping of keys to values",
        ),
        (
            "readonly: {enabled: 'true'}",
            "57: storage.maintenance.readonly.enabled: found \"true\", expected true or false, without quotes",
        ),
        (
            "uploadpurging: {age: 1 week}",
            "58: storage.maintenance.uploadpurging.age: found \"1 week\", expected a duration, such as 30s or 1m30s",
        ),
        (
            "uploadpurging: {dryrun: 0}",
            "61: storage.maintenance.uploadpurging.dryrun: found \"0\", expected true or false, without quotes",
        ),
    ] {
        assert_eq!(error(keys), format!("config.yml:2:{told}"), "{keys}");
    }
}
