//! What of a URL is logged.

use super::shown;

/// Of a query, what the protocol knows is shown, and nothing else.
#[test]
fn nothing_secret_of_a_query() {
    for (uri, expected) in [
        ("/v2/", "/v2/"),
        ("/v2/a/blobs/uploads/?mount=sha256:ab&from=b", "/v2/a/blobs/uploads/?mount=sha256:ab&from=b"),
        (
            "/v2/a/blobs/uploads/1?_state=sesame&digest=sha256:ab",
            "/v2/a/blobs/uploads/1?...&digest=sha256:ab",
        ),
        ("/v2/_catalog?n=10&last=a&sesame&Digest=sesame", "/v2/_catalog?n=10&last=a&...&..."),
        ("http://user:sesame@host/v2/?x", "/v2/?..."),
    ] {
        assert_eq!(shown(&uri.parse().unwrap()), expected);
    }
}
