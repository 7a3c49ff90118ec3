use super::*;

/// First byte and the byte after the last, of each range.
fn within(text: &str, length: u64) -> Option<Vec<(u64, u64)>> {
    Some(Ranges::parse(text)?.within(length).into_iter().map(|range| (range.start, range.end)).collect())
}

#[test]
fn ranges_are_cut_to_the_data() {
    let eleven = |text: &str| within(text, 11).unwrap();
    assert_eq!(eleven("0-4"), [(0, 5)]);
    assert_eq!(eleven("6-"), [(6, 11)]);
    assert_eq!(eleven("6-100"), [(6, 11)]);
    assert_eq!(eleven("-5"), [(6, 11)]);
    assert_eq!(eleven("-50"), [(0, 11)]);
    assert_eq!(eleven("0-1,4-5"), [(0, 2), (4, 6)]);
    assert_eq!(eleven("0-1,400-500"), [(0, 2)]);
    assert_eq!(within("-5", 0).unwrap(), [(0, 0)]);
}

#[test]
fn what_lies_outside_leaves_nothing() {
    for text in ["11-", "100-200", "-0", "100-200,400-500"] {
        assert!(within(text, 11).unwrap().is_empty(), "{text}");
    }
}

#[test]
fn nonsense_is_ignored_as_a_whole() {
    for text in ["5-3", "abc", "-", "0-1,x-2", "", "--1", "+1-2"] {
        assert_eq!(Ranges::parse(text), None, "{text}");
    }
}

#[test]
fn abuse_is_refused() {
    assert_eq!(within("0-5,3-7", 11).unwrap().len(), 2);
    assert!(within("0-5,1-6,2-7,3-8", 11).unwrap().is_empty());
    let descending: Vec<_> = (0..8).rev().map(|n| format!("{n}-{n}")).collect();
    assert!(within(&descending.join(","), 11).unwrap().is_empty());
    let many: Vec<_> = (0..51).map(|n| format!("{n}-{n}")).collect();
    assert!(within(&many.join(","), 100).unwrap().is_empty());
}
