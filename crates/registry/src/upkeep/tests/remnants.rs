//! What uploads have left that came to nothing is storage's to find; here it is asked for, counted and told.

use std::sync::Mutex;

use apus_storage::{ErrorKind, Remnants, StorageError};

use super::*;

/// Collects garbage, and answers what was told of uploads: what they have left, and warnings.
async fn told(
    storage: &Arc<TestStorage>,
    options: &CollectOptions,
) -> (Result<CollectSummary, CollectError>, Vec<String>) {
    let told = Mutex::new(Vec::new());
    let report = |event: CollectEvent<'_>| match event {
        CollectEvent::Remnants(uploads, bytes) => {
            held(&told).push(format!("{uploads} uploads, {bytes} bytes"));
        }
        CollectEvent::Warning(text) => held(&told).push(text.to_owned()),
        _ => {}
    };
    let summary = storage.replica().collect_garbage_at(options, SystemTime::now(), &report).await;
    (summary, told.into_inner().unwrap())
}

fn asked(storage: &TestStorage) -> Vec<String> {
    let requests = storage.take_requests().into_iter();
    requests.filter(|(operation, _)| *operation == "free_remnants").map(|(_, what)| what).collect()
}

fn failure(stage: &str) -> StorageError {
    StorageError::new(ErrorKind::Denied, "free_remnants", stage)
}

#[tokio::test]
async fn it_is_counted_and_told_in_a_dry_run_too() {
    let storage = TestStorage::new();
    let min_age = Duration::from_mins(1);
    for dry_run in [true, false] {
        storage.set_remnants(Ok(Remnants { stages: 2, bytes: 300, ..Remnants::default() }));
        let (summary, told) = told(&storage, &CollectOptions { dry_run, min_age, ..options() }).await;
        let summary = summary.unwrap();
        assert_eq!((summary.remnants, summary.remnant_bytes), (2, 300));
        assert_eq!((summary.freed_bytes, summary.warnings, summary.failures), (0, 0, 0));
        assert_eq!(told, ["2 uploads, 300 bytes"]);
        assert_eq!(asked(&storage), [format!("60 s, dry run: {dry_run}")]);
    }
    let (summary, told) = told(&storage, &options()).await;
    assert_eq!((summary.unwrap().remnants, told.len()), (0, 0));
}

#[tokio::test]
async fn a_doubt_is_a_warning_and_what_was_not_freed_a_failure() {
    let storage = TestStorage::new();
    let failures = vec![failure("upload-a"), failure("upload-b")];
    let doubt = Some("records have been lost".to_owned());
    storage.set_remnants(Ok(Remnants { stages: 1, bytes: 5, doubt, failures }));
    let (summary, texts) = told(&storage, &options()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.remnants, summary.warnings, summary.failures), (1, 3, 2));
    assert_eq!(texts[0], "records have been lost");
    assert!(texts[1].contains("upload-a") && texts[2].contains("upload-b"), "{texts:?}");

    storage.set_remnants(Err(failure("the uploads")));
    let (summary, texts) = told(&storage, &options()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.remnants, summary.failures), (0, 1));
    assert!(texts[0].contains("the uploads"), "{texts:?}");
}

#[tokio::test]
async fn where_nothing_is_deleted_for_a_doubt_it_is_not_asked_for() {
    let storage = TestStorage::new();
    revision(&storage, "a", "no JSON").await;
    let (summary, _) = told(&storage, &options()).await;
    assert!(matches!(summary.unwrap_err(), CollectError::InDoubt { .. }));
    assert!(asked(&storage).is_empty());
}
