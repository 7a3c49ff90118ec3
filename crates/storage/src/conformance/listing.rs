//! Listings. What is expected may come late, by as much as the test bed allows.

use std::collections::BTreeSet;
use std::time::Duration;

use super::content::{random_bytes, random_text};
use super::testbed::Case;
use crate::{ListEntry, ListRequest, ObjectName, Outcome};

/// Names whose order is that of their bytes only when a folder counts with its slash: `-`, `.`, `/`, `0`, `A`, `_`, `a`.
const NESTED: [&str; 12] = [
    "foo-bar",
    "foo.x",
    "foo/1bar",
    "foo/a-b/1",
    "foo/a.b",
    "foo/a/1",
    "foo/a/2/3",
    "foo/zz",
    "foo0",
    "fooA/x",
    "foo_",
    "zoo",
];

async fn put_all(case: &Case, rests: &[&str]) {
    for rest in rests {
        case.put(&case.name(rest), (*rest).to_owned()).await;
    }
}

fn under(case: &Case, rest: &str) -> ListRequest {
    ListRequest::under(ObjectName::parse(format!("{}/{rest}", case.prefix())).unwrap())
}

/// Carries over distribution `TestRootExists` and `TestEmptyRootList`: the store as a whole can be listed, empty or not, and
/// what is written is seen from there.
pub async fn the_whole_store_can_be_listed(case: &Case) {
    case.storage().list(&ListRequest::everything().limit(1)).await.unwrap();
    case.storage().list(&ListRequest::everything().one_level().limit(1)).await.unwrap();
    let names = ["test/file1", "test/file2"].map(|rest| case.name(rest));
    put_all(case, &["test/file1", "test/file2"]).await;

    // In a store that others use too, ours is found by beginning directly before it.
    let ours = ListRequest::everything().after(case.prefix().as_str()).limit(1);
    case.eventually(&Some(names[0].clone()), async || {
        case.storage().list(&ours).await.unwrap().entries.first().map(|entry| entry.name().clone())
    })
    .await;
    let level = ours.one_level();
    let page = case.storage().list(&level).await.unwrap();
    assert_eq!(page.entries, [ListEntry::Prefix(case.prefix())]);
    for name in &names {
        assert_eq!(case.delete(name).await, Outcome::Done);
    }
    case.assert_keys(&ListRequest::under(case.prefix()), &[]).await;
}

/// Carries over docker-registry-core `inexistent_list_directory` and the beginning of distribution `TestList`: a prefix with
/// nothing under it is an empty page.
pub async fn nothing_under_a_prefix_is_an_empty_page(case: &Case) {
    let nowhere = under(case, &random_text(16));
    for request in [nowhere.clone(), nowhere.clone().one_level(), nowhere.after("a"), under(case, "a/b/c")] {
        let page = case.storage().list(&request).await.unwrap();
        assert!(page.entries.is_empty() && page.next.is_none(), "{page:?}");
    }
}

/// Carries over docker-registry-core `empty_list_directory`, which lists a file.
pub async fn an_object_is_not_under_its_own_name(case: &Case) {
    put_all(case, &["object"]).await;
    case.assert_keys(&ListRequest::under(case.prefix()), &["object"]).await;
    case.assert_keys(&under(case, "object"), &[]).await;
    case.assert_keys(&under(case, "object").one_level(), &[]).await;
    case.assert_keys(&under(case, "object/below"), &[]).await;
}

/// Carries over docker-registry-core `list_directory` and the fifty files of distribution `TestList`.
pub async fn fifty_objects_of_a_folder(case: &Case) {
    let rests: BTreeSet<String> = (0..50).map(|_| format!("parent/folder/{}", random_text(24))).collect();
    let rests: Vec<&str> = rests.iter().map(String::as_str).collect();
    put_all(case, &rests).await;
    case.assert_keys(&ListRequest::under(case.prefix()), &rests).await;
    case.assert_keys(&under(case, "parent/folder").one_level(), &rests).await;
    case.assert_keys(&ListRequest::under(case.prefix()).one_level(), &["parent/"]).await;
    case.assert_keys(&under(case, "parent").one_level(), &["parent/folder/"]).await;
    case.assert_keys(&under(case, "parent").limit(7), &rests).await;
}

/// Carries over docker-registry-core `list_directory_with_subdir`.
pub async fn one_level_folds_what_lies_deeper(case: &Case) {
    put_all(case, &["base/d1/f1", "base/d2/f2", "base/d2/f3", "base/f4", "base/d3/deep/deeper/f5"]).await;
    case.assert_keys(&under(case, "base").one_level(), &["base/d1/", "base/d2/", "base/d3/", "base/f4"])
        .await;
    case.assert_keys(&under(case, "base/d2").one_level(), &["base/d2/f2", "base/d2/f3"]).await;
    case.assert_keys(&under(case, "base/d3").one_level(), &["base/d3/deep/"]).await;
}

/// Carries over docker-registry-core `empty_after_remove_list_directory`: a folder is there as long as something lies in it.
pub async fn a_folder_goes_with_its_last_object(case: &Case) {
    put_all(case, &["base/folder/one", "base/folder/two", "base/other"]).await;
    let level = under(case, "base").one_level();
    case.assert_keys(&level, &["base/folder/", "base/other"]).await;
    assert_eq!(case.delete(&case.name("base/folder/one")).await, Outcome::Done);
    case.assert_keys(&level, &["base/folder/", "base/other"]).await;
    assert_eq!(case.delete(&case.name("base/folder/two")).await, Outcome::Done);
    case.assert_keys(&level, &["base/other"]).await;
    case.assert_keys(&under(case, "base/folder"), &[]).await;
}

/// A prefix ends at a slash: what only begins like it is not under it.
pub async fn what_only_begins_like_a_prefix_is_not_under_it(case: &Case) {
    put_all(case, &NESTED).await;
    let inside: Vec<&str> = NESTED.into_iter().filter(|rest| rest.starts_with("foo/")).collect();
    case.assert_keys(&under(case, "foo"), &inside).await;
    case.assert_keys(&under(case, "foo/a"), &["foo/a/1", "foo/a/2/3"]).await;
    case.assert_keys(&under(case, "fo"), &[]).await;
}

/// The order is that of whole names, across all folders: a folder has no place of its own.
pub async fn names_come_in_the_order_of_their_bytes(case: &Case) {
    put_all(case, &NESTED).await;
    assert!(NESTED.is_sorted());
    case.assert_keys(&ListRequest::under(case.prefix()), &NESTED).await;
    let level = ["foo-bar", "foo.x", "foo/", "foo0", "fooA/", "foo_", "zoo"];
    case.assert_keys(&ListRequest::under(case.prefix()).one_level(), &level).await;
    let deeper = ["foo/1bar", "foo/a-b/", "foo/a.b", "foo/a/", "foo/zz"];
    case.assert_keys(&under(case, "foo").one_level(), &deeper).await;
}

/// Closes a hole of distribution's suite: pages shorter than the listing, down to one entry, have neither gap nor repeat,
/// and only the last says that it is.
pub async fn pages_join_without_gap_or_repeat(case: &Case) {
    put_all(case, &NESTED).await;
    let (whole, level) = (ListRequest::under(case.prefix()), ListRequest::under(case.prefix()).one_level());
    let level_keys = ["foo-bar", "foo.x", "foo/", "foo0", "fooA/", "foo_", "zoo"];
    for limit in [1, 2, 3, 5, 6, 7, 11, 12, 13] {
        case.assert_keys(&whole.clone().limit(limit), &NESTED).await;
        case.assert_keys(&level.clone().limit(limit), &level_keys).await;
        let page = case.storage().list(&whole.clone().limit(limit)).await.unwrap();
        assert!(!page.entries.is_empty());
        // A page that holds all need not know it yet; one that says that it is the last must be.
        assert!(page.next.is_some() || page.entries.len() == NESTED.len(), "{page:?}");
    }
    let page = case.storage().list(&whole).await.unwrap();
    assert_eq!(page.entries.len(), NESTED.len());
}

/// A listing begins after any text, be it the name of an object, of none, or no name at all.
pub async fn a_listing_begins_after_any_text(case: &Case) {
    put_all(case, &NESTED).await;
    let whole = ListRequest::under(case.prefix());
    case.assert_keys(&whole, &NESTED).await;
    let markers = [
        "",
        "f",
        "foo",
        "foo-bar",
        "foo-bar0",
        "foo.",
        "foo/",
        "foo/1bar",
        "foo/a",
        "foo/a-b/",
        "foo/a-b/0",
        "foo/a-b/1",
        "foo/a/",
        "foo/a/1",
        "foo/a/2",
        "foo/a/2/3",
        "foo/a/2/3/",
        "foo/a0",
        "foo/zz",
        "foo/~",
        "foo0",
        "fooA",
        "zoo",
        "zzz",
    ];
    for marker in markers {
        let expected: Vec<&str> = NESTED.into_iter().filter(|rest| *rest > marker).collect();
        let request = whole.clone().after(format!("{}/{marker}", case.prefix()));
        case.assert_keys(&request, &expected).await;
        case.assert_keys(&request.limit(2), &expected).await;
    }
    // Before everything under the prefix, and behind it.
    case.assert_keys(&whole.clone().after("!"), &NESTED).await;
    case.assert_keys(&whole.clone().after(case.prefix().as_str()), &NESTED).await;
    case.assert_keys(&whole.after(format!("{}0", case.prefix())), &[]).await;
}

/// An entry tells the size and the time of the object, also when it was replaced.
pub async fn sizes_and_times_are_listed(case: &Case) {
    let name = case.name("folder/object");
    for length in [10, 2000] {
        case.put(&name, random_bytes(length)).await;
        let size = case.stat(&name).await.unwrap().size;
        let request = ListRequest::under(case.prefix());
        case.eventually(&vec![(name.clone(), size)], async || {
            let entries = case.entries(&request).await;
            entries.iter().filter_map(named_size).collect()
        })
        .await;
        let info = case.stat(&name).await.unwrap();
        for entry in case.entries(&request).await {
            let ListEntry::Object { modified, .. } = entry else { panic!("not an object: {entry:?}") };
            let apart = modified.max(info.modified).duration_since(modified.min(info.modified)).unwrap();
            assert!(apart < Duration::from_secs(2), "{modified:?} {info:?}");
        }
    }
}

fn named_size(entry: &ListEntry) -> Option<(ObjectName, u64)> {
    match entry {
        ListEntry::Object { name, size, .. } => Some((name.clone(), *size)),
        ListEntry::Prefix(_) => None,
    }
}
