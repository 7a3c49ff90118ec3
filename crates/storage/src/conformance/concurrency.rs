//! Many at once: writers of one name, writers of many, readers of one object, and readers of what goes away.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use super::content::{BigContent, in_pieces, measure, random_below, random_bytes};
use super::testbed::{Case, drain};
use crate::{
    Body, ByteRange, Freshness, ListRequest, ObjectName, Outcome, Publication, StagePosition, WriteMode,
};

/// Eight writers of one name: one content is there, whole, and its writer was told so.
pub async fn eight_writers_of_one_name(case: &Case) {
    for mode in [WriteMode::Replace, WriteMode::IfAbsent] {
        for _ in 0..4 {
            let name = case.new_name();
            let mut writers = JoinSet::new();
            for _ in 0..8 {
                let (storage, name) = (Arc::clone(case.storage()), name.clone());
                writers.spawn(async move {
                    let content = random_bytes(100_000);
                    let body = Body::stream(100_000, in_pieces(&content, 10_000));
                    (content, storage.write(&name, body, mode).await.unwrap())
                });
            }
            let answers = writers.join_all().await;
            let found = case.get(&name).await.unwrap();
            let published = answers
                .iter()
                .any(|(content, answer)| *content == found && matches!(answer, Publication::Published(_)));
            assert!(published, "{mode:?}: what is there was published by nobody");
            if mode == WriteMode::Replace {
                assert!(answers.iter().all(|(_, answer)| matches!(answer, Publication::Published(_))));
            }
        }
    }
}

/// Readers never see anything but one whole content while a name is written again and again.
pub async fn readers_of_a_name_that_is_replaced(case: &Case) {
    let name = case.new_name();
    // Each content is one byte repeated, so that a mixture shows.
    let content = |number: u8| Bytes::from(vec![number; 300_000 + usize::from(number)]);
    case.put(&name, content(0)).await;
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let (storage, name) = (Arc::clone(case.other()), name.clone());
        readers.spawn(async move {
            for _ in 0..25 {
                let reader = storage.read(&name, ByteRange::Full, Freshness::Newest).await.unwrap();
                let reader = reader.expect("it was away for a moment");
                // A backend may break off when the object is replaced under its reader.
                let Ok(found) = drain(reader.stream).await else { continue };
                assert_eq!(found.len(), 300_000 + usize::from(found[0]));
                assert!(found.iter().all(|byte| *byte == found[0]), "a mixture");
            }
        });
    }
    for number in 1..=25 {
        case.put(&name, content(number)).await;
    }
    readers.join_all().await;
    case.assert_content(&name, &content(25)).await;
}

/// Carries over distribution `TestConcurrentStreamReads`: ten readers of one object, each from an offset of its own.
pub async fn ten_readers_of_one_object(case: &Case) {
    let content = BigContent::random(10 << 20);
    let name = case.new_name();
    let body = Body::stream(content.length(), content.stream(0..content.length()));
    case.storage().write(&name, body, WriteMode::Replace).await.unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        let (storage, name, content) = (Arc::clone(case.other()), name.clone(), content.clone());
        readers.spawn(async move {
            let first = random_below(content.length());
            let reader = storage.read(&name, ByteRange::From(first), Freshness::Any).await.unwrap().unwrap();
            let expected = measure(content.stream(first..content.length())).await.unwrap();
            assert_eq!(measure(reader.stream).await.unwrap(), expected, "from {first}");
        });
    }
    readers.join_all().await;
}

/// Carries over distribution `TestConcurrentFileStreams`: 32 streams at once, each to a name of its own, every other one by
/// way of a stage.
pub async fn thirty_two_streams_at_once(case: &Case) {
    let mut writers = JoinSet::new();
    for number in 0..32 {
        let (storage, name, stage) = (Arc::clone(case.storage()), case.new_name(), case.stage());
        writers.spawn(async move {
            let content = BigContent::random(500_000 + random_below(500_000));
            let stream = content.stream(0..content.length());
            if number % 2 == 0 {
                let body = Body::stream(content.length(), stream);
                storage.write(&name, body, WriteMode::IfAbsent).await.unwrap();
            } else {
                let begun = storage.stage_append(&stage, StagePosition::Start, stream, Box::new(Bytes::new));
                let revision = begun.await.unwrap().revision;
                storage.stage_publish(&stage, &revision, &name, WriteMode::IfAbsent).await.unwrap();
            }
            let reader = storage.read(&name, ByteRange::Full, Freshness::Newest).await.unwrap().unwrap();
            let expected = measure(content.stream(0..content.length())).await.unwrap();
            assert_eq!(measure(reader.stream).await.unwrap(), expected, "{name}");
        });
    }
    writers.join_all().await;
}

/// Writing into a folder while its other objects are deleted: a folder that is about to go must not take the new object along.
pub async fn writers_and_deleters_of_one_folder(case: &Case) {
    let mut workers = JoinSet::new();
    for worker in 0..4 {
        let storage = Arc::clone(if worker % 2 == 0 { case.storage() } else { case.other() });
        let names: Vec<ObjectName> =
            (0..25).map(|number| case.name(&format!("folder/deeper/{worker}-{number}"))).collect();
        workers.spawn(async move {
            for name in &names {
                let written =
                    storage.write(name, Bytes::from_static(b"content").into(), WriteMode::IfAbsent).await;
                assert!(matches!(written.unwrap(), Publication::Published(_)));
                assert!(storage.stat(name, Freshness::Newest).await.unwrap().is_some(), "{name} vanished");
                let deleted = storage.delete(std::slice::from_ref(name)).await.pop().unwrap().unwrap();
                assert_eq!(deleted, Outcome::Done);
            }
        });
    }
    workers.join_all().await;
    case.assert_keys(&ListRequest::under(case.prefix()), &[]).await;
}

/// An object that is replaced or deleted while it is read gives its old bytes to the end, or an error.
pub async fn a_reader_of_what_goes_away(case: &Case) {
    for is_deleted in [false, true] {
        let name = case.new_name();
        let content = random_bytes(4 << 20);
        case.put(&name, content.clone()).await;
        let mut reader = case.read(&name, ByteRange::Full).await;
        let first = reader.stream.next().await.unwrap().unwrap();
        if is_deleted {
            assert_eq!(case.delete(&name).await, Outcome::Done);
        } else {
            case.put(&name, random_bytes(4 << 20)).await;
        }
        let mut found = first.to_vec();
        loop {
            match reader.stream.try_next().await {
                Ok(Some(piece)) => found.extend_from_slice(&piece),
                Ok(None) => {
                    assert!(found == content, "other bytes, or a silent end after {}", found.len());
                    break;
                }
                Err(_) => {
                    assert!(content.starts_with(&found), "other bytes before the error");
                    break;
                }
            }
        }
    }
}
