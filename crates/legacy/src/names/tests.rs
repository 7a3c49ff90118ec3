use super::{ImageId, Repository};

#[test]
fn identifiers() {
    let long = "0123456789abcdef".repeat(4);
    assert!(ImageId::parse(&long).is_some());
    assert!(ImageId::parse("0123456789abcdef").is_some());
    for text in ["", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdeg", &long[1..]] {
        assert_eq!(ImageId::parse(text), None, "{text}");
    }
}

#[test]
fn repositories_as_paths_name_them() {
    let named = [
        ("base", "library/base", "base"),
        ("base/", "library/base", "base"),
        ("library/base", "library/base", "base"),
        ("acme/webapp", "acme/webapp", "acme/webapp"),
        ("a/b/c//", "a/b/c", "a/b/c"),
        ("library/a/b", "library/a/b", "library/a/b"),
    ];
    for (path, whole, familiar) in named {
        let repository = Repository::parse(path).unwrap();
        assert_eq!(
            (repository.to_string().as_str(), repository.familiar().as_str()),
            (whole, familiar),
            "{path}"
        );
        assert_eq!(Repository::of_familiar(familiar), Some(repository), "{path}");
    }
    for name in ["library/base", "base/", "a/b/", ""] {
        assert_eq!(Repository::of_familiar(name), None, "{name}");
    }
    for path in ["", "/", "a/", "/a"] {
        let parsed = Repository::parse(path);
        assert_eq!(parsed.is_some(), path == "a/", "{path}");
    }
}
