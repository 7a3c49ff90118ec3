use super::*;

const fn second(number: u64) -> Timestamp {
    Timestamp::from_seconds(number)
}

fn names(history: &History<u8>, at: Timestamp) -> Vec<(&str, u8)> {
    history.at(at).map(|(name, value)| (name, *value)).collect()
}

#[test]
fn each_moment_has_its_names() {
    let mut history = History::default();
    let start = second(0);
    history.set("b", Some(1), second(1), start);
    history.set("a", Some(2), second(2), start);
    history.set("b", Some(3), second(3), start);
    history.set("a", None, second(4), start);
    assert_eq!(names(&history, second(0)), []);
    assert_eq!(names(&history, second(1)), [("b", 1)]);
    assert_eq!(names(&history, second(2)), [("a", 2), ("b", 1)]);
    assert_eq!(names(&history, second(3)), [("a", 2), ("b", 3)]);
    assert_eq!(names(&history, Timestamp::LATEST), [("b", 3)]);
    assert_eq!(history.get("a", second(3)), Some(&2));
    assert_eq!(history.get("a", second(4)), None);
}

#[test]
fn what_no_one_may_ask_for_is_forgotten() {
    let mut history = History::default();
    history.set("a", Some(1), second(1), second(1));
    history.set("a", Some(2), second(3), second(2));
    assert_eq!(history.get("a", second(2)), Some(&1), "still asked for");
    history.set("a", Some(3), second(4), second(4));
    assert_eq!(history.get("a", second(3)), None);
    assert_eq!(history.names["a"].len(), 1);
    history.set("a", None, second(5), second(5));
    assert!(history.names.is_empty());
}
