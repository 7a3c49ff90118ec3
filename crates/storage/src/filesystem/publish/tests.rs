use super::*;

fn no_hard_links(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[test]
fn without_hard_links_the_file_itself_is_renamed() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::new(root.path().to_owned());
    let (source, target) = (root.path().join("source"), root.path().join("a/b/target"));
    fs::write(&source, "new").unwrap();
    assert_eq!(link_if_absent_by(&paths, &source, &target, no_hard_links).unwrap(), None);
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert!(!source.exists());

    fs::write(&source, "another").unwrap();
    let existing = link_if_absent_by(&paths, &source, &target, no_hard_links).unwrap().unwrap();
    assert_eq!(existing.size, 3);
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert!(source.exists());
}

#[test]
fn an_object_that_goes_at_the_last_moment_is_no_obstacle() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::new(root.path().to_owned());
    let (source, target) = (root.path().join("source"), root.path().join("target"));
    fs::write(&source, "new").unwrap();
    fs::write(&target, "old").unwrap();
    let there_until_looked_at = |source: &Path, target: &Path| {
        let linked = fs::hard_link(source, target);
        if linked.is_err() {
            fs::remove_file(target).unwrap();
        }
        linked
    };
    assert_eq!(link_if_absent_by(&paths, &source, &target, there_until_looked_at).unwrap(), None);
    assert_eq!(fs::read(&target).unwrap(), b"new");
}

#[test]
fn a_directory_that_vanishes_is_made_again_but_not_for_ever() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::new(root.path().to_owned());
    let target = root.path().join("a/b/target");
    let vanished = std::cell::Cell::new(0);
    let act = |times| {
        let (vanished, target) = (&vanished, &target);
        move || {
            if vanished.get() < times {
                vanished.set(vanished.get() + 1);
                let _ = fs::remove_dir_all(target.ancestors().nth(2).unwrap());
            }
            fs::write(target, "content")
        }
    };
    place(&paths, &target, act(10)).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"content");

    vanished.set(0);
    let error = place(&paths, &target, act(usize::MAX)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(vanished.get(), ATTEMPTS + 1);
}
