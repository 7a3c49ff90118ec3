use super::*;

fn number(content: &[u8]) -> Result<Parsed<u32>, String> {
    let text = str::from_utf8(content).map_err(|error| error.to_string())?;
    let value = text.trim().parse().map_err(|_| "it holds no number".to_owned())?;
    Ok(Parsed { value, complaints: vec![] })
}

#[tokio::test]
async fn a_change_is_seen_in_place_and_by_another_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "1").unwrap();
    let watched = Watched::open(&path, 16, number).unwrap().impatient();
    let first = watched.get().await.unwrap();
    assert_eq!(first.value, 1);
    assert!(Arc::ptr_eq(&first, &watched.get().await.unwrap()), "what has not changed is not read again");

    std::fs::write(&path, "22").unwrap();
    assert_eq!(watched.get().await.unwrap().value, 22);

    let other = directory.path().join("other");
    std::fs::write(&other, "33").unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert_eq!(watched.get().await.unwrap().value, 33);
}

#[tokio::test]
async fn a_file_that_is_gone_broken_or_too_large_closes_the_door_until_it_is_mended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "1").unwrap();
    let watched = Watched::open(&path, 16, number).unwrap().impatient();
    for broken in [None, Some("word"), Some("00000000000000001")] {
        match broken {
            Some(content) => std::fs::write(&path, content).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        assert!(watched.get().await.is_err(), "{broken:?}");
        assert!(watched.get().await.is_err(), "{broken:?} again");
        std::fs::write(&path, "7").unwrap();
        assert_eq!(watched.get().await.unwrap().value, 7);
    }
}

#[tokio::test]
async fn a_file_that_was_never_there_is_told_at_once() {
    let error = Watched::open(Path::new("/nonexistent/users"), 16, number).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/users cannot be used: "), "{error}");
}

#[tokio::test]
async fn a_patient_one_does_not_look_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "1").unwrap();
    let mut watched = Watched::open(&path, 16, number).unwrap();
    watched.look_after = Duration::from_hours(1);
    std::fs::write(&path, "22").unwrap();
    assert_eq!(watched.get().await.unwrap().value, 1);
}
