use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

#[test]
fn a_star_stays_within_its_segment_and_two_do_not() {
    for (text, matching, other) in [
        ("a/b", &["a/b"][..], &["a", "a/b/c", "xa/b", "a/bc", "A/b", ""][..]),
        ("team/*", &["team/a", "team/a.b", "team/"], &["team", "team/a/b", "teams/a"]),
        ("team/**", &["team/a", "team/a/b/c"], &["team", "teamwork/a"]),
        ("team**", &["team", "teamwork/a", "team/a/b"], &["tea"]),
        ("**", &["a", "a/b/c"], &[]),
        ("*", &["a"], &["a/b"]),
        ("**/base", &["a/base", "a/b/base"], &["base", "a/base/c", "a/database2"]),
        ("*/ci-*", &["a/ci-", "a/ci-1"], &["ci-1", "a/b/ci-1", "a/ci-1/b"]),
        ("v*.*", &["v1.2", "v1.2.3", "v."], &["v1", "1.2"]),
    ] {
        for name in matching {
            assert!(pattern(text).matches(name), "{text} is {name}");
        }
        for name in other {
            assert!(!pattern(text).matches(name), "{text} is not {name}");
        }
    }
}

#[test]
fn what_is_meant_otherwise_is_refused() {
    for text in ["", "a b", "a?", "[ab]", "{a,b}", "^a$", "!a", "ä", "***", "a\n", &"a".repeat(256)] {
        assert!(text.parse::<Pattern>().is_err(), "{text}");
    }
}

/// What takes a matcher that goes back and tries again longer than the universe has.
#[test]
fn a18_a_cruel_pattern_is_decided_at_once() {
    let cruel = pattern(&"**a".repeat(85));
    assert!(!cruel.matches(&"a".repeat(84)));
    assert!(!cruel.matches(&format!("{}b", "a".repeat(254))));
    assert!(cruel.matches(&"a".repeat(255)));
}

/// The definition, told in the simplest way.
fn matches_by_definition(pattern: &str, name: &str) -> bool {
    let ends = || (0..=name.len()).filter(|end| name.is_char_boundary(*end));
    if let Some(rest) = pattern.strip_prefix("**") {
        return ends().any(|end| matches_by_definition(rest, &name[end..]));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        return ends().any(|end| !name[..end].contains('/') && matches_by_definition(rest, &name[end..]));
    }
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some(expected), Some(found)) => {
            expected == found && matches_by_definition(&pattern[1..], &name[found.len_utf8()..])
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn matching_is_as_defined(text in "([ab/]|\\*|\\*\\*[ab/]){1,6}", name in "[ab/]{0,8}") {
        if let Ok(pattern) = text.parse::<Pattern>() {
            prop_assert_eq!(pattern.matches(&name), matches_by_definition(&text, &name), "{} {}", text, name);
        }
    }

    #[test]
    fn a16_any_text_is_a_pattern_or_refused(text in "\\PC{0,40}", name in "\\PC{0,40}") {
        if let Ok(pattern) = text.parse::<Pattern>() {
            let _ = pattern.matches(&name);
            prop_assert_eq!(pattern.to_string(), text);
        }
    }
}
