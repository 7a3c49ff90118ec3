use http::HeaderValue;

use super::*;

const NOON: u64 = 1_795_435_200; // Mon, 23 Nov 2026 12:00:00 GMT

fn check_one(name: HeaderName, text: &'static str) -> Option<StatusCode> {
    let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(text))]);
    check(&headers, "abc", Timestamp::from_seconds(NOON))
}

#[test]
fn etags_match_with_and_without_quotes_and_in_lists() {
    for text in ["abc", "\"abc\"", "x, \"abc\"", "*"] {
        assert_eq!(check_one(IF_NONE_MATCH, text), Some(StatusCode::NOT_MODIFIED), "{text}");
        assert_eq!(check_one(IF_MATCH, text), None, "{text}");
    }
    assert_eq!(check_one(IF_NONE_MATCH, "\"x\""), None);
    assert_eq!(check_one(IF_MATCH, "\"x\""), Some(StatusCode::PRECONDITION_FAILED));
}

#[test]
fn times_are_compared_in_whole_seconds() {
    let (before, at) = ("Mon, 23 Nov 2026 11:59:59 GMT", "Mon, 23 Nov 2026 12:00:00 GMT");
    assert_eq!(check_one(IF_MODIFIED_SINCE, at), Some(StatusCode::NOT_MODIFIED));
    assert_eq!(check_one(IF_MODIFIED_SINCE, before), None);
    assert_eq!(check_one(IF_UNMODIFIED_SINCE, at), None);
    assert_eq!(check_one(IF_UNMODIFIED_SINCE, before), Some(StatusCode::PRECONDITION_FAILED));
    assert_eq!(check_one(IF_MODIFIED_SINCE, "yesterday"), None);
}
