//! Another registry's HTTP, as far as a cache needs it (OCI distribution specification, "Pull" and "Listing Tags"). Redirects
//! are followed here, and what they may be told is decided here: nobody but the configured host sees an `Authorization`.

use std::sync::Arc;

use apus_http_client::{Error as HttpError, HttpClient, Options, Proxies, Reach, RequestBody, Response};
use apus_registry::{Descriptor, Digest, Reference, RepositoryName, Tag, TagPage};
use apus_storage::ByteStream;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::header::{
    self, ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::challenge::Challenge;
use crate::credentials::Logins;
use crate::error::chain;
use crate::guard::Guard;
use crate::tokens::Tokens;
use crate::{UpstreamError, UpstreamErrorKind, UpstreamOptions};

/// Redirects that are followed in a row.
const MOST_REDIRECTS: usize = 5;
/// Requests to one upstream at once.
const MOST_REQUESTS: usize = 256;
/// Requests for tokens at once: others wait for them.
const MOST_TOKEN_REQUESTS: usize = 16;
/// The longest list of tags that is taken in, in bytes.
const TAGS_LIMIT: usize = 16 << 20;

/// The longest list of referrers that is taken in, in bytes, and in pages.
const REFERRERS_LIMIT: usize = 4 << 20;
const MOST_PAGES: usize = 100;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// All manifests that Apus keeps; what a client takes is decided when it is answered.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json, application/json;q=0.5, */*;q=0.1";

/// Where an upstream is, in canonical form: the scheme and host in lower case, no port where it is the scheme's own.
#[derive(Debug)]
pub(crate) struct Home {
    scheme: String,
    /// Without the brackets of IPv6.
    pub(crate) host: String,
    port: u16,
    /// Host and port, as in a URL.
    pub(crate) authority: String,
    /// What stands in front of `/v2/`.
    path: String,
}

impl Home {
    fn new(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let scheme = url.scheme_str()?.to_ascii_lowercase();
        let default = default_port(&scheme)?;
        let (host, port) = (url.host()?.to_ascii_lowercase(), url.port_u16().unwrap_or(default));
        let authority = if port == default { host.clone() } else { format!("{host}:{port}") };
        let path = url.path().trim_end_matches('/').to_owned();
        Some(Self { scheme, host: unbracketed(&host).to_owned(), port, authority, path })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path)
    }

    /// Whether a URL leads to this very server: its scheme, host and port.
    fn is_at(&self, url: &Uri) -> bool {
        let scheme = url.scheme_str().unwrap_or_default();
        self.scheme.eq_ignore_ascii_case(scheme)
            && url.host().is_some_and(|host| self.host.eq_ignore_ascii_case(unbracketed(host)))
            && url.port_u16().or_else(|| default_port(scheme)) == Some(self.port)
    }

    pub(crate) fn error(&self, kind: UpstreamErrorKind, message: impl Into<String>) -> UpstreamError {
        UpstreamError { upstream: self.authority.clone(), kind, message: message.into() }
    }
}

fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Another registry.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) home: Arc<Home>,
    pub(crate) options: UpstreamOptions,
    http: HttpClient,
    tokens: Tokens,
}

/// A manifest as an upstream gave it; its digest is not proven yet.
#[derive(Debug)]
pub(crate) struct FetchedManifest {
    pub(crate) content: Bytes,
    pub(crate) content_type: Option<String>,
    pub(crate) said: Option<String>,
}

/// A request to the upstream itself, wherever it leads.
struct Asked<'a> {
    method: Method,
    path: String,
    accept: Option<&'static str>,
    range: Option<String>,
    /// For whose sake: what the token is for.
    repository: &'a str,
}

impl Upstream {
    /// An upstream that is asked nothing yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be made of the proxies of the environment, or the URL is none.
    pub(crate) fn new(mut options: UpstreamOptions, proxies: Proxies) -> Result<Self, HttpError> {
        let home = Home::new(&options.url).ok_or_else(|| HttpError::Settings {
            what: "the URL of another registry".to_owned(),
            source: "it is no http or https URL".into(),
        })?;
        let home = Arc::new(home);
        let guard = Guard::new(&home.host, std::mem::take(&mut options.allowed_networks));
        let http = HttpClient::new(Options {
            name: "proxy",
            max_requests: MOST_REQUESTS,
            proxies,
            reach: Reach::only(move |host, address| guard.allows(host, address)),
            user_agent: format!("apus/{}", env!("CARGO_PKG_VERSION")),
            ..Options::default()
        })?;
        let logins = Logins::new(options.credentials.take(), home.authority.clone());
        let servers = std::mem::take(&mut options.token_servers);
        let tokens =
            Tokens::new(http.with_own_limit(MOST_TOKEN_REQUESTS), Arc::clone(&home), logins, servers);
        Ok(Self { home, options, http, tokens })
    }

    /// Names this upstream among all there may ever be: by its canonical URL and the namespace there. 16 hexadecimal digits.
    pub(crate) fn identity(&self) -> String {
        let namespace = self.options.remote_namespace.as_deref().unwrap_or_default();
        let hash = Sha256::digest(format!("{} {namespace}", self.home.url()));
        data_encoding::HEXLOWER.encode(hash.get(..8).unwrap_or_default())
    }

    /// Its URL, in canonical form.
    pub(crate) fn url(&self) -> String {
        self.home.url()
    }

    /// What a repository is called there, by its name without the prefix here.
    pub(crate) fn remote_name(&self, name: &str) -> String {
        // As docker does before it asks: an official image has no namespace in its name.
        let official = self.home.host == "registry-1.docker.io" && !name.contains('/');
        match &self.options.remote_namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None if official => format!("library/{name}"),
            None => name.to_owned(),
        }
    }

    /// The digest of a manifest there; `None` where the upstream does not say it.
    pub(crate) async fn head_manifest(
        &self,
        repository: &str,
        reference: &Reference,
    ) -> Result<Option<Digest>, UpstreamError> {
        let response = self.ask(Self::manifest(Method::HEAD, repository, reference)).await?;
        match response.status {
            StatusCode::OK => {
                Ok(text(&response.headers, &CONTENT_DIGEST).and_then(|text| Digest::parse(text).ok()))
            }
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Ok(None),
            status => Err(failed_answer(&self.home, status, &response.headers, "it")),
        }
    }

    /// A manifest there, of at most `limit` bytes.
    pub(crate) async fn get_manifest(
        &self,
        repository: &str,
        reference: &Reference,
        limit: usize,
    ) -> Result<FetchedManifest, UpstreamError> {
        let response = self.ask(Self::manifest(Method::GET, repository, reference)).await?;
        if response.status != StatusCode::OK {
            return Err(failed_answer(&self.home, response.status, &response.headers, "it"));
        }
        let content_type = text(&response.headers, &CONTENT_TYPE).map(str::to_owned);
        let said = text(&response.headers, &CONTENT_DIGEST).map(str::to_owned);
        let content = response.body.collect(limit).await.map_err(|error| unreached(&self.home, &error))?;
        Ok(FetchedManifest { content, content_type, said })
    }

    fn manifest<'a>(method: Method, repository: &'a str, reference: &Reference) -> Asked<'a> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        Asked { method, path, accept: Some(MANIFESTS), range: None, repository }
    }

    /// Bytes of a blob there.
    pub(crate) async fn head_blob(&self, repository: &str, digest: &Digest) -> Result<u64, UpstreamError> {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let asked = Asked { method: Method::HEAD, path, accept: None, range: None, repository };
        let response = self.ask(asked).await?;
        if response.status != StatusCode::OK {
            return Err(failed_answer(&self.home, response.status, &response.headers, "it"));
        }
        number(&response.headers, &CONTENT_LENGTH)
            .ok_or_else(|| self.home.error(UpstreamErrorKind::Wrong, "it does not say how long a blob is"))
    }

    /// Opens a blob there at an offset. Answers how long the whole blob is, and its bytes from there on.
    pub(crate) async fn get_blob(
        &self,
        repository: &str,
        digest: &Digest,
        offset: u64,
    ) -> Result<(u64, ByteStream), UpstreamError> {
        let wrong = |message: &str| self.home.error(UpstreamErrorKind::Wrong, message);
        let path = format!("/v2/{repository}/blobs/{digest}");
        let range = (offset > 0).then(|| format!("bytes={offset}-"));
        let response = self.ask(Asked { method: Method::GET, path, accept: None, range, repository }).await?;
        let (size, skipped) = match response.status {
            StatusCode::PARTIAL_CONTENT => {
                let range = text(&response.headers, &CONTENT_RANGE).and_then(content_range);
                match range {
                    Some((first, size)) if first == offset => (size, 0),
                    _ => return Err(wrong("it sends another part of a blob than it was asked for")),
                }
            }
            StatusCode::OK => {
                let size = match number(&response.headers, &CONTENT_LENGTH) {
                    Some(size) => size,
                    None => self.head_blob(repository, digest).await?,
                };
                (size, offset)
            }
            status => return Err(failed_answer(&self.home, status, &response.headers, "it")),
        };
        let stream = response.body.map_err(Into::into);
        Ok((size, skipping(skipped, Box::pin(stream))))
    }

    /// One page of the tags of a repository there, in the order of their bytes.
    pub(crate) async fn tags(
        &self,
        repository: &str,
        last: Option<&str>,
        limit: usize,
    ) -> Result<TagPage, UpstreamError> {
        #[derive(Deserialize)]
        struct List {
            tags: Option<Vec<String>>,
        }
        let after = last.map(|last| format!("&last={}", utf8_percent_encode(last, NON_ALPHANUMERIC)));
        let path = format!("/v2/{repository}/tags/list?n={limit}{}", after.unwrap_or_default());
        let asked = Asked { method: Method::GET, path, accept: None, range: None, repository };
        let response = self.ask(asked).await?;
        if response.status != StatusCode::OK {
            return Err(failed_answer(&self.home, response.status, &response.headers, "it"));
        }
        let goes_on = response.headers.contains_key(header::LINK);
        let body = response.body.collect(TAGS_LIMIT).await.map_err(|error| unreached(&self.home, &error))?;
        let list: List = serde_json::from_slice(&body)
            .map_err(|_| self.home.error(UpstreamErrorKind::Wrong, "its list of tags is none"))?;
        let mut tags: Vec<Tag> =
            list.tags.into_iter().flatten().filter_map(|tag| Tag::parse(&tag).ok()).collect();
        // Some know no pages, and send everything.
        tags.retain(|tag| last.is_none_or(|last| tag.as_str() > last));
        tags.sort();
        tags.dedup();
        let more = tags.len() > limit || (goes_on && !tags.is_empty());
        tags.truncate(limit);
        Ok(TagPage { tags, more })
    }

    /// The referrers of a manifest there, all of them.
    pub(crate) async fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, UpstreamError> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<Descriptor>,
        }
        let wrong = |message: &str| self.home.error(UpstreamErrorKind::Wrong, message);
        let mut path = format!("/v2/{repository}/referrers/{subject}");
        let (mut found, mut length) = (Vec::new(), 0);
        for _ in 0..MOST_PAGES {
            let asked = Asked { method: Method::GET, path, accept: None, range: None, repository };
            let response = self.ask(asked).await?;
            if response.status != StatusCode::OK {
                return Err(failed_answer(&self.home, response.status, &response.headers, "it"));
            }
            let next = response.headers.get(header::LINK).map(|link| self.next_page(link));
            let body = response.body.collect(REFERRERS_LIMIT - length).await;
            let body = body.map_err(|error| unreached(&self.home, &error))?;
            length += body.len();
            let index: Index =
                serde_json::from_slice(&body).map_err(|_| wrong("its list of referrers is none"))?;
            found.extend(index.manifests);
            match next {
                None => return Ok(found),
                Some(next) => path = next.ok_or_else(|| wrong("its list of referrers goes on elsewhere"))?,
            }
        }
        Err(wrong("its list of referrers has no end"))
    }

    /// Where a list goes on (RFC 8288), below the upstream's URL; `None` when that is not there.
    fn next_page(&self, link: &HeaderValue) -> Option<String> {
        let (target, rest) = link.to_str().ok()?.trim().strip_prefix('<')?.split_once('>')?;
        let at = self.home.url().parse().ok()?;
        let url = resolve(&at, target).filter(|url| rest.contains("next") && self.home.is_at(url))?;
        Some(url.path_and_query()?.as_str().strip_prefix(self.home.path.as_str())?.to_owned())
    }

    /// Sends a request, answers a challenge once, and follows redirects.
    async fn ask(&self, asked: Asked<'_>) -> Result<Response, UpstreamError> {
        let first = self.tokens.authorization(asked.repository).await?;
        let (response, at_home) = self.follow(&asked, first).await?;
        if response.status != StatusCode::UNAUTHORIZED || !at_home {
            return Ok(response);
        }
        let Some(challenge) = Challenge::of(&response.headers) else { return Ok(response) };
        match self.tokens.renew(challenge, asked.repository).await? {
            Some(authorization) => Ok(self.follow(&asked, Some(authorization)).await?.0),
            None => Ok(response),
        }
    }

    /// Answers also whether the answer is that of the upstream itself.
    async fn follow(
        &self,
        asked: &Asked<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<(Response, bool), UpstreamError> {
        let wrong = |message: &str| self.home.error(UpstreamErrorKind::Wrong, message);
        let url = format!("{}{}", self.home.url(), asked.path);
        let mut url: Uri = url.parse().map_err(|_| wrong("its URL is none"))?;
        for _ in 0..=MOST_REDIRECTS {
            let at_home = self.home.is_at(&url);
            let mut request = Request::builder().method(asked.method.clone()).uri(url.clone());
            if let Some(accept) = asked.accept {
                request = request.header(ACCEPT, accept);
            }
            if let Some(range) = &asked.range {
                request = request.header(RANGE, range);
            }
            if let Some(authorization) = authorization.as_ref().filter(|_| at_home) {
                request = request.header(AUTHORIZATION, authorization);
            }
            let request =
                request.body(RequestBody::empty()).map_err(|_| wrong("it sends to a URL that is none"))?;
            let response =
                self.http.send(request).await.map_err(|failure| unreached(&self.home, &failure.error))?;
            let redirects = matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(location) = text(&response.headers, &LOCATION).filter(|_| redirects) else {
                return Ok((response, at_home));
            };
            url = resolve(&url, location).ok_or_else(|| wrong("it sends to a URL that is none"))?;
        }
        Err(wrong("it sends from one place to the next without end"))
    }
}

/// What a `Location` means at a URL (RFC 3986 section 5.2), without the removal of dots, which no registry uses.
fn resolve(at: &Uri, location: &str) -> Option<Uri> {
    let scheme = at.scheme_str()?;
    let location = location.split('#').next().unwrap_or_default();
    let whole = if location.contains("://") && !location.starts_with('/') {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{}{location}", at.authority()?)
    } else {
        let (folder, _) = at.path().rsplit_once('/').unwrap_or_default();
        format!("{scheme}://{}{folder}/{location}", at.authority()?)
    };
    let url: Uri = whole.parse().ok()?;
    // A user and a password in a redirect are somebody's trick, or somebody's secret.
    let plain = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    (plain && url.host().is_some() && default_port(url.scheme_str()?).is_some()).then_some(url)
}

/// A stream without its first bytes.
fn skipping(mut count: u64, stream: ByteStream) -> ByteStream {
    if count == 0 {
        return stream;
    }
    Box::pin(stream.map_ok(move |mut piece| {
        let skipped = usize::try_from(count).unwrap_or(usize::MAX).min(piece.len());
        count -= skipped as u64;
        piece.split_off(skipped)
    }))
}

/// The first byte and the whole length in a `Content-Range` (RFC 9110 section 14.4).
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, size.trim().parse().ok()?))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

/// The error of a request that got no answer. It names hosts, and no URL: that may be signed.
pub(crate) fn unreached(home: &Home, error: &HttpError) -> UpstreamError {
    match error {
        HttpError::OutOfReach { .. } => home.error(
            UpstreamErrorKind::Wrong,
            format!(
                "it sends where it may not: {error}; if that is right, name the network under allowednetworks"
            ),
        ),
        HttpError::TooLong { .. } => home.error(UpstreamErrorKind::Wrong, chain(error)),
        _ => home.error(UpstreamErrorKind::Unavailable, chain(error)),
    }
}

/// The error that an answer's status is.
pub(crate) fn failed_answer(
    home: &Home,
    status: StatusCode,
    headers: &HeaderMap,
    who: &str,
) -> UpstreamError {
    let kind = match status.as_u16() {
        404 | 410 => UpstreamErrorKind::NotFound,
        401 | 403 | 407 => UpstreamErrorKind::Denied,
        429 => {
            let seconds = number(headers, &header::RETRY_AFTER);
            UpstreamErrorKind::TooManyRequests { retry_after: seconds.map(std::time::Duration::from_secs) }
        }
        408 | 500.. => UpstreamErrorKind::Unavailable,
        _ => UpstreamErrorKind::Wrong,
    };
    home.error(kind, format!("{who} answered {status}"))
}

/// Whether a name is below another, by whole components.
pub(crate) fn below<'a>(name: &'a RepositoryName, prefix: &RepositoryName) -> Option<&'a str> {
    name.as_str().strip_prefix(prefix.as_str())?.strip_prefix('/')
}

#[cfg(test)]
mod tests;
