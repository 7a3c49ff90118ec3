use http::Method;

use super::support::*;
use crate::{Cors, Debugging, V1Options};

/// The original's sample, by the routes of a pull (4.11), and the others.
#[tokio::test]
async fn the_originals_sample_is_served() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    let ping = get(&v1, "/v1/_ping").await;
    assert_eq!(ping.said(), (200, "{}"));
    assert_eq!(ping.header("x-docker-registry-standalone"), "True");
    assert_eq!(get(&v1, "/_ping").await.status, 200);
    assert_eq!(get(&v1, "/").await.said(), (200, r#""\"docker-registry server\"""#));

    let images = get(&v1, "/v1/repositories/acme/webapp/images").await;
    let stored = content(&storage, "repositories/acme/webapp/_index_images").await.unwrap();
    assert_eq!((images.status, &images.body), (200, &stored));
    assert_eq!(images.header("content-type"), "application/json");
    assert_eq!(images.header("x-docker-endpoints"), "registry.example:5000");
    let token = images.header("x-docker-token");
    assert!(
        token.starts_with("Token signature=") && token.ends_with(r#",repository="acme/webapp",access=read"#)
    );
    assert_eq!(images.header("www-authenticate"), token);
    assert_eq!(get(&v1, "/v1/repositories/none/images").await.error(), (404, "images not found".to_owned()));

    let tags = get(&v1, "/v1/repositories/base/tags").await;
    let (one, two) = (
        "6ec58b2354923a46e46a17d8712c6f5b093cf472a08f377b0beb47ef06a7c3e3",
        "64188a99eca1b375e23763011a0a58b28a6bc8a1d1f688dff6fcfdc25ad86fbc",
    );
    assert_eq!(tags.said(), (200, &*format!(r#"{{"1.0": "{one}", "2.0": "{two}", "latest": "{two}"}}"#)));
    assert_eq!((tags.header("cache-control"), tags.header("expires")), ("no-cache", "-1"));
    assert_eq!(
        get(&v1, "/v1/repositories/library/base/tags/1.0").await.said(),
        (200, &*format!("\"{one}\""))
    );
    assert_eq!(get(&v1, "/v1/repositories/base/tags/3").await.error(), (404, "Tag not found".to_owned()));
    assert_eq!(
        get(&v1, "/v1/repositories/none/tags").await.error(),
        (404, "Repository not found".to_owned())
    );

    for part in ["json", "layer", "ancestry"] {
        let told = get(&v1, &format!("/v1/images/{TOP}/{part}")).await;
        assert_eq!(
            (told.status, Some(told.body)),
            (200, content(&storage, &format!("images/{TOP}/{part}")).await)
        );
        assert_eq!(told.headers["cache-control"], "public, max-age=31536000");
        assert_eq!(told.headers["last-modified"], "Thu, 01 Jan 1970 00:00:00 GMT");
    }
    let json = get(&v1, &format!("/v1/images/{TOP}/json")).await;
    assert_eq!(json.header("x-docker-size"), "98579");
    assert_eq!(
        json.header("x-docker-checksum-payload"),
        "sha256:a168f8f18825b3b49c74f1b79bca1b2620a534393965c3644ee5ba2cd98a2db8"
    );
    assert_eq!(
        get(&v1, &format!("/v1/images/{NEW}/json")).await.error(),
        (404, "Image not found".to_owned())
    );
    assert_eq!(get(&v1, "/v1/images/ABC/json").await.error(), (404, "Invalid image ID".to_owned()));

    let files = get(&v1, &format!("/v1/images/{TOP}/files")).await;
    assert!(files.status == 200 && files.text().contains("/srv/blob.bin"), "{files:?}");
    let diff = get(&v1, &format!("/v1/images/{TOP}/diff")).await;
    assert!(diff.text().starts_with(r#"{"changed": "#), "{diff:?}");

    let client = get(&v1, "/v1/repositories/acme/webapp/json").await;
    assert!(client.text().starts_with(r#"{"arch": "amd64", "docker_go_version": "go1.3.3""#), "{client:?}");
    assert_eq!(get(&v1, "/v1/repositories/acme/webapp/tags/dev/json").await.body, client.body);
    let unknown = r#"{"arch": "amd64", "docker_go_version": null, "docker_version": null, "kernel": null, "last_update": null, "os": "linux"}"#;
    assert_eq!(get(&v1, "/v1/repositories/none/json").await.said(), (200, unknown));
    assert_eq!(
        get(&v1, "/v1/repositories/acme/webapp/properties").await.said(),
        (200, r#"{"access": "private"}"#)
    );
}

#[tokio::test]
async fn ranges_of_layers() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    let path = format!("/v1/images/{TOP}/layer");
    let whole = get(&v1, &path).await;
    assert_eq!((whole.header("accept-ranges"), whole.body.len()), ("bytes", 98_579));
    let range = async |range: &str| ask(&v1, Method::GET, &path, &[("range", range)], "").await;
    for (asked, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=98578-", 98_578, 98_578),
        // As docker resumes: to one past the last.
        ("bytes=98000-98579", 98_000, 98_578),
        ("bytes=-9", 98_570, 98_578),
    ] {
        let told = range(asked).await;
        assert_eq!(told.status, 206, "{asked}");
        assert_eq!(told.header("content-range"), format!("bytes {first}-{last}/98579"));
        assert_eq!(told.body, whole.body.slice(first..=last), "{asked}");
    }
    // Where docker has all of it.
    let end = range("bytes=98579-98579").await;
    assert_eq!((end.status, end.header("content-length"), end.body.len()), (416, "0", 0));
    assert_eq!(end.header("content-range"), "bytes */98579");
    for asked in ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x"] {
        assert_eq!((range(asked).await.status, asked), (200, asked));
    }
    // An empty layer is one.
    put(&storage, &format!("images/{TOP}/layer"), "").await;
    let empty = get(&v1, &path).await;
    assert_eq!((empty.status, empty.body.len()), (200, 0));
    let head = ask(&v1, Method::HEAD, &path, &[], "").await;
    assert_eq!((head.status, head.header("content-length")), (200, "0"));
}

/// 304 was said of images that are not there.
#[tokio::test]
async fn nothing_has_changed_only_where_something_is() {
    let v1 = over(&sample().await, V1Options::default());
    let since = [("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")];
    for part in ["json", "layer", "ancestry", "files", "diff"] {
        let told = ask(&v1, Method::GET, &format!("/v1/images/{TOP}/{part}"), &since, "").await;
        assert_eq!((told.status, told.body.len()), (304, 0), "{part}");
        let told = ask(&v1, Method::GET, &format!("/v1/images/{NEW}/{part}"), &since, "").await;
        assert_eq!(told.status, 404, "{part}");
    }
}

#[tokio::test]
async fn searching() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    let base =
        r#"{"num_results": 1, "query": "", "results": [{"description": null, "name": "library/base"}]}"#;
    // Not the one that is private; and nothing in the query is a wildcard.
    assert_eq!(get(&v1, "/v1/search?q=").await.said(), (200, base));
    assert_eq!(get(&v1, "/v1/search").await.said(), (200, base));
    assert!(get(&v1, "/v1/search?q=%25").await.text().contains("\"num_results\": 0"));
    assert!(get(&v1, "/v1/search?q=BAS&n=5").await.text().contains("library/base"));
    let off = over(&storage, V1Options { search: false, ..V1Options::default() });
    assert_eq!(get(&off, "/v1/search?q=").await.status, 404);
}

#[tokio::test]
async fn paths_and_methods_that_are_none() {
    let v1 = over(&sample().await, V1Options::default());
    for path in ["/v2/", "/_status", "/v1/_status", "/_versions", "/v1/", "/v1/images/x", "/v1/images/x/y/z"]
    {
        assert_eq!(get(&v1, path).await.status, 404, "{path}");
    }
    let told = ask(&v1, Method::DELETE, &format!("/v1/images/{TOP}/json"), &[], "").await;
    assert_eq!((told.status, told.header("allow")), (405, "GET, HEAD, PUT, OPTIONS"));
    let told = ask(&v1, Method::OPTIONS, "/v1/repositories/a/tags", &[], "").await;
    assert_eq!((told.status, told.header("allow")), (200, "GET, HEAD, DELETE, OPTIONS"));
}

#[tokio::test]
async fn what_a_ping_tells_when_it_is_asked_to() {
    let debug = Debugging { version: "0.1".to_owned(), flavour: Some("dev".to_owned()) };
    let v1 = over(&sample().await, V1Options { debug: Some(debug), ..V1Options::default() });
    let ping = get(&v1, "/v1/_ping").await;
    assert_eq!(ping.said(), (200, r#"{"versions": {"apus": "0.1"}}"#));
    assert_eq!(ping.header("x-docker-registry-config"), "dev");
}

#[tokio::test]
async fn what_browsers_are_told() {
    let cors = Cors {
        origins: vec!["https://a.example".to_owned()],
        methods: Vec::new(),
        headers: vec!["Content-Type".to_owned()],
        expose_headers: vec!["X-Docker-Size".to_owned()],
        supports_credentials: true,
        max_age: Some(std::time::Duration::from_secs(9)),
        send_wildcard: true,
        always_send: true,
        vary_header: true,
    };
    let storage = sample().await;
    let told = async |cors: &Cors, method: Method, headers: &[(&str, &str)]| {
        let v1 = over(&storage, V1Options { cors: Some(cors.clone()), ..V1Options::default() });
        ask(&v1, method, "/v1/_ping", headers, "").await
    };
    let asked = told(&cors, Method::OPTIONS, &[("origin", "https://a.example")]).await;
    assert_eq!(asked.header("access-control-allow-origin"), "https://a.example");
    assert_eq!(asked.header("access-control-allow-credentials"), "true");
    assert_eq!(asked.header("access-control-allow-headers"), "Content-Type");
    assert_eq!((asked.header("access-control-max-age"), asked.header("vary")), ("9", "Origin"));
    assert!(asked.header("access-control-allow-methods").contains("DELETE"));
    for headers in [&[("origin", "https://b.example")][..], &[]] {
        let other = told(&cors, Method::GET, headers).await;
        assert!(!other.headers.contains_key("access-control-allow-origin"));
    }
    let everyone = Cors { origins: vec!["*".to_owned()], supports_credentials: false, ..cors };
    for headers in [&[("origin", "https://b.example")][..], &[]] {
        let other = told(&everyone, Method::GET, headers).await;
        assert_eq!((other.header("access-control-allow-origin"), other.header("vary")), ("*", ""));
        assert_eq!(other.header("access-control-expose-headers"), "X-Docker-Size");
    }
    let silent = Cors { always_send: false, ..everyone };
    assert!(!told(&silent, Method::GET, &[]).await.headers.contains_key("access-control-allow-origin"));
}
