//! One request with all that surrounds it: the token, another try where that is safe and may help, and a line in the log.

use std::sync::atomic::Ordering;
use std::time::Duration;

use apus_http_client::{Error, Failure, HttpClient, RequestBody, Response, Stage};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{Instant, timeout};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::answer::{Answer, LONGEST_REMARK, transaction};
use super::{SwiftClient, measured};
use crate::auth::Account;
use crate::error::{Result, SwiftError, SwiftErrorKind};
use crate::retry::{Tries, is_passing, is_transient, retry_after};

/// How long a stream waits for Swift to ask for it. Swift asks as soon as its object servers are ready to write.
const PATIENCE: Duration = Duration::from_secs(1);

/// What stays as it is in a path: RFC 3986's unreserved characters and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// As [`PATH`], for the value of a query.
const QUERY: &AsciiSet = &PATH.add(b'/');

/// Text for a path.
pub(super) fn escaped(path: &str) -> impl std::fmt::Display {
    utf8_percent_encode(path, PATH)
}

/// A request to an account.
pub(super) struct Call {
    method: Method,
    /// Below the account, unescaped.
    path: String,
    query: String,
    headers: HeaderMap,
    body: RequestBody,
}

impl Call {
    pub(super) fn new(method: Method, path: String) -> Self {
        Self { method, path, query: String::new(), headers: HeaderMap::new(), body: RequestBody::empty() }
    }

    pub(super) fn query(mut self, key: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(key);
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value, QUERY));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(super) fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    pub(super) fn body(mut self, body: RequestBody) -> Self {
        self.body = body;
        self
    }

    /// For a reader of an error.
    fn text(&self) -> String {
        format!("{} {}{}", self.method, self.path, self.query)
    }

    fn request(&self, account: &Account, body: RequestBody) -> http::Result<Request<RequestBody>> {
        let slash = if self.path.is_empty() { "" } else { "/" };
        let url = format!("{}{slash}{}{}", account.storage_url(), escaped(&self.path), self.query);
        let mut token = HeaderValue::from_str(account.token())?;
        token.set_sensitive(true);
        let mut request = Request::builder().method(self.method.clone()).uri(url).body(body)?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert("x-auth-token", token);
        Ok(request)
    }
}

impl SwiftClient {
    /// Sends a request until there is an answer that another try would not better, whatever its status.
    ///
    /// A client that only reads refuses whatever is no GET or HEAD.
    ///
    /// It is sent again only as long as its body can be: it is in memory, or nothing of it was read. A stream is given to
    /// Swift only when that asks for it, so that a refusal leaves it whole.
    pub(super) async fn send(&self, mut call: Call) -> Result<Answer> {
        let text = call.text();
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        if !reads && self.0.read_only.load(Ordering::Relaxed) {
            return Err(SwiftError::new(
                SwiftErrorKind::Denied,
                &text,
                "this client only reads, and did not send it",
            ));
        }
        let mut body = std::mem::replace(&mut call.body, RequestBody::empty());
        let mut tries = Tries::by(self.0.retry);
        let (mut renewed, mut doubted) = (false, false);
        loop {
            let account = self.0.tokens.account().await;
            let account = account.map_err(|error| SwiftError::not_signed_in(&text, error))?;
            let kept = body.as_bytes().cloned();
            let request = call.request(&account, body).map_err(|error| {
                SwiftError::new(SwiftErrorKind::Unexpected, &text, "it cannot be made").with_source(error)
            })?;
            let (begun, span) = (Instant::now(), span(&call));
            let sending = async {
                match kept {
                    Some(_) => send_within(&self.0.http, request, tries.left()).await,
                    None => self.0.http.send_expecting(request, PATIENCE).await,
                }
            };
            let mut sent = sending.instrument(span.clone()).await;
            let took = begun.elapsed();
            end(&span, &sent);
            log(&call, &sent, took);
            measured::sent(&call.method, &call.path, &sent, took);

            let unsent = match &mut sent {
                Ok(response) => response.unsent.take(),
                Err(failure) => failure.unsent.take(),
            };
            let again = kept.map(RequestBody::from).or(unsent);
            let status = sent.as_ref().ok().map(|response| response.status);
            let refused = match status {
                Some(StatusCode::UNAUTHORIZED) => {
                    self.0.tokens.reject(&account);
                    true
                }
                Some(StatusCode::FORBIDDEN) if !renewed => {
                    doubted = self.0.tokens.another_than(&account).await;
                    doubted
                }
                _ => false,
            };
            let pause = match &sent {
                _ if refused => {
                    let renew = again.is_some() && !renewed;
                    renewed |= renew;
                    renew.then_some(Duration::ZERO)
                }
                _ if again.is_none() => None,
                Ok(response) if is_transient(response.status) || changed_on_the_way(&call, response) => {
                    tries.another(retry_after(&response.headers))
                }
                Err(failure) if is_passing(&failure.error) => tries.another(None),
                _ => None,
            };
            let (pause, again) = match (pause, again) {
                (Some(pause), Some(again)) => (pause, again),
                (_, again) => {
                    let repeated = tries.made() > 1;
                    return match sent {
                        Ok(Response { status, headers, body, .. }) => {
                            if doubted && !refused && status != StatusCode::FORBIDDEN {
                                self.0.tokens.was_over();
                            }
                            let request = text;
                            Ok(Answer { request, status, headers, body, account, again, repeated, renewed })
                        }
                        Err(failure) => Err(SwiftError::unanswered(&text, failure.error)),
                    };
                }
            };
            let transaction = sent.as_ref().ok().and_then(|response| transaction(&response.headers));
            tracing::warn!(request = text, outcome = outcome(&sent), transaction, ?pause, "trying again");
            measured::again(pause);
            if let Ok(response) = sent {
                // Read to its end, so that the connection can be used again.
                let _ = response.body.collect(LONGEST_REMARK).await;
            }
            tokio::time::sleep(pause).await;
            body = again;
        }
    }
}

/// Sends what is all in memory: that ends, or is given up after this time.
async fn send_within(
    http: &HttpClient,
    request: Request<RequestBody>,
    time: Duration,
) -> Result<Response, Failure> {
    let gave_up = |_| {
        let error = Error::Timeout { stage: Stage::Answer, after: time };
        Err(Failure { error, unsent: None })
    };
    timeout(time, http.send(request)).await.unwrap_or_else(gave_up)
}

/// Swift says that the bytes that came have another checksum than the one that was sent along.
fn changed_on_the_way(call: &Call, response: &Response) -> bool {
    call.method == Method::PUT && response.status == StatusCode::UNPROCESSABLE_ENTITY
}

/// One try, for traces: by the semantic conventions of OpenTelemetry for HTTP spans.
fn span(call: &Call) -> Span {
    tracing::debug_span!(
        "swift",
        otel.kind = "client",
        otel.name = format_args!("Swift {}", call.method),
        http.request.method = %call.method,
        url.path = call.path,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    )
}

/// To the head of the answer.
fn end(span: &Span, sent: &Result<Response, Failure>) {
    let status = sent.as_ref().ok().map(|response| response.status);
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    if status.is_none_or(|status| status.is_server_error()) {
        span.record("otel.status_code", "ERROR");
    }
}

fn outcome(sent: &Result<Response, Failure>) -> String {
    match sent {
        Ok(response) => response.status.to_string(),
        Err(failure) => failure.error.to_string(),
    }
}

fn log(call: &Call, sent: &Result<Response, Failure>, took: Duration) {
    let Call { method, path, query, .. } = call;
    match sent {
        Ok(response) => {
            let (status, transaction) = (response.status.as_u16(), transaction(&response.headers));
            tracing::debug!(%method, path, query, status, transaction, ?took, "swift");
        }
        Err(Failure { error, .. }) => {
            tracing::debug!(%method, path, query, error = error as &dyn std::error::Error, ?took, "swift");
        }
    }
}
