use super::*;

const NAMES: &[&str] =
    &["a", "l", "l/00/x", "l/01/x", "l/01/y", "l/02/x", "l/03/x", "l0", "m/a", "m/b", "meta", "é"];

/// The page that `query` asks for, at most 5 entries, subdirs marked with a `>`.
fn list(query: &str) -> Vec<String> {
    let (mut all, moment) = (History::default(), Timestamp::from_seconds(1));
    for name in NAMES {
        all.set(name, Some(name.len()), moment, moment);
    }
    let query = Query::parse(query);
    Page::from_query(&query, 5)
        .unwrap()
        .of(&all, moment)
        .into_iter()
        .map(|entry| match entry {
            Entry::Name(name, _) => name.to_owned(),
            Entry::Subdir(name) => format!(">{name}"),
        })
        .collect()
}

#[test]
fn pages_follow_the_marker() {
    assert_eq!(list(""), ["a", "l", "l/00/x", "l/01/x", "l/01/y"]);
    assert_eq!(list("marker=l/01/y&limit=2"), ["l/02/x", "l/03/x"]);
    assert_eq!(list("marker=meta"), ["é"]);
    assert!(list("marker=é").is_empty());
    assert!(list("limit=0").is_empty());
}

#[test]
fn prefix_and_end_marker_bound_a_page() {
    assert_eq!(list("prefix=l/01"), ["l/01/x", "l/01/y"]);
    assert_eq!(list("prefix=l/&end_marker=l/02/"), ["l/00/x", "l/01/x", "l/01/y"]);
    assert_eq!(list("prefix=m&marker=a"), ["m/a", "m/b", "meta"]);
    assert!(list("prefix=zzz").is_empty());
    assert!(list("prefix=l/&marker=m").is_empty());
}

#[test]
fn a_delimiter_folds_names_into_subdirs() {
    assert_eq!(list("delimiter=/"), ["a", "l", ">l/", "l0", ">m/"]);
    assert_eq!(list("prefix=l/&delimiter=/"), [">l/00/", ">l/01/", ">l/02/", ">l/03/"]);
    assert_eq!(list("prefix=l/&delimiter=/&limit=2&marker=l/01/"), [">l/02/", ">l/03/"]);
    assert_eq!(list("prefix=m/&delimiter=/"), ["m/a", "m/b"]);
    assert_eq!(list("prefix=l/&delimiter=/x"), [">l/00/x", ">l/01/x", "l/01/y", ">l/02/x", ">l/03/x"]);
    assert_eq!(list("prefix=l/&delimiter=/&marker=l/01/x"), [">l/01/", ">l/02/", ">l/03/"]);
}

#[test]
fn a_limit_may_be_refused_or_ignored() {
    let refused = Query::parse("limit=6");
    assert_eq!(Page::from_query(&refused, 5).unwrap_err().status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(list("limit=abc").len(), 5);
    assert_eq!(list("limit=-1").len(), 5);
}
