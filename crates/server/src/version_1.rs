//! Version 1 of the protocol, for those who still speak it: its requests are handed to [`apus_v1`], and its answers come back in
//! the form that all answers have here.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use apus_storage::BoxError;
use apus_v1::{Call, Content, Needs, V1};
use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;

use crate::App;
use crate::answer::{Answer, AnswerBody};
use crate::errors::{ErrorCode, Failure};
use crate::forwarded::{Forwarded, host};
use crate::parameters::text;
use crate::received::Received;

/// Version 1 beside today's protocol, or in its place.
#[derive(Debug, Clone)]
pub struct Version1 {
    /// The protocol.
    pub protocol: V1,
    /// Whether it is all that is spoken: `/v2/` is not found then, by which clients know that they have to speak version 1.
    pub alone: bool,
}

impl Version1 {
    /// Whether a path is version 1's to answer.
    pub(crate) fn takes(&self, path: &str) -> bool {
        self.alone || V1::is_path(path)
    }
}

impl App {
    /// The path that version 1 is to answer, if it is one of its paths.
    pub(crate) fn version_1<'a>(&self, path: &'a str) -> Option<(&Version1, &'a str)> {
        let version_1 = self.options().version_1.as_ref()?;
        let path = path.strip_prefix(self.options().prefix.as_str())?;
        version_1.takes(path).then_some((version_1, path))
    }

    pub(crate) async fn answer_version_1<B>(
        &self,
        protocol: &V1,
        path: String,
        request: Request<B>,
        read: Arc<AtomicU64>,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        tracing::Span::current().record("action", V1::label(&path));
        if protocol.needs(&parts.method, &path, &parts.headers) != Needs::Nothing {
            let message = "signing in is needed, and this version cannot ask for it here";
            return Failure::new(StatusCode::FORBIDDEN, ErrorCode::Unsupported, message).answer();
        }
        let forwarded = parts.extensions.get::<Forwarded>();
        let asked = || {
            let authority = parts.uri.authority().map(Authority::as_str);
            authority.or_else(|| text(&parts.headers, header::HOST)).and_then(host)
        };
        let host = forwarded.and_then(|forwarded| forwarded.host.clone()).or_else(asked);
        let body = body.map_err(Into::into).boxed_unsync();
        let received = Received::new(&parts.headers, body, self.options().idle_timeout, read);
        let call = Call {
            method: parts.method,
            path,
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            host,
            signed_in: false,
            length: received.length,
            body: received.into_stream(),
        };
        let (head, content) = protocol.answer(call).await.into_parts();
        let body = match content {
            Content::Empty => AnswerBody::empty(),
            Content::Bytes(bytes) => bytes.into(),
            Content::Stream(length, stream) => AnswerBody::stream(length, stream),
        };
        Response::from_parts(head, body)
    }
}
