use apus_registry::Error;
use proptest::prelude::*;

use super::*;

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

#[test]
fn every_place_of_the_protocol_is_known() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let parsed = Digest::parse(&digest).unwrap();
    for (path, expected) in [
        ("/".to_owned(), Route::Root),
        ("/v2".into(), Route::Base),
        ("/v2/".into(), Route::Base),
        ("/v2/a/b/c/tags/list".into(), Route::Tags(name("a/b/c"))),
        ("/v2/a/manifests/latest".into(), Route::Manifest(name("a"), Reference::parse("latest").unwrap())),
        (
            format!("/v2/a/b/manifests/{digest}"),
            Route::Manifest(name("a/b"), Reference::Digest(parsed.clone())),
        ),
        (format!("/v2/a/blobs/{digest}"), Route::Blob(name("a"), parsed.clone())),
        (format!("/v2/a/blobs/{}", digest.replace(':', "%3A")), Route::Blob(name("a"), parsed.clone())),
        (format!("/v2/a/referrers/{digest}"), Route::Referrers(name("a"), parsed.clone())),
        ("/v2/_catalog".into(), Route::Catalog),
        ("/v2/a/blobs/uploads/".into(), Route::Uploads(name("a"))),
        ("/v2/a/blobs/uploads".into(), Route::Uploads(name("a"))),
        ("/v2/a/blobs/uploads/x-1".into(), Route::Upload(name("a"), "x-1".into())),
        // Words of the protocol may be names too: a path is read from its end.
        (
            "/v2/manifests/manifests/manifests".into(),
            Route::Manifest(name("manifests"), Reference::parse("manifests").unwrap()),
        ),
        ("/v2/tags/list/tags/list".into(), Route::Tags(name("tags/list"))),
        ("/v2/blobs/uploads/blobs/uploads/".into(), Route::Uploads(name("blobs/uploads"))),
    ] {
        match Route::parse(&path) {
            Ok(route) => assert_eq!(route, expected, "{path}"),
            Err(error) => panic!("{path}: {error:?}"),
        }
    }
}

#[test]
fn what_is_no_place_is_not_found() {
    for path in
        ["", "/v1/", "/v2x", "/v3/", "v2/", "/v2/a", "/v2/a/b", "/v2/_catalogue", "/v2/a/tags", "/v2//%ff/x"]
    {
        assert!(matches!(Route::parse(path), Err(RouteError::NotFound)), "{path}");
    }
}

#[test]
fn names_that_try_to_leave_their_place_are_refused_as_names() {
    for path in [
        "/v2/../tags/list",
        "/v2/%2e%2e/tags/list",
        "/v2/a/../b/manifests/latest",
        "/v2/a/%2e%2e/b/manifests/latest",
        "/v2/a%2f..%2fb/manifests/latest",
        "/v2/a/%252e%252e/manifests/latest",
        "/v2/A/manifests/latest",
        "/v2/a%00/blobs/uploads/",
        "/v2/a%5cb/blobs/uploads/",
        "/v2/_uploads/blobs/uploads/",
        "/v2//manifests/latest",
    ] {
        let error = Route::parse(path);
        assert!(matches!(error, Err(RouteError::Invalid(Error::NameInvalid { .. }))), "{path}: {error:?}");
    }
    assert!(matches!(Route::parse("/v2/a/manifests/.."), Err(RouteError::Invalid(Error::TagInvalid { .. }))));
    assert!(matches!(
        Route::parse("/v2/a/blobs/sha256:.."),
        Err(RouteError::Invalid(Error::DigestInvalid { .. }))
    ));
}

/// Names, tags, digests and identifiers that are sound, with the words of the protocol among them.
fn any_route() -> impl Strategy<Value = Route> {
    let component =
        "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}|tags|list|blobs|uploads|manifests|referrers|v2";
    let name = prop::collection::vec(component, 1..5).prop_map(|components| name(&components.join("/")));
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}|list|uploads|latest";
    let digest =
        "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}".prop_map(|digest| Digest::parse(&digest).unwrap());
    let id = "[a-z0-9-]{1,36}|[^/]{1,20}|list|uploads";
    (name, tag, digest, id, 0..10).prop_map(|(name, tag, digest, id, kind)| match kind {
        0 => Route::Root,
        1 => Route::Base,
        2 => Route::Catalog,
        3 => Route::Tags(name),
        4 => Route::Manifest(name, Reference::parse(&tag).unwrap()),
        5 => Route::Manifest(name, Reference::Digest(digest)),
        6 => Route::Referrers(name, digest),
        7 => Route::Blob(name, digest),
        8 => Route::Uploads(name),
        _ => Route::Upload(name, id),
    })
}

/// As a client may write it that encodes more than it must.
fn encoded(path: &str, some: &[bool]) -> String {
    let encode = |(byte, encode): (u8, &bool)| match byte {
        byte if *encode => format!("%{byte:02x}"),
        byte => char::from(byte).to_string(),
    };
    path.bytes().zip(some.iter().cycle()).map(encode).collect()
}

proptest! {
    #[test]
    fn any_path_is_a_route_or_an_error(path in "\\PC{0,200}|/v2/[a-z0-9%/._:-]{0,60}(/(tags|list|blobs|uploads|manifests)){0,3}/[a-z0-9:%]{0,80}") {
        let _ = Route::parse(&path);
    }

    #[test]
    fn any_bytes_are_a_route_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Route::parse(&String::from_utf8_lossy(&bytes));
        let encoded = percent_encoding::percent_encode(&bytes, NON_ALPHANUMERIC).to_string();
        let _ = Route::parse(&encoded);
        let _ = Route::parse(&format!("/v2/{encoded}/blobs/uploads/{encoded}"));
    }

    #[test]
    fn what_is_written_is_read_again(route in any_route()) {
        let path = route.to_string();
        let uri: http::Uri = path.parse().unwrap();
        prop_assert_eq!(uri.path(), &path);
        prop_assert_eq!(uri.query(), None);
        prop_assert_eq!(Route::parse(&path).unwrap(), route);
    }

    #[test]
    fn what_is_encoded_means_the_same(route in any_route(), some in prop::collection::vec(any::<bool>(), 1..20)) {
        let path = route.to_string();
        // What was encoded to be written is not encoded once more.
        if !path.contains('%') {
            prop_assert_eq!(Route::parse(&encoded(&path, &some)).unwrap(), route);
        }
    }
}
