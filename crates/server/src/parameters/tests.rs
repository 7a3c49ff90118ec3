use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn headers(name: HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
}

#[test]
fn query_parameters_are_found_and_decoded() {
    let uri: Uri = "/v2/?digest=sha256%3Aab&empty=&n=2&digest=second&a+b=%zz&bad=%ff".parse().unwrap();
    assert_eq!(query(&uri, "digest").as_deref(), Some("sha256:ab"));
    assert_eq!(query(&uri, "empty").as_deref(), Some(""));
    assert_eq!(query(&uri, "n").as_deref(), Some("2"));
    assert_eq!(query(&uri, "bad").as_deref(), Some("\u{fffd}"));
    assert_eq!(query(&uri, "absent"), None);
    assert_eq!(query(&"/v2/".parse().unwrap(), "n"), None);
}

#[test]
fn a_chunk_says_where_it_begins_in_either_form() {
    for value in ["3-9", "bytes 3-9/10", "bytes 3-9/*", "bytes=3-9"] {
        assert_eq!(chunk_range(&headers(header::CONTENT_RANGE, value)), Ok(Some((3, 9))), "{value}");
    }
    for value in ["", "3", "9-3", "a-b", "-3", "bytes */10"] {
        assert_eq!(chunk_range(&headers(header::CONTENT_RANGE, value)), Err(()), "{value}");
    }
    assert_eq!(chunk_range(&HeaderMap::new()), Ok(None));
}

#[test]
fn entity_tags_match_quoted_bare_weak_and_in_lists() {
    for value in ["\"x\"", "x", "W/\"x\"", "\"y\", \"x\"", "*"] {
        assert!(none_match(&headers(header::IF_NONE_MATCH, value), "x"), "{value}");
    }
    assert!(!none_match(&headers(header::IF_NONE_MATCH, "\"y\""), "x"));
    assert!(!none_match(&HeaderMap::new(), "x"));
}

proptest! {
    #[test]
    fn a_place_that_is_written_is_read_again(a in any::<u64>(), b in any::<u64>(), form in "(bytes[ =])?") {
        let (first, last) = (a.min(b), a.max(b));
        for total in ["", "/*", "/18446744073709551615"] {
            let value = format!("{form}{first}-{last}{total}");
            prop_assert_eq!(chunk_range(&headers(header::CONTENT_RANGE, &value)), Ok(Some((first, last))));
        }
    }

    #[test]
    fn any_bytes_are_a_place_or_refused(value in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let _ = chunk_range(&HeaderMap::from_iter([(header::CONTENT_RANGE, value)]));
        }
    }

    #[test]
    fn any_query_is_taken_apart(query in "[!-~]{0,80}") {
        if let Ok(uri) = format!("/v2/?{query}").parse::<Uri>() {
            let _: Vec<String> = queries(&uri, "n").chain(queries(&uri, "")).collect();
        }
    }

    #[test]
    fn any_range_header_is_a_range_or_ignored(value in "[ -~]{0,60}|bytes ?=?[0-9*/, -]{0,40}") {
        let _ = chunk_range(&headers(header::CONTENT_RANGE, &value));
        let _ = none_match(&headers(header::IF_NONE_MATCH, &value), "x");
    }
}
