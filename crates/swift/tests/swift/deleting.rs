//! Deleting: many in one request where the cluster can, and whatever hides in an answer of status 200 is found.

use apus_fake_swift::{Action, FakeSwift, Fault, Feature, RequestKind};
use apus_storage::{ErrorKind, Freshness, Outcome, Storage, WriteMode};
use apus_swift::{Deletion, SwiftStorage, Upload};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::dynamic::{base, raw, write};
use crate::odd::Odd;
use crate::support::{
    CONTAINER, MEBIBYTE, asked, assert_content, fake, fake_config, forget, name, publish, random, ready,
    ready_with, real_v1, staged, storage,
};

fn status(code: u16) -> Action {
    Action::Status(StatusCode::from_u16(code).unwrap(), HeaderMap::new())
}

/// Faults on deletes inside of other requests.
fn inside(fake: &FakeSwift, path: &str, action: Action, times: usize) {
    let path_contains = path.to_owned();
    fake.fault(Fault { method: Some(Method::DELETE), path_contains, times, ..Fault::once(action) });
}

/// Deletes these objects and sees that all were there.
async fn delete(storage: &SwiftStorage, objects: &[String]) {
    let names: Vec<_> = objects.iter().map(|object| name(object)).collect();
    for outcome in storage.delete(&names).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
}

fn filled(fake: &FakeSwift, count: usize) -> Vec<String> {
    let objects: Vec<String> = (0..count).map(|number| format!("d/{number:03} %ü")).collect();
    for object in &objects {
        fake.put_object(CONTAINER, &format!("files/{object}"), "x");
    }
    objects
}

fn bulk_deletes(fake: &FakeSwift) -> usize {
    fake.count(|request| request.query.contains("bulk-delete"))
}

#[tokio::test]
async fn many_go_in_few_requests() {
    let (fake, storage) = ready_with(|options| options.max_deletes_per_request = 10).await;
    let objects = filled(&fake, 25);
    forget(&fake);
    delete(&storage, &objects).await;
    // Each is looked at: what belongs to it depends on its kind.
    assert_eq!((bulk_deletes(&fake), fake.requests().len()), (3, 25 + 3));
    assert!(fake.object_names(CONTAINER).is_empty());
    for outcome in storage.delete(&[name("d/1"), name("d/2")]).await {
        assert_eq!(outcome.unwrap(), Outcome::Absent);
    }
}

#[tokio::test]
async fn where_there_is_no_such_thing_each_goes_alone() {
    let without = |options: &mut apus_fake_swift::Options| options.without = vec![Feature::BulkDelete];
    let silent = |options: &mut apus_fake_swift::Options| options.info = false;
    for fake in [fake(without).await, fake(silent).await] {
        let storage = storage(&fake_config(&fake));
        let objects = filled(&fake, 12);
        delete(&storage, &objects).await;
        assert_eq!(bulk_deletes(&fake), 0);
        assert!(fake.object_names(CONTAINER).is_empty());
    }
}

/// An operator may say so too, or `/info` be wrong.
#[tokio::test]
async fn what_is_configured_counts_and_what_is_refused_goes_alone() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.capabilities.max_deletes = Some(0);
    delete(&storage(&config), &filled(&fake, 5)).await;
    assert_eq!(bulk_deletes(&fake), 0);

    let fake = crate::support::fake(|options| options.max_deletes_per_request = 4).await;
    let mut config = fake_config(&fake);
    config.capabilities.max_deletes = Some(1000);
    delete(&storage(&config), &filled(&fake, 10)).await;
    assert_eq!(bulk_deletes(&fake), 1);
    assert!(fake.object_names(CONTAINER).is_empty());

    let fake = crate::support::fake(|_| ()).await;
    let storage = storage(&fake_config(&fake));
    fake.fault(Fault { path_contains: "bulk-delete".to_owned(), ..Fault::always(status(405)) });
    delete(&storage, &filled(&fake, 10)).await;
    assert!(fake.object_names(CONTAINER).is_empty());
}

/// The one that failed is tried again, and what stays is said of that one alone.
#[tokio::test]
async fn a_failure_inside_is_found() {
    let (fake, storage) = ready().await;
    for code in [503, 500, 409, 498] {
        let objects = filled(&fake, 10);
        inside(&fake, "004", status(code), 1);
        forget(&fake);
        delete(&storage, &objects).await;
        assert_eq!((bulk_deletes(&fake), fake.requests().len()), (1, 10 + 1 + 1), "{code}");
        assert!(fake.object_names(CONTAINER).is_empty());
    }
    let objects = filled(&fake, 10);
    inside(&fake, "004", status(503), usize::MAX);
    let names: Vec<_> = objects.iter().map(|object| name(object)).collect();
    for (outcome, object) in storage.delete(&names).await.into_iter().zip(&objects) {
        match outcome {
            Ok(outcome) => assert_eq!(outcome, Outcome::Done),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
                assert_eq!((error.object(), object.contains("004")), (&**object, true));
            }
        }
    }
    assert_eq!(fake.object_names(CONTAINER).len(), 1);
}

/// Swift answers 200, and says of each that it was 401.
#[tokio::test]
async fn an_expired_token_inside_a_bulk_delete_is_renewed() {
    let (fake, storage) = ready().await;
    let objects = filled(&fake, 10);
    fake.fault(Fault { path_contains: "bulk-delete".to_owned(), ..Fault::once(Action::ExpireTokens) });
    forget(&fake);
    delete(&storage, &objects).await;
    assert_eq!(fake.count(|request| request.kind == RequestKind::SignIn), 1);
    assert_eq!(bulk_deletes(&fake), 2);
    assert_eq!(fake.count(|request| request.method == Method::DELETE), 0);
    assert!(fake.object_names(CONTAINER).is_empty());

    // In the midst of it: what was done is not done again.
    let objects = filled(&fake, 10);
    inside(&fake, "00*", status(401), 4);
    forget(&fake);
    delete(&storage, &objects).await;
    assert_eq!(bulk_deletes(&fake), 2);
    assert!(fake.object_names(CONTAINER).is_empty());
}

/// The same on the real one, where the sign-in comes after bulk deletes: a token that nobody has given out.
#[tokio::test]
async fn a_real_swift_hides_a_refused_token_the_same_way() {
    let config = real_v1("apus-bulk");
    let container = raw(&config);
    container.ensure().await.unwrap();
    let prefix = format!("{}", u64::from_le_bytes(random(8)[..].try_into().unwrap()));
    let names: Vec<String> = (0..7).map(|number| format!("{prefix}/{number} %ü\n")).collect();
    for name in &names {
        container.put(Upload::new(name, Bytes::new())).await.unwrap();
    }
    // The last is not there, and then it is not said which.
    let all = names.iter().cloned().chain([format!("{prefix}/absent")]);
    for deletion in container.delete_many(all).await {
        assert_eq!(deletion.unwrap(), Deletion::Done);
    }
    for deletion in container.delete_many(names.clone()).await {
        assert_eq!(deletion.unwrap(), Deletion::Absent);
    }
    for name in &names {
        assert!(container.head(name, Freshness::Newest).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn names_that_are_too_long_for_a_line_go_alone() {
    let (fake, _storage) = ready().await;
    let container = raw(&fake_config(&fake));
    let long = "ü".repeat(500);
    let names: Vec<String> =
        ["a", "b", &long].iter().flat_map(|name| [format!("{name}1"), format!("{name}\n2")]).collect();
    for name in &names {
        fake.put_object(CONTAINER, name, "x");
    }
    forget(&fake);
    for deletion in container.delete_many(names).await {
        assert_eq!(deletion.unwrap(), Deletion::Done);
    }
    assert_eq!((bulk_deletes(&fake), fake.count(|request| request.kind.is_storage())), (1, 1 + 2));
    assert!(fake.object_names(CONTAINER).is_empty());
}

/// Plain ones, and large ones of both kinds, in one call.
#[tokio::test]
async fn each_kind_goes_with_what_belongs_to_it() {
    let (fake, storage) = ready().await;
    storage.write(&name("plain"), random(10).into(), WriteMode::IfAbsent).await.unwrap();
    publish(&storage, "s", "static", &random(3 * MEBIBYTE)).await;
    publish(&storage, "t", "small", &random(10)).await;
    let upload = "/docker/registry/v2/repositories/a/_uploads/1/data";
    write(&raw(&fake_config(&fake)), &["files/dynamic"], &base("", upload), &[random(10), random(20)]).await;
    let names = ["plain", "absent", "static", "dynamic", "small"].map(name);
    let outcomes: Vec<_> = storage.delete(&names).await.into_iter().map(Result::unwrap).collect();
    let (done, absent) = (Outcome::Done, Outcome::Absent);
    assert_eq!(outcomes, [done, absent, done, done, done]);
    assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
}

/// A segment that could not be deleted, told inside an answer of status 200.
#[tokio::test]
async fn a_failure_inside_the_delete_of_a_large_object_is_found() {
    let (fake, storage) = ready().await;
    let bytes = random(3 * MEBIBYTE);
    for code in [503, 401] {
        publish(&storage, &format!("s{code}"), "o", &bytes).await;
        inside(&fake, "/segments/", status(code), 1);
        delete(&storage, &["o".to_owned()]).await;
        assert!(fake.object_names(CONTAINER).is_empty(), "{code}: {:?}", fake.object_names(CONTAINER));
    }
    publish(&storage, "s", "o", &bytes).await;
    inside(&fake, "/segments/", status(503), usize::MAX);
    let error = storage.delete(&[name("o")]).await.remove(0).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
    assert!(error.report().contains("503"), "{}", error.report());
    // The record of segments still tells what is left of it.
    assert!(fake.object(CONTAINER, "apus/records/s").is_some());
}

/// A manifest that is refused because a segment could not be looked at is no damage.
#[tokio::test]
async fn trouble_inside_the_put_of_a_manifest_is_told_from_damage() {
    const OF: fn(&str) -> &'static str = |text| match text {
        "401" => r#"{"Errors": [["/registry/segments/a", "401 Unauthorized"]]}"#,
        "503" => r#"{"Errors": [["/registry/segments/a", "503 Service Unavailable"]]}"#,
        _ => r#"{"Errors": [["/registry/segments/a", "404 Not Found"]]}"#,
    };
    for (code, tries, kind) in
        [("401", 2, ErrorKind::Denied), ("503", 4, ErrorKind::UNAVAILABLE), ("404", 1, ErrorKind::Damaged)]
    {
        let odd = Odd::start(move |method, path| match method {
            "PUT" if path.contains("multipart-manifest") => ("400 Bad Request", OF(code)),
            "PUT" => ("201 Created", ""),
            "GET" => ("404 Not Found", ""),
            _ => ("204 No Content", ""),
        })
        .await;
        let storage = storage(&odd.config);
        let (stage, state) = staged(&storage, "s", &random(2 * MEBIBYTE)).await;
        // The session is known, so only the manifest counts.
        let published = storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await;
        let error = published.unwrap_err();
        let expected = if code == "404" { ErrorKind::StageMoved } else { kind };
        assert_eq!(error.kind(), expected, "{}", error.report());
        let puts = odd.asked().iter().filter(|line| line.contains("multipart-manifest")).count();
        assert_eq!(puts, tries, "{code}");
    }
}

/// It was done, but nobody was told; repeated, it finds nothing there. That is no absence.
#[tokio::test]
async fn a_delete_whose_answer_is_lost_is_done() {
    let (fake, storage) = ready().await;
    for action in [Action::DoneButStatus(StatusCode::SERVICE_UNAVAILABLE), Action::ResetAfterDone] {
        storage.write(&name("o"), random(10).into(), WriteMode::IfAbsent).await.unwrap();
        inside(&fake, "/files/", action.clone(), 1);
        delete(&storage, &["o".to_owned()]).await;
        publish(&storage, "s", "o", &random(2 * MEBIBYTE)).await;
        inside(&fake, "/files/", action, 1);
        delete(&storage, &["o".to_owned()]).await;
        assert!(fake.object_names(CONTAINER).is_empty(), "{:?}", fake.object_names(CONTAINER));
    }
}

/// Objects that a listing shows and that are not there are absent, whatever is done to them.
#[tokio::test]
async fn ghosts_are_absent() {
    let (fake, storage) = ready().await;
    fake.create_container(CONTAINER);
    fake.add_ghost(CONTAINER, "files/ghost");
    assert!(storage.stat(&name("ghost"), Freshness::Any).await.unwrap().is_none());
    assert_eq!(storage.touch(&name("ghost")).await.unwrap(), Outcome::Absent);
    assert_eq!(storage.delete(&[name("ghost")]).await.remove(0).unwrap(), Outcome::Absent);
    let bytes = random(10);
    storage.write(&name("ghost"), bytes.clone().into(), WriteMode::IfAbsent).await.unwrap();
    assert_content(&storage, "ghost", &bytes).await;
    assert_eq!(asked(&fake.take_requests()).last().unwrap(), "GET object");
}
