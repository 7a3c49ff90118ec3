use proptest::prelude::*;

use super::*;

fn basic_header(credentials: &str) -> String {
    format!("Basic {}", BASE64.encode(credentials.as_bytes()))
}

#[test]
fn the_schemes_are_read_in_any_case() {
    assert!(matches!(Authorization::parse(None), Ok(Authorization::None)));
    let Ok(Authorization::Basic(credentials)) =
        Authorization::parse(Some(" bAsIc  YWxpY2U6b3BlbjpzZXNhbWU= "))
    else {
        panic!("basic")
    };
    assert_eq!(credentials.user(), "alice");
    assert_eq!(credentials.password(), b"open:sesame", "only the first colon is a border");
    let Ok(Authorization::Bearer(token)) = Authorization::parse(Some("BEARER a.b.c")) else {
        panic!("bearer")
    };
    assert_eq!(token.expose_secret(), "a.b.c");
}

#[test]
fn what_is_no_authorization_is_refused() {
    for (header, error) in [
        ("", AuthorizationError::Scheme),
        ("Basic", AuthorizationError::Scheme),
        ("Negotiate abc", AuthorizationError::Scheme),
        ("Basic !!!", AuthorizationError::Basic),
        ("Basic YWxpY2U=", AuthorizationError::Basic),
        (&basic_header(":password"), AuthorizationError::Basic),
        (&basic_header("a\nb:password"), AuthorizationError::Basic),
        (&basic_header(&format!("{}:p", "u".repeat(256))), AuthorizationError::TooLong),
        (&basic_header(&format!("u:{}", "p".repeat(1025))), AuthorizationError::TooLong),
        (&format!("Bearer {}", "t".repeat(MAX_TOKEN_BYTES + 1)), AuthorizationError::TooLong),
    ] {
        let shown: String = header.chars().take(40).collect();
        assert_eq!(Authorization::parse(Some(header)).err(), Some(error), "{shown}");
    }
}

#[test]
fn a10_no_secret_is_shown_by_debug() {
    for header in [basic_header("alice:sesame"), "Bearer sesame".to_owned()] {
        let shown = format!("{:?}", Authorization::parse(Some(&header)).unwrap());
        assert!(!shown.contains("sesame"), "{shown}");
    }
}

proptest! {
    #[test]
    fn a18_any_header_is_taken_apart_or_refused(header in "(?s)((Basic|Bearer) )?.{0,200}") {
        let _ = Authorization::parse(Some(&header));
    }

    #[test]
    fn names_and_passwords_come_back(user in "[^:\\p{Cc}]{1,50}", password in "\\PC{0,100}") {
        let header = basic_header(&format!("{user}:{password}"));
        let Ok(Authorization::Basic(credentials)) = Authorization::parse(Some(&header)) else { panic!("refused") };
        prop_assert_eq!(credentials.user(), user);
        prop_assert_eq!(credentials.password(), password.as_bytes());
    }
}
