use apus_storage::ObjectName;

use super::{ImagePart, RepositoryPart, image, read_repository, repository, repository_folder};
use crate::{ImageId, Repository};

#[test]
fn repositories_lie_where_the_original_put_them() {
    let folders = [
        ("base", "repositories/library/base"),
        ("acme/webapp", "repositories/acme/webapp"),
        ("a/b/c", "repositories/a/b%252Fc"),
        ("foo/x%$_-test", "repositories/foo/x%2525%2524_-test"),
        ("f o/bar", "repositories/f+o/bar"),
        ("../x", "repositories/%252E%252E/x"),
        ("Acme/Web", "repositories/Acme/Web"),
    ];
    for (name, folder) in folders {
        let named = Repository::parse(name).unwrap();
        assert_eq!(repository_folder(&named).unwrap().as_str(), folder, "{name}");
        let tag = RepositoryPart::Tag("1.0".to_owned());
        let object = repository(&named, &tag).unwrap();
        assert_eq!(object.as_str(), format!("{folder}/tag_1.0"));
        assert_eq!(read_repository(&object), Some((named, tag)), "{object}");
    }
}

#[test]
fn parts_of_repositories() {
    let named = Repository::parse("acme/webapp").unwrap();
    let parts = [
        (RepositoryPart::Tag("a b".to_owned()), "tag_a+b"),
        (RepositoryPart::TagJson("1.0".to_owned()), "tag1.0_json"),
        (RepositoryPart::Json, "json"),
        (RepositoryPart::IndexImages, "_index_images"),
        (RepositoryPart::ImagesList, "_images_list"),
        (RepositoryPart::Private, "_private"),
    ];
    for (part, name) in parts {
        let object = repository(&named, &part).unwrap();
        assert_eq!(object.as_str(), format!("repositories/acme/webapp/{name}"));
        assert_eq!(read_repository(&object), Some((named.clone(), part)));
    }
}

#[test]
fn the_names_of_two_tags_can_meet() {
    let named = Repository::parse("acme/webapp").unwrap();
    let object = repository(&named, &RepositoryPart::TagJson("_x".to_owned())).unwrap();
    assert_eq!(read_repository(&object), Some((named, RepositoryPart::Tag("x_json".to_owned()))));
}

#[test]
fn parts_of_images() {
    let id = ImageId::parse("0123456789abcdef").unwrap();
    let names = ImagePart::ALL.map(|part| image(&id, part).unwrap().as_str().to_owned());
    let expected = ["json", "layer", "ancestry", "_checksum", "_inprogress", "_files", "_diff"];
    assert_eq!(names, expected.map(|name| format!("images/0123456789abcdef/{name}")));
}

#[test]
fn what_the_original_did_not_write() {
    for name in [
        "images/a/b/json",
        "repositories/a/b",
        "repositories/a/b/c/d",
        "repositories/a/b/notes",
        "repositories/a/%/json",
    ] {
        assert_eq!(read_repository(&ObjectName::parse(name).unwrap()), None, "{name}");
    }
}
