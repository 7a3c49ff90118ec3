//! The filesystem backend under `kill -9`: whatever it was doing, every object is there whole or not at all, what was
//! acknowledged is there, and uploads can be taken up again.
//!
//! The test runs itself again as a child that writes as fast as it can, and kills it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use apus_storage::body::{collect, once};
use apus_storage::{
    Body, ByteRange, Checkpoint, FilesystemStorage, Freshness, ListEntry, ListRequest, ObjectName, Outcome,
    Publication, StageId, StagePosition, StageState, Storage, WriteMode,
};
use bytes::Bytes;
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};

/// Tells the child where to write; without it, the test is the parent.
const ROOT: &str = "APUS_CRASH_TEST_ROOT";
const KILLS: usize = 30;
const TIME_LIMIT: Duration = Duration::from_mins(1);

fn hash(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&Sha256::digest(bytes))
}

fn random_bytes(longest: usize) -> Bytes {
    let mut bytes = vec![0; rand::random_range(0..longest)];
    rand::rng().fill_bytes(&mut bytes);
    bytes.into()
}

/// A content that names its own hash in its last 32 bytes.
fn sealed(content: &Bytes) -> Bytes {
    [content.clone(), hash(content)].concat().into()
}

fn is_whole(content: &[u8]) -> bool {
    content.split_last_chunk::<32>().is_some_and(|(content, seal)| *hash(content) == *seal)
}

/// A checkpoint that is the hash of all bytes of the stage.
fn checkpoint_of(content: &[u8]) -> Checkpoint {
    let checkpoint = hash(content);
    Box::new(move || checkpoint)
}

fn in_pieces(content: &Bytes) -> Body {
    let pieces: Vec<_> = content.chunks(20_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Body::stream(content.len() as u64, Box::pin(futures_util::stream::iter(pieces)))
}

fn acknowledge(name: &ObjectName) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "acknowledged {name}").unwrap();
    output.flush().unwrap();
}

async fn write_for_ever(storage: &FilesystemStorage) {
    for number in 0_u64.. {
        let content = sealed(&random_bytes(200_000));
        // A name that is replaced again and again, in a folder that comes and goes.
        let shared = ObjectName::parse(format!("shared/{}/object", number % 3)).unwrap();
        storage.write(&shared, in_pieces(&content), WriteMode::Replace).await.unwrap();
        if number % 2 == 0 {
            storage.delete(std::slice::from_ref(&shared)).await.remove(0).unwrap();
        }

        let written = ObjectName::parse(format!("written/{number}")).unwrap();
        storage.write(&written, in_pieces(&content), WriteMode::IfAbsent).await.unwrap();
        acknowledge(&written);

        let stage = StageId::parse(format!("stage-{number}")).unwrap();
        let middle = content.len() / 2;
        let (first, second) = (content.slice(..middle), content.slice(middle..));
        let state = storage
            .stage_append(&stage, StagePosition::Start, once(first.clone()), checkpoint_of(&first))
            .await
            .unwrap();
        let position = StagePosition::At(&state.revision);
        let state =
            storage.stage_append(&stage, position, once(second), checkpoint_of(&content)).await.unwrap();
        let published = ObjectName::parse(format!("published/{number}")).unwrap();
        let mode = if number % 3 == 0 { WriteMode::Replace } else { WriteMode::IfAbsent };
        storage.stage_publish(&stage, &state.revision, &published, mode).await.unwrap();
        acknowledge(&published);
    }
}

/// What the child does until it is killed.
async fn child(root: PathBuf) {
    let storage = FilesystemStorage::open(root).unwrap();
    acknowledge(&ObjectName::parse("start").unwrap());
    write_for_ever(&storage).await;
}

/// Runs the child for a random while, kills it, and gives the names that it acknowledged.
fn run_and_kill(root: &Path) -> Vec<ObjectName> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["whatever_is_killed_leaves_whole_objects", "--exact", "--nocapture"])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Some(ObjectName::parse(line.strip_prefix("acknowledged ")?).unwrap()));
    // The harness's own first words stand on the line of the first name.
    let start = acknowledged.next();
    let lifetime = Duration::from_micros(rand::rng().random_range(0..150_000));
    std::thread::sleep(lifetime);
    child.kill().unwrap();
    let names = acknowledged.collect();
    let status = child.wait().unwrap();
    assert!(start.is_some() && status.code().is_none(), "the child ended by itself: {status}");
    names
}

async fn read(storage: &FilesystemStorage, name: &ObjectName) -> Option<Bytes> {
    let reader = storage.read(name, ByteRange::Full, Freshness::Newest).await.unwrap()?;
    Some(collect(reader.stream, usize::MAX).await.unwrap())
}

/// Goes on with an upload that the dead process left, and ends it.
async fn take_up(storage: &FilesystemStorage, stage: &StageId, state: &StageState) {
    let staged = storage.stage_read(stage, &state.revision).await.unwrap();
    let staged = collect(staged, usize::MAX).await.unwrap();
    assert_eq!(staged.len() as u64, state.offset);
    assert_eq!(state.checkpoint, hash(&staged), "{stage}: the checkpoint is not that of the bytes");

    // A publish that was under way may have come to its end but for the stage; then no more is appended.
    let published = ObjectName::parse(stage.as_str().replace("stage-", "published/")).unwrap();
    let seal = hash(&staged);
    let position = StagePosition::At(&state.revision);
    let state = if read(storage, &published).await.is_some() {
        storage.stage_append(stage, position, once(seal), Box::new(Bytes::new)).await.unwrap_err();
        state.clone()
    } else {
        storage.stage_append(stage, position, once(seal), Box::new(Bytes::new)).await.unwrap()
    };
    let end = storage.stage_publish(stage, &state.revision, &published, WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(end, Publication::Published(_)), "{stage}: {end:?}");
    assert!(is_whole(&read(storage, &published).await.unwrap()), "{stage}");
}

/// What was found after a kill, so that the test can tell whether it has seen what it is for.
#[derive(Debug, Default)]
struct Found {
    acknowledged: usize,
    objects: usize,
    stages: usize,
    half_stages: usize,
    temporary_files: usize,
}

async fn examine(root: &Path, acknowledged: &[ObjectName], found: &mut Found) {
    found.temporary_files += std::fs::read_dir(root.join(".apus/tmp")).unwrap().count();
    let storage = FilesystemStorage::open(root.to_owned()).unwrap();
    for entry in storage.stage_list(None, 1000).await.unwrap() {
        if let Some(state) = storage.stage_state(&entry.id, None).await.unwrap() {
            found.stages += 1;
            take_up(&storage, &entry.id, &state).await;
        } else {
            found.half_stages += 1;
            assert_eq!(storage.stage_drop(&entry.id).await.unwrap(), Outcome::Done);
        }
    }
    assert_eq!(storage.stage_list(None, 1000).await.unwrap(), []);

    found.acknowledged += acknowledged.len();
    for name in acknowledged {
        assert!(read(&storage, name).await.is_some(), "{name} was acknowledged and is not there");
    }
    let page = storage.list(&ListRequest::everything()).await.unwrap();
    assert_eq!(page.next, None);
    let names: Vec<ObjectName> = page.entries.iter().map(|entry| entry.name().clone()).collect();
    for entry in &page.entries {
        let ListEntry::Object { name, size, .. } = entry else { panic!("{entry:?}") };
        let content = read(&storage, name).await.unwrap();
        assert_eq!(content.len() as u64, *size);
        assert!(is_whole(&content), "{name} is not whole");
    }
    found.objects += names.len();

    let next = ObjectName::parse("shared/0/object").unwrap();
    let content = sealed(&random_bytes(100_000));
    storage.write(&next, in_pieces(&content), WriteMode::Replace).await.unwrap();
    assert_eq!(read(&storage, &next).await.unwrap(), content);
    for outcome in storage.delete(&names).await {
        outcome.unwrap();
    }
    storage.delete(&[next]).await.remove(0).unwrap();
}

#[tokio::test]
async fn whatever_is_killed_leaves_whole_objects() {
    if let Some(root) = std::env::var_os(ROOT) {
        return child(root.into()).await;
    }
    let root = tempfile::tempdir().unwrap();
    let deadline = Instant::now() + TIME_LIMIT;
    let mut found = Found::default();
    for _ in 0..KILLS {
        let acknowledged = run_and_kill(root.path());
        examine(root.path(), &acknowledged, &mut found).await;
        assert!(Instant::now() < deadline, "too slow: {found:?}");
    }
    println!("{KILLS} kills: {found:?}");
    assert!(found.acknowledged > 0 && found.objects > 0, "the child did nothing: {found:?}");
}
