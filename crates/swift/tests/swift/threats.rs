//! Threats that a storage backend has a part in. A25, what a temporary URL may do, is in `temporary_urls`; A30, what exists
//! and cannot be read, in `damage`.

use std::collections::BTreeSet;

use apus_storage::{ErrorKind, StagePosition, StageRevision, Storage, WriteMode};
use bytes::Bytes;

use crate::support::{
    CONTAINER, MEBIBYTE, append, assert_content, fake, fake_config, name, random, staged, storage, streamed,
    streamed_body,
};

/// What could be guessed could be met: no two attempts share a name, and none follows from another.
#[tokio::test]
async fn a24_no_name_of_an_upload_can_be_foretold() {
    let fake = fake(|options| options.max_file_size = 1 << 20).await;
    let storage = storage(&fake_config(&fake));
    let (bytes, mut seen, mut revisions) = (random(2 * MEBIBYTE), BTreeSet::new(), BTreeSet::new());
    for round in 0..4 {
        storage.write(&name(&format!("o{round}")), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap();
        let (stage, state) = staged(&storage, "s", &bytes).await;
        revisions.insert(state.revision.as_str().to_owned());
        let names = fake.object_names(CONTAINER);
        seen.extend(names.into_iter().filter(|name| name.starts_with("segments/apus/")));
        storage.stage_drop(&stage).await.unwrap();
    }
    // Two segments of each write and each stage, all of the same content.
    assert_eq!((seen.len(), revisions.len()), (16, 4), "{seen:?}");
    for segment in &seen {
        let mut parts = segment.rsplit('/');
        let nonce = parts.next().unwrap().split_once('-').unwrap().1;
        assert_eq!(nonce.len(), 16, "{segment}");
        let upload = parts.next().unwrap();
        assert!(upload == "s" || upload.strip_prefix("write-").unwrap().len() == 32, "{segment}");
    }
    assert!(revisions.iter().all(|revision| revision.len() == 32), "{revisions:?}");
}

/// The state of a hash lies in the store with the bytes that it is of. A client can but name a revision, and one that is not
/// the upload's is refused, whatever it looks like.
#[tokio::test]
async fn a26_a_client_cannot_bring_the_state_of_a_hash() {
    let fake = fake(|_| ()).await;
    let (one, other) = (storage(&fake_config(&fake)), storage(&fake_config(&fake)));
    let (stage, bytes) = (crate::support::stage("s"), random(2 * MEBIBYTE));
    let append_with = async |position, checkpoint: &'static [u8]| {
        one.stage_append(&stage, position, streamed(&bytes), Box::new(|| Bytes::from_static(checkpoint)))
            .await
    };
    let first = append_with(StagePosition::Start, b"first").await.unwrap();
    let second = append_with(StagePosition::At(&first.revision), b"second").await.unwrap();
    for made_up in ["", "..", first.revision.as_str(), "second", "{\"revision\":null}"] {
        let revision = StageRevision::from_text(made_up);
        let error = append(&other, &stage, StagePosition::At(&revision), &bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StageMoved, "{made_up}");
        let error = other.stage_publish(&stage, &revision, &name("o"), WriteMode::Replace).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StageMoved, "{made_up}");
    }
    let state = other.stage_state(&stage, None).await.unwrap().unwrap();
    assert_eq!((state.revision, &*state.checkpoint), (second.revision.clone(), &b"second"[..]));
    other.stage_publish(&stage, &second.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&one, "o", &Bytes::from([bytes.clone(), bytes.clone()].concat())).await;
}
