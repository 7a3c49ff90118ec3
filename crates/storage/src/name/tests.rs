use super::*;

#[test]
fn names_of_registries_are_taken_as_they_are() {
    for name in [
        "a",
        "0-9/abcdefg",
        "abc/1.2.3.4.5-6_zyx/123.z/4",
        ".abc",
        "a.-b",
        "_.abc",
        "Docker/docker-registry",
        "repositories/a/b%252Fc/tag_1.0",
        "ß/日本",
        "...",
    ] {
        assert_eq!(ObjectName::parse(name).unwrap().as_str(), name);
    }
}

#[test]
fn names_that_leave_the_root_or_cannot_be_stored_are_refused() {
    let long_component = "x".repeat(256);
    let long_name = vec!["x".repeat(200); 5].join("/");
    for name in [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        "a/..",
        ".",
        "./a",
        "a\0b",
        "a\nb",
        "a\\b",
        &long_component,
        &long_name,
    ] {
        let refused = ObjectName::parse(name).unwrap_err();
        assert!(refused.to_string().contains("cannot name an object"), "{name:?}: {refused}");
    }
}
