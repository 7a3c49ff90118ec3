use proptest::prelude::*;

use super::*;

#[test]
fn names_by_the_specification() {
    let longest = "a".repeat(255);
    for name in ["a", "library/base", "a.b_c__d-e---f/0/x", "foo/1bar", "a1/b2", &longest] {
        assert_eq!(RepositoryName::parse(name).unwrap().as_str(), name);
    }
    let too_long = "a".repeat(256);
    for name in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "a..b",
        "a___b",
        "a._b",
        "-a",
        "a-",
        "a/_uploads",
        "..",
        "a/../b",
        "a\\b",
        "a b",
        "a%2fb",
        "a\0",
        "ä",
        "a:b",
        &too_long,
    ] {
        assert!(matches!(RepositoryName::parse(name), Err(Error::NameInvalid { .. })), "{name:?}");
    }
}

#[test]
fn tags_by_the_specification() {
    let longest = "t".repeat(128);
    for tag in ["latest", "_", "1.0-rc.1", "A_b", "sha256-abc", &longest] {
        assert_eq!(Tag::parse(tag).unwrap().as_str(), tag);
    }
    let too_long = "t".repeat(129);
    for tag in ["", ".", "..", "-a", ".a", "a/b", "a b", "a%2e", "ä", "a\n", &too_long] {
        assert!(matches!(Tag::parse(tag), Err(Error::TagInvalid { .. })), "{tag:?}");
    }
}

#[test]
fn a_colon_makes_a_reference_a_digest() {
    assert!(matches!(Reference::parse("latest"), Ok(Reference::Tag(_))));
    assert!(matches!(Reference::parse("sha256:baddigeststring"), Err(Error::DigestInvalid { .. })));
    let digest = format!("sha256:{}", "0".repeat(64));
    assert_eq!(Reference::parse(&digest).unwrap().to_string(), digest);
}

proptest! {
    #[test]
    fn any_text_is_a_name_or_an_error_and_a_name_is_safe_in_a_path(text in "\\PC{0,300}|[a-z0-9._/-]{0,40}") {
        if let Ok(name) = RepositoryName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!(apus_storage::ObjectName::parse(text).is_ok());
        }
    }

    #[test]
    fn a_name_by_the_grammar_is_a_name(name in "[a-z0-9]{1,4}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,3}(/[a-z0-9]{1,4}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,3}){0,3}") {
        prop_assert_eq!(RepositoryName::parse(&name).unwrap().to_string(), name);
    }

    #[test]
    fn a_tag_by_the_grammar_is_a_tag(tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}") {
        prop_assert_eq!(Tag::parse(&tag).unwrap().to_string(), tag.clone());
        prop_assert_eq!(Reference::parse(&tag).unwrap().to_string(), tag);
    }

    #[test]
    fn any_bytes_are_a_reference_that_prints_itself_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(reference.to_string(), text.as_ref());
        }
        if let Ok(name) = RepositoryName::parse(&text) {
            prop_assert_eq!(name.to_string(), text.as_ref());
        }
    }

    #[test]
    fn an_error_shows_no_more_than_an_excerpt(text in "\\PC{300,2000}") {
        for error in [RepositoryName::parse(&text).unwrap_err(), Tag::parse(&text).unwrap_err()] {
            match error {
                Error::NameInvalid { name: shown } | Error::TagInvalid { tag: shown } => {
                    prop_assert_eq!(shown.chars().count(), 256);
                }
                other => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn any_text_is_a_tag_or_an_error_and_a_tag_is_one_component(text in "\\PC{0,150}|[A-Za-z0-9._-]{0,140}") {
        if let Ok(tag) = Tag::parse(&text) {
            prop_assert_eq!(tag.as_str(), &text);
            prop_assert_eq!(apus_storage::ObjectName::parse(text).unwrap().components().count(), 1);
        }
    }
}
