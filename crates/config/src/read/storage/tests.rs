use std::time::Duration;

use crate::{Config, ConfigError, RedirectConfig};

/// What a file with this `redirect` says, and what it is warned about.
fn redirect(value: &str) -> Result<(RedirectConfig, Vec<String>), ConfigError> {
    let loaded =
        Config::parse(&format!("version: 0.1\nstorage:\n  inmemory:\n  redirect: {value}\n"), "c.yml")?;
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    Ok((loaded.config.storage.redirect, warnings))
}

#[test]
fn clients_are_redirected_unless_that_is_disabled() {
    let minutes = Duration::from_mins;
    for (value, enabled, lifetime) in [
        ("", true, minutes(20)),
        ("{}", true, minutes(20)),
        ("{disable: }", true, minutes(20)),
        ("{disable: no}", true, minutes(20)),
        ("{disable: true}", false, minutes(20)),
        ("{disable: on, lifetime: 5m}", false, minutes(5)),
        ("{lifetime: 24h}", true, minutes(24 * 60)),
    ] {
        let (redirect, warnings) = redirect(value).unwrap();
        assert_eq!(redirect, RedirectConfig { enabled, lifetime }, "{value}");
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn what_is_no_redirect_is_told() {
    for (value, message) in [
        ("{disable: 'true'}", "disable: found \"true\", expected true or false, without quotes"),
        ("{disable: 1}", "disable: found \"1\", expected true or false, without quotes"),
        ("{lifetime: 299s}", "lifetime: found \"299s\", expected a time from 5m to 24h, such as 20m"),
        ("{lifetime: 25h}", "lifetime: found \"25h\", expected a time from 5m to 24h, such as 20m"),
        ("{lifetime: 1200}", "lifetime: found \"1200\", expected a time from 5m to 24h, such as 20m"),
    ] {
        let error = redirect(value).unwrap_err().to_string();
        assert!(error.ends_with(&format!(" storage.redirect.{message}")), "{error}");
    }
    let (_, warnings) = redirect("{disabled: true}").unwrap();
    assert_eq!(
        warnings,
        ["c.yml:4:14: storage.redirect.disabled: unknown key, ignored; did you mean \"disable\"?"]
    );
}
