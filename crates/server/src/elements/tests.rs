use proptest::prelude::*;

use super::*;

fn elements(text: &str) -> Vec<&str> {
    split(text, ',').collect()
}

#[test]
fn elements_stand_between_commas() {
    assert_eq!(elements("a, b;q=1 ,c"), ["a", "b;q=1", "c"]);
    assert_eq!(elements(" , ,a,,"), ["a"]);
    assert!(elements("").is_empty());
}

#[test]
fn a_comma_in_quotes_is_none() {
    assert_eq!(elements(r#"a;x="1,2", b"#), [r#"a;x="1,2""#, "b"]);
    assert_eq!(elements(r#"a;x="1\",2", b"#), [r#"a;x="1\",2""#, "b"]);
    assert_eq!(elements(r"a\,b"), [r"a\", "b"], "outside quotes nothing is escaped");
    assert_eq!(elements(r#""a,b"#), [r#""a,b"#], "quotes that nobody closes reach to the end");
}

#[test]
fn a_parameter_is_told_without_its_quotes() {
    for (text, value) in [
        ("q=0.5", "0.5"),
        (" q = 0.5 ", "0.5"),
        (r#"q="0.5""#, "0.5"),
        (r#"q="a\"b\\c""#, r#"a"b\c"#),
        (r#"q=""#, ""),
        ("q=", ""),
        (r#"q="open"#, "open"),
    ] {
        assert_eq!(parameter(text), Some(("q", value.into())), "{text}");
    }
    assert_eq!(parameter("q"), None);
}

proptest! {
    #[test]
    fn tokens_come_back(tokens in prop::collection::vec("[a-z0-9./*+-]{1,8}", 0..8)) {
        let list = tokens.join(" ,");
        prop_assert_eq!(elements(&list), tokens);
    }

    #[test]
    fn quoted_texts_come_back(texts in prop::collection::vec("[ -~]{0,12}", 1..6)) {
        let quote = |text: &String| format!("v=\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        let list = texts.iter().map(quote).collect::<Vec<_>>().join(",");
        let read: Vec<_> = split(&list, ',').map(|element| parameter(element).unwrap().1.into_owned()).collect();
        prop_assert_eq!(read, texts);
    }

    #[test]
    fn any_text_is_taken_apart(text in "\\PC{0,200}|[\\\\\",;= a]{0,60}") {
        let _: Vec<_> = split(&text, ';').map(parameter).collect();
    }
}
