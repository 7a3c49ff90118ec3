use http::HeaderValue;

use super::*;

#[test]
fn who_knows_no_lists() {
    const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
    const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    for (accept, expected) in [
        (String::new(), false),
        ("*/*".into(), false),
        ("application/*".into(), false),
        (IMAGE.into(), true),
        ("application/vnd.oci.image.manifest.v1+json".into(), true),
        (format!("{IMAGE}, {LIST}"), false),
        (format!("{IMAGE}, {OCI_INDEX}"), false),
        (format!("{IMAGE}, {LIST};q=0"), true),
        (format!("{IMAGE}, {OCI_INDEX}, {LIST};q=0"), true),
        (format!("{LIST};q=0, */*"), true),
        (format!("{IMAGE}, */*;q=0.1"), false),
        (format!("{IMAGE};q=0"), false),
        (LIST.into(), false),
        ("text/html, application/json".into(), false),
        ("rubbish".into(), false),
    ] {
        let lines = [(header::ACCEPT, HeaderValue::from_str(&accept).unwrap())];
        assert_eq!(knows_no_lists(&HeaderMap::from_iter(lines)), expected, "{accept}");
    }
    assert!(!knows_no_lists(&HeaderMap::new()));
}
