//! Publishing a stage under its final name. It takes the place of the old suites' moves: there is no move here, only the end
//! of an upload.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;

use super::content::random_bytes;
use super::testbed::{Case, assert_moved, assert_published, try_append};
use crate::{ErrorKind, ObjectName, Outcome, Publication, StageId, StagePosition, StageState, WriteMode};

const BOTH: [WriteMode; 2] = [WriteMode::IfAbsent, WriteMode::Replace];

/// A stage of two appends.
async fn staged_twice(case: &Case, content: &Bytes) -> (StageId, StageState) {
    let half = content.len() / 2;
    let (stage, state) = case.staged(&content.slice(..half)).await;
    let state = case.append(&stage, StagePosition::At(&state.revision), &content.slice(half..)).await;
    (stage, state)
}

async fn publish(
    case: &Case,
    stage: &StageId,
    state: &StageState,
    name: &ObjectName,
    mode: WriteMode,
) -> Publication {
    case.storage().stage_publish(stage, &state.revision, name, mode).await.unwrap()
}

/// Carries over distribution `TestMove`: the content is under its final name, and no longer where it was.
pub async fn a_published_stage_is_an_object_and_no_stage(case: &Case) {
    for mode in BOTH {
        let (content, name) = (random_bytes(200_000), case.new_name());
        let (stage, state) = staged_twice(case, &content).await;
        case.assert_absent(&name).await;
        let published = publish(case, &stage, &state, &name, mode).await;
        let info = assert_published(&published, content.len() as u64);
        let stated = case.stat(&name).await.unwrap();
        if let (Some(told), Some(stated)) = (info.entity_tag, stated.entity_tag) {
            assert_eq!(told, stated);
        }
        case.assert_content(&name, &content).await;
        case.assert_no_stage(&stage, &state).await;
    }
}

/// Closes a hole of distribution's suite: an upload without a byte is an empty object.
pub async fn an_empty_stage_is_published(case: &Case) {
    for mode in BOTH {
        let (stage, state) = case.staged(&Bytes::new()).await;
        let state = case.append(&stage, StagePosition::At(&state.revision), &Bytes::new()).await;
        let name = case.new_name();
        assert_published(&publish(case, &stage, &state, &name, mode).await, 0);
        case.assert_content(&name, &Bytes::new()).await;
        case.assert_no_stage(&stage, &state).await;
    }
}

/// Carries over distribution `TestMoveOverwrite`: publishing with [`WriteMode::Replace`] puts the content in place of what was
/// there, be that small, staged before, or longer.
pub async fn publishing_replaces_what_is_there(case: &Case) {
    let name = case.new_name();
    case.put(&name, random_bytes(1000)).await;
    for length in [300_000, 100_000, 0, 10] {
        let content = random_bytes(length);
        let (stage, state) = staged_twice(case, &content).await;
        let published = publish(case, &stage, &state, &name, WriteMode::Replace).await;
        assert_published(&published, length as u64);
        case.assert_content(&name, &content).await;
    }
    // And a plain write puts its content in place of a staged one.
    let content = random_bytes(77);
    case.put(&name, content.clone()).await;
    case.assert_content(&name, &content).await;
    assert_eq!(case.delete(&name).await, Outcome::Done);
    case.assert_absent(&name).await;
}

/// Carries over distribution `TestMoveNonexistent`: publishing what is not there leaves alone what is.
pub async fn publishing_no_stage_changes_nothing(case: &Case) {
    let (name, content) = (case.new_name(), random_bytes(100));
    case.put(&name, content.clone()).await;
    let (stage, state) = case.staged(&random_bytes(50)).await;
    case.storage().stage_drop(&stage).await.unwrap();
    for mode in BOTH {
        let published = case.storage().stage_publish(&stage, &state.revision, &name, mode).await;
        assert_moved(published, "publishing what was dropped");
        case.assert_content(&name, &content).await;
    }
}

/// What is there stays with [`WriteMode::IfAbsent`], and so does the stage: it can be read, published elsewhere or over it.
pub async fn what_exists_keeps_its_place_and_the_stage_stays(case: &Case) {
    let name = case.new_name();
    let (old, new) = (random_bytes(1000), random_bytes(200_000));
    case.put(&name, old.clone()).await;
    let (stage, state) = staged_twice(case, &new).await;
    for _ in 0..2 {
        let published = publish(case, &stage, &state, &name, WriteMode::IfAbsent).await;
        assert!(matches!(&published, Publication::Existing(info) if info.size == 1000), "{published:?}");
        case.assert_content(&name, &old).await;
        case.assert_stage(&stage, &state, &new).await;
    }
    let published = publish(case, &stage, &state, &name, WriteMode::Replace).await;
    assert_published(&published, 200_000);
    case.assert_content(&name, &new).await;
    case.assert_no_stage(&stage, &state).await;
}

/// A stage that gave way to what exists can be dropped, or grow on; neither touches what exists.
pub async fn a_stage_that_gave_way_does_not_hurt_what_exists(case: &Case) {
    let name = case.new_name();
    let content = random_bytes(200_000);
    let (first, state) = staged_twice(case, &content).await;
    assert_published(&publish(case, &first, &state, &name, WriteMode::IfAbsent).await, 200_000);
    for growing in [false, true] {
        // The same content, so that a backend that names parts by content would share them.
        let (second, mut state) = staged_twice(case, &content).await;
        let published = publish(case, &second, &state, &name, WriteMode::IfAbsent).await;
        assert!(matches!(published, Publication::Existing(_)), "{published:?}");
        if growing {
            state = case.append(&second, StagePosition::At(&state.revision), &random_bytes(10)).await;
        }
        assert_eq!(case.storage().stage_drop(&second).await.unwrap(), Outcome::Done);
        case.assert_content(&name, &content).await;
        case.assert_no_stage(&second, &state).await;
    }
}

/// A publish whose answer was lost is repeated: it finds its own object, or no stage any more; and the object is whole.
pub async fn a_publish_can_be_repeated(case: &Case) {
    for mode in BOTH {
        let (content, name) = (random_bytes(200_000), case.new_name());
        let (stage, state) = staged_twice(case, &content).await;
        assert_published(&publish(case, &stage, &state, &name, mode).await, 200_000);
        for storage in [case.storage(), case.other()] {
            for again in BOTH {
                match storage.stage_publish(&stage, &state.revision, &name, again).await {
                    Ok(published) => drop(assert_published(&published, 200_000)),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::StageMoved, "{error:?}"),
                }
                case.assert_content(&name, &content).await;
            }
        }
        case.assert_no_stage(&stage, &state).await;
    }
}

/// Two publishes of one stage at once, as when a client repeats a request that is still under way: at least one succeeds, and
/// the object is whole.
pub async fn two_publishes_of_one_stage(case: &Case) {
    for mode in BOTH.into_iter().cycle().take(8) {
        let (content, name) = (random_bytes(50_000), case.new_name());
        let (stage, state) = staged_twice(case, &content).await;
        let one = case.storage().stage_publish(&stage, &state.revision, &name, mode);
        let other = case.other().stage_publish(&stage, &state.revision, &name, mode);
        let (one, other) = join(one, other).await;
        let answers = [one, other];
        assert!(answers.iter().any(|answer| matches!(answer, Ok(Publication::Published(_)))), "{answers:?}");
        for answer in answers {
            match answer {
                Ok(published) => drop(assert_published(&published, 50_000)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::StageMoved, "{error:?}"),
            }
        }
        case.assert_content(&name, &content).await;
        case.storage().stage_drop(&stage).await.unwrap();
        case.assert_content(&name, &content).await;
    }
}

/// Carries over distribution's missing test of a deletion after a move: what belongs to a published object is not freed with
/// the stage, however often that is dropped.
pub async fn dropping_a_published_stage_does_not_hurt_the_object(case: &Case) {
    for mode in BOTH {
        let (content, name) = (random_bytes(200_000), case.new_name());
        let (stage, state) = staged_twice(case, &content).await;
        assert_published(&publish(case, &stage, &state, &name, mode).await, 200_000);
        for storage in [case.storage(), case.other()] {
            assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Absent);
            case.assert_content(&name, &content).await;
        }
    }
}

/// Nothing can be appended to what was published, not even by one who has not heard of it.
pub async fn an_append_after_publishing_is_refused(case: &Case) {
    for mode in BOTH {
        let (content, name) = (random_bytes(1000), case.new_name());
        let (stage, state) = staged_twice(case, &content).await;
        assert_published(&publish(case, &stage, &state, &name, mode).await, 1000);
        for storage in [case.storage(), case.other()] {
            let position = StagePosition::At(&state.revision);
            let appended = try_append(&**storage, &stage, position, &random_bytes(10)).await;
            assert_moved(appended, "an append to what was published");
        }
        case.assert_content(&name, &content).await;
    }
}

/// An upload may take days, but its object is as old as its publication: upkeep spares what is young.
pub async fn an_object_is_as_old_as_its_publication(case: &Case) {
    let stages = [case.staged(&random_bytes(100)).await, case.staged(&random_bytes(100)).await];
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let yardstick = case.new_name();
    case.put(&yardstick, "written before the publication").await;
    let before = case.stat(&yardstick).await.unwrap();
    for ((stage, state), mode) in stages.into_iter().zip(BOTH) {
        let name = case.new_name();
        assert_published(&publish(case, &stage, &state, &name, mode).await, 100);
        let published = case.stat(&name).await.unwrap();
        // A second, because times may be counted in those.
        assert!(published.modified + Duration::from_secs(1) >= before.modified, "{published:?} {before:?}");
    }
}

/// Two stages published under one name at once: one of them is there whole, and a stage that gave way is whole too.
pub async fn two_stages_for_one_name(case: &Case) {
    for mode in BOTH.into_iter().cycle().take(8) {
        let name = case.new_name();
        let contents = [random_bytes(50_000), random_bytes(60_000)];
        let (one, one_state) = staged_twice(case, &contents[0]).await;
        let (other, other_state) = staged_twice(case, &contents[1]).await;
        let (first, second) = join(
            case.storage().stage_publish(&one, &one_state.revision, &name, mode),
            case.other().stage_publish(&other, &other_state.revision, &name, mode),
        )
        .await;
        let found = case.get(&name).await.unwrap();
        assert!(contents.contains(&found), "a mixture of {} bytes", found.len());
        let mut published = Vec::new();
        for (stage, state, content, answer) in
            [(&one, &one_state, &contents[0], first), (&other, &other_state, &contents[1], second)]
        {
            match answer.unwrap() {
                Publication::Published(_) => published.push(content.clone()),
                Publication::Existing(_) => {
                    assert_eq!(mode, WriteMode::IfAbsent);
                    case.assert_stage(stage, state, content).await;
                }
            }
            case.storage().stage_drop(stage).await.unwrap();
        }
        assert!(published.contains(&found), "nobody was told that this was published");
        case.assert_content(&name, &found).await;
    }
}
