use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn wanted(value: &str) -> Wanted {
    let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(value).unwrap())]);
    Wanted::of(&headers, "tag")
}

#[test]
fn ranges_are_obeyed_and_anything_else_ignored() {
    for (value, expected) in [
        ("bytes=0-0", ByteRange::FromTo { first: 0, last: 0 }),
        ("bytes=500-", ByteRange::From(500)),
        ("bytes= 500-", ByteRange::From(500)),
        ("bytes=-500", ByteRange::Last(500)),
        ("bytes=5-4", ByteRange::Last(0)),
    ] {
        assert_eq!(wanted(value), Wanted::One(expected), "{value}");
    }
    assert_eq!(
        wanted("bytes=0-1, -3"),
        Wanted::Several(vec![ByteRange::FromTo { first: 0, last: 1 }, ByteRange::Last(3)])
    );
    let many = format!("bytes={}", vec!["0-1"; 17].join(","));
    for value in
        ["bytes=", "bytes=-", "bytes=+1-2", "bytes=1-2,", "items=0-1", "bytes=99999999999999999999-", &many]
    {
        assert_eq!(wanted(value), Wanted::Whole, "{value}");
    }
    assert_eq!(Wanted::of(&HeaderMap::new(), "tag"), Wanted::Whole);
}

#[test]
fn a_condition_that_does_not_hold_makes_it_all() {
    for (condition, expected) in [("\"tag\"", Wanted::One(ByteRange::From(1))), ("\"other\"", Wanted::Whole)]
    {
        let headers = HeaderMap::from_iter([
            (header::RANGE, HeaderValue::from_static("bytes=1-")),
            (header::IF_RANGE, HeaderValue::from_str(condition).unwrap()),
        ]);
        assert_eq!(Wanted::of(&headers, "tag"), expected);
    }
}

fn written(range: ByteRange) -> String {
    match range {
        ByteRange::FromTo { first, last } => format!("{first}-{last}"),
        ByteRange::From(first) => format!("{first}-"),
        ByteRange::Last(count) => format!("-{count}"),
        ByteRange::Full => panic!("no header asks for this"),
    }
}

fn any_range() -> impl Strategy<Value = ByteRange> {
    prop_oneof![
        (any::<u64>(), any::<u64>()).prop_map(|(a, b)| ByteRange::FromTo { first: a.min(b), last: a.max(b) }),
        any::<u64>().prop_map(ByteRange::From),
        any::<u64>().prop_map(ByteRange::Last),
    ]
}

proptest! {
    #[test]
    fn any_header_is_ranges_or_ignored(value in "[ -~]{0,60}|bytes=[0-9, -]{0,40}") {
        let _ = wanted(&value);
    }

    #[test]
    fn any_bytes_are_ranges_or_ignored(value in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let headers = HeaderMap::from_iter([(header::RANGE, value.clone()), (header::IF_RANGE, value)]);
            let _ = Wanted::of(&headers, "tag");
        }
    }

    #[test]
    fn what_is_written_is_read_again(ranges in prop::collection::vec(any_range(), 1..=16), space in " {0,2}") {
        let value = format!("bytes={}", ranges.iter().map(|range| written(*range)).collect::<Vec<_>>().join(&format!(",{space}")));
        let expected = match &*ranges {
            [range] => Wanted::One(*range),
            _ => Wanted::Several(ranges),
        };
        prop_assert_eq!(wanted(&value), expected);
    }
}
