use proptest::prelude::*;

use super::{component, quote_plus, read_component, unquote_plus};

#[test]
fn as_the_original_wrote_it() {
    let written = [
        ("latest", "latest"),
        ("f o", "f+o"),
        ("b/c", "b%2Fc"),
        ("b%2Fc", "b%252Fc"),
        ("~", "%7E"),
        ("a_b.c-d", "a_b.c-d"),
        ("..", "%252E%252E"),
        (".", "%252E"),
        ("...", "..."),
        ("ß", "%C3%9F"),
    ];
    for (name, stored) in written {
        assert_eq!(component(name), stored, "{name}");
        assert_eq!(read_component(stored).as_deref(), Some(name), "{stored}");
    }
}

#[test]
fn what_it_never_wrote() {
    for text in ["%", "%2", "%zz", "%FF"] {
        assert_eq!(unquote_plus(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_was_quoted_is_read_back(text: String) {
        prop_assert_eq!(unquote_plus(&quote_plus(&text)), Some(text.clone()));
        // The escape of `..` itself is the one text that cannot be told from what it stands for.
        if text != "%2E" && text != "%2E%2E" {
            prop_assert_eq!(read_component(&component(&text)), Some(text));
        }
    }
}
