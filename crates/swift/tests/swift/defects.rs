//! The fifteen defects that were measured in the Swift driver of registry:2.8, one test for each: a driver that works as that
//! one did fails it.
//!
//! | defect | test |
//! |---|---|
//! | 1: the empty blob cannot be pushed | [`defect_1_the_empty_blob`] |
//! | 2: what is cancelled stays | [`defect_2_a_cancelled_upload_leaves_nothing`] |
//! | 3: a token that ends in mid-push truncates | [`defect_3_a_token_that_ends_in_mid_push`] |
//! | 4: cleaning up deletes live segments | [`defect_4_stale_reads_after_publishing_delete_nothing_that_is_needed`] |
//! | 5: an upload is left where a listing is stale | [`defect_5_a_stale_listing_leaves_nothing_of_an_upload`] |
//! | 6: listings that disagree end the collector's walk | [`defect_6_copies_of_a_listing_that_disagree`] |
//! | 7: untagged children of an index are collected | the registry's own, in its `upkeep`: nothing here knows an index |
//! | 8: a blob of no bytes ends the collection | [`defect_8_a_dynamic_large_object_of_no_bytes_is_no_end`] |
//! | 9: a wrong digest leaves segments | [`defect_9_a_body_that_is_refused_leaves_nothing`] |
//! | 10: a wrong offset ends the upload | [`defect_10_a_chunk_at_the_wrong_place_changes_nothing`] |
//! | 11: Swift's version compared as text | [`defect_11_the_version_of_a_swift_decides_nothing`] |
//! | 12: redirects signed with a key that Swift does not know | [`defect_12_a_key_that_was_refused_signs_nothing`] |
//! | 13: a page that ends inside a folder is the last | [`defect_13_a_page_that_ends_inside_a_folder_is_not_the_last`] |
//! | 14: looking at an upload writes | [`defect_14_looking_at_an_upload_writes_nothing`] |
//! | 15: orphaned segments stay for ever | [`defect_15_no_segment_is_beyond_reach`] |

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Replica, RequestKind, RequestRecord};
use apus_storage::{
    Body, BoxError, ByteRange, ErrorKind, Freshness, ListRequest, Outcome, Publication, StagePosition,
    Storage, UrlMethod, WriteMode, body,
};
use apus_swift::{SwiftStorage, TemporaryUrlScope};
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, Method, StatusCode};

use crate::dynamic::{base, raw, write};
use crate::support::{
    CONTAINER, MEBIBYTE, append, asked, assert_content, content, eventually, fake_config, forget, name,
    publish, random, ready, ready_with, staged, storage, streamed, streamed_body,
};
use crate::temporary_urls::outside::get;

fn left(fake: &FakeSwift) -> Vec<String> {
    fake.object_names(CONTAINER)
}

/// Names of a listing, page by page of so many.
async fn listed(storage: &SwiftStorage, mut request: ListRequest, limit: usize) -> Vec<String> {
    request = request.limit(limit);
    let mut keys = Vec::new();
    loop {
        let page = storage.list(&request).await.unwrap();
        keys.extend(page.entries.iter().map(|entry| entry.key().as_str().to_owned()));
        let Some(next) = page.next else { return keys };
        request = request.after(next);
    }
}

/// It waited 12.8 s for segments of an object that has none, and failed.
#[tokio::test]
async fn defect_1_the_empty_blob() {
    let (fake, storage) = ready().await;
    storage.write(&name("a"), Bytes::new().into(), WriteMode::IfAbsent).await.unwrap();
    storage.write(&name("b"), streamed_body(&Bytes::new()), WriteMode::IfAbsent).await.unwrap();
    publish(&storage, "s", "c", &Bytes::new()).await;
    assert_eq!(
        asked(&fake.take_requests()),
        ["PUT object", "PUT object", "PUT session", "PUT object", "DELETE session"]
    );
    for object in ["a", "b", "c"] {
        assert_eq!(storage.stat(&name(object), Freshness::Any).await.unwrap().unwrap().size, 0);
        assert!(content(&storage, object).await.unwrap().is_empty());
    }
    assert_eq!(left(&fake), ["files/a", "files/b", "files/c"]);
}

/// The segments stayed, and closing the upload wrote a part of it again.
#[tokio::test]
async fn defect_2_a_cancelled_upload_leaves_nothing() {
    let (fake, storage) = ready().await;
    let (stage, state) = staged(&storage, "s", &random(3 * MEBIBYTE)).await;
    append(&storage, &stage, StagePosition::At(&state.revision), &random(2 * MEBIBYTE)).await.unwrap();
    assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    assert!(left(&fake).is_empty(), "{:?}", left(&fake));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(left(&fake).is_empty(), "{:?}", left(&fake));
}

/// A PUT was repeated with a body that had been read: the segment had 0 bytes, and the client was told that all was well.
#[tokio::test]
async fn defect_3_a_token_that_ends_in_mid_push() {
    let (fake, storage) = ready().await;
    let (bytes, small) = (random(3 * MEBIBYTE), random(1000));
    let expire = |path: &str, action| {
        let path_contains = path.to_owned();
        fake.fault(Fault { method: Some(Method::PUT), path_contains, ..Fault::once(action) });
    };
    // Before the body is asked for: it is whole, and sent with another token.
    expire("/files/", Action::ExpireTokens);
    storage.write(&name("small"), small.clone().into(), WriteMode::IfAbsent).await.unwrap();
    for path in ["/segments/", "/apus/sessions/", "/apus/records/", "multipart-manifest"] {
        expire(path, Action::ExpireTokens);
    }
    publish(&storage, "s", "large", &bytes).await;
    assert_content(&storage, "small", &small).await;
    assert_content(&storage, "large", &bytes).await;
    assert_eq!(fake.faults_left(), 0);

    // In the midst of it: what was read is gone, so that is said, and the upload stands where it stood.
    let (stage, state) = staged(&storage, "t", &bytes).await;
    let position = StagePosition::At(&state.revision);
    expire("/segments/", Action::ExpireTokensInBody(MEBIBYTE as u64));
    let error = append(&storage, &stage, position, &bytes).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
    assert_eq!(storage.stage_state(&stage, None).await.unwrap().unwrap(), state);
    let state = append(&storage, &stage, position, &bytes).await.unwrap();
    storage.stage_publish(&stage, &state.revision, &name("twice"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "twice", &Bytes::from([bytes.clone(), bytes].concat())).await;
}

/// Cleaning up after an upload followed a manifest that it saw in stale listings and HEADs, and deleted the segments of the
/// blob that had just been published.
#[tokio::test]
async fn defect_4_stale_reads_after_publishing_delete_nothing_that_is_needed() {
    let (fake, one) = ready().await;
    let other = storage(&fake_config(&fake));
    let bytes = random(3 * MEBIBYTE + 7);
    let (stage, state) = staged(&one, "s", &bytes).await;
    let old = random(2 * MEBIBYTE);
    publish(&one, "old", "o", &old).await;
    fake.freeze_listings();
    fake.split_reads(&[Replica::Stale]);
    let published = one.stage_publish(&stage, &state.revision, &name("o"), WriteMode::Replace).await.unwrap();
    assert!(matches!(published, Publication::Published(_)));
    // Whoever cleans up after it, here and elsewhere, and again.
    for storage in [&one, &other, &one] {
        assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Absent);
        assert_content(storage, "o", &bytes).await;
    }
    let again = other.stage_publish(&stage, &state.revision, &name("p"), WriteMode::IfAbsent).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::StageMoved);
    fake.thaw_listings();
    fake.join_reads();
    assert_content(&other, "o", &bytes).await;
    // A segment, the object, its record: the old one went with all that it had.
    assert_eq!(left(&fake).len(), 3, "{:?}", left(&fake));
}

/// The directory of an upload stayed, for it was emptied by what a listing showed.
#[tokio::test]
async fn defect_5_a_stale_listing_leaves_nothing_of_an_upload() {
    let (fake, storage) = ready().await;
    storage.write(&name("first"), Bytes::new().into(), WriteMode::IfAbsent).await.unwrap();
    fake.freeze_listings();
    publish(&storage, "s", "o", &random(3 * MEBIBYTE)).await;
    let (stage, _) = staged(&storage, "t", &random(3 * MEBIBYTE)).await;
    storage.stage_drop(&stage).await.unwrap();
    for outcome in storage.delete(&[name("o"), name("first")]).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
    assert!(left(&fake).is_empty(), "{:?}", left(&fake));
}

/// A folder that one copy of the listing had and the other had not was an error, which the collector took for the end of the
/// repository. Here it is an empty page, and whether an object is there the object says.
#[tokio::test]
async fn defect_6_copies_of_a_listing_that_disagree() {
    let (fake, storage) = ready().await;
    for object in ["r/a/1", "r/b/1", "r/c/1"] {
        storage.write(&name(object), random(10).into(), WriteMode::IfAbsent).await.unwrap();
    }
    fake.split_listings(&[Replica::Stale, Replica::Fresh]);
    storage.delete(&[name("r/b/1")]).await.remove(0).unwrap();
    storage.write(&name("r/d/1"), random(10).into(), WriteMode::IfAbsent).await.unwrap();
    // Each copy in its turn, wherever the walk begins.
    for _ in 0..2 {
        let parents = storage.list(&ListRequest::under(name("r")).one_level()).await.unwrap().entries;
        for parent in parents {
            let folder = parent.key().as_str().trim_end_matches('/').to_owned();
            // What is in it may be a ghost, or not yet listed; neither is an error.
            storage.list(&ListRequest::under(name(&folder))).await.unwrap();
        }
        for (object, is_there) in [("r/a/1", true), ("r/b/1", false), ("r/c/1", true), ("r/d/1", true)] {
            assert_eq!(storage.stat(&name(object), Freshness::Newest).await.unwrap().is_some(), is_there);
        }
        storage.list(&ListRequest::everything()).await.unwrap();
    }
    // What is deleted by a listing of the past is asked for before.
    let ghosts = ["r/b/1", "r/x/1"].map(name);
    for outcome in storage.delete(&ghosts).await {
        assert_eq!(outcome.unwrap(), Outcome::Absent);
    }
}

/// The collector met a blob of no bytes, waited, and gave up.
#[tokio::test]
async fn defect_8_a_dynamic_large_object_of_no_bytes_is_no_end() {
    let (fake, storage) = ready().await;
    let raw = raw(&fake_config(&fake));
    write(&raw, &["files/d/b"], &base("", "/docker/registry/v2/x"), &[]).await;
    for object in ["d/a", "d/c"] {
        storage.write(&name(object), random(10).into(), WriteMode::IfAbsent).await.unwrap();
    }
    let begun = Instant::now();
    assert_eq!(listed(&storage, ListRequest::under(name("d")), 10).await, ["d/a", "d/b", "d/c"]);
    let stats = ["d/a", "d/b", "d/c"].map(|object| {
        let storage = &storage;
        async move { storage.stat(&name(object), Freshness::Newest).await.map(|info| info.is_some()) }
    });
    let stats: Vec<_> =
        join_all(stats).await.into_iter().map(|stat| stat.map_err(|error| error.kind())).collect();
    assert_eq!(stats, [Ok(true), Err(ErrorKind::Damaged), Ok(true)]);
    // It asked again and again for 12.6 s.
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    for outcome in storage.delete(&["d/a", "d/b", "d/c"].map(name)).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
    assert!(left(&fake).is_empty(), "{:?}", left(&fake));
}

/// A push whose digest did not agree left its upload and its segments.
#[tokio::test]
async fn defect_9_a_body_that_is_refused_leaves_nothing() {
    let (fake, storage) = ready().await;
    for length in [100, 3 * MEBIBYTE] {
        let bytes = random(length);
        let refused =
            body::hold_back(streamed(&bytes), length as u64, || Err("it has another digest".into()));
        let body = Body::stream(length as u64, refused);
        let error = storage.write(&name("o"), body, WriteMode::IfAbsent).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        let (stage, _) = staged(&storage, "s", &bytes).await;
        assert_eq!(storage.stage_drop(&stage).await.unwrap(), Outcome::Done);
    }
    eventually("something is left", || left(&fake).is_empty()).await;
}

/// A chunk that began elsewhere ended the upload.
#[tokio::test]
async fn defect_10_a_chunk_at_the_wrong_place_changes_nothing() {
    let (_fake, storage) = ready().await;
    let bytes = random(2 * MEBIBYTE);
    let (stage, first) = staged(&storage, "s", &bytes).await;
    let second = append(&storage, &stage, StagePosition::At(&first.revision), &bytes).await.unwrap();
    let made_up = apus_storage::StageRevision::from_text("made-up");
    for wrong in [StagePosition::Start, StagePosition::At(&first.revision), StagePosition::At(&made_up)] {
        let error = append(&storage, &stage, wrong, &bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StageMoved);
        assert_eq!(storage.stage_state(&stage, None).await.unwrap().unwrap(), second);
    }
    storage.stage_publish(&stage, &second.revision, &name("o"), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "o", &Bytes::from([bytes.clone(), bytes].concat())).await;
}

/// As texts, "2.10" to "2.29" are less than "2.3", and there the account's key was overwritten for all who used it.
#[tokio::test]
async fn defect_11_the_version_of_a_swift_decides_nothing() {
    for version in ["2.2.0", "2.9.0", "2.10.1", "2.29.2", "2.30.1", "10.0", "unheard of"] {
        let (fake, storage) = ready_with(|options| options.version = version.to_owned()).await;
        let proof = storage.prove_temporary_urls().await.unwrap();
        assert_eq!(proof.scope, Some(TemporaryUrlScope::Container), "{version}");
        let account = |request: &RequestRecord| request.kind == RequestKind::Account;
        assert_eq!(fake.count(|request| account(request) && request.method == Method::POST), 0, "{version}");
        let bytes = random(100);
        storage.write(&name("o"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
        let minute = Duration::from_mins(1);
        let url = storage.temporary_url(&name("o"), UrlMethod::Get, minute).await.unwrap().unwrap();
        assert_eq!(get(&url).await.body, bytes, "{version}");
    }
}

/// The answer to the POST of a key was not looked at, and each pull was sent to a URL that Swift refused.
#[tokio::test]
async fn defect_12_a_key_that_was_refused_signs_nothing() {
    for refusal in [StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED, StatusCode::ACCEPTED] {
        let (fake, storage) = ready().await;
        let action = Action::Status(refusal, HeaderMap::new());
        let path_contains = "/v1/".to_owned();
        fake.fault(Fault { method: Some(Method::POST), path_contains, ..Fault::always(action) });
        let bytes = random(100);
        storage.write(&name("o"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
        storage.prove_temporary_urls().await.unwrap_err();
        let minute = Duration::from_mins(1);
        for method in [UrlMethod::Get, UrlMethod::Head] {
            assert_eq!(storage.temporary_url(&name("o"), method, minute).await.unwrap(), None, "{refusal}");
        }
        // So it is given from here.
        assert_content(&storage, "o", &bytes).await;
    }
}

/// A name that sorts before `_layers` inside of its own repository ended the catalog without a word.
#[tokio::test]
async fn defect_13_a_page_that_ends_inside_a_folder_is_not_the_last() {
    let (_fake, storage) = ready().await;
    let repositories = ["app", "foo", "foo/1bar", "foo/Zed", "foo/zz", "zed"];
    let mut objects: Vec<String> =
        repositories.iter().map(|repository| format!("r/{repository}/_layers/x")).collect();
    for object in &objects {
        storage.write(&name(object), random(5).into(), WriteMode::IfAbsent).await.unwrap();
    }
    objects.sort();
    for limit in 1..8 {
        assert_eq!(listed(&storage, ListRequest::under(name("r")), limit).await, objects, "{limit}");
        let level = listed(&storage, ListRequest::under(name("r/foo")).one_level(), limit).await;
        assert_eq!(level, ["r/foo/1bar/", "r/foo/Zed/", "r/foo/_layers/", "r/foo/zz/"], "{limit}");
    }
}

/// Asking for the state of an upload wrote two objects.
#[tokio::test]
async fn defect_14_looking_at_an_upload_writes_nothing() {
    let (fake, one) = ready().await;
    let other = storage(&fake_config(&fake));
    let (stage, state) = staged(&one, "s", &random(2 * MEBIBYTE)).await;
    other.check().await.unwrap();
    forget(&fake);
    assert_eq!(other.stage_state(&stage, None).await.unwrap().unwrap(), state);
    assert_eq!(other.stage_state(&stage, Some(&state.revision)).await.unwrap().unwrap(), state);
    other.stage_list(None, 10).await.unwrap();
    let methods: Vec<_> = fake.take_requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, [Method::GET, Method::GET, Method::GET]);
}

/// Segments that nothing names were never looked for. Here each lies under its upload's name, and goes with that: also what a
/// process left that died, or that lost a race.
#[tokio::test]
async fn defect_15_no_segment_is_beyond_reach() {
    let (fake, one) = ready().await;
    let other = storage(&fake_config(&fake));
    let bytes = random(2 * MEBIBYTE);
    let (stage, state) = staged(&one, "s", &bytes).await;
    let position = StagePosition::At(&state.revision);
    // Of two at one place, one loses its bytes.
    let appended = futures_util::future::join(
        append(&one, &stage, position, &bytes),
        append(&other, &stage, position, &bytes),
    );
    let _ = appended.await;
    // One dies in the midst of it.
    let stalling = Box::pin(streamed(&bytes).chain(stream::pending::<Result<Bytes, BoxError>>()));
    let dying = other.stage_append(&stage, StagePosition::Start, stalling, Box::new(Bytes::new));
    tokio::time::timeout(Duration::from_secs(1), dying).await.unwrap_err();
    // Another could not tell whether its session was kept.
    let lost = Action::DoneButStatus(StatusCode::SERVICE_UNAVAILABLE);
    let (method, path_contains) = (Some(Method::PUT), "/apus/sessions/".to_owned());
    fake.fault(Fault { method, path_contains, times: 4, ..Fault::once(lost) });
    let state = one.stage_state(&stage, None).await.unwrap().unwrap();
    append(&one, &stage, StagePosition::At(&state.revision), &bytes).await.unwrap_err();
    assert_eq!(one.stage_drop(&stage).await.unwrap(), Outcome::Done);
    eventually("something is left", || left(&fake).is_empty()).await;

    // And an object takes with it what it consists of, whatever state it is in.
    publish(&one, "t", "o", &random(4 * MEBIBYTE)).await;
    let not_now = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    let (method, path_contains) = (Some(Method::DELETE), "multipart-manifest=delete".to_owned());
    fake.fault(Fault { method, path_contains, times: 4, ..Fault::once(not_now) });
    one.delete(&[name("o")]).await.remove(0).unwrap_err();
    assert!(one.read(&name("o"), ByteRange::Full, Freshness::Any).await.unwrap().is_some());
    one.delete(&[name("o")]).await.remove(0).unwrap();
    assert!(left(&fake).is_empty(), "{:?}", left(&fake));
}
