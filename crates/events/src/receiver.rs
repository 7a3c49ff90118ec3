//! The endpoint as HTTP: one POST with one event, and whether it was taken. Here alone is the URL known, and what proves to the
//! endpoint who we are.

use std::time::Duration;

use apus_http_client::{HttpClient, Options, Proxies, RequestBody, Response};
use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use metrics::counter;
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;

use crate::event::MEDIA_TYPE;
use crate::{EndpointOptions, Event, EventsError};

/// Redirects that are followed for one event.
const MOST_REDIRECTS: usize = 5;
/// Bytes of an answer that are read, so that its connection can be used again.
const ANSWER: usize = 64 << 10;

/// An endpoint that can be sent events.
pub(crate) struct Receiver {
    options: EndpointOptions,
    client: HttpClient,
    /// Without credentials.
    url: Uri,
    /// What the endpoint alone may see.
    headers: HeaderMap,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it did not answer within {} s", .0.as_secs_f32())]
    Slow(Duration),
    #[error("no answer")]
    Unreachable(#[source] apus_http_client::Error),
    #[error("it answered {0}, and where that leads cannot be followed: {1}")]
    Redirect(StatusCode, &'static str),
    #[error("the event cannot be sent")]
    Event(#[source] serde_json::Error),
}

impl Refused {
    /// The error with its causes, on one line.
    pub(crate) fn report(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl Receiver {
    pub(crate) fn new(options: EndpointOptions) -> Result<Self, EventsError> {
        let unusable = |reason| EventsError::Url { endpoint: options.name.clone(), reason };
        let url: Uri =
            options.url.expose_secret().parse().map_err(|_| unusable("it cannot be read as a URL"))?;
        let (url, authorization) =
            without_credentials(&url).ok_or_else(|| unusable("it is no http or https URL with a host"))?;
        let mut headers = HeaderMap::new();
        headers.extend(authorization.map(|authorization| (header::AUTHORIZATION, authorization)));
        for name in options.headers.keys() {
            headers.remove(name);
            for value in options.headers.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        let client = HttpClient::new(Options {
            name: "notifications",
            max_requests: 2,
            connect_timeout: options.timeout,
            answer_timeout: options.timeout,
            idle_timeout: options.timeout,
            proxies: Proxies::from_env(),
            user_agent: concat!("apus/", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Options::default()
        });
        let client =
            client.map_err(|source| EventsError::Client { endpoint: options.name.clone(), source })?;
        Ok(Self { options, client, url, headers })
    }

    pub(crate) fn name(&self) -> &str {
        &self.options.name
    }

    pub(crate) fn threshold(&self) -> u32 {
        self.options.threshold.get()
    }

    pub(crate) fn backoff(&self) -> Duration {
        self.options.backoff
    }

    /// Sends an event once. As registry:2 has it, each answer below 400 says that it was taken.
    pub(crate) async fn send(&self, event: &[u8]) -> Result<(), Refused> {
        let sent = match tokio::time::timeout(self.options.timeout, self.post(event)).await {
            Ok(sent) => sent,
            Err(_) => Err(Refused::Slow(self.options.timeout)),
        };
        let outcome = match &sent {
            Ok(status) | Err(Refused::Status(status) | Refused::Redirect(status, _)) => {
                // As registry 3 writes it: 200 OK.
                counter!("registry_notifications_status_total", "code" => status.to_string(), "endpoint" => self.options.name.clone())
                    .increment(1);
                if sent.is_ok() { "Successes" } else { "Failures" }
            }
            Err(_) => "Errors",
        };
        counter!("registry_notifications_events_total", "type" => outcome, "endpoint" => self.options.name.clone()).increment(1);
        sent.map(drop)
    }

    async fn post(&self, event: &[u8]) -> Result<StatusCode, Refused> {
        let event: Event = serde_json::from_slice(event).map_err(Refused::Event)?;
        let body = Bytes::from(event.envelope().map_err(Refused::Event)?);
        let mut url = self.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.client.send(self.request(&url, body.clone())).await;
            let Response { status, headers, body: rest, .. } =
                answer.map_err(|failure| Refused::Unreachable(failure.error))?;
            // What it says is of no interest, and longer answers than this close the connection.
            let _ = rest.collect(ANSWER).await;
            match status {
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                    url = target(&url, &headers).map_err(|reason| Refused::Redirect(status, reason))?;
                }
                status if status.is_client_error() || status.is_server_error() => {
                    return Err(Refused::Status(status));
                }
                status => return Ok(status),
            }
        }
        Err(Refused::Redirect(StatusCode::TEMPORARY_REDIRECT, "it leads on and on"))
    }

    fn request(&self, url: &Uri, body: Bytes) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        if may_see_credentials(url, &self.url) {
            request.headers_mut().clone_from(&self.headers);
        }
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        request
    }
}

/// The URL without its credentials, and the header that they stand for.
fn without_credentials(url: &Uri) -> Option<(Uri, Option<HeaderValue>)> {
    url.scheme().filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme))?;
    let authority = url.authority()?.as_str();
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let mut parts = url.clone().into_parts();
    parts.authority = Some(host.parse().ok()?);
    let basic = |credentials: &str| {
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let both = [percent_decode_str(user).collect(), vec![b':'], percent_decode_str(password).collect()];
        let text = format!("Basic {}", data_encoding::BASE64.encode(&both.concat()));
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    };
    Some((Uri::from_parts(parts).ok()?, credentials.and_then(basic)))
}

/// Where a redirect leads, without credentials that it may hold. Never from https to http.
fn target(from: &Uri, headers: &HeaderMap) -> Result<Uri, &'static str> {
    let location = headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
    let location: Uri = location.and_then(|text| text.parse().ok()).ok_or("it says nowhere to go")?;
    let mut parts = location.into_parts();
    if parts.authority.is_none() {
        parts.scheme = from.scheme().cloned();
        parts.authority = from.authority().cloned();
    }
    if from.scheme() == Some(&Scheme::HTTPS) && parts.scheme != Some(Scheme::HTTPS) {
        return Err("it leads from https to http");
    }
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    let url = Uri::from_parts(parts).map_err(|_| "it is no URL")?;
    without_credentials(&url).map(|(url, _)| url).ok_or("it is no http or https URL")
}

/// Whether a URL is that of the endpoint's own server: the same host, reached in the same way, or by https on its usual port
/// where the endpoint is on the usual port of http.
fn may_see_credentials(url: &Uri, endpoint: &Uri) -> bool {
    let usual = |url: &Uri| if url.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let port = |url: &Uri| url.port_u16().unwrap_or_else(|| usual(url));
    let same_host =
        url.host().zip(endpoint.host()).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
    let same_way = url.scheme() == endpoint.scheme() && port(url) == port(endpoint);
    let upgraded = url.scheme() == Some(&Scheme::HTTPS) && port(url) == 443 && port(endpoint) == 80;
    same_host && (same_way || upgraded)
}

#[cfg(test)]
mod tests;
