use super::*;

fn object(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn remembered(recent: &mut Recent, now: Instant) -> Vec<(String, bool)> {
    recent.within("", "", now).map(|(name, change)| (name.to_string(), change.is_present)).collect()
}

#[test]
fn of_too_many_changes_the_oldest_is_forgotten() {
    let (mut recent, now) = (Recent::new(3, LONGEST), Instant::now());
    for name in ["d", "c", "b", "d", "a"] {
        recent.remember(&object(name), true, now);
    }
    // `c` was changed before the others; `d` twice, and the later time counts.
    assert_eq!(remembered(&mut recent, now), ["a", "b", "d"].map(|name| (name.to_owned(), true)));
}

#[test]
fn what_was_long_ago_is_forgotten() {
    let (mut recent, begun) = (Recent::new(MOST, LONGEST), Instant::now());
    recent.remember(&object("a"), true, begun);
    recent.remember(&object("b"), false, begun + LONGEST);
    assert_eq!(remembered(&mut recent, begun + LONGEST).len(), 2);
    let later = begun + LONGEST + Duration::from_secs(1);
    assert_eq!(remembered(&mut recent, later), [("b".to_owned(), false)]);
    assert!(remembered(&mut recent, later + LONGEST).is_empty());
}

#[test]
fn what_changes_again_and_again_takes_one_place() {
    let (mut recent, now) = (Recent::new(MOST, LONGEST), Instant::now());
    for number in 0..100_000 {
        recent.remember(&object("a"), number % 2 == 0, now);
    }
    assert_eq!((recent.changes.len(), recent.by_age.len()), (1, 1));
    for number in 0..2 * MOST {
        recent.remember(&object(&number.to_string()), true, now);
    }
    assert_eq!((recent.changes.len(), recent.by_age.len()), (MOST, MOST));
}

#[test]
fn only_what_lies_within_is_found() {
    let (mut recent, now) = (Recent::new(MOST, LONGEST), Instant::now());
    for name in ["a/b", "a/c", "a/d", "a-b", "ab"] {
        recent.remember(&object(name), true, now);
    }
    let mut within = |prefix, after| -> Vec<String> {
        recent.within(prefix, after, now).map(|(name, _)| name.to_string()).collect()
    };
    assert_eq!(within("a/", ""), ["a/b", "a/c", "a/d"]);
    assert_eq!(within("a/", "a/b"), ["a/c", "a/d"]);
    assert!(within("a/", "a/d").is_empty() && within("a/", "b").is_empty() && within("b/", "").is_empty());
}

#[test]
fn what_was_learned_is_not_held_against_a_later_change() {
    let (mut recent, now) = (Recent::new(MOST, LONGEST), Instant::now());
    recent.remember(&object("a"), true, now);
    let (object_name, change) = recent.within("", "", now).next().unwrap();
    let doubt = Doubt {
        key: "a".to_owned(),
        object: Arc::clone(object_name),
        number: change.number,
        is_present: true,
    };
    recent.correct(&doubt, false);
    assert_eq!(remembered(&mut recent, now), [("a".to_owned(), false)]);
    recent.remember(&object("a"), true, now);
    recent.correct(&doubt, false);
    assert_eq!(remembered(&mut recent, now), [("a".to_owned(), true)]);
}
