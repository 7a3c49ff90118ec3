//! What the logs say of a request, in registry:2's words: one line when it is over, the names that every line says which
//! something on its way told, and a line in Apache's combined form. Here a request also comes to know whom it came from, and
//! which it is.

mod combined;

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Instant;

use apus_auth::Identity;
use apus_storage::BoxError;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::uri::Scheme;
use http::{Request, StatusCode, Uri, header};
use http_body::Body;
use tower::Service;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::answer::{Answer, REQUEST_ID, WithHeader};
use crate::errors::Told;
use crate::forwarded::host;
use crate::listener::Peer;
use crate::measured::CLIENT_WENT_AWAY;
use crate::parameters::text;
use crate::request::Remote;
use crate::request_id::RequestId;
use crate::{Action, CurrentApp, Route};
use combined::Combined;

/// The name of the span in which a request is served; its fields are what the log says of the request.
pub const REQUEST_SPAN: &str = "request";

/// The application, as it is asked on one connection.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    pub(crate) app: CurrentApp,
    pub(crate) peer: Peer,
    /// `https` where the connection is encrypted.
    pub(crate) scheme: Scheme,
}

impl<B> Service<Request<B>> for AccessLog
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let begun = Instant::now();
        let peer = self.peer;
        let mut app = self.app.get();
        let trusted = app.trusts(peer.ip());
        let sent = trusted.then(|| RequestId::sent(request.headers())).flatten();
        let id = sent.unwrap_or_else(RequestId::random);
        let mut forwarded = app.forwarded(request.headers(), peer.ip());
        forwarded.scheme.get_or_insert_with(|| self.scheme.clone());
        let client = forwarded.client;
        request.extensions_mut().insert(forwarded);
        // As registry:2: a proxy's word for the client has no port.
        let remote = if client == peer.ip().to_canonical() { peer.to_string() } else { client.to_string() };
        request.extensions_mut().insert(Remote(remote.clone()));
        let span = span(&id, &request, &remote, app.route(request.uri().path()).ok());
        if let Some(join) = app.options().join_trace.filter(|_| trusted) {
            join(&span, request.headers());
        }
        let combined = app.options().access_log.map(|write| Combined::begin(write, client, &request));
        let logged = Logged { span: span.clone(), begun, answered: None, written: 0, combined };
        let answer = app.call(request);
        let this = id.clone();
        let answered = async move {
            let mut logged = logged;
            let mut answer = answer.await?;
            logged.answered = Some(Head::of(&answer));
            answer.body_mut().on_behalf_of(this.clone(), logged.span.clone());
            answer.body_mut().when_ended(move |written| logged.over(written));
            Ok(answer.with_header(REQUEST_ID, this))
        };
        Box::pin(id.scope(answered.instrument(span)))
    }
}

/// The span of a request. It is there at every level of the log.
fn span<B>(id: &RequestId, request: &Request<B>, remote: &str, route: Option<Route>) -> Span {
    let (uri, headers) = (request.uri(), request.headers());
    let asked = uri.authority().map(http::uri::Authority::as_str).or_else(|| text(headers, header::HOST));
    let action = route.clone().and_then(|route| Action::new(request.method(), route).ok());
    let action = action.as_ref().map(Action::label);
    let span = tracing::error_span!(
        REQUEST_SPAN,
        http.request.id = %id,
        http.request.method = %request.method(),
        http.request.host = asked.and_then(host),
        http.request.uri = shown(uri),
        http.request.remoteaddr = remote,
        http.request.referer = text(headers, header::REFERER),
        http.request.useragent = text(headers, header::USER_AGENT),
        http.request.contenttype = text(headers, header::CONTENT_TYPE),
        action,
        vars.name = Empty,
        vars.reference = Empty,
        vars.digest = Empty,
        vars.uuid = Empty,
        auth.user.name = Empty,
        // The semantic conventions of OpenTelemetry for HTTP spans.
        otel.kind = "server",
        otel.name = action,
        otel.status_code = Empty,
        http.response.status_code = Empty,
    );
    if let Some(route) = route {
        tell(&span, &route);
    }
    span
}

/// Leaves in the span of a request what its path names.
fn tell(span: &Span, route: &Route) {
    let say = |field: &str, value: &dyn std::fmt::Display| {
        span.record(field, tracing::field::display(value));
    };
    match route {
        Route::Root | Route::Base | Route::Token | Route::Catalog => {}
        Route::Tags(name) | Route::Uploads(name) => say("vars.name", name),
        Route::Manifest(name, reference) => {
            say("vars.name", name);
            say("vars.reference", reference);
        }
        Route::Referrers(name, digest) | Route::Blob(name, digest) => {
            say("vars.name", name);
            say("vars.digest", digest);
        }
        Route::Upload(name, id) => {
            say("vars.name", name);
            say("vars.uuid", id);
        }
    }
}

/// The path, and of the query what the protocol knows: the state of an upload is for its client alone, and anybody may write
/// anything behind a question mark.
fn shown(uri: &Uri) -> String {
    const KNOWN: [&str; 8] = ["digest", "mount", "from", "n", "last", "tag", "artifactType", "ns"];
    let Some(query) = uri.query() else { return uri.path().to_owned() };
    let pair = |pair| match str::split_once(pair, '=') {
        Some((name, _)) if KNOWN.contains(&name) => pair,
        _ => "...",
    };
    let pairs: Vec<_> = query.split('&').map(pair).collect();
    format!("{}?{}", uri.path(), pairs.join("&"))
}

/// A request under way. Told when it is over: the last byte of its answer is sent, or its client went away.
#[derive(Debug)]
struct Logged {
    span: Span,
    begun: Instant,
    answered: Option<Head>,
    written: u64,
    combined: Option<Combined>,
}

/// What the head of an answer said.
#[derive(Debug)]
struct Head {
    status: StatusCode,
    content_type: Option<String>,
    error: Option<Told>,
    identity: Option<Identity>,
}

impl Head {
    fn of(answer: &Answer) -> Self {
        Self {
            status: answer.status(),
            content_type: text(answer.headers(), header::CONTENT_TYPE).map(str::to_owned),
            error: answer.extensions().get().cloned(),
            identity: answer.extensions().get().cloned(),
        }
    }
}

impl Logged {
    fn over(mut self, written: u64) {
        self.written = written;
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        let written = self.written;
        let head = self.answered.as_ref();
        let status = head.map_or(CLIENT_WENT_AWAY, |head| head.status.as_u16());
        let duration = format!("{:?}", self.begun.elapsed());
        let content_type = head.and_then(|head| head.content_type.as_deref());
        let error = head.and_then(|head| head.error.as_ref());
        let user = head.and_then(|head| head.identity.as_ref()).and_then(Identity::name);
        macro_rules! tell {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    http.response.status = status,
                    http.response.written = written,
                    http.response.duration = duration,
                    http.response.contenttype = content_type,
                    err.code = error.map(|error| &*error.code),
                    err.message = error.map(|error| &*error.message),
                    err.detail = error.and_then(|error| error.detail.as_deref()),
                    $message
                )
            };
        }
        match status {
            ..400 => tell!(info, "response completed"),
            // What a client asks in vain is not the registry's trouble: docker asks for each layer before it pushes it.
            400..500 => tell!(info, "response completed with error"),
            _ => tell!(error, "response completed with error"),
        }
        self.span.record("http.response.status_code", status);
        if status >= 500 {
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(combined) = self.combined.take() {
            combined.end(user, status, written);
        }
    }
}

#[cfg(test)]
mod tests;
