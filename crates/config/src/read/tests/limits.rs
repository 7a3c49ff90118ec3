//! `limits`

use std::num::NonZeroU32;

use super::parse;
use crate::LimitsConfig;

fn read(keys: &str) -> (LimitsConfig, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nlimits: {{{keys}}}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.limits, loaded.warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn there_are_none_unless_they_are_written() {
    let some = |number| NonZeroU32::new(number);
    assert_eq!(read(""), (LimitsConfig::default(), vec![]));
    assert_eq!(
        read("client: {requestspersecond: 0, uploads: -1}, uploads: 0"),
        (LimitsConfig::default(), vec![])
    );
    let all = LimitsConfig {
        client_requests: some(50),
        client_burst: some(200),
        client_uploads: some(8),
        uploads: some(100),
    };
    assert_eq!(read("client: {requestspersecond: 50, burst: 200, uploads: 8}, uploads: 100"), (all, vec![]));
}

#[test]
fn what_is_wrong() {
    let (_, told) = read("client: {burst: 5}");
    assert_eq!(
        told,
        ["config.yml:3:19: limits.client.burst: without effect, for there is no requestspersecond"]
    );
    let text = "version: 0.1\nstorage: inmemory\nlimits: {client: {uploads: many}}\n";
    assert_eq!(
        parse(text).expect_err(text).to_string(),
        "config.yml:3:28: limits.client.uploads: found \"many\", expected a whole number"
    );
}
