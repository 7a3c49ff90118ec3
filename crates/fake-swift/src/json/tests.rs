use super::*;

#[test]
fn writes_as_python_does() {
    let document = serde_json::json!([{"name": "dé\n\"", "size": 1}, "😀", null, [], {}]);
    let expected = r#"[{"name": "d\u00e9\n\"", "size": 1}, "\ud83d\ude00", null, [], {}]"#;
    assert_eq!(String::from_utf8(dumps(&document)).unwrap(), expected);
}
