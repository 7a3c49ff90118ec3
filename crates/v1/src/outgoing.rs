//! Asking other servers: an index, a registry to mirror. Redirects are followed, and credentials go only where they were meant to.

use apus_http_client::{HttpClient, Options, Proxies, RequestBody, Response, Tls};
use http::header::{AUTHORIZATION, LOCATION};
use http::uri::InvalidUri;
use http::{HeaderMap, Request, Uri};

/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// Asks other servers. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Outgoing(HttpClient);

/// Why another server has not answered, or cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The answer did not come.
    #[error(transparent)]
    Http(#[from] apus_http_client::Error),
    /// What was to be asked is no URL.
    #[error("no URL: {0}")]
    Url(#[from] InvalidUri),
    /// It sent us from one place to the next.
    #[error("it redirects without an end")]
    Redirects,
    /// It answered with this status.
    #[error("it answered {0}")]
    Status(http::StatusCode),
    /// What it answered makes no sense.
    #[error("it answered with what makes no sense: {0}")]
    Content(serde_json::Error),
}

impl Outgoing {
    /// Over connections of its own, believing the machine's authorities, through the proxies that the environment names.
    pub fn new(proxies: Proxies) -> Result<Self, OutgoingError> {
        let options = Options { name: "v1", tls: Tls::default(), proxies, ..Options::default() };
        Ok(Self(HttpClient::new(options)?))
    }

    /// GET, with these headers.
    pub(crate) async fn get(&self, url: &str, mut headers: HeaderMap) -> Result<Response, OutgoingError> {
        let mut url: Uri = url.parse()?;
        for _ in 0..=REDIRECTS {
            let mut request = Request::new(RequestBody::empty());
            *request.uri_mut() = url.clone();
            *request.headers_mut() = headers.clone();
            let answer = self.0.send(request).await.map_err(|failure| failure.error)?;
            let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
            let Some(location) = location.filter(|_| answer.status.is_redirection()) else {
                return Ok(answer);
            };
            let next = joined(&url, location)?;
            if next.authority() != url.authority() {
                headers.remove(AUTHORIZATION);
            }
            url = next;
        }
        Err(OutgoingError::Redirects)
    }
}

/// Where a redirect leads: to another server, or to another path.
fn joined(from: &Uri, location: &str) -> Result<Uri, InvalidUri> {
    if !location.starts_with('/') || location.starts_with("//") {
        let scheme = from.scheme_str().unwrap_or("https");
        return if location.starts_with("//") {
            format!("{scheme}:{location}").parse()
        } else {
            location.parse()
        };
    }
    let scheme = from.scheme_str().unwrap_or("https");
    let authority = from.authority().map_or("", |authority| authority.as_str());
    format!("{scheme}://{authority}{location}").parse()
}
