//! Sends requests: who may begin when, and how long each stage may take.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CONTENT_LENGTH, EXPECT, HeaderValue, InvalidHeaderValue, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::body::{RequestBody, Sending, Watch, sending};
use crate::connect::{ConnectFailure, Connector};
use crate::error::{Error, Failure, Stage, find};
use crate::proxy::{Proxies, Routes};
use crate::reach::Reach;
use crate::response::{AbandonOnDrop, Response, ResponseBody};
use crate::tls::{self, Tls};
use crate::traffic::{Traffic, waited};

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// What this client is called in metrics: one of a few fixed names.
    pub name: &'static str,
    /// Requests under way at once, from the wish to send to the last byte of the answer; each has at most one connection.
    /// At least 1.
    pub max_requests: usize,
    /// To resolve the name, connect, and agree on TLS.
    pub connect_timeout: Duration,
    /// From the last byte of the request to the head of the answer.
    pub answer_timeout: Duration,
    /// While a body in either direction does not move, and while a request waits for others to end.
    pub idle_timeout: Duration,
    /// How long a connection is kept for the next request. Less than the peers keep theirs, so that they seldom close it
    /// on us in the same moment.
    pub keep_alive: Duration,
    /// Whom to believe, and as whom to show oneself.
    pub tls: Tls,
    /// Which proxies to go through.
    pub proxies: Proxies,
    /// Which addresses may be connected to.
    pub reach: Reach,
    /// What we call ourselves in `User-Agent`.
    pub user_agent: String,
    /// Adds to the headers of each request what its surroundings know: on whose behalf it is sent.
    pub add_headers: Option<fn(&mut HeaderMap)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "other",
            max_requests: 256,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(1),
            keep_alive: Duration::from_secs(20),
            tls: Tls::default(),
            proxies: Proxies::default(),
            reach: Reach::default(),
            user_agent: "apus".to_owned(),
            add_headers: None,
        }
    }
}

/// An HTTP client. Clones share its connections and limits.
#[derive(Clone)]
pub struct HttpClient {
    pool: Client<Connector, Sending>,
    permits: Arc<Semaphore>,
    options: Arc<Options>,
    routes: Arc<Routes>,
    user_agent: HeaderValue,
}

impl HttpClient {
    /// A client without connections yet; reads the files of the TLS settings. [`Error::Settings`] says which of the options
    /// cannot be used.
    pub fn new(options: Options) -> Result<Self, Error> {
        let tls = tls::configuration(&options.tls)?;
        let routes = Arc::new(options.proxies.routes()?);
        let user_agent =
            HeaderValue::from_str(&options.user_agent).map_err(|error: InvalidHeaderValue| {
                Error::Settings { what: "the user agent".to_owned(), source: error.into() }
            })?;
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.keep_alive)
            .pool_max_idle_per_host(options.max_requests)
            .build(Connector::new(tls, Arc::clone(&routes), options.reach.clone(), options.connect_timeout));
        let permits = Arc::new(Semaphore::new(options.max_requests.max(1)));
        Ok(Self { pool, permits, options: Arc::new(options), routes, user_agent })
    }

    /// The same connections under a limit of its own: for requests that others wait for, such as a sign-in.
    #[must_use]
    pub fn with_own_limit(&self, max_requests: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(max_requests.max(1))), ..self.clone() }
    }

    /// Sends a request with an absolute URL and answers when the head of the answer is there, whatever its status.
    ///
    /// Dropping the future, or the answer before the request was sent whole, breaks the connection: the peer never sees a
    /// whole request then.
    pub async fn send(&self, request: Request<RequestBody>) -> Result<Response, Failure> {
        self.exchange(request, None).await
    }

    /// As [`send`](Self::send), but gives the body only when the peer asks for it (`Expect: 100-continue`, RFC 9110
    /// section 10.1.1), or has not refused within `patience`. When it refuses, the body comes back in
    /// [`Response::unsent`].
    pub async fn send_expecting(
        &self,
        mut request: Request<RequestBody>,
        patience: Duration,
    ) -> Result<Response, Failure> {
        request.headers_mut().insert(EXPECT, HeaderValue::from_static("100-continue"));
        self.exchange(request, Some(patience)).await
    }

    async fn exchange(
        &self,
        request: Request<RequestBody>,
        expect: Option<Duration>,
    ) -> Result<Response, Failure> {
        let begun = Instant::now();
        let waiting = timeout(self.options.idle_timeout, Arc::clone(&self.permits).acquire_owned()).await;
        let name = self.options.name;
        waited(name, begun.elapsed());
        let Ok(Ok(permit)) = waiting else {
            let error = Error::Timeout { stage: Stage::Permit, after: self.options.idle_timeout };
            return Err(Failure { error, unsent: Some(request.into_body()) });
        };

        let (head, body) = request.into_parts();
        let to = address(&head.uri);
        let empty = body.as_bytes().is_some_and(bytes::Bytes::is_empty);
        let (sending, watch) = sending(body, expect.is_some(), Traffic::sent(name));
        let abandon = AbandonOnDrop(watch.clone());
        let mut request = Request::from_parts(head, sending);
        // Else an empty body is not said to be one (RFC 9110 section 8.6).
        if empty && matches!(*request.method(), Method::PUT | Method::POST) {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request.headers_mut().entry(USER_AGENT).or_insert_with(|| self.user_agent.clone());
        if let Some(add_headers) = self.options.add_headers {
            add_headers(request.headers_mut());
        }
        if let Some(authorization) = self.routes.authorization(request.uri()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        if expect.is_some() {
            let watch = watch.clone();
            hyper::ext::on_informational(&mut request, move |answer| {
                if answer.status() == StatusCode::CONTINUE {
                    watch.release();
                }
            });
        }

        match self.watched(request, &watch, expect).await {
            Ok(answer) => {
                let (head, incoming) = answer.into_parts();
                Ok(Response {
                    status: head.status,
                    headers: head.headers,
                    unsent: watch.take_unsent(),
                    body: ResponseBody::new(
                        incoming,
                        self.options.idle_timeout,
                        permit,
                        abandon,
                        Traffic::received(name),
                    ),
                })
            }
            Err(waited) => {
                let error = match (watch.take_failure(), waited) {
                    (Some(source), _) => Error::Body { source },
                    (None, Waited::TooLong(error)) => error,
                    (None, Waited::Failed(error)) => failed(error, to),
                };
                Err(Failure { error, unsent: watch.take_unsent() })
            }
        }
    }

    /// Sends, and looks up whenever a stage may have taken too long.
    async fn watched(
        &self,
        request: Request<Sending>,
        watch: &Watch,
        patience: Option<Duration>,
    ) -> Result<http::Response<hyper::body::Incoming>, Waited> {
        let mut answer = pin!(self.pool.request(request));
        let mut release = patience.map(|patience| Instant::now() + patience);
        loop {
            let (stage, since) = watch.waiting();
            let after = match stage {
                Stage::Answer => self.options.answer_timeout,
                Stage::Connect => self.options.idle_timeout.min(self.options.answer_timeout),
                _ => self.options.idle_timeout,
            };
            let deadline = since + after;
            let look_up = release.map_or(deadline, |release| release.min(deadline));
            match timeout_at(look_up, &mut answer).await {
                Ok(answer) => return answer.map_err(Waited::Failed),
                Err(_) if release == Some(look_up) => {
                    release = None;
                    watch.release();
                }
                Err(_) if watch.waiting() == (stage, since) => {
                    return Err(Waited::TooLong(Error::Timeout { stage, after }));
                }
                Err(_) => {}
            }
        }
    }
}

enum Waited {
    TooLong(Error),
    Failed(legacy::Error),
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("HttpClient").field("options", &self.options).finish_non_exhaustive()
    }
}

fn address(uri: &Uri) -> String {
    uri.authority().map_or_else(|| uri.to_string(), |authority| authority.host().to_owned() + &port(uri))
}

fn port(uri: &Uri) -> String {
    uri.port().map_or_else(String::new, |port| format!(":{port}"))
}

fn failed(error: legacy::Error, to: String) -> Error {
    if let Some(failure) = find::<ConnectFailure>(&error) {
        return failure.clone().into_error(to);
    }
    let unusable = !error.is_connect() && find::<hyper::Error>(&error).is_none();
    if unusable { Error::Request { source: error.into() } } else { Error::Broken { source: error.into() } }
}

#[cfg(test)]
mod tests;
