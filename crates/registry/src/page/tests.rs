use proptest::prelude::*;

use super::*;

/// A page, filled from a listing that stops as soon as it may.
fn page(names: &[String], separator: &str, after: Option<&str>, limit: usize) -> (Vec<String>, bool, usize) {
    let mut keys: Vec<(String, &String)> =
        names.iter().map(|name| (format!("{name}{separator}"), name)).collect();
    keys.sort();
    let mut page = SortedPage::new(after, limit);
    let mut read = 0;
    for (key, name) in &keys {
        if page.is_settled(key, separator) {
            break;
        }
        page.offer(name);
        read += 1;
    }
    let (names, more) = page.into_names();
    (names.collect(), more, read)
}

#[test]
fn a_long_listing_is_not_read_to_its_end() {
    let names: Vec<String> = (0..1000).map(|number| format!("tag{number:04}")).collect();
    let (first, more, read) = page(&names, "/", None, 10);
    assert_eq!((first, more), (names[..10].to_vec(), true));
    assert!(read < 20, "{read}");
}

#[test]
fn a_page_of_nothing_says_that_more_follow() {
    let (names, more, _) = page(&["a".to_owned()], "/", None, 0);
    assert!(names.is_empty() && more);
}

proptest! {
    #[test]
    fn pages_are_those_of_a_sorted_list(
        names in proptest::collection::btree_set("[a-b0_./-]{1,6}", 0..40),
        after in proptest::option::of("[a-b0_./-]{0,6}"),
        limit in 0_usize..12,
        separator in "/|/_",
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let rest: Vec<String> =
            names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after)).cloned().collect();
        let (shown, more, _) = page(&names, &separator, after.as_deref(), limit);
        prop_assert_eq!(more, rest.len() > limit);
        prop_assert_eq!(shown, rest.into_iter().take(limit).collect::<Vec<_>>());
    }
}
