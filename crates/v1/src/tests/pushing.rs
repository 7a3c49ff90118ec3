use http::Method;

use super::support::*;
use crate::{TagRights, V1Options};

/// Every step of a push by docker 1.3 (4.10), with what it needs of the answers; upon the original's images.
#[tokio::test]
async fn the_originals_sample_is_pushed_to() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    let basic = [("authorization", "Basic Og=="), ("x-docker-token", "true"), ("user-agent", DOCKER)];
    let list = format!(r#"[{{"id":"{TOP}"}},{{"id":"{NEW}","Tag":"new"}}]"#);
    let begun = put_to(&v1, "/v1/repositories/acme/webapp/", &basic, list).await;
    assert_eq!(begun.said(), (200, "\"\""));
    assert_eq!(begun.header("x-docker-endpoints"), "registry.example:5000");
    let token = format!("Token {}", begun.header("x-docker-token"));
    assert!(token.ends_with(r#",repository="acme/webapp",access=write"#), "{token}");
    let with = [("authorization", &*token), ("user-agent", DOCKER)];

    // The parent is here, the image is not.
    assert_eq!(ask(&v1, Method::GET, &format!("/v1/images/{TOP}/json"), &with, "").await.status, 200);
    assert_eq!(ask(&v1, Method::GET, &format!("/v1/images/{NEW}/json"), &with, "").await.status, 404);
    push(&v1, NEW, Some(TOP), "a layer", &with).await;
    let again = put_to(&v1, &format!("/v1/images/{NEW}/json"), &with, json_of(NEW, Some(TOP))).await;
    assert_eq!(again.error(), (409, "Image already exists".to_owned()));
    let again = put_to(&v1, &format!("/v1/images/{NEW}/layer"), &with, "x").await;
    assert_eq!(again.error(), (409, "Image already exists".to_owned()));
    let tagged = put_to(&v1, "/v1/repositories/acme/webapp/tags/new", &with, format!("\"{NEW}\"")).await;
    assert_eq!(tagged.said(), (200, "true"));
    let ended = put_to(&v1, "/v1/repositories/acme/webapp/images", &with, "[]").await;
    assert_eq!((ended.status, ended.body.len()), (204, 0));
    assert!(!ended.header("x-docker-endpoints").is_empty());

    let tags = get(&v1, "/v1/repositories/acme/webapp/tags").await;
    assert!(tags.text().contains(&format!(r#""new": "{NEW}""#)), "{tags:?}");
    let images = get(&v1, "/v1/repositories/acme/webapp/images").await;
    assert!(images.text().starts_with(&format!(r#"[{{"id": "{TOP}"}}, {{"Tag": "new", "id": "{NEW}"}}, "#)));
    let ancestry = get(&v1, &format!("/v1/images/{NEW}/ancestry")).await;
    assert!(ancestry.text().starts_with(&format!(r#"["{NEW}", "{TOP}", "#)), "{ancestry:?}");
}

#[tokio::test]
async fn refusals_while_an_image_is_pushed() {
    fn sum(value: &str) -> [(&str, &str); 1] {
        [("x-docker-checksum-payload", value)]
    }
    let v1 = over(&sample().await, V1Options::default());
    let path = |part: &str| format!("/v1/images/{NEW}/{part}");
    assert_eq!(put_to(&v1, &path("json"), &[], "[]").await.error().1, "Invalid JSON");
    assert_eq!(put_to(&v1, &path("json"), &[], r#"{"a":1}"#).await.error().1, "Missing key `id' in JSON");
    let other = put_to(&v1, &path("json"), &[], json_of(TOP, None)).await;
    assert_eq!(other.error(), (400, "JSON data contains invalid id".to_owned()));
    let orphan = put_to(&v1, &path("json"), &[], json_of(NEW, Some("0123456789abcdef"))).await;
    assert_eq!(orphan.error(), (400, "Image depends on a non existing parent".to_owned()));
    assert_eq!(put_to(&v1, &path("layer"), &[], "x").await.error(), (404, "Image not found".to_owned()));
    assert_eq!(put_to(&v1, &path("checksum"), &sum("sha256:0"), "").await.error().0, 404);

    assert_eq!(put_to(&v1, &path("json"), &[], json_of(NEW, None)).await.status, 200);
    let unfinished = (400, "Image is being uploaded, retry later".to_owned());
    assert_eq!(get(&v1, &path("json")).await.error(), unfinished);
    assert_eq!(get(&v1, &path("layer")).await.error(), unfinished);
    assert_eq!(get(&v1, &path("ancestry")).await.error(), unfinished);
    assert_eq!(put_to(&v1, &path("checksum"), &[], "").await.error().0, 412);
    let empty = put_to(&v1, &path("checksum"), &sum(""), "").await;
    assert_eq!(empty.error(), (400, "Missing Image's checksum".to_owned()));
    // Before the layer: an error of the server in the original.
    assert_eq!(put_to(&v1, &path("checksum"), &sum("sha256:0"), "").await.status, 400);
    assert_eq!(put_to(&v1, &path("layer"), &[], "x").await.status, 200);
    let mismatch = put_to(&v1, &path("checksum"), &sum("sha256:0"), "").await.error();
    assert!(mismatch.0 == 400 && mismatch.1.starts_with("Checksum mismatch"), "{mismatch:?}");
    let json = json_of(NEW, None);
    assert_eq!(put_to(&v1, &path("checksum"), &sum(&checksum(&json, b"x")), "").await.status, 200);
    let late = put_to(&v1, &path("checksum"), &sum("sha256:0"), "").await;
    assert_eq!(late.error(), (409, "Cannot set this image checksum".to_owned()));
}

#[tokio::test]
async fn tags_and_repositories_are_changed() {
    let v1 = over(&sample().await, V1Options::default());
    let tag = "/v1/repositories/acme/webapp/tags/new";
    for body in ["", "{}", "\"\"", "7", TOP] {
        assert_eq!(put_to(&v1, tag, &[], body).await.error(), (400, "Invalid data".to_owned()), "{body}");
    }
    for id in [NEW, "x"] {
        let told = put_to(&v1, tag, &[], format!("\"{id}\"")).await;
        assert_eq!(told.error(), (404, "Image not found".to_owned()));
    }
    assert_eq!(put_to(&v1, tag, &[], format!("\"{TOP}\"")).await.said(), (200, "true"));
    assert_eq!(ask(&v1, Method::DELETE, tag, &[], "").await.said(), (200, "true"));
    assert_eq!(ask(&v1, Method::DELETE, tag, &[], "").await.error(), (404, "Tag not found: new".to_owned()));

    let properties = "/v1/repositories/acme/webapp/properties";
    assert_eq!(put_to(&v1, properties, &[], r#"{"access":"public"}"#).await.status, 200);
    assert_eq!(get(&v1, properties).await.said(), (200, r#"{"access": "public"}"#));
    for body in ["{}", r#"{"access":"x"}"#, "x"] {
        assert_eq!(put_to(&v1, properties, &[], body).await.status, 400, "{body}");
    }
    // With and without a slash.
    for path in ["/v1/repositories/acme/webapp/", "/v1/repositories/base"] {
        assert_eq!(ask(&v1, Method::DELETE, path, &[], "").await.said(), (200, "true"));
        assert_eq!(ask(&v1, Method::DELETE, path, &[], "").await.status, 404);
    }
    let images = ask(&v1, Method::DELETE, "/v1/repositories/a/b/images", &[], "").await;
    assert!(images.status == 204 && images.header("x-docker-token").ends_with("access=delete"));
}

#[tokio::test]
async fn a_standalone_registry_plays_the_index() {
    let v1 = over(&sample().await, V1Options::default());
    assert_eq!(get(&v1, "/v1/users/").await.said(), (200, "\"OK\""));
    assert_eq!(get(&v1, "/v1/users").await.status, 200);
    let user = r#"{"username":"a","password":"b","email":"c"}"#;
    assert_eq!(ask(&v1, Method::POST, "/v1/users/", &[], user).await.said(), (201, "\"User Created\""));
    assert_eq!(ask(&v1, Method::POST, "/v1/users/", &[], "x").await.error().0, 400);
    assert_eq!(put_to(&v1, "/v1/users/a/", &[], user).await.status, 204);
    assert_eq!(put_to(&v1, "/v1/repositories/a/b/auth", &[], "").await.said(), (200, "\"OK\""));
    let list = "/v1/repositories/a/b/";
    assert_eq!(put_to(&v1, list, &[], "x").await.error(), (400, "Error Decoding JSON".to_owned()));
    assert_eq!(put_to(&v1, list, &[], "{}").await.error(), (400, "Invalid data".to_owned()));
    assert_eq!(put_to(&v1, list, &[], r#"[{"Tag":"a"}]"#).await.error(), (400, "Invalid data".to_owned()));
    assert_eq!(put_to(&v1, list, &[], "[]").await.status, 200);

    let mut without_host = call(Method::PUT, "/v1/repositories/c/d/", &[], "[]");
    without_host.host = None;
    assert_eq!(answered(&v1, without_host).await.status, 400);
    assert_eq!(get(&v1, "/v1/repositories/c/d/images").await.status, 404);
    let named = V1Options { endpoints: Some("one.example,two.example".to_owned()), ..V1Options::default() };
    let told = put_to(&over(&sample().await, named), "/v1/repositories/c/d/", &[], "[]").await;
    assert_eq!(told.header("x-docker-endpoints"), "one.example,two.example");

    let alone = V1Options { standalone: false, ..V1Options::default() };
    let v1 = over(&sample().await, alone);
    assert_eq!(get(&v1, "/v1/_ping").await.header("x-docker-registry-standalone"), "False");
    for path in ["/v1/users/", "/v1/repositories/a/b/images"] {
        assert_eq!(get(&v1, path).await.status, 404);
    }
    // Without an index nobody can say no to a parent.
    push(&v1, NEW, Some(TOP), "x", &[]).await;
}

#[tokio::test]
async fn contents_have_an_end() {
    let v1 = over(&sample().await, V1Options::default());
    let large = vec![b' '; apus_legacy::LARGEST + 1];
    assert_eq!(put_to(&v1, &format!("/v1/images/{NEW}/json"), &[], large.clone()).await.status, 413);
    let mut unsaid = call(Method::PUT, &format!("/v1/images/{NEW}/json"), &[], large);
    unsaid.length = None;
    assert_eq!(answered(&v1, unsaid).await.status, 413);
}

/// What a policy says of tags that are there holds for version 1 as well.
#[tokio::test]
async fn tags_that_have_to_stay() {
    let v1 = over(&sample().await, V1Options::default());
    let tag = "/v1/repositories/acme/webapp/tags/latest";
    let kept = |method: Method, path: &str, body: String| {
        let mut call = call(method, path, &[], body);
        call.tags = TagRights {
            overwrite: Box::new(|repository, tag| (repository, tag) != ("acme/webapp", "latest")),
            delete: Box::new(|repository, tag| (repository, tag) != ("acme/webapp", "latest")),
        };
        call
    };
    let below = "115a9d267f094c530e4f5519e5a0a6a127742ed83a1205b033be6bac1c1e044f";
    assert_eq!(answered(&v1, kept(Method::PUT, tag, format!("\"{below}\""))).await.status, 403);
    assert_eq!(answered(&v1, kept(Method::PUT, tag, format!("\"{TOP}\""))).await.status, 200, "the same");
    assert_eq!(answered(&v1, kept(Method::DELETE, tag, String::new())).await.status, 403);
    assert_eq!(
        answered(&v1, kept(Method::DELETE, "/v1/repositories/acme/webapp/", String::new())).await.status,
        403
    );
    assert_eq!(get(&v1, tag).await.said(), (200, &*format!("\"{TOP}\"")));
    let other = "/v1/repositories/acme/webapp/tags/dev";
    assert_eq!(answered(&v1, kept(Method::PUT, other, format!("\"{below}\""))).await.status, 200);
    assert_eq!(answered(&v1, kept(Method::DELETE, other, String::new())).await.status, 200);
}
