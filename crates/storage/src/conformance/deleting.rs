//! Deleting objects: by exact names, many at once, each with an answer of its own.

use bytes::Bytes;

use super::content::{random_bytes, random_text};
use super::testbed::{Case, at_once};
use crate::{ListRequest, ObjectName, Outcome};

/// Carries over docker-registry-core `remove_existent`; distribution `TestDelete`.
pub async fn what_was_deleted_is_absent(case: &Case) {
    let name = case.new_name();
    case.put(&name, random_bytes(32)).await;
    assert_eq!(case.delete(&name).await, Outcome::Done);
    case.assert_absent(&name).await;
    case.assert_keys(&ListRequest::under(case.prefix()), &[]).await;
}

/// Carries over docker-registry-core `remove_inexistent`; distribution `TestDeleteNonexistent`. To find nothing is an answer,
/// so that a deletion can be repeated.
pub async fn deleting_what_is_not_there_is_no_error(case: &Case) {
    let name = case.name("folder/object");
    assert_eq!(case.delete(&name).await, Outcome::Absent);
    case.put(&name, "content").await;
    assert_eq!(case.delete(&name).await, Outcome::Done);
    assert_eq!(case.delete(&name).await, Outcome::Absent);
}

/// An object that was deleted can be written again, in the same folder and as another's folder.
pub async fn a_deleted_name_can_be_used_again(case: &Case) {
    let name = case.name("folder/object");
    for _ in 0..3 {
        let content = random_bytes(32);
        case.put(&name, content.clone()).await;
        case.assert_content(&name, &content).await;
        assert_eq!(case.delete(&name).await, Outcome::Done);
    }
    let folder = case.name("folder");
    case.put(&folder, "an object now").await;
    assert_eq!(case.delete(&folder).await, Outcome::Done);
    case.put(&name, "a folder again").await;
    case.assert_content(&name, &Bytes::from_static(b"a folder again")).await;
}

/// Carries over docker-registry-core `remove_folder` and distribution `TestDeleteFolder`. There is no recursive deletion: a
/// folder is deleted by deleting what a listing shows; and one object gone before does not take the others along.
pub async fn a_folder_is_deleted_by_what_it_lists(case: &Case) {
    let names = ["folder/one", "folder/two", "folder/deeper/three"].map(|rest| case.name(rest));
    for name in &names {
        case.put(name, random_bytes(32)).await;
    }
    assert_eq!(case.delete(&names[0]).await, Outcome::Done);
    case.assert_absent(&names[0]).await;
    assert!(case.stat(&names[1]).await.is_some() && case.stat(&names[2]).await.is_some());

    let folder = ListRequest::under(case.name("folder"));
    case.assert_keys(&folder, &["folder/deeper/three", "folder/two"]).await;
    let listed: Vec<ObjectName> =
        case.entries(&folder).await.iter().map(|entry| entry.name().clone()).collect();
    for outcome in case.storage().delete(&listed).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
    for name in &names {
        case.assert_absent(name).await;
    }
    case.assert_keys(&folder, &[]).await;
}

/// Carries over distribution `TestDeleteOnlyDeletesSubpaths`, and more strictly: nothing but the name itself is deleted, not
/// what begins like it and not what lies under it.
pub async fn names_are_deleted_exactly(case: &Case) {
    let file = random_text(16);
    let rests = [format!("d/{file}suffix"), format!("d/dir/{file}"), format!("d/dirsuffix/{file}")];
    let staying = rests.map(|rest| case.name(&rest));
    for name in &staying {
        case.put(name, random_bytes(32)).await;
    }
    let exact = case.name(&format!("d/{file}"));
    case.put(&exact, random_bytes(32)).await;
    assert_eq!(case.delete(&exact).await, Outcome::Done);
    assert_eq!(case.delete(&case.name("d/dir")).await, Outcome::Absent);
    assert_eq!(case.delete(&case.name("d")).await, Outcome::Absent);
    case.assert_absent(&exact).await;
    for name in &staying {
        assert!(case.stat(name).await.is_some(), "{name} is gone");
    }
}

/// Carries over the purpose of distribution `TestFilenameChunking`: however a backend cuts a long list, there is one answer
/// for each name, in the order of the names, with absent ones among them.
pub async fn many_are_deleted_with_an_answer_for_each(case: &Case) {
    assert!(case.storage().delete(&[]).await.is_empty());
    let names: Vec<ObjectName> =
        (0..250).map(|number| case.name(&format!("{}/{}", number % 7, random_text(12)))).collect();
    let is_there = |number: usize| number % 5 != 3;
    let numbered = names.iter().enumerate();
    let there: Vec<_> =
        numbered.filter(|(number, _)| is_there(*number)).map(|(_, name)| name.clone()).collect();
    at_once(&there, async |name| drop(case.put(name, "content").await)).await;
    let outcomes = case.storage().delete(&names).await;
    assert_eq!(outcomes.len(), names.len());
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let expected = if is_there(number) { Outcome::Done } else { Outcome::Absent };
        assert_eq!(outcome.unwrap(), expected, "{}", names[number]);
    }
    case.assert_gone(&names).await;
}
