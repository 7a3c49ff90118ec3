use http::StatusCode;

use super::*;
use crate::answer::status;

fn warnings(texts: &[&str]) -> Vec<String> {
    let answer = texts.iter().fold(status(StatusCode::OK), |answer, text| warn(answer, text));
    answer.headers().get_all(WARNING).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[test]
fn a_warning_is_a_quoted_text() {
    assert_eq!(warnings(&["old"]), [r#"299 - "old""#]);
    assert_eq!(warnings(&[r#"a "b" \c"#]), [r#"299 - "a \"b\" \\c""#]);
    assert_eq!(warnings(&["one", "two"]), [r#"299 - "one""#, r#"299 - "two""#]);
    assert_eq!(warnings(&["a\r\nSet-Cookie: x\0\u{e9}"]), [r#"299 - "aSet-Cookie: x""#]);
}

#[test]
fn all_of_them_have_4096_bytes_at_most() {
    for text in ["x".repeat(5000), "\"".repeat(5000), format!("{}\"", "x".repeat(4087))] {
        let all = warnings(&[&text, &text, "more"]);
        let total: usize = all.iter().map(String::len).sum();
        assert!(total <= 4096, "{total}");
        let inner = all[0].strip_prefix("299 - \"").unwrap().strip_suffix('"').unwrap();
        assert_eq!(inner.matches('\\').count(), inner.matches('"').count(), "no quote stands alone");
    }
    assert_eq!(warnings(&[&"x".repeat(4088)])[0].len(), 4096);
}
