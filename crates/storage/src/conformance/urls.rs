//! Temporary URLs. A backend without them passes by saying so.

use std::time::Duration;

use super::content::random_bytes;
use super::testbed::Case;
use crate::UrlMethod;

/// Carries over distribution `TestURLFor`, and `TestRedirectURL` of its version 3: `GET` gives the content, and `HEAD` its
/// length.
pub async fn a_temporary_url_gives_the_object(case: &Case) {
    let (name, content) = (case.name("folder/ob ject+%"), random_bytes(32));
    case.put(&name, content.clone()).await;
    for method in [UrlMethod::Get, UrlMethod::Head] {
        let url = case.storage().temporary_url(&name, method, Duration::from_mins(1)).await.unwrap();
        let Some(url) = url else { continue };
        assert!(url.starts_with("http://") || url.starts_with("https://"), "{url:?}");
        let Some(fetched) = case.fetch(method, url).await else { continue };
        assert_eq!((fetched.status, fetched.content_length), (200, Some(32)), "{method:?}");
        if method == UrlMethod::Get {
            assert_eq!(fetched.body, content);
        }
    }
}

/// Whether there is a URL does not hang on whether there is an object.
pub async fn a_temporary_url_does_not_ask_for_the_object(case: &Case) {
    let (there, absent) = (case.new_name(), case.new_name());
    case.put(&there, "content").await;
    let mut known = Vec::new();
    for name in [there, absent] {
        let url = case.storage().temporary_url(&name, UrlMethod::Get, Duration::from_mins(1)).await;
        known.push(url.unwrap().is_some());
    }
    assert_eq!(known[0], known[1]);
}
