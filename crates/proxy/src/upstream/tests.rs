use super::*;

#[test]
fn one_server_has_one_name() {
    let home = |url: &str| Home::new(url).unwrap().url();
    assert_eq!(home("https://Registry-1.Docker.IO:443/"), "https://registry-1.docker.io");
    assert_eq!(home("http://r.example:5000/prefix/"), "http://r.example:5000/prefix");
    assert_eq!(Home::new("http://[::1]:5000").unwrap().host, "::1");
    assert!(Home::new("ftp://r.example").is_none() && Home::new("/v2").is_none());
}

/// A10: another scheme, host or port is another server.
#[test]
fn a10_only_the_same_server_is_home() {
    let home = Home::new("https://r.example").unwrap();
    for (url, is_home) in [
        ("https://r.example/any?q", true),
        ("https://R.example:443/", true),
        ("http://r.example/", false),
        ("https://r.example:8443/", false),
        ("https://r.example.evil.example/", false),
        ("https://evil.example/r.example", false),
    ] {
        assert_eq!(home.is_at(&url.parse().unwrap()), is_home, "{url}");
    }
}

#[test]
fn locations() {
    let at = Uri::from_static("http://r.example:5000/v2/a/blobs/x?y=1");
    for (location, url) in [
        ("https://cdn.example/x?sig=a://b", Some("https://cdn.example/x?sig=a://b")),
        ("//cdn.example/x", Some("http://cdn.example/x")),
        ("/x?to=http://y", Some("http://r.example:5000/x?to=http://y")),
        ("z", Some("http://r.example:5000/v2/a/blobs/z")),
        ("file:///etc/passwd", None),
        ("https://me:secret@cdn.example/", None),
    ] {
        assert_eq!(resolve(&at, location).map(|url| url.to_string()).as_deref(), url, "{location}");
    }
}

#[test]
fn ranges() {
    assert_eq!(content_range("bytes 5-9/10"), Some((5, 10)));
    assert_eq!(content_range("bytes */10"), None);
    assert_eq!(content_range("bytes 5-9/*"), None);
}
