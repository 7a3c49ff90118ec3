//! Stages: growing, being taken up elsewhere, standing still when something fails, and going away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, join, select};
use futures_util::stream::{self, StreamExt};

use super::content::{BigContent, in_pieces, measure, pieces, random_bytes};
use super::testbed::{Case, assert_failed, assert_moved, assert_same, drain, try_append};
use super::writing::{Refused, breaking_off, stalling};
use crate::{
    ByteStream, ErrorKind, Outcome, StageId, StagePosition, StageRevision, StageState, StorageError,
    WriteMode,
};

/// Three appends of `size` bytes, each through another handle than the one before; after each the stage is looked at.
async fn grow(case: &Case, size: usize) -> (StageId, StageState, Bytes) {
    let stage = case.stage();
    let content = random_bytes(3 * size);
    let mut state: Option<StageState> = None;
    for number in 0..3 {
        let storage = if number % 2 == 0 { case.storage() } else { case.other() };
        let position =
            state.as_ref().map_or(StagePosition::Start, |state| StagePosition::At(&state.revision));
        let part = content.slice(number * size..(number + 1) * size);
        let grown = try_append(&**storage, &stage, position, &part).await.unwrap();
        assert_ne!(Some(&grown.revision), state.as_ref().map(|state| &state.revision));
        case.assert_stage(&stage, &grown, &content.slice(..(number + 1) * size)).await;
        state = Some(grown);
    }
    (stage, state.unwrap(), content)
}

/// Carries over distribution `TestContinueStreamAppendSmall`: three times 32 bytes, the size told each time, and what comes
/// out is what went in. The writer that goes on is another one.
pub async fn a_stage_grows_across_handles(case: &Case) {
    let (stage, state, content) = grow(case, 32).await;
    let name = case.new_name();
    case.other().stage_publish(&stage, &state.revision, &name, WriteMode::IfAbsent).await.unwrap();
    case.assert_content(&name, &content).await;
    case.assert_no_stage(&stage, &state).await;
}

/// Carries over distribution `TestContinueStreamAppendLarge`: three times 10 MiB.
pub async fn a_large_stage_grows_across_handles(case: &Case) {
    let (stage, state, content) = grow(case, 10 << 20).await;
    let name = case.new_name();
    case.other().stage_publish(&stage, &state.revision, &name, WriteMode::IfAbsent).await.unwrap();
    case.assert_content(&name, &content).await;
}

/// Carries over distribution `TestWriteReadLargeStreams` for an upload of unknown length: 64 MiB, or what
/// [`BIG`](super::BIG) says.
pub async fn a_large_stream_is_staged(case: &Case) {
    let content = BigContent::random(super::large());
    let whole = || content.stream(0..content.length());
    let expected = measure(whole()).await.unwrap();
    let (stage, name) = (case.stage(), case.new_name());
    let state = case
        .storage()
        .stage_append(&stage, StagePosition::Start, whole(), Box::new(Bytes::new))
        .await
        .unwrap();
    assert_eq!(state.offset, content.length());
    let staged = case.storage().stage_read(&stage, &state.revision).await.unwrap();
    assert_eq!(measure(staged).await.unwrap(), expected);
    case.storage().stage_publish(&stage, &state.revision, &name, WriteMode::IfAbsent).await.unwrap();
    let reader = case.read(&name, crate::ByteRange::Full).await;
    assert_eq!(measure(reader.stream).await.unwrap(), expected);
}

/// Carries over the missing path of distribution's `Writer` with `append`: there is no stage to go on with.
pub async fn a_stage_that_was_never_begun_is_absent(case: &Case) {
    let nowhere = StageState { revision: StageRevision::random(), offset: 0, checkpoint: Bytes::new() };
    let stage = case.stage();
    case.assert_no_stage(&stage, &nowhere).await;
    assert_eq!(case.storage().stage_drop(&stage).await.unwrap(), Outcome::Absent);
}

/// It is the time of the last append, whatever handle made it; none where there is no stage. Clocks may be some seconds apart.
pub async fn a_stage_says_when_it_was_appended_to(case: &Case) {
    const APART: Duration = Duration::from_mins(2);
    assert_eq!(case.storage().stage_modified(&case.stage()).await.unwrap(), None);
    let begun = SystemTime::now();
    let (stage, state) = case.staged(&random_bytes(3 << 20)).await;
    let first = case.other().stage_modified(&stage).await.unwrap().unwrap();
    assert!(first + APART > begun && first < SystemTime::now() + APART, "{first:?}");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    case.append(&stage, StagePosition::At(&state.revision), &Bytes::from_static(b"more")).await;
    let second = case.storage().stage_modified(&stage).await.unwrap().unwrap();
    assert!(second > first, "{first:?}, {second:?}");
    assert_eq!(case.storage().stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert_eq!(case.other().stage_modified(&stage).await.unwrap(), None);
}

/// A stage can be taken up with nothing but the text of its revision; and a revision that nobody made is not that of a stage.
pub async fn a_revision_survives_as_text(case: &Case) {
    let (stage, state) = case.staged(&Bytes::from_static(b"one ")).await;
    let text = state.revision.as_str();
    assert!((1..=64).contains(&text.len()), "{text:?}");
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{text:?}");

    let forged = StageRevision::from_text("forged");
    let (storage, more) = (case.other(), Bytes::from_static(b"two"));
    assert_moved(
        try_append(&**storage, &stage, StagePosition::At(&forged), &more).await,
        "a forged revision",
    );
    assert_eq!(storage.stage_state(&stage, Some(&forged)).await.unwrap().as_ref(), Some(&state));

    let taken_up = StageRevision::from_text(text);
    let grown = try_append(&**storage, &stage, StagePosition::At(&taken_up), &more).await.unwrap();
    case.assert_stage(&stage, &grown, &Bytes::from_static(b"one two")).await;
}

/// The checkpoint is kept byte for byte: none, a binary one, the longest. It is asked for once, and only when the stream has
/// ended, so that it can speak of all the bytes.
pub async fn a_checkpoint_comes_back_exactly(case: &Case) {
    let stage = case.stage();
    let mut state: Option<StageState> = None;
    let all_bytes: Vec<u8> = (0..=255).collect();
    let checkpoints = [
        Bytes::new(),
        Bytes::from(all_bytes),
        random_bytes(StageState::MAX_CHECKPOINT_BYTES),
        Bytes::from_static(b"\0"),
    ];
    for checkpoint in checkpoints {
        let position =
            state.as_ref().map_or(StagePosition::Start, |state| StagePosition::At(&state.revision));
        let ended = Arc::new(AtomicBool::new(false));
        let (end, seen) = (Arc::clone(&ended), Arc::clone(&ended));
        let tail = stream::once(async move {
            end.store(true, Ordering::SeqCst);
            Ok(Bytes::from_static(b"tail"))
        });
        let stream = Box::pin(in_pieces(&random_bytes(100_000), 10_000).chain(tail));
        let kept = checkpoint.clone();
        let give = Box::new(move || {
            assert!(seen.load(Ordering::SeqCst), "asked for before the stream has ended");
            kept
        });
        let grown = case.storage().stage_append(&stage, position, stream, give).await.unwrap();
        assert_eq!(grown.checkpoint, checkpoint);
        let found = case.other().stage_state(&stage, None).await.unwrap().unwrap();
        assert_eq!(found, grown);
        state = Some(grown);
    }
    assert_eq!(state.unwrap().offset, 4 * 100_004);
}

/// Closes a hole of distribution's suite, and carries over `TestWriteZeroByteStreamThenAppend` and
/// `TestWriteZeroByteContentThenAppend` of its version 3: an append of nothing creates a stage, and one more moves its
/// checkpoint only.
pub async fn an_append_of_nothing_counts(case: &Case) {
    let stage = case.stage();
    let nothing = Bytes::new();
    let begun = case.append(&stage, StagePosition::Start, &nothing).await;
    case.assert_stage(&stage, &begun, &nothing).await;
    let content = random_bytes(1000);
    let grown = case.append(&stage, StagePosition::At(&begun.revision), &content).await;
    case.assert_stage(&stage, &grown, &content).await;
    let moved = case
        .storage()
        .stage_append(
            &stage,
            StagePosition::At(&grown.revision),
            pieces(vec![nothing.clone(), nothing]),
            Box::new(|| Bytes::from_static(b"only the checkpoint")),
        )
        .await
        .unwrap();
    assert_eq!(moved.checkpoint, "only the checkpoint");
    assert_ne!(moved.revision, grown.revision);
    case.assert_stage(&stage, &moved, &content).await;
    assert_moved(case.storage().stage_read(&stage, &grown.revision).await, "the revision before");
}

/// Many small appends, each of many small pieces.
pub async fn many_small_appends(case: &Case) {
    let stage = case.stage();
    let mut content = Vec::new();
    let mut state: Option<StageState> = None;
    for number in 1..=16_usize {
        let position =
            state.as_ref().map_or(StagePosition::Start, |state| StagePosition::At(&state.revision));
        let given: Vec<Bytes> = (0..50).map(|piece| random_bytes(piece % number)).collect();
        content.extend(given.concat());
        let grown =
            case.storage().stage_append(&stage, position, pieces(given), Box::new(Bytes::new)).await.unwrap();
        assert_eq!(grown.offset, content.len() as u64);
        state = Some(grown);
    }
    let state = state.unwrap();
    let content = Bytes::from(content);
    case.assert_stage(&stage, &state, &content).await;
    let name = case.new_name();
    case.storage().stage_publish(&stage, &state.revision, &name, WriteMode::Replace).await.unwrap();
    case.assert_content(&name, &content).await;
}

/// An append that failed left the stage where it stood, and it goes on from there with what is right.
async fn assert_goes_on(case: &Case, stage: &StageId, state: &StageState, content: &Bytes) {
    case.assert_stage(stage, state, content).await;
    let more = random_bytes(1000);
    let grown = try_append(&**case.other(), stage, StagePosition::At(&state.revision), &more).await.unwrap();
    let whole = Bytes::from([content.clone(), more].concat());
    case.assert_stage(stage, &grown, &whole).await;
    let name = case.new_name();
    case.storage().stage_publish(stage, &grown.revision, &name, WriteMode::IfAbsent).await.unwrap();
    case.assert_content(&name, &whole).await;
}

async fn append_broken(
    case: &Case,
    stage: &StageId,
    position: StagePosition<'_>,
    bytes: &Bytes,
) -> StorageError {
    let appended =
        case.storage().stage_append(stage, position, breaking_off(bytes), Box::new(Bytes::new)).await;
    assert_failed(appended, ErrorKind::Body, "a stream that breaks off")
}

/// A stream that breaks off, at once or after megabytes, moves nothing; its own error comes back.
pub async fn an_append_that_breaks_off_changes_nothing(case: &Case) {
    for length in [0, 10, 3 << 20] {
        let content = random_bytes(500);
        let (stage, state) = case.staged(&content).await;
        let error =
            append_broken(case, &stage, StagePosition::At(&state.revision), &random_bytes(length)).await;
        assert!(error.into_source().unwrap().is::<Refused>(), "not the stream's own error");
        assert_goes_on(case, &stage, &state, &content).await;
    }
}

/// A first append that breaks off makes no stage, and does not keep it from being made.
pub async fn a_first_append_that_breaks_off_makes_no_stage(case: &Case) {
    for length in [0, 10, 3 << 20] {
        let stage = case.stage();
        append_broken(case, &stage, StagePosition::Start, &random_bytes(length)).await;
        assert_eq!(case.storage().stage_state(&stage, None).await.unwrap(), None);
        let content = random_bytes(100);
        let state = case.append(&stage, StagePosition::Start, &content).await;
        assert_goes_on(case, &stage, &state, &content).await;
    }
}

/// Begins an append that takes 3 MiB and then waits for more, and drops its future there.
async fn append_dropped(case: &Case, stage: &StageId, position: StagePosition<'_>) {
    let (stream, stalled) = stalling(&random_bytes(3 << 20));
    let append = case.storage().stage_append(stage, position, stream, Box::new(Bytes::new)).boxed();
    match select(append, stalled).await {
        Either::Left((appended, _)) => panic!("it did not wait for the stream: {appended:?}"),
        Either::Right((_, append)) => drop(append),
    }
}

/// An append whose future is dropped, as when a client goes away, moves nothing.
pub async fn an_append_that_is_dropped_changes_nothing(case: &Case) {
    let content = random_bytes(500);
    let (stage, state) = case.staged(&content).await;
    for _ in 0..3 {
        append_dropped(case, &stage, StagePosition::At(&state.revision)).await;
        case.assert_stage(&stage, &state, &content).await;
    }
    assert_goes_on(case, &stage, &state, &content).await;

    let fresh = case.stage();
    append_dropped(case, &fresh, StagePosition::Start).await;
    assert_eq!(case.other().stage_state(&fresh, None).await.unwrap(), None);
    let state = case.append(&fresh, StagePosition::Start, &content).await;
    assert_goes_on(case, &fresh, &state, &content).await;
}

/// What stands at another revision does not move: no append, no reading, no publishing, no second beginning.
pub async fn a_revision_that_is_past_is_refused(case: &Case) {
    let (stage, past) = case.staged(&Bytes::from_static(b"one ")).await;
    let more = Bytes::from_static(b"two");
    let state = case.append(&stage, StagePosition::At(&past.revision), &more).await;
    let (content, target) = (Bytes::from_static(b"one two"), case.new_name());
    for storage in [case.storage(), case.other()] {
        let at_past = try_append(&**storage, &stage, StagePosition::At(&past.revision), &more).await;
        assert_moved(at_past, "an append at a past revision");
        assert_moved(try_append(&**storage, &stage, StagePosition::Start, &more).await, "a second beginning");
        assert_moved(storage.stage_read(&stage, &past.revision).await, "reading a past revision");
        for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
            let published = storage.stage_publish(&stage, &past.revision, &target, mode).await;
            assert_moved(published, "publishing a past revision");
        }
        // Who knows a past revision is told the present one.
        let asked = storage.stage_state(&stage, Some(&past.revision)).await.unwrap();
        assert_eq!(asked.as_ref(), Some(&state));
    }
    case.assert_absent(&target).await;
    case.assert_stage(&stage, &state, &content).await;
}

/// A stream that takes its time, so that two of them are under way at once.
fn slowly(bytes: &Bytes) -> ByteStream {
    Box::pin(in_pieces(bytes, 100_000).then(async |piece| {
        tokio::time::sleep(Duration::from_millis(5)).await;
        piece
    }))
}

/// Of two appends that begin at one position at once at most one keeps its bytes; the other is told so, by an error or by its
/// next call.
async fn race(case: &Case, stage: &StageId, position: StagePosition<'_>, before: &Bytes) {
    let contents = [random_bytes(300_000), random_bytes(400_000)];
    let one = case.storage().stage_append(
        stage,
        position,
        slowly(&contents[0]),
        Box::new(|| Bytes::from_static(b"first")),
    );
    let other = case.other().stage_append(
        stage,
        position,
        slowly(&contents[1]),
        Box::new(|| Bytes::from_static(b"second")),
    );
    let (one, other) = join(one, other).await;
    let state = case.storage().stage_state(stage, None).await.unwrap();
    let mut kept = 0;
    for (content, appended, checkpoint) in [(&contents[0], one, "first"), (&contents[1], other, "second")] {
        match (appended, &state) {
            (Ok(appended), Some(state)) if appended == *state => {
                kept += 1;
                assert_eq!(state.checkpoint, checkpoint);
                let whole = Bytes::from([before.clone(), content.clone()].concat());
                case.assert_stage(stage, state, &whole).await;
            }
            (Ok(lost), _) => {
                let at_lost = StagePosition::At(&lost.revision);
                let next = try_append(&**case.storage(), stage, at_lost, &Bytes::from_static(b"x")).await;
                assert_moved(next, "an append that had lost");
            }
            (Err(error), _) => assert!(
                matches!(error.kind(), ErrorKind::StageMoved | ErrorKind::Unavailable { .. }),
                "{error:?}"
            ),
        }
    }
    assert!(kept <= 1, "two appends won");
    match state {
        // Both may fail, and then the stage stands where it stood.
        Some(state) if kept == 0 => assert_eq!(state.offset, before.len() as u64),
        None => assert_eq!((kept, before.len()), (0, 0)),
        Some(_) => {}
    }
}

/// Two appends at one revision, again and again.
pub async fn two_appends_at_one_revision(case: &Case) {
    for _ in 0..8 {
        let content = random_bytes(100);
        let (stage, state) = case.staged(&content).await;
        race(case, &stage, StagePosition::At(&state.revision), &content).await;
    }
}

/// Two beginnings of one stage.
pub async fn two_beginnings_of_one_stage(case: &Case) {
    for _ in 0..8 {
        race(case, &case.stage(), StagePosition::Start, &Bytes::new()).await;
    }
}

/// Carries over distribution's missing test of `Cancel`: a stage that was dropped is gone with all it held, and dropping it
/// again is no error.
pub async fn a_dropped_stage_is_gone(case: &Case) {
    let (stage, state, _) = grow(case, 1000).await;
    assert_eq!(case.other().stage_drop(&stage).await.unwrap(), Outcome::Done);
    case.assert_no_stage(&stage, &state).await;
    assert_eq!(case.storage().stage_drop(&stage).await.unwrap(), Outcome::Absent);
    case.assert_no_stage(&stage, &state).await;
    case.eventually(&0, async || case.stages(10).await.len()).await;
}

/// A stage that is read while it is appended to gives the bytes of its revision, or an error: never others.
pub async fn a_stage_is_read_as_it_stood(case: &Case) {
    let content = random_bytes(3 << 20);
    let (stage, state) = case.staged(&content).await;
    let mut reading = case.storage().stage_read(&stage, &state.revision).await.unwrap();
    let first = reading.next().await.unwrap().unwrap();
    case.append(&stage, StagePosition::At(&state.revision), &random_bytes(1000)).await;
    if let Ok(rest) = drain(reading).await {
        assert_same(&stage, &Bytes::from([first, rest].concat()), &content);
    }
}

/// Open stages are listed in the order of their identifiers, page after page, with the time of their last append; those that
/// are dropped or published are not.
pub async fn open_stages_are_listed(case: &Case) {
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(case.staged(&random_bytes(10)).await);
    }
    let ids = async |limit| case.stages(limit).await.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
    let expected: Vec<StageId> = open.iter().map(|(stage, _)| stage.clone()).collect();
    for limit in [1, 2, 4, 5, 6, 100] {
        case.eventually(&expected, async || ids(limit).await).await;
    }
    for entry in case.stages(2).await {
        // Two clocks may differ; that the time is not nonsense is all that can be told.
        let age = SystemTime::now().duration_since(entry.modified).unwrap_or_default();
        assert!(age < Duration::from_hours(1), "{entry:?}");
    }
    let (dropped, _) = open.remove(1);
    case.storage().stage_drop(&dropped).await.unwrap();
    let (published, state) = open.remove(2);
    let name = case.new_name();
    case.storage().stage_publish(&published, &state.revision, &name, WriteMode::Replace).await.unwrap();
    let expected: Vec<StageId> = open.iter().map(|(stage, _)| stage.clone()).collect();
    case.eventually(&expected, async || ids(2).await).await;
}
