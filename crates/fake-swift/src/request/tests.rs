use super::*;

#[test]
fn a_path_names_its_target() {
    let container =
        |name: &str| Target::Container(ContainerAddress { account: "AUTH_a".into(), container: name.into() });
    let object = |name: &str| {
        Target::Object(ObjectAddress { account: "AUTH_a".into(), container: "c".into(), object: name.into() })
    };
    for (path, target) in [
        ("/auth/v1.0", Target::SignInV1),
        ("/info", Target::Info),
        ("/v3", Target::Keystone(String::new())),
        ("/v3/auth/tokens", Target::Keystone("auth/tokens".into())),
        ("/v1/AUTH_a", Target::Account("AUTH_a".into())),
        ("/v1/AUTH_a/", Target::Account("AUTH_a".into())),
        ("/v1/AUTH_a/c", container("c")),
        ("/v1/AUTH_a/c/", container("c")),
        ("/v1/AUTH_a/c%20d", container("c d")),
        ("/v1/AUTH_a/c/o", object("o")),
        ("/v1/AUTH_a/c/a/../b//c/", object("a/../b//c/")),
        ("/v1/AUTH_a/c/d%C3%A9%2Fe+f", object("dé/e+f")),
        ("/v1/AUTH_a/c/%ff", Target::NotText),
        ("/v1/AUTH_a/c/a%00b", Target::NotText),
        ("/v1", Target::BadUrl),
        ("/v1/", Target::BadUrl),
        ("/", Target::Nothing),
        ("/v12/AUTH_a", Target::Nothing),
    ] {
        assert_eq!(Target::parse(path), target, "{path}");
    }
}

#[test]
fn a_query_key_may_lack_a_value() {
    let query = Query::parse("bulk-delete&prefix=a%2Fb+c&marker=");
    assert_eq!(query.get("bulk-delete"), Some(""));
    assert_eq!(query.get("prefix"), Some("a/b c"));
    assert!(query.has("marker"));
    assert!(!query.has("limit"));
}
