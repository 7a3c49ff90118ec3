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
        ("/", Target::Keystone(None, String::new())),
        ("/v3", Target::Keystone(Some(Version::V3), String::new())),
        ("/v3/auth/tokens", Target::Keystone(Some(Version::V3), "/auth/tokens".into())),
        ("/v2.0/tokens", Target::Keystone(Some(Version::V2), "/tokens".into())),
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
        ("/v3x", Target::Nothing),
        ("/v12/AUTH_a", Target::Nothing),
    ] {
        assert_eq!(Target::parse(path, &Options::default()), target, "{path}");
    }
}

#[test]
fn a_way_to_sign_in_may_be_missing() {
    let without = |features: &[Feature]| Options { without: features.to_vec(), ..Options::default() };
    let v1_only = without(&[Feature::SignInV2, Feature::SignInV3]);
    assert_eq!(Target::parse("/", &v1_only), Target::Nothing);
    assert_eq!(Target::parse("/v3/auth/tokens", &v1_only), Target::Nothing);
    assert_eq!(Target::parse("/auth/v1.0", &v1_only), Target::SignInV1);
    let v3_only = without(&[Feature::SignInV1, Feature::SignInV2]);
    assert_eq!(Target::parse("/auth/v1.0", &v3_only), Target::NoSignIn);
    assert_eq!(Target::parse("/v2.0", &v3_only), Target::Nothing);
    assert_eq!(Target::parse("/", &v3_only), Target::Keystone(None, String::new()));
}

#[test]
fn a_query_key_may_lack_a_value() {
    let query = Query::parse("bulk-delete&prefix=a%2Fb+c&marker=");
    assert_eq!(query.get("bulk-delete"), Some(""));
    assert_eq!(query.get("prefix"), Some("a/b c"));
    assert!(query.has("marker"));
    assert!(!query.has("limit"));
}
