//! What goes back to the client: status, headers and body, and the short texts that Swift puts into its refusals.
//!
//! Nothing here knows what was asked.

use std::borrow::Cow;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use hyper::ext::ReasonPhrase;
use md5::{Digest, Md5};

use crate::sending::{AnswerBody, Payload};

/// What every handler gives back. A refusal is an answer like any other once it is on its way.
pub(crate) type Handled = Result<Answer, Refusal>;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain");

pub(crate) fn md5_hex(data: &[u8]) -> String {
    HEXLOWER.encode(&Md5::digest(data))
}

/// A header value from text that came out of a header, a path or a number; what cannot be one becomes empty.
pub(crate) fn value(text: impl AsRef<[u8]>) -> HeaderValue {
    HeaderValue::from_bytes(text.as_ref()).unwrap_or(HeaderValue::from_static(""))
}

/// An answer under construction.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
}

impl Answer {
    /// An answer with Swift's standard text for its status, which for most successes is none.
    pub(crate) fn standard(status: StatusCode) -> Self {
        let (title, explanation) = wording(status);
        let text = if explanation.is_empty() {
            String::new()
        } else {
            format!("<html><h1>{title}</h1><p>{explanation}</p></html>")
        };
        Self::new(status, HTML, text)
    }

    pub(crate) fn new(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        Self { status, headers, payload: Payload::whole(body.into()) }
    }

    /// An answer that says nothing of its length, as Swift's middleware does when it writes while it works.
    pub(crate) fn chunked(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::new(status, content_type, body);
        answer.payload.length = None;
        answer
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The answer as hyper takes it. A HEAD keeps the length that a GET would have had, unless it is refused.
    pub(crate) fn into_response(mut self, method: &Method) -> Response<AnswerBody> {
        if method == Method::HEAD {
            let refused = self.status.is_client_error() || self.status.is_server_error();
            let length = if refused { Some(0) } else { self.payload.length };
            self.payload = Payload { length, ..Payload::default() };
        }
        if let Some(length) = self.payload.length {
            self.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut response = Response::new(AnswerBody::new(self.payload, method == Method::HEAD));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.extensions_mut().insert(ReasonPhrase::from_static(wording(self.status).0.as_bytes()));
        response
    }
}

/// Why a request is not carried out. Small, so that handlers can pass it with `?`.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    kind: RefusalKind,
}

#[derive(Debug)]
enum RefusalKind {
    Standard,
    Html(Cow<'static, str>),
    Plain(Cow<'static, str>),
    Unauthorized(HeaderValue),
    Method(HeaderValue),
    TemporaryUrl,
}

impl Refusal {
    /// Refused with the standard text of `status`.
    pub(crate) fn standard(status: StatusCode) -> Self {
        Self { status, kind: RefusalKind::Standard }
    }

    /// Refused with a text of its own, which Swift's proxy sends off as HTML.
    pub(crate) fn html(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind: RefusalKind::Html(text.into()) }
    }

    /// Refused with a text of its own in plain text.
    pub(crate) fn plain(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind: RefusalKind::Plain(text.into()) }
    }

    /// 401, naming the `realm` to sign in to.
    pub(crate) fn unauthorized(realm: &str) -> Self {
        let challenge = value(format!("Swift realm=\"{realm}\""));
        Self { status: StatusCode::UNAUTHORIZED, kind: RefusalKind::Unauthorized(challenge) }
    }

    /// 401 for a temporary URL with which something is wrong; it does not say what.
    pub(crate) fn temporary_url() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, kind: RefusalKind::TemporaryUrl }
    }

    /// 405 for a path that Swift serves, by the methods `allowed`.
    pub(crate) fn method(allowed: &'static str) -> Self {
        let allowed = HeaderValue::from_static(allowed);
        Self { status: StatusCode::METHOD_NOT_ALLOWED, kind: RefusalKind::Method(allowed) }
    }

    /// What this store does not imitate; see the crate's documentation.
    pub(crate) fn not_modelled(what: &str) -> Self {
        Self::plain(StatusCode::NOT_IMPLEMENTED, format!("apus-fake-swift does not model {what}."))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.status;
        match refusal.kind {
            RefusalKind::Standard => Self::standard(status),
            RefusalKind::Html(text) => Self::new(status, HTML, text.into_owned()),
            RefusalKind::Plain(text) => Self::new(status, PLAIN, text.into_owned()),
            RefusalKind::Unauthorized(challenge) => Self::standard(status).with(WWW_AUTHENTICATE, challenge),
            RefusalKind::TemporaryUrl => Self::new(status, HTML, "401 Unauthorized: Temp URL invalid\n")
                .with(WWW_AUTHENTICATE, HeaderValue::from_static("Swift realm=\"unknown\"")),
            RefusalKind::Method(allowed) => Self::standard(status).with(ALLOW, allowed),
        }
    }
}

/// `404 Not Found`, as inside the answers to bulk requests.
pub(crate) fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), wording(status).0)
}

/// Swift's title of a status, and the sentence that explains it. Both are part of what its clients see.
fn wording(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        202 => ("Accepted", "The request is accepted for processing."),
        400 => (
            "Bad Request",
            "The server could not comply with the request since it is either malformed or otherwise incorrect.",
        ),
        401 => (
            "Unauthorized",
            "This server could not verify that you are authorized to access the document you requested.",
        ),
        403 => ("Forbidden", "Access was denied to this resource."),
        404 => ("Not Found", "The resource could not be found."),
        405 => ("Method Not Allowed", "The method is not allowed for this resource."),
        406 => ("Not Acceptable", "The resource is not available in a format acceptable to your browser."),
        408 => {
            ("Request Timeout", "The server has waited too long for the request to be sent by the client.")
        }
        409 => ("Conflict", "There was a conflict when trying to complete your request."),
        411 => ("Length Required", "Content-Length header required."),
        412 => ("Precondition Failed", "A precondition for this request was not met."),
        413 => ("Request Entity Too Large", "The body of your request was too large for this server."),
        416 => ("Requested Range Not Satisfiable", "The Range requested is not available."),
        422 => ("Unprocessable Entity", "Unable to process the contained instructions"),
        429 => ("Too Many Requests", "Too Many Requests"),
        498 => ("Rate Limited", "Slow down"),
        499 => ("Client Disconnect", "The client was disconnected during request."),
        500 => (
            "Internal Error",
            "The server has either erred or is incapable of performing the requested operation.",
        ),
        502 => ("Bad Gateway", "Bad gateway."),
        503 => {
            ("Service Unavailable", "The server is currently unavailable. Please try again at a later time.")
        }
        504 => ("Gateway Timeout", "A timeout has occurred speaking to a backend server."),
        507 => ("Insufficient Storage", "There was not enough space to save the resource. Drive: unknown"),
        _ => (status.canonical_reason().unwrap_or("Unknown"), ""),
    }
}
