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

proptest! {
    #[test]
    fn any_path_is_a_route_or_an_error(path in "\\PC{0,200}|/v2/[a-z0-9%/._:-]{0,60}(/(tags|list|blobs|uploads|manifests)){0,3}/[a-z0-9:%]{0,80}") {
        let _ = Route::parse(&path);
    }

    #[test]
    fn a_name_in_any_place_comes_back(repository in "[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,3}", tag in "[A-Za-z0-9_]{1,10}") {
        let route = Route::parse(&format!("/v2/{repository}/manifests/{tag}")).unwrap();
        prop_assert_eq!(route, Route::Manifest(name(&repository), Reference::parse(&tag).unwrap()));
    }
}
