//! `validation`

use super::parse;
use crate::{IndexPlatforms, Platform, UrlPattern, ValidationConfig};

/// What `validation` means, and the warnings.
fn read(lines: &str) -> (ValidationConfig, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nvalidation:\n{lines}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.validation, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn listed(platforms: &[(&str, &str)]) -> IndexPlatforms {
    let platform = |(os, architecture): &(&str, &str)| Platform {
        os: (*os).into(),
        architecture: (*architecture).into(),
    };
    IndexPlatforms::Listed(platforms.iter().map(platform).collect())
}

#[test]
fn on_unless_it_is_disabled() {
    for (lines, enabled, warnings) in [
        ("", true, &[][..]),
        ("  disabled: false", true, &[]),
        ("  disabled: true", false, &[]),
        ("  enabled: true", true, &[]),
        (
            "  enabled: false",
            true,
            &[
                "config.yml:4:3: validation.enabled: without effect, as in registry:2; what switches validation off is \
               disabled: true",
            ],
        ),
        ("  enabled: false\n  disabled: true", false, &[]),
        (
            "  enabled: true\n  disabled: true",
            true,
            &[
                "config.yml:5:3: validation.disabled: without effect, as in registry:2, for validation.enabled is true",
            ],
        ),
        (
            "  disable: true",
            true,
            &["config.yml:4:3: validation.disable: unknown key, ignored; did you mean \"disabled\"?"],
        ),
    ] {
        let (validation, told) = read(lines);
        assert_eq!(validation.enabled, enabled, "{lines}");
        assert_eq!(told, warnings, "{lines}");
        assert_eq!(validation.index_platforms, IndexPlatforms::All);
    }
}

#[test]
fn platforms_of_indexes() {
    let platforms = |keys: &str| read(&format!("  manifests: {{indexes: {{{keys}}}}}"));
    for (keys, expected) in [
        ("", IndexPlatforms::All),
        ("platforms: all", IndexPlatforms::All),
        ("platforms: None", IndexPlatforms::None),
        ("platforms: list", listed(&[])),
        (
            "platforms: list, platformlist: [{architecture: amd64, os: linux}, {os: windows, architecture: arm64}]",
            listed(&[("linux", "amd64"), ("windows", "arm64")]),
        ),
    ] {
        let (validation, told) = platforms(keys);
        assert_eq!((validation.index_platforms, told), (expected, vec![]), "{keys}");
    }
    let (validation, told) = platforms("platformlist: [{architecture: amd64, os: linux}]");
    assert_eq!(validation.index_platforms, IndexPlatforms::All);
    assert_eq!(
        told,
        [
            "config.yml:4:25: validation.manifests.indexes.platformlist: without effect unless platforms is list"
        ]
    );
    let (_, told) = platforms("platforms: list, platformlist: [{architecture: arm, os: linux, variant: v7}]");
    assert_eq!(
        told,
        ["config.yml:4:88: validation.manifests.indexes.platformlist[0].variant: unknown key, ignored"]
    );
}

#[test]
fn what_is_no_platform() {
    for (keys, expected) in [
        (
            "platforms: some",
            "4:36: validation.manifests.indexes.platforms: found \"some\", expected all, none or list",
        ),
        (
            "platformlist: linux/amd64",
            "4:39: validation.manifests.indexes.platformlist: found \"linux/amd64\", expected a list of platforms",
        ),
        (
            "platformlist: [linux/amd64]",
            "4:40: validation.manifests.indexes.platformlist[0]: found \"linux/amd64\", expected a mapping of keys to values",
        ),
        (
            "platformlist: [{os: linux}]",
            "4:40: validation.manifests.indexes.platformlist[0].architecture: missing, expected the name of an \
             architecture, such as amd64",
        ),
        (
            "platformlist: [{architecture: amd64}]",
            "4:40: validation.manifests.indexes.platformlist[0].os: missing, expected the name of an operating system, \
             such as linux",
        ),
    ] {
        let text =
            format!("version: 0.1\nstorage: inmemory\nvalidation:\n  manifests: {{indexes: {{{keys}}}}}\n");
        assert_eq!(parse(&text).expect_err(&text).to_string(), format!("config.yml:{expected}"));
    }
}

#[test]
fn lists_of_urls() {
    let urls = |keys: &str| {
        let (validation, told) = read(&format!("  manifests: {{urls: {{{keys}}}}}"));
        assert!(told.is_empty(), "{told:?}");
        let texts = |patterns: Vec<UrlPattern>| {
            patterns.iter().map(|pattern| pattern.0.as_str().to_owned()).collect::<Vec<_>>()
        };
        (validation.urls_allowed.map(texts), texts(validation.urls_denied))
    };
    assert_eq!(urls(""), (None, vec![]));
    assert_eq!(urls("allow: , deny: "), (None, vec![]));
    assert_eq!(urls("allow: [], deny: []"), (Some(vec![]), vec![]));
    let both = urls("allow: ['^https://', b], deny: [c]");
    assert_eq!(both, (Some(vec!["^https://".into(), "b".into()]), vec!["c".into()]));
    let text = "version: 0.1\nstorage: inmemory\nvalidation: {manifests: {urls: {allow: [a, 'b(']}}}\n";
    assert_eq!(
        parse(text).expect_err(text).to_string(),
        "config.yml:3:44: validation.manifests.urls.allow[1]: found \"b(\", expected a regular expression, such as \
         ^https://layers\\.example\\.org/"
    );
}

#[test]
fn lists_of_urls_are_lists() {
    let text = "version: 0.1\nstorage: inmemory\nvalidation: {manifests: {urls: {deny: ^http}}}\n";
    assert_eq!(
        parse(text).expect_err(text).to_string(),
        "config.yml:3:39: validation.manifests.urls.deny: found \"^http\", expected a list"
    );
}
