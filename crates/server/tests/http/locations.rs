//! Where the URLs in `Location` and `Link` begin.

use apus_server::{AppOptions, Locations, ServeOptions};

use crate::support::{Site, Socket, app, header};

async fn begun(socket: &mut Socket, headers: &str) -> String {
    let head = format!("POST /v2/a/blobs/uploads/ HTTP/1.1\r\n{headers}content-length: 0\r\n\r\n");
    let answer = socket.ask(&head).await;
    assert_eq!(answer.status(), 202, "{headers}");
    let location = header(&answer, "location");
    location.split_once("/v2/a/blobs/uploads/").unwrap_or_else(|| panic!("{location}")).0.to_owned()
}

async fn site(locations: Locations, trusted: Option<&[&str]>) -> Site {
    let trusted_proxies =
        trusted.map(|networks| networks.iter().map(|network| network.parse().unwrap()).collect());
    Site::serving(
        app(AppOptions { locations, trusted_proxies, ..AppOptions::default() }),
        ServeOptions::default(),
    )
    .await
}

const PROXIED: &str = "host: inner:5000\r\nx-forwarded-proto: https\r\nx-forwarded-host: r.example\r\n";

#[tokio::test]
async fn paths_alone_unless_something_else_is_said() {
    for (locations, expected) in [
        (Locations::Relative, ""),
        (Locations::Under("https://fixed.example".into()), "https://fixed.example"),
        (Locations::AsAsked, "https://r.example"),
    ] {
        let site = site(locations, None).await;
        assert_eq!(begun(&mut site.connect().await, PROXIED).await, expected);
    }
}

#[tokio::test]
async fn as_asked_without_a_proxy() {
    let site = site(Locations::AsAsked, None).await;
    let mut socket = site.connect().await;
    for (headers, expected) in [
        ("host: r.example:5000\r\n", "http://r.example:5000"),
        ("host: user@r.example\r\n", ""),
        ("host: a, b\r\n", ""),
        ("host: r.example\r\nx-forwarded-host: <script>\r\n", "http://r.example"),
        ("host: r.example\r\nx-forwarded-proto: javascript\r\n", "http://r.example"),
        (
            "host: inner\r\nforwarded: for=_x;proto=https;host=\"r.example:8443\"\r\n",
            "https://r.example:8443",
        ),
    ] {
        assert_eq!(begun(&mut socket, headers).await, expected, "{headers}");
    }
    // A request line may hold the whole URL; then `Host` does not count.
    let answer = socket
        .ask("POST http://line.example/v2/a/blobs/uploads/ HTTP/1.1\r\nhost: b\r\ncontent-length: 0\r\n\r\n")
        .await;
    assert!(header(&answer, "location").starts_with("http://line.example/v2/"), "{answer:?}");
    let mut old = site.connect().await;
    let answer = old.ask("GET /v2/ HTTP/1.0\r\n\r\n").await;
    assert_eq!(answer.status(), 200, "HTTP/1.0 knows no Host");
}

#[tokio::test]
async fn only_trusted_proxies_are_believed() {
    for (trusted, expected) in [
        (&["127.0.0.0/8"][..], "https://r.example"),
        (&["10.0.0.0/8"], "http://inner:5000"),
        (&[], "http://inner:5000"),
    ] {
        let site = site(Locations::AsAsked, Some(trusted)).await;
        assert_eq!(begun(&mut site.connect().await, PROXIED).await, expected, "{trusted:?}");
    }
}

#[tokio::test]
async fn links_begin_as_locations_do() {
    let site = site(Locations::AsAsked, None).await;
    for name in ["a", "b"] {
        crate::support::push(&site.app, name, "x").await;
    }
    let answer = site.connect().await.ask(&format!("GET /v2/_catalog?n=1 HTTP/1.1\r\n{PROXIED}\r\n")).await;
    assert_eq!(header(&answer, "link"), "<https://r.example/v2/_catalog?last=a&n=1>; rel=\"next\"");
}
