//! Which identifiers are taken over.

use http::{HeaderMap, HeaderValue};

use super::RequestId;

#[test]
fn what_can_be_one_is_taken() {
    for (sent, taken) in [
        ("46774d38-d2f3-4b8a-ac9d-05413f4ae031", true),
        ("Root=1-67891233-abcdef012345678912345678", true),
        ("a", true),
        (&*"a".repeat(128), true),
        (&*"a".repeat(129), false),
        ("", false),
        ("two words", false),
        ("a\"b", false),
        ("a%0Ab", false),
        ("é", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_bytes(sent.as_bytes()).unwrap());
        let id = RequestId::sent(&headers);
        assert_eq!(id.as_ref().map(RequestId::as_str), taken.then_some(sent));
    }
    assert_eq!(RequestId::sent(&HeaderMap::new()), None);
    assert_ne!(RequestId::random(), RequestId::random());
}

#[tokio::test]
async fn it_is_known_in_its_scope_alone() {
    assert_eq!(RequestId::current(), None);
    let id = RequestId::random();
    assert_eq!(id.clone().scope(async { RequestId::current() }).await, Some(id.clone()));
    assert_eq!(id.sync_scope(RequestId::current), Some(id));
    assert_eq!(RequestId::current(), None);
}
