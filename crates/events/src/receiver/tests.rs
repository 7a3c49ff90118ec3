use std::error::Error as _;

use http::Response;
use http_body_util::Full;

use super::*;
use crate::testing::{Endpoint, event, options, status, tags};

const SECRETS: [&str; 3] = ["hunter", "s3cr3t", "aHVudGVy"];

fn line(tag: &str) -> Vec<u8> {
    serde_json::to_vec(&event(tag)).unwrap()
}

fn redirect(code: u16, to: &str) -> Response<Full<Bytes>> {
    let mut answer = status(code);
    answer.headers_mut().insert(header::LOCATION, to.parse().unwrap());
    answer
}

async fn sent_with(endpoint: &Endpoint, options: EndpointOptions) -> Result<(), Refused> {
    let sent = Receiver::new(options).unwrap().send(&line("t")).await;
    if let Err(error) = &sent {
        for secret in SECRETS {
            assert!(!error.report().contains(secret) && !format!("{error:?}").contains(secret), "{error:?}");
        }
    }
    assert!(endpoint.received().iter().all(|request| request.method == Method::POST));
    sent
}

#[tokio::test]
async fn one_post_with_all_that_is_configured() {
    let endpoint = Endpoint::start().await;
    let mut configured =
        options(&format!("http://us%20er:s3cr3t%3A@{}/hunter2/hook?token=hunter2", endpoint.address));
    configured.headers.append("x-two", "a".parse().unwrap());
    configured.headers.append("x-two", "b".parse().unwrap());
    sent_with(&endpoint, configured).await.unwrap();
    let [request] = &endpoint.received()[..] else { panic!() };
    assert_eq!(request.path, "/hunter2/hook?token=hunter2");
    assert_eq!(request.headers["content-type"], "application/vnd.docker.distribution.events.v1+json");
    assert_eq!(request.headers["authorization"], "Basic dXMgZXI6czNjcjN0Og==");
    assert_eq!(request.headers.get_all("x-two").iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(request.headers["host"], endpoint.address.to_string());
    assert_eq!(tags(&endpoint.received()), ["t"]);
}

#[tokio::test]
async fn a_header_of_the_operators_own_takes_the_place_of_credentials() {
    let endpoint = Endpoint::start().await;
    let mut configured = options(&format!("http://hunter:hunter@{}", endpoint.address));
    configured.headers.insert(header::AUTHORIZATION, "Bearer s3cr3t".parse().unwrap());
    configured.headers.insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    sent_with(&endpoint, configured).await.unwrap();
    let [request] = &endpoint.received()[..] else { panic!() };
    assert_eq!(request.headers.get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer s3cr3t"]);
    assert_eq!(request.headers.get_all("content-type").iter().collect::<Vec<_>>(), [MEDIA_TYPE]);
}

#[tokio::test]
async fn what_is_below_400_was_taken() {
    let endpoint = Endpoint::start().await;
    for code in [200, 201, 202, 204, 300, 301, 302, 303, 304, 399] {
        endpoint.answer(move |_| redirect(code, "/elsewhere"));
        sent_with(&endpoint, endpoint.options("/")).await.unwrap();
    }
    assert!(endpoint.received().iter().all(|request| request.path == "/"), "those are not followed");
    for code in [400, 401, 404, 429, 500, 503] {
        endpoint.answer(move |_| status(code));
        let error = sent_with(&endpoint, endpoint.options("/hunter2")).await.unwrap_err();
        assert!(matches!(error, Refused::Status(status) if status.as_u16() == code), "{error:?}");
    }
}

#[tokio::test]
async fn redirects_are_followed_with_credentials_to_the_same_server_alone() {
    let (endpoint, other) = (Endpoint::start().await, Endpoint::start().await);
    let to_other = format!("http://hunter:hunter@{}/other", other.address);
    endpoint.answer(move |request| match request.path.as_str() {
        "/first" => redirect(307, "/second?a=b"),
        "/second?a=b" => redirect(308, &to_other),
        path => panic!("{path}"),
    });
    let mut configured = options(&format!("http://user:s3cr3t@{}/first", endpoint.address));
    configured.headers.insert("x-token", "s3cr3t".parse().unwrap());
    sent_with(&endpoint, configured).await.unwrap();
    let own = endpoint.received();
    assert_eq!(own.len(), 2);
    for request in &own {
        assert_eq!(request.headers["x-token"], "s3cr3t");
        assert!(request.headers.contains_key("authorization"));
    }
    let [request] = &other.received()[..] else { panic!() };
    assert_eq!((request.path.as_str(), &request.body), ("/other", &own[0].body));
    assert_eq!(request.headers["content-type"], MEDIA_TYPE);
    for secret in SECRETS {
        assert!(!format!("{:?}", request.headers).contains(secret), "{:?}", request.headers);
    }
    assert!(!request.headers.contains_key("authorization") && !request.headers.contains_key("x-token"));
}

#[tokio::test]
async fn redirects_that_lead_nowhere() {
    let endpoint = Endpoint::start().await;
    for to in ["", "//", "ftp://hunter2", "relative", "/again"] {
        endpoint.answer(move |_| redirect(307, to));
        let error = sent_with(&endpoint, endpoint.options("/")).await.unwrap_err();
        assert!(matches!(error, Refused::Redirect(..) | Refused::Unreachable(_)), "{to}: {error:?}");
    }
    assert!(endpoint.received().len() < 20);
}

#[test]
fn whose_server_a_url_names() {
    let uri = |url: &str| url.parse::<Uri>().unwrap();
    for (endpoint, url, same) in [
        ("http://a/x", "http://A/y", true),
        ("http://a:80", "http://a", true),
        ("http://a", "https://a", true),
        ("http://a", "https://a:8443", false),
        ("http://a:8080", "https://a", false),
        ("https://a", "http://a", false),
        ("https://a", "https://a:8443", false),
        ("http://a", "http://b.a", false),
        ("http://a", "http://a.b", false),
    ] {
        assert_eq!(may_see_credentials(&uri(url), &uri(endpoint)), same, "{endpoint} -> {url}");
    }
    let location = |text: &str| HeaderMap::from_iter([(header::LOCATION, text.parse().unwrap())]);
    let leads = |from: &str, to: &str| target(&uri(from), &location(to)).map(|url| url.to_string());
    assert_eq!(leads("https://a/x?y", "/z"), Ok("https://a/z".to_owned()));
    assert_eq!(leads("http://a/x", "https://u:p@b"), Ok("https://b/".to_owned()));
    assert!(leads("https://a/x", "http://a/z").is_err());
    assert!(target(&uri("http://a"), &HeaderMap::new()).is_err());
}

#[tokio::test]
async fn an_endpoint_that_is_slow_or_away() {
    let endpoint = Endpoint::start().await;
    // One thread serves, and so sleeping there is not answering.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    let mut configured = options(&format!("http://hunter:s3cr3t@{silent}/hunter2"));
    configured.timeout = Duration::from_millis(50);
    let error = sent_with(&endpoint, configured.clone()).await.unwrap_err();
    assert!(
        matches!(error, Refused::Slow(_) | Refused::Unreachable(apus_http_client::Error::Timeout { .. })),
        "{error:?}"
    );
    drop(listener);
    configured.timeout = Duration::from_secs(20);
    let error = sent_with(&endpoint, configured).await.unwrap_err();
    assert!(matches!(error, Refused::Unreachable(apus_http_client::Error::Connect { .. })), "{error:?}");
    assert!(error.report().contains(&silent.to_string()) && error.source().is_some());
}

#[test]
fn what_is_no_url_is_refused_without_a_word_of_it() {
    for url in ["http://", "hunter2", "/hunter2", "http://hunter2:pass word@a"] {
        let error = Receiver::new(options(url)).err().unwrap();
        assert!(matches!(error, EventsError::Url { .. }), "{url}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("hunter"), "{error:?}");
    }
}
