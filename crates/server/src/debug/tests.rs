use super::*;

async fn asked(pages: &DebugPages, method: Method, path: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(()).unwrap();
    let answer = pages.clone().answer(request).await.unwrap();
    let body = http_body_util::BodyExt::collect(answer.body().clone()).await.unwrap().to_bytes();
    (answer.status(), String::from_utf8(body.to_vec()).unwrap())
}

fn pages() -> DebugPages {
    let page = |word: &'static str| move |_| async move { text(StatusCode::OK, word.to_owned()) };
    DebugPages::new().with("/one", page("first")).with("/other", page("second"))
}

#[tokio::test]
async fn a_page_is_found_by_its_whole_path() {
    assert_eq!(asked(&pages(), Method::GET, "/one").await, (StatusCode::OK, "first".to_owned()));
    assert_eq!(asked(&pages(), Method::GET, "/other?x=1").await, (StatusCode::OK, "second".to_owned()));
    for path in ["/", "/one/", "/on", "/ONE"] {
        let (status, body) = asked(&pages(), Method::GET, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(body.contains("  /one\n  /other\n"), "{body}");
    }
}

#[tokio::test]
async fn pages_are_only_read() {
    assert_eq!(asked(&pages(), Method::HEAD, "/one").await.0, StatusCode::OK);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        assert_eq!(asked(&pages(), method, "/one").await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
}
