use super::*;
use crate::body::{collect, once};
use crate::filesystem::FilesystemStorage;
use crate::filesystem::tests::{files, get, name, put, store};
use crate::{ObjectName, Storage};

fn id() -> StageId {
    StageId::parse("stage-1").unwrap()
}

async fn append(
    storage: &FilesystemStorage,
    position: StagePosition<'_>,
    content: &'static [u8],
) -> Result<StageState> {
    let checkpoint = Box::new(|| Bytes::from_static(b"checkpoint"));
    storage.stage_append(&id(), position, once(Bytes::from_static(content)), checkpoint).await
}

async fn content(storage: &FilesystemStorage, state: &StageState) -> Bytes {
    let stream = storage.stage_read(&id(), &state.revision).await.unwrap();
    collect(stream, usize::MAX).await.unwrap()
}

fn assert_moved<T>(result: Result<T>) {
    assert_eq!(result.map(|_| ()).unwrap_err().kind(), ErrorKind::StageMoved);
}

/// A stage that was published by a process which died before it could take the stage away.
async fn half_published() -> (tempfile::TempDir, FilesystemStorage, StageState, ObjectName) {
    let (root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"content").await.unwrap();
    fs::hard_link(storage.paths.stage_data(&id()), root.path().join("object")).unwrap();
    (root, storage, state, name("object"))
}

#[tokio::test]
async fn the_format_of_the_record_is_fixed() {
    let (root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"12345").await.unwrap();
    let stages = root.path().join(".apus/stages");
    assert_eq!(files(&stages), ["stage-1.data", "stage-1.json"]);
    assert_eq!(fs::read(stages.join("stage-1.data")).unwrap(), b"12345");
    let record = fs::read_to_string(stages.join("stage-1.json")).unwrap();
    let revision = state.revision.as_str();
    assert_eq!(
        record,
        format!(r#"{{"version":1,"revision":"{revision}","offset":5,"checkpoint":"Y2hlY2twb2ludA=="}}"#)
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_neither_taken_nor_ignored() {
    let (_root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"12345").await.unwrap();
    let record = storage.paths.stage_record(&id());
    for (text, kind) in [
        (r#"{"version":2,"parts":[]}"#, ErrorKind::UnknownVersion),
        (r#"{"version":1,"revision":"r"}"#, ErrorKind::Damaged),
        (r#"{"version":1,"revision":"r","offset":5,"checkpoint":"%"}"#, ErrorKind::Damaged),
        ("", ErrorKind::Damaged),
    ] {
        fs::write(&record, text).unwrap();
        let errors = [
            storage.stage_state(&id(), None).await.map(drop),
            append(&storage, StagePosition::At(&state.revision), b"x").await.map(drop),
            append(&storage, StagePosition::Start, b"x").await.map(drop),
            storage.stage_read(&id(), &state.revision).await.map(drop),
            storage.stage_publish(&id(), &state.revision, &name("o"), WriteMode::Replace).await.map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), kind, "{text}: {error:?}");
            assert!(error.advice().is_some(), "{error}");
        }
        assert_eq!(fs::read_to_string(&record).unwrap(), text, "left alone");
    }
    assert_eq!(storage.stage_drop(&id()).await.unwrap(), Outcome::Done);
    assert_eq!(storage.stage_state(&id(), None).await.unwrap(), None);
}

#[tokio::test]
async fn bytes_behind_the_offset_do_not_count() {
    let (_root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"one ").await.unwrap();
    let data = storage.paths.stage_data(&id());
    fs::write(&data, "one and what a dead process wrote").unwrap();
    assert_eq!(storage.stage_state(&id(), None).await.unwrap().as_ref(), Some(&state));
    assert_eq!(content(&storage, &state).await, "one ");
    let state = append(&storage, StagePosition::At(&state.revision), b"two").await.unwrap();
    assert_eq!(fs::read(&data).unwrap(), b"one two");

    fs::write(&data, "one two and what a dead process wrote").unwrap();
    storage.stage_publish(&id(), &state.revision, &name("object"), WriteMode::IfAbsent).await.unwrap();
    assert_eq!(get(&storage, "object").await.unwrap(), "one two");
}

#[tokio::test]
async fn bytes_that_are_lost_are_damage() {
    let (_root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"content").await.unwrap();
    fs::write(storage.paths.stage_data(&id()), "cont").unwrap();
    let publish = storage.stage_publish(&id(), &state.revision, &name("o"), WriteMode::Replace).await;
    for result in [
        storage.stage_state(&id(), None).await.map(drop),
        storage.stage_read(&id(), &state.revision).await.map(drop),
        append(&storage, StagePosition::At(&state.revision), b"x").await.map(drop),
        publish.map(drop),
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Damaged);
    }
    assert_eq!(get(&storage, "o").await, None);
}

#[tokio::test]
async fn half_a_stage_is_none_and_is_found_by_a_listing() {
    let (_root, storage) = store();
    append(&storage, StagePosition::Start, b"content").await.unwrap();
    fs::remove_file(storage.paths.stage_data(&id())).unwrap();
    assert_eq!(storage.stage_state(&id(), None).await.unwrap(), None);
    assert_moved(append(&storage, StagePosition::Start, b"x").await);
    assert_eq!(storage.stage_list(None, 10).await.unwrap().len(), 1);
    assert_eq!(storage.stage_drop(&id()).await.unwrap(), Outcome::Done);
    assert_eq!(storage.stage_list(None, 10).await.unwrap(), []);

    fs::write(storage.paths.stage_data(&id()), "of a first append that died").unwrap();
    assert_eq!(storage.stage_state(&id(), None).await.unwrap(), None);
    assert_eq!(storage.stage_list(None, 10).await.unwrap().len(), 1);
    let state = append(&storage, StagePosition::Start, b"new").await.unwrap();
    assert_eq!(content(&storage, &state).await, "new");
}

#[tokio::test]
async fn a_publish_that_died_is_finished_by_the_next() {
    for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
        let (root, storage, state, object) = half_published().await;
        let published = storage.stage_publish(&id(), &state.revision, &object, mode).await.unwrap();
        assert!(matches!(published, Publication::Published(_)), "{published:?}");
        assert_eq!(get(&storage, "object").await.unwrap(), "content");
        assert_eq!(files(&root.path().join(".apus/stages")), [""; 0]);
        assert_eq!(files(&root.path().join(".apus/tmp")), [""; 0]);
    }
}

#[tokio::test]
async fn nothing_changes_what_a_publish_that_died_has_published() {
    let (_root, storage, state, _) = half_published().await;
    assert_moved(append(&storage, StagePosition::At(&state.revision), b" and more").await);
    assert_eq!(get(&storage, "object").await.unwrap(), "content");
    fs::remove_file(storage.paths.stage_record(&id())).unwrap();
    assert_moved(append(&storage, StagePosition::Start, b"another").await);
    assert_eq!(get(&storage, "object").await.unwrap(), "content");
    assert_eq!(storage.stage_drop(&id()).await.unwrap(), Outcome::Done);
    assert_eq!(get(&storage, "object").await.unwrap(), "content");
}

#[tokio::test]
async fn a_replacement_that_died_before_it_took_place_is_taken_back() {
    let (root, storage) = store();
    put(&storage, "object", b"old").await;
    let state = append(&storage, StagePosition::Start, b"content").await.unwrap();
    let died = || fs::hard_link(storage.paths.stage_data(&id()), storage.paths.stage_link(&id())).unwrap();
    died();
    let state = append(&storage, StagePosition::At(&state.revision), b" and more").await.unwrap();
    died();
    storage.stage_publish(&id(), &state.revision, &name("object"), WriteMode::Replace).await.unwrap();
    assert_eq!(get(&storage, "object").await.unwrap(), "content and more");

    append(&storage, StagePosition::Start, b"another").await.unwrap();
    died();
    storage.stage_drop(&id()).await.unwrap();
    assert_eq!(files(&root.path().join(".apus/stages")), [""; 0]);
}

#[tokio::test]
async fn a_stage_published_by_half_can_go_elsewhere() {
    let (_root, storage, state, _) = half_published().await;
    let elsewhere = name("elsewhere");
    put(&storage, "elsewhere", b"old").await;
    let existing =
        storage.stage_publish(&id(), &state.revision, &elsewhere, WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(existing, Publication::Existing(_)));
    storage.stage_publish(&id(), &state.revision, &elsewhere, WriteMode::Replace).await.unwrap();
    for object in ["object", "elsewhere"] {
        assert_eq!(get(&storage, object).await.unwrap(), "content");
    }
}

#[tokio::test]
async fn another_process_at_work_is_not_disturbed() {
    let (_root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"content").await.unwrap();
    let other = File::open(storage.paths.stage_data(&id())).unwrap();
    other.lock().unwrap();
    assert_moved(append(&storage, StagePosition::At(&state.revision), b"x").await);
    assert_moved(storage.stage_publish(&id(), &state.revision, &name("o"), WriteMode::Replace).await);
    assert_eq!(content(&storage, &state).await, "content");
    assert_eq!(get(&storage, "o").await, None);
    drop(other);
    append(&storage, StagePosition::At(&state.revision), b"x").await.unwrap();
}

#[tokio::test]
async fn a_stage_dropped_while_it_is_appended_to_stays_away() {
    let (root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"content").await.unwrap();
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let (go, gone) = tokio::sync::oneshot::channel();
    let stream = futures_util::stream::once(async {
        begun.send(()).unwrap();
        gone.await.unwrap();
        Ok(Bytes::from_static(b"more"))
    });
    let appender = storage.clone();
    let appending = tokio::spawn(async move {
        let position = StagePosition::At(&state.revision);
        appender.stage_append(&id(), position, Box::pin(stream), Box::new(Bytes::new)).await
    });
    beginning.await.unwrap();
    storage.stage_drop(&id()).await.unwrap();
    go.send(()).unwrap();
    assert_moved(appending.await.unwrap());
    assert_eq!(files(&root.path().join(".apus/stages")), [""; 0]);
}

#[tokio::test]
async fn a_checkpoint_that_is_too_long_changes_nothing() {
    let (_root, storage) = store();
    let state = append(&storage, StagePosition::Start, b"content").await.unwrap();
    let long = Box::new(|| Bytes::from(vec![0; StageState::MAX_CHECKPOINT_BYTES + 1]));
    let position = StagePosition::At(&state.revision);
    let refused = storage.stage_append(&id(), position, once(Bytes::from_static(b"x")), long).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(storage.stage_state(&id(), None).await.unwrap(), Some(state));
}

#[tokio::test]
async fn other_files_among_the_stages_are_no_stages() {
    let (root, storage) = store();
    for file in ["x.tmp", "no extension", ".data", "a.b.data", "\u{e9}.json"] {
        fs::write(root.path().join(".apus/stages").join(file), "").unwrap();
    }
    assert_eq!(storage.stage_list(None, 10).await.unwrap(), []);
}
