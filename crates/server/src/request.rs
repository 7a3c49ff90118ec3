//! A request without its content, as all handlers see it.

use apus_auth::Permit;
use http::{Extensions, HeaderMap, Method, Uri};

use crate::Route;

/// The head of a request, and where the URLs in its answer begin.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// In front of all paths: what [`Locations`](crate::Locations) says, and the prefix.
    pub(crate) base: String,
    /// Who asks, and what they may do beside what they were let in for.
    pub(crate) permit: Permit,
    /// What was found out on the way here: [`Forwarded`](crate::forwarded::Forwarded), [`Remote`].
    pub(crate) extensions: Extensions,
}

/// The client's address: with its port, unless a proxy vouches for it.
#[derive(Debug, Clone)]
pub(crate) struct Remote(pub(crate) String);

impl Head {
    /// The URL of a place, for `Location` and `Link`.
    pub(crate) fn location(&self, route: &Route) -> String {
        format!("{}{route}", self.base)
    }
}
