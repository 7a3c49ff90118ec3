use apus_registry::{Digest, RepositoryName, Tag, layout};
use apus_storage::ObjectName;

use super::Shown;
use crate::Repository;

#[test]
fn what_the_layout_of_version_2_names_is_read_back() {
    let digest = Digest::parse(&format!("sha256:{}", "5e".repeat(32))).unwrap();
    for (name, repository) in [
        ("base", Repository::new("library", "base")),
        ("acme/webapp", Repository::new("acme", "webapp")),
        ("a/b/c", Repository::new("a", "b/c")),
    ] {
        let (name, repository) = (RepositoryName::parse(name).unwrap(), repository.unwrap());
        let tag = layout::tag_link(&name, &Tag::parse("1.0_json").unwrap()).unwrap();
        assert_eq!(Shown::parse(&tag), Some(Shown::Tag(repository.clone(), "1.0_json".to_owned())));
        let revision = layout::revision_link(&name, &digest).unwrap();
        assert_eq!(Shown::parse(&revision), Some(Shown::Manifest(repository.clone(), digest.clone())));
        let layer = layout::layer_link(&name, &digest).unwrap();
        assert_eq!(Shown::parse(&layer), Some(Shown::Blob(repository, digest.clone())));
    }
    assert_eq!(Shown::parse(&layout::blob_data(&digest).unwrap()), Some(Shown::Content(digest)));
}

#[test]
fn everything_else_is_nothing() {
    let hex = "5e".repeat(32);
    for name in [
        // One repository has one name.
        "docker/registry/v2/repositories/library/base/_manifests/tags/1.0/current/link".to_owned(),
        "docker/registry/v2/repositories/base/_manifests/tags/1.0/index".to_owned(),
        "docker/registry/v2/repositories/base/_manifests/tags/-x/current/link".to_owned(),
        "docker/registry/v2/repositories/base/_uploads/1/data".to_owned(),
        format!("docker/registry/v2/repositories/base/_referrers/1/sha256/{hex}/sha256/{hex}/link"),
        format!("docker/registry/v2/repositories/base/_layers/sha256/{hex}/data"),
        format!("docker/registry/v2/repositories/base/_layers/md5/{hex}/link"),
        format!("docker/registry/v2/blobs/sha256/5e/{hex}"),
        format!("images/{hex}/layer"),
        "apus/upload-secret".to_owned(),
    ] {
        assert_eq!(Shown::parse(&ObjectName::parse(&*name).unwrap()), None, "{name}");
    }
}
