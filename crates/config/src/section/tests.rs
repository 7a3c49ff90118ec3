use std::sync::Arc;

use super::Section;
use crate::yaml;

fn section(text: &str) -> Section {
    Section::root(yaml::load(text, &Arc::from("c.yml")).unwrap()).unwrap()
}

#[test]
fn booleans_are_those_of_yaml_1_1() {
    for word in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] {
        assert_eq!(section(&format!("k: {word}")).boolean("k").unwrap(), Some(true), "{word}");
    }
    for word in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
        assert_eq!(section(&format!("k: {word}")).boolean("k").unwrap(), Some(false), "{word}");
    }
    for nothing in ["", "~", "null", "''"] {
        assert_eq!(section(&format!("k: {nothing}")).boolean("k").unwrap(), None, "{nothing}");
    }
    for (other, found) in
        [("'true'", "\"true\""), ("1", "\"1\""), ("yEs", "\"yEs\""), ("[]", "a list"), ("{}", "a mapping")]
    {
        assert_eq!(
            section(&format!("k: {other}")).boolean("k").unwrap_err().to_string(),
            format!("c.yml:1:4: k: found {found}, expected true or false, without quotes"),
        );
    }
}

#[test]
fn texts_keep_the_form_they_were_written_in() {
    for text in
        ["007", "12345", "1e5", "0x1F", "1_000", "true", "no", "2024-01-01", "1.50", ".5", "a b", "p#w", "-"]
    {
        assert_eq!(section(&format!("k: '{text}'")).text("k").unwrap().as_deref(), Some(text));
        if text != "-" {
            assert_eq!(section(&format!("k: {text}")).text("k").unwrap().as_deref(), Some(text));
        }
    }
    assert_eq!(section("k: 'null'").text("k").unwrap().as_deref(), Some("null"));
    assert_eq!(section("k: null").text("k").unwrap(), None);
    assert_eq!(section("k: ''").text("k").unwrap(), None);
    assert_eq!(section("j: 1").text("k").unwrap(), None);
}

#[test]
fn an_error_shows_neither_credentials_nor_pages_of_text() {
    let shown = |value: &str| {
        section(&format!("k: {value}")).parse("k", "x", |_| None::<()>).unwrap_err().to_string()
    };
    assert_eq!(shown("https://me:hunter2@h/"), "c.yml:1:4: k: found \"<hidden>@h/\", expected x");
    assert_eq!(shown("me:hun@ter2@h"), "c.yml:1:4: k: found \"<hidden>@h\", expected x");
    assert_eq!(shown("\"a\\u001b[31m\""), "c.yml:1:4: k: found \"a\\u{1b}[31m\", expected x");
    assert_eq!(shown(&"é".repeat(61)), format!("c.yml:1:4: k: found \"{}\"..., expected x", "é".repeat(60)));
}

#[test]
fn what_nobody_asked_for_is_left_over() {
    let mut file = section("known: 1\nknwon: 2\n");
    assert_eq!(file.text("known").unwrap().as_deref(), Some("1"));
    let mut warnings = Vec::new();
    file.finish(&mut warnings);
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["c.yml:2:1: knwon: unknown key, ignored; did you mean \"known\"?"]);
}

#[test]
fn a_name_is_suggested_only_if_it_is_near() {
    let mut file = section("");
    for name in
        ["rootdirectory", "maxthreads", "username", "password", "authurl", "tenant", "region", "level"]
    {
        file.take(name);
    }
    for (word, name) in [
        ("rootdirecotry", "rootdirectory"),
        ("rootdir", "rootdirectory"),
        ("RootDirectory", "rootdirectory"),
        ("root_directory", "rootdirectory"),
        ("user", "username"),
        ("passwd", "password"),
        ("auth_url", "authurl"),
        ("tenantname", "tenant"),
        ("levle", "level"),
    ] {
        assert_eq!(file.suggestion(word), format!("; did you mean \"{name}\"?"), "{word}");
    }
    for word in ["", "x", "colour", "project", "cacert", "storage", "ü"] {
        assert_eq!(file.suggestion(word), "", "{word}");
    }
}

#[test]
fn without_regard_to_case_two_spellings_are_one_key() {
    let mut file = section("UserName: a\npassword: b\n").ignore_case().unwrap();
    assert_eq!(file.text("username").unwrap().as_deref(), Some("a"));
    let error = section("Password: a\nx: 1\npassword: b\n").ignore_case().err().unwrap();
    assert_eq!(error.to_string(), "c.yml:3:1: password: given twice, first at c.yml:1:1");
}
