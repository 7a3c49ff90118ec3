//! What Ceph's object gateway (RGW) does otherwise than Swift, and what Swift itself does that surprises: one test for each,
//! which a driver that does not know it fails. That all else works there too is shown by the conformance suite, which runs on
//! each dialect. Names without a module are of this one.
//!
//! | Ceph's gateway | test |
//! |---|---|
//! | no account in the URL | [`the_account_need_not_be_in_the_url`] |
//! | version 1 of the sign-in; some give only `X-Storage-Token` | [`the_token_may_have_its_other_name`] |
//! | `/info` is elsewhere, and leaves out much | [`what_info_leaves_out_has_a_value`] |
//! | temporary URLs by the account's key, and digests that nobody tells | [`temporary_urls_are_signed_with_the_account_s_key`] |
//! | a manifest's entity tags are believed | [`a_segment_that_changed_on_its_way_is_found_before_the_manifest`] |
//! | a segment that is missing: 404 to the PUT of a manifest, 404 to a GET | [`a_manifest_that_misses_a_segment_is_no_missing_container`], [`a_missing_segment_is_told_as_absence`] |
//! | at most so many segments | [`segments::more_segments_than_the_cluster_allows_are_refused`](crate::segments), [`compacting`](crate::compacting) |
//! | a manifest reads as nothing | [`manifests_are_not_shown`] |
//! | deleting a large object is always 200 | [`a_delete_of_a_large_object_says_inside_what_came_of_it`] |
//! | dynamic large objects; no `Last-Modified` of empty ones | [`dynamic_large_objects_are_read_and_deleted`], [`answers::tags_may_come_with_quotes_and_times_not_at_all`](crate::answers) |
//! | a large object is listed with the size of its manifest | [`the_size_in_a_listing_is_not_believed`] |
//! | flags as metadata, tags in quotes | [`the_flag_of_a_large_object_is_no_metadata`], [`tags_in_quotes_are_the_same_tags`] |
//! | the 201 of a copy proves nothing | [`client::that_a_copy_was_answered_201_proves_nothing`](crate::client) |
//! | a page that is too long is 412 | [`a_page_that_is_too_long_is_refused`] |
//! | a bulk delete ends silently at a long line | [`bulk_deletes_of_odd_names`] |
//! | `If-None-Match` is not heeded | [`if_none_match_is_not_heeded`] |
//! | an expired token is 403, and so is what one may not do | [`an_expired_token_is_answered_403`], [`tokens::a_403_that_stays_is_no_loop_and_costs_no_token`](crate::tokens) |
//!
//! | Swift | test |
//! |---|---|
//! | SHA-1 may be no digest of temporary URLs any more | [`temporary_urls::proof::the_strongest_digest_that_the_cluster_takes_is_used`](crate::temporary_urls) |
//! | a manifest must come with its length | [`a_manifest_comes_with_its_length`] |
//! | a body cut short publishes nothing | `writing::a_body_that_breaks_off_changes_nothing` of the suite, on a real Swift too |
//! | of a race only one is answered 201 | [`lost_answers::an_answer_of_202_is_looked_into`](crate::lost_answers) |
//! | a manifest may miss a segment: 409 | [`damage::a30_a_blob_that_cannot_be_read_heals_on_the_next_push`](crate::damage) |
//! | deleting a plain object as a large one is 200, and not done | [`deleting::each_kind_goes_with_what_belongs_to_it`](crate::deleting) |
//! | a POST replaces all metadata | [`client::all_that_a_user_does_on_a_real_swift`](crate::client) |
//! | a refused PUT takes no body | [`budgets::a_write_over_what_exists_costs_no_body`](crate::budgets) |
//! | a replica may not have heard of an object | [`one_replica_s_word_is_not_enough`], the suite on `stale` |
//! | listings lag | the suite on `lagging` and `odd_ceph` |

use apus_fake_swift::{Action, Dialect, Digest, FakeSwift, Fault, Interface, Options, Replica, RequestKind};
use apus_storage::{
    ByteRange, ErrorKind, Freshness, ListEntry, ListRequest, Outcome, Publication, Storage, UrlMethod,
    WriteMode, body,
};
use apus_swift::{Password, SwiftConfig, SwiftStorage, TemporaryUrlScope, Upload};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::dynamic::{base, raw, write};
use crate::support::{
    CONTAINER, MEBIBYTE, assert_content, content, fake, fake_config, forget, name, publish, random, staged,
    storage, streamed_body,
};
use crate::temporary_urls::outside::{Owner, get};

fn ceph(options: &mut Options) {
    options.dialect = Dialect::Ceph { account_in_url: false };
}

/// A fake gateway, and storage on it that has done what is done once.
async fn gateway() -> (FakeSwift, SwiftStorage) {
    let fake = fake(ceph).await;
    let storage = storage(&fake_config(&fake));
    storage.check().await.unwrap();
    forget(&fake);
    (fake, storage)
}

async fn write_new(storage: &SwiftStorage, object: &str, bytes: &Bytes) -> Publication {
    storage.write(&name(object), streamed_body(bytes), WriteMode::IfAbsent).await.unwrap()
}

/// The URL of the catalog is used as it is: there is no account in it, and none is put there.
#[tokio::test]
async fn the_account_need_not_be_in_the_url() {
    let (fake, storage) = gateway().await;
    assert!(fake.storage_url(Interface::Public).ends_with("/swift/v1"));
    write_new(&storage, "o", &random(10)).await;
    let requests = fake.take_requests();
    assert_eq!(requests.last().unwrap().path, "/swift/v1/registry/files/o");
}

/// In version 1 the token comes under two names, and from some only under the one that is seldom looked at.
#[tokio::test]
async fn the_token_may_have_its_other_name() {
    let fake = fake(ceph).await;
    let path_contains = "/auth".to_owned();
    let without = Action::AnswerHeader(HeaderName::from_static("x-auth-token"), None);
    fake.fault(Fault { path_contains, ..Fault::always(without) });
    let config = SwiftConfig::new(fake.auth_url_v1(), Password::new("test:tester", "testing"), CONTAINER);
    storage(&config).check().await.unwrap();
}

/// `/info` lies beside the version, and leaves out half of what Swift says.
#[tokio::test]
async fn what_info_leaves_out_has_a_value() {
    let (_fake, storage) = gateway().await;
    let capabilities = storage.check().await.unwrap().connected.capabilities;
    assert!(capabilities.told);
    assert_eq!((capabilities.max_deletes, capabilities.min_segment_size), (Some(1000), None));
    assert!(capabilities.temporary_urls.unwrap().digests.is_empty());
}

/// It checks them with keys of the account only, and Pacific does not tell that it takes none but SHA-1.
#[tokio::test]
async fn temporary_urls_are_signed_with_the_account_s_key() {
    let fake = fake(|options| {
        ceph(options);
        options.tempurl_digests = vec![Digest::Sha1];
    })
    .await;
    let mut config = fake_config(&fake);
    // Nothing that was there is overwritten.
    let owner = Owner::sign_in(&fake.auth_url_v1(), "test:tester", "testing").await;
    owner.must(Method::POST, "", &[("x-account-meta-temp-url-key", "another-s")]).await;
    for scope in [None, Some(TemporaryUrlScope::Account)] {
        config.temporary_urls.key_scope = scope;
        let storage = storage(&config);
        let proof = storage.prove_temporary_urls().await.unwrap();
        assert_eq!((proof.scope, proof.digest.as_str()), (Some(TemporaryUrlScope::Account), "sha1"));
        let bytes = random(2000);
        storage.write(&name("o"), bytes.clone().into(), WriteMode::Replace).await.unwrap();
        let minute = std::time::Duration::from_mins(1);
        let url = storage.temporary_url(&name("o"), UrlMethod::Get, minute).await.unwrap().unwrap();
        assert_eq!(get(&url).await.body, bytes);
    }
    let answer = owner.must(Method::HEAD, "", &[]).await;
    assert_eq!(answer.header("x-account-meta-temp-url-key"), Some("another-s"));
}

/// A PUT that is to leave what exists overwrites it: it is asked first whether there is something.
#[tokio::test]
async fn if_none_match_is_not_heeded() {
    let (fake, storage) = gateway().await;
    let (first, second) = (random(2 * MEBIBYTE), random(2 * MEBIBYTE));
    write_new(&storage, "o", &first).await;
    assert!(matches!(write_new(&storage, "o", &second).await, Publication::Existing(_)));
    assert!(matches!(publish(&storage, "s", "o", &second).await, Publication::Existing(_)));
    let (stage, state) = staged(&storage, "t", &first).await;
    let begun_again = storage
        .stage_append(
            &stage,
            apus_storage::StagePosition::Start,
            crate::support::streamed(&second),
            Box::new(Bytes::new),
        )
        .await;
    assert_eq!(begun_again.unwrap_err().kind(), ErrorKind::StageMoved);
    assert_eq!(storage.stage_state(&stage, None).await.unwrap().unwrap(), state);
    assert_content(&storage, "o", &first).await;

    // Where nobody says what the cluster can, it is asked as well; an operator may know better.
    let hidden = crate::support::fake(|options| options.info = false).await;
    let mut config = fake_config(&hidden);
    for (known, requests) in [(None, 2), (Some(true), 1)] {
        config.capabilities.conditional_writes = known;
        let storage = crate::support::storage(&config);
        storage.check().await.unwrap();
        forget(&hidden);
        write_new(&storage, &format!("o{requests}"), &random(10)).await;
        assert_eq!(hidden.count(|request| request.kind == RequestKind::Object), requests);
    }
    drop(fake);
}

/// A manifest's entity tags are believed. What a segment holds is known only from the answer to its own PUT.
#[tokio::test]
async fn a_segment_that_changed_on_its_way_is_found_before_the_manifest() {
    let (fake, storage) = gateway().await;
    let bytes = random(3 * MEBIBYTE);
    let lost = Action::LoseRequestBody(MEBIBYTE as u64);
    fake.fault(Fault {
        method: Some(Method::PUT),
        path_contains: "/segments/".to_owned(),
        ..Fault::once(lost)
    });
    let stage = crate::support::stage("s");
    let error = crate::support::append(&storage, &stage, apus_storage::StagePosition::Start, &bytes).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Damaged);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// `?multipart-manifest=get` is answered with nothing: the record of segments says what is to be freed.
#[tokio::test]
async fn manifests_are_not_shown() {
    let (fake, storage) = gateway().await;
    publish(&storage, "s", "o", &random(3 * MEBIBYTE)).await;
    assert!(raw(&fake_config(&fake)).manifest("files/o").await.unwrap().unwrap().is_empty());
    let bytes = random(2 * MEBIBYTE);
    storage.write(&name("o"), streamed_body(&bytes), WriteMode::Replace).await.unwrap();
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(fake.object_names(CONTAINER), ["files/o"]);
}

/// Deleting a large object is answered 200 whatever came of it.
#[tokio::test]
async fn a_delete_of_a_large_object_says_inside_what_came_of_it() {
    let (fake, storage) = gateway().await;
    let container = raw(&fake_config(&fake));
    assert_eq!(container.delete_with_segments("absent").await.unwrap(), apus_swift::Deletion::Absent);
    for code in [503, 401] {
        publish(&storage, &format!("s{code}"), "o", &random(3 * MEBIBYTE)).await;
        let action = Action::Status(StatusCode::from_u16(code).unwrap(), HeaderMap::new());
        fake.fault(Fault {
            method: Some(Method::DELETE),
            path_contains: "/segments/".to_owned(),
            ..Fault::once(action)
        });
        assert_eq!(storage.delete(&[name("o")]).await.remove(0).unwrap(), Outcome::Done);
        assert!(fake.object_names(CONTAINER).is_empty(), "{code}: {:?}", fake.object_names(CONTAINER));
    }
}

/// The list of names to delete ends silently at a line that is too long, and what failed is told without escapes.
#[tokio::test]
async fn bulk_deletes_of_odd_names() {
    let (fake, _storage) = gateway().await;
    let long = "ü".repeat(500);
    let names =
        ["%41", "A", "a b", &long].into_iter().flat_map(|text| [format!("{text}1"), format!("{text}2")]);
    let names: Vec<String> = names.collect();
    for name in &names {
        fake.put_object(CONTAINER, name, "x");
    }
    let busy = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    let path_contains = "/%2541".to_owned();
    fake.fault(Fault { method: Some(Method::DELETE), path_contains, ..Fault::once(busy) });
    for deletion in raw(&fake_config(&fake)).delete_many(names).await {
        assert_eq!(deletion.unwrap(), apus_swift::Deletion::Done);
    }
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// Its own flag looks like a user's metadata: a touch must not make it one.
#[tokio::test]
async fn the_flag_of_a_large_object_is_no_metadata() {
    let (fake, storage) = gateway().await;
    let bytes = random(3 * MEBIBYTE);
    publish(&storage, "s", "o", &bytes).await;
    storage.touch(&name("o")).await.unwrap();
    let headers = fake.object(CONTAINER, "files/o").unwrap().headers;
    assert!(!headers.contains_key("x-object-meta-static-large-object"), "{headers:?}");
    assert_eq!(headers["x-object-meta-apus-stage"], "s");
    assert_content(&storage, "o", &bytes).await;
}

/// A page of more names than there may be is refused, not shortened.
#[tokio::test]
async fn a_page_that_is_too_long_is_refused() {
    let fake = fake(|options| {
        ceph(options);
        (options.info, options.container_listing_limit) = (false, 100);
    })
    .await;
    let storage = storage(&fake_config(&fake));
    for number in 0..250 {
        fake.put_object(CONTAINER, &format!("files/d/{number:03}"), "x");
    }
    for round in 0..2 {
        forget(&fake);
        let mut request = ListRequest::under(name("d"));
        let mut found = 0;
        while let Some(next) = {
            let page = storage.list(&request).await.unwrap();
            found += page.entries.len();
            page.next
        } {
            request = request.after(next);
        }
        assert_eq!(found, 250);
        // What was refused once is not asked for again.
        let refused = fake.count(|request| request.status == Some(StatusCode::PRECONDITION_FAILED));
        assert_eq!(refused > 0, round == 0, "{refused}");
    }
}

/// A token that Keystone no longer knows is answered 403, as if the user might not do this. As long as a new one helps, it is
/// asked for each time.
#[tokio::test]
async fn an_expired_token_is_answered_403() {
    let (fake, storage) = gateway().await;
    write_new(&storage, "o", &random(10)).await;
    for ends in 1..=3 {
        fake.expire_tokens();
        assert!(storage.stat(&name("o"), Freshness::Any).await.unwrap().is_some());
        assert_eq!(fake.count(|request| request.status == Some(StatusCode::FORBIDDEN)), ends);
    }
}

/// A large object that misses a segment is read as if it were not there, while a HEAD still shows it.
#[tokio::test]
async fn a_missing_segment_is_told_as_absence() {
    let (fake, storage) = gateway().await;
    let bytes = random(3 * MEBIBYTE);
    publish(&storage, "s", "o", &bytes).await;
    let segment = fake.object(CONTAINER, "files/o").unwrap().segments.unwrap().remove(0);
    fake.delete_object(CONTAINER, segment.strip_prefix("/registry/").unwrap());
    assert!(storage.stat(&name("o"), Freshness::Any).await.unwrap().is_some());
    assert!(content(&storage, "o").await.is_none());
    let mut seen = None;
    for _ in 0..1000 {
        seen = storage.stat(&name("o"), Freshness::Any).await.err().map(|error| error.kind());
        if seen.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(seen, Some(ErrorKind::Damaged));
    assert!(matches!(write_new(&storage, "o", &bytes).await, Publication::Published(_)));
    assert_content(&storage, "o", &bytes).await;
    assert_eq!(fake.object_names(CONTAINER), ["files/o"]);
}

/// A manifest with a missing segment is answered 404, which of an object's PUT else means a missing container.
#[tokio::test]
async fn a_manifest_that_misses_a_segment_is_no_missing_container() {
    let (fake, storage) = gateway().await;
    let (stage, state) = staged(&storage, "s", &random(3 * MEBIBYTE)).await;
    let names = fake.object_names(CONTAINER);
    fake.delete_object(CONTAINER, names.iter().find(|name| name.starts_with("segments/")).unwrap());
    let published = storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await;
    assert_eq!(published.unwrap_err().kind(), ErrorKind::Damaged);
}

/// A listing shows what a manifest weighs, and of a dynamic one nothing.
#[tokio::test]
async fn the_size_in_a_listing_is_not_believed() {
    let (fake, storage) = gateway().await;
    let (large, parts) = (random(3 * MEBIBYTE), [random(1000), random(2000)]);
    publish(&storage, "s", "d/large", &large).await;
    write(&raw(&fake_config(&fake)), &["files/d/dynamic"], &base("", "/docker/registry/v2/u"), &parts).await;
    let page = storage.list(&ListRequest::under(name("d"))).await.unwrap();
    for (entry, size) in page.entries.iter().zip([3000, 3 << 20]) {
        assert!(matches!(entry, ListEntry::Object { size: listed, .. } if *listed < 1000), "{entry:?}");
        let info = storage.stat(&name(&entry.key()), Freshness::Any).await.unwrap().unwrap();
        assert_eq!(info.size, size, "{entry:?}");
    }
    assert_content(&storage, "d/large", &large).await;
}

/// What registry:2 wrote there.
#[tokio::test]
async fn dynamic_large_objects_are_read_and_deleted() {
    let (fake, storage) = gateway().await;
    let parts = [random(1000), random(2000)];
    let upload = "/docker/registry/v2/repositories/a/_uploads/1/data";
    write(&raw(&fake_config(&fake)), &["files/o"], &base("", upload), &parts).await;
    assert_eq!(storage.stat(&name("o"), Freshness::Any).await.unwrap().unwrap().size, 3000);
    assert_content(&storage, "o", &Bytes::from(parts.concat())).await;
    let reader = storage.read(&name("o"), ByteRange::From(2999), Freshness::Any).await.unwrap().unwrap();
    assert_eq!(reader.range, 2999..3000);
    assert_eq!(storage.delete(&[name("o")]).await.remove(0).unwrap(), Outcome::Done);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// Entity tags with quotes and without, in every answer.
#[tokio::test]
async fn tags_in_quotes_are_the_same_tags() {
    let fake = fake(|options| {
        ceph(options);
        options.quoted_etags = true;
    })
    .await;
    let storage = storage(&fake_config(&fake));
    let container = raw(&fake_config(&fake));
    container.ensure().await.unwrap();
    let bytes = random(1000);
    container.put(Upload::new("files/o", bytes.clone())).await.unwrap();
    let info = storage.stat(&name("o"), Freshness::Any).await.unwrap().unwrap();
    assert_eq!(info.entity_tag.unwrap(), fake.object(CONTAINER, "files/o").unwrap().etag);
    let large = random(3 * MEBIBYTE);
    publish(&storage, "s", "p", &large).await;
    assert_content(&storage, "p", &large).await;
}

/// Newer Swifts refuse a long one in chunks, whose length they cannot foresee.
#[tokio::test]
async fn a_manifest_comes_with_its_length() {
    let (fake, storage) = crate::support::ready().await;
    publish(&storage, "s", "o", &random(3 * MEBIBYTE)).await;
    let requests = fake.take_requests();
    let manifest = requests.iter().find(|request| request.query.contains("multipart-manifest=put")).unwrap();
    let length = &manifest.headers["content-length"];
    assert_eq!(length.to_str().unwrap(), manifest.body_bytes.to_string());
}

/// A replica that was away has not heard of an object, and says so with the same 404 that is said of one that never was.
#[tokio::test]
async fn one_replica_s_word_is_not_enough() {
    let (fake, storage) = crate::support::ready().await;
    fake.split_reads(&[Replica::Stale]);
    let (small, large) = (random(1000), random(3 * MEBIBYTE));
    storage.write(&name("small"), small.clone().into(), WriteMode::IfAbsent).await.unwrap();
    publish(&storage, "s", "large", &large).await;
    for (object, bytes) in [("small", &small), ("large", &large)] {
        let info = storage.stat(&name(object), Freshness::Any).await.unwrap().unwrap();
        assert_eq!(info.size, bytes.len() as u64);
        let reader = storage.read(&name(object), ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
        assert!(body::collect(reader.stream, 1 << 30).await.unwrap() == *bytes);
    }
}
