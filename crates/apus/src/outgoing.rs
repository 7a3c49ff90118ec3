//! What requests to other services say of the request on whose behalf they are sent.

use apus_server::RequestId;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::traces;

/// Swift puts its first 32 characters behind its own transaction identifier, in its answers and its logs.
const X_TRANS_ID_EXTRA: HeaderName = HeaderName::from_static("x-trans-id-extra");

/// Of a request to Swift, or to the service that signs in to it.
pub(crate) fn add_headers(headers: &mut HeaderMap) {
    let id = RequestId::current();
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id.as_ref()).ok()) {
        headers.insert(X_TRANS_ID_EXTRA, id);
    }
    traces::name(headers);
}
