//! `access`

use super::parse;
use crate::{AccessConfig, AccessPermission, AccessRule, AccessSubject, ProtectedTags};

const HTPASSWD: &str = "htpasswd: {realm: r, path: /p}";
const TOKEN: &str = "token: {realm: 'https://t', service: s, issuer: i, jwks: /k}";

fn file(auth: &str, access: &str) -> String {
    format!("version: 0.1\nstorage: inmemory\nauth: {{{auth}}}\naccess: {access}\n")
}

fn access(auth: &str, value: &str) -> Option<AccessConfig> {
    let text = file(auth, value);
    parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).config.access
}

fn error(value: &str) -> String {
    parse(&file(HTPASSWD, value)).expect_err(value).to_string()
}

#[test]
fn all_of_it() {
    let read = access(
        HTPASSWD,
        "{groups: {dev: [alice, 007]}, rules: [{who: [anonymous, SignedIn, everyone, 'user:a:b', 'group:dev'], \
         may: [pull, Push, overwrite, delete, catalog], repositories: ['a/**', b]}, {who: [everyone], may: [catalog]}], \
         protectedtags: [{repositories: ['**'], tags: ['v*']}]}",
    );
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let rule = AccessRule {
        who: vec![
            AccessSubject::Anonymous,
            AccessSubject::SignedIn,
            AccessSubject::Everyone,
            AccessSubject::User("a:b".into()),
            AccessSubject::Group("dev".into()),
        ],
        may: vec![
            AccessPermission::Pull,
            AccessPermission::Push,
            AccessPermission::Overwrite,
            AccessPermission::Delete,
            AccessPermission::Catalog,
        ],
        repositories: texts(&["a/**", "b"]),
    };
    let catalog = AccessRule {
        who: vec![AccessSubject::Everyone],
        may: vec![AccessPermission::Catalog],
        repositories: vec![],
    };
    let expected = AccessConfig {
        groups: vec![("dev".into(), texts(&["alice", "007"]))],
        rules: Some(vec![rule, catalog]),
        protected_tags: vec![ProtectedTags { repositories: texts(&["**"]), tags: texts(&["v*"]) }],
    };
    assert_eq!(read, Some(expected));
}

#[test]
fn what_says_nothing_and_what_allows_nothing() {
    for nothing in ["", "{}", "~"] {
        assert_eq!(access(HTPASSWD, nothing), None, "{nothing}");
    }
    let closed = AccessConfig { rules: Some(vec![]), ..AccessConfig::default() };
    assert_eq!(access(HTPASSWD, "{rules: []}"), Some(closed));
    assert_eq!(
        error("{rules: }"),
        "config.yml:4:15: access.rules: found \"~\", expected a list of rules; [] to allow nothing",
        "all rules taken out must not open everything"
    );
}

#[test]
fn only_tokens_name_groups_that_are_not_here() {
    let rules = "{rules: [{who: ['group:dev'], may: [pull], repositories: [a]}]}";
    assert!(access(TOKEN, rules).is_some());
    let error = error(rules);
    assert!(error.contains("access.rules[0].who[0]: found \"group:dev\", expected"), "{error}");
}

#[test]
fn nothing_is_guessed() {
    for (value, told) in [
        ("{rule: []}", "access.rule: unknown key; did you mean \"rules\"?"),
        (
            "{rules: [{whom: [everyone], who: [everyone], may: [catalog]}]}",
            "access.rules[0].whom: unknown key",
        ),
        (
            "{rules: [{may: [pull], repositories: [a]}]}",
            "access.rules[0].who: missing, expected a list of anonymous",
        ),
        ("{rules: [{who: [], may: [catalog]}]}", "access.rules[0].who: missing"),
        ("{rules: [{who: [alice], may: [catalog]}]}", "access.rules[0].who[0]: found \"alice\", expected"),
        ("{rules: [{who: ['user:'], may: [catalog]}]}", "access.rules[0].who[0]: found \"user:\", expected"),
        (
            "{rules: [{who: everyone, may: [catalog]}]}",
            "access.rules[0].who: found \"everyone\", expected a list",
        ),
        ("{rules: [{who: [everyone], repositories: [a]}]}", "access.rules[0].may: missing"),
        (
            "{rules: [{who: [everyone], may: [write], repositories: [a]}]}",
            "access.rules[0].may[0]: found \"write\"",
        ),
        (
            "{rules: [{who: [everyone], may: [pull]}]}",
            "access.rules[0].repositories: missing, expected a list of patterns",
        ),
        ("{protectedtags: [{tags: [a]}]}", "access.protectedtags[0].repositories: missing"),
        ("{protectedtags: [{repositories: [a]}]}", "access.protectedtags[0].tags: missing"),
        (
            "{protectedtags: [{repositories: [a], tags: [b], tag: c}]}",
            "access.protectedtags[0].tag: unknown key",
        ),
        ("[everyone]", "access: found a list, expected a mapping"),
    ] {
        let error = error(value);
        assert!(error.contains(&format!(": {told}")), "{value}\n{error}");
    }
}
