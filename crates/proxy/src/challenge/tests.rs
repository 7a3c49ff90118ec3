use super::*;

fn of(values: &[&str]) -> Option<Challenge> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::WWW_AUTHENTICATE, value.parse().unwrap());
    }
    Challenge::of(&headers)
}

fn bearer(realm: &str, service: Option<&str>) -> Challenge {
    Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
}

#[test]
fn as_registries_write_them() {
    let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull""#;
    assert_eq!(of(&[hub]), Some(bearer("https://auth.docker.io/token", Some("registry.docker.io"))));
    assert_eq!(of(&[r#"bearer  scope="a,b=c", realm=https://r/t"#]), Some(bearer("https://r/t", None)));
    assert_eq!(of(&[r#"Bearer service="a\"b",realm="r""#]), Some(bearer("r", Some("a\"b"))));
    assert_eq!(of(&[r#"Basic realm="x""#]), Some(Challenge::Basic));
    assert_eq!(of(&[r#"Basic realm="x""#, r#"Bearer realm="r""#]), Some(bearer("r", None)));
    for none in ["Negotiate", "Bearer", r#"Bearer service="x""#, r#"Bearer realm="unclosed"#] {
        assert_eq!(of(&[none]), None, "{none}");
    }
    assert_eq!(of(&[]), None);
}
