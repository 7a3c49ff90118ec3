//! A request, and its answer, as they come from and go to any HTTP.

use apus_storage::ByteStream;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response};

/// A request.
pub struct Call {
    /// Its method.
    pub method: Method,
    /// The path as it stood in the request line.
    pub path: String,
    /// What stood behind the question mark.
    pub query: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// The host that the client has asked, with its port: what it may be told to ask again.
    pub host: Option<String>,
    /// Whether today's sign-in has proven who asks. Without such a sign-in it means nothing.
    pub signed_in: bool,
    /// Which tags may be changed.
    pub tags: TagRights,
    /// Its content. Nothing of it is read before the request was let in.
    pub body: ByteStream,
    /// Bytes of the content, where the client said so.
    pub length: Option<u64>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Which tags may be changed by a request, each asked about by the name of its repository, without `library/`, and its own.
pub struct TagRights {
    /// Whether one that is there may be given another meaning.
    pub overwrite: TagRight,
    /// Whether one may be taken away.
    pub delete: TagRight,
}

/// Decides about one tag.
pub type TagRight = Box<dyn Fn(&str, &str) -> bool + Send + Sync>;

impl TagRights {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self { overwrite: Box::new(|_, _| true), delete: Box::new(|_, _| true) }
    }
}

impl std::fmt::Debug for TagRights {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TagRights").finish_non_exhaustive()
    }
}

/// The answer to a request.
pub type Reply = Response<Content>;

/// The content of an answer.
pub enum Content {
    /// None.
    Empty,
    /// At hand.
    Bytes(Bytes),
    /// On its way: exactly so many bytes.
    Stream(u64, ByteStream),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => formatter.write_str("Empty"),
            Self::Bytes(bytes) => formatter.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Stream(length, _) => formatter.debug_tuple("Stream").field(length).finish_non_exhaustive(),
        }
    }
}

/// A request without its content.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) host: Option<String>,
    pub(crate) signed_in: bool,
    pub(crate) tags: TagRights,
}

/// The content of a request.
pub(crate) struct Body {
    pub(crate) stream: ByteStream,
    pub(crate) length: Option<u64>,
}

impl Call {
    pub(crate) fn apart(self) -> (Head, Body) {
        let Self { method, path, query, headers, host, signed_in, tags, body, length } = self;
        (Head { method, path, query, headers, host, signed_in, tags }, Body { stream: body, length })
    }
}

impl Head {
    /// A header as text; `None` where it is absent or no text.
    pub(crate) fn text(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref()?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// `X-Docker-Token`
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-docker-token");
/// `X-Docker-Endpoints`
pub(crate) const ENDPOINTS: HeaderName = HeaderName::from_static("x-docker-endpoints");
/// `X-Docker-Size`: bytes of a layer as it is stored.
pub(crate) const SIZE: HeaderName = HeaderName::from_static("x-docker-size");
/// `X-Docker-Checksum-Payload`: once for each checksum that an image may have.
pub(crate) const CHECKSUM: HeaderName = HeaderName::from_static("x-docker-checksum-payload");
/// `X-Docker-Registry-Standalone`
pub(crate) const STANDALONE: HeaderName = HeaderName::from_static("x-docker-registry-standalone");
/// `X-Docker-Registry-Config`
pub(crate) const CONFIG: HeaderName = HeaderName::from_static("x-docker-registry-config");
