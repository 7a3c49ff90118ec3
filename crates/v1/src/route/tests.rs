use apus_legacy::{ImageId, Repository};
use http::Method;

use super::{Part, Route, Target, allowed};

#[test]
fn names_hold_slashes_and_anything_else() {
    let named = |name: &str| Repository::parse(name).unwrap();
    let read = |path: &str| Route::parse(path).unwrap_or_else(|| panic!("{path}"));
    assert_eq!(read("/v1/repositories/base/tags"), Route::Tags(named("library/base")));
    assert_eq!(read("/v1/repositories/a/b/c/tags/"), Route::Tags(named("a/b/c")));
    assert_eq!(read("/v1/repositories/a%2Fb/tags/x%20y"), Route::Tag(named("a/b"), "x y".to_owned()));
    assert_eq!(read("/v1/repositories/a/tags/json"), Route::Tag(named("a"), "json".to_owned()));
    assert_eq!(read("/v1/repositories/a/tags/x/json"), Route::Client(named("a"), Some("x".to_owned())));
    assert_eq!(read("/v1/repositories/a/b/json"), Route::Client(named("a/b"), None));
    assert_eq!(read("/v1/repositories/images/images"), Route::Images(named("images")));
    assert_eq!(read("/v1/repositories/tags"), Route::Repository(named("library/tags")));
    assert_eq!(read("/v1/repositories/a/b/"), Route::Repository(named("a/b")));
    assert_eq!(read("/v1/repositories/a/b/auth"), Route::Auth(named("a/b")));
    assert_eq!(read("/v1/repositories/a/properties"), Route::Properties(named("a")));
    let id = ImageId::parse("0123456789abcdef");
    assert_eq!(read("/v1/images/0123456789abcdef/layer"), Route::Image(id, Part::Layer));
    assert_eq!(read("/v1/images/0123456789ABCDEF/json"), Route::Image(None, Part::Json));
    for path in
        ["/v2/", "/v1", "/v1/", "/v1/repositories/", "/v1/repositories//", "/v1/x", "/v1/%ff", "/_status"]
    {
        assert_eq!(Route::parse(path), None, "{path}");
    }
}

/// What `Allow` names is what is done, and nothing else.
#[test]
fn methods_that_a_path_knows() {
    let id = "0123456789abcdef";
    let paths = [
        "/",
        "/_ping",
        "/v1/users/",
        "/v1/users/a/",
        "/v1/search",
        "/v1/repositories/a/",
        "/v1/repositories/a/tags",
    ];
    let more = ["tags/x", "tags/x/json", "json", "images", "auth", "properties"]
        .map(|rest| format!("/v1/repositories/a/{rest}"));
    let images = ["json", "layer", "checksum", "ancestry", "files", "diff"]
        .map(|part| format!("/v1/images/{id}/{part}"));
    for path in paths.iter().map(|path| (*path).to_owned()).chain(more).chain(images) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let is_done = Target::new(&method, Route::parse(&path).unwrap()).is_some();
            let is_named = allowed(&path).split(", ").any(|name| name == method.as_str());
            assert_eq!(is_done, is_named, "{method} {path}");
        }
    }
}
