//! The application: one request in, one answer out. It only sends each action to its room.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};
use std::time::Duration;

use apus_events::Events;
use apus_legacy::View;
use apus_proxy::Cache;
use apus_registry::Registry;
use apus_storage::BoxError;
use apus_v1::V1;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use ipnet::IpNet;

use crate::action::Content;
use crate::answer::{API_VERSION, Answer, AskedBy, WithHeader, content, finished, status};
use crate::authorization::{Asking, Refused};
use crate::budget::Budget;
use crate::errors::{ErrorCode, Failure};
use crate::forwarded::Forwarded;
use crate::limits::{Client, ClientLimits, Limits};
use crate::measured::Measured;
use crate::received::Received;
use crate::request::Head;
use crate::{Action, Authorization, Locations, Route, RouteError, Version1};

/// What an operator can choose of the protocol.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// Who may do what.
    pub authorization: Authorization,
    /// Where the URLs in `Location` and `Link` begin.
    pub locations: Locations,
    /// Put in front of all paths, with a slash in front and none behind. Empty for none.
    pub prefix: String,
    /// The proxies that are believed about where a request came from (`Forwarded`, `X-Forwarded-*`). `None` to believe anyone
    /// about the scheme and the host, and nobody about the client's address.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Writes a line of the access log, in Apache's combined form and without its line break; `None` for no such log.
    pub access_log: Option<fn(&str)>,
    /// Makes the span of a request that a trusted proxy sent part of the trace that its headers name.
    pub join_trace: Option<fn(&tracing::Span, &HeaderMap)>,
    /// Sent with every answer, errors included. Where the registry itself says something under a name, its word stands. Those
    /// that frame a message (`Content-Length` and the like) are left out, which is told in the log.
    pub headers: HeaderMap,
    /// Whether every request that would write is refused, before its content is read.
    pub read_only: bool,
    /// How much each client may ask for.
    pub limits: ClientLimits,
    /// How long a client may send nothing in the middle of its content.
    pub idle_timeout: Duration,
    /// Bytes of manifests that are being received at once, to the KiB. Who needs more waits for a while.
    pub manifest_memory: u64,
    /// Repositories on the longest page of the catalog.
    pub longest_catalog: usize,
    /// Tags on the longest page.
    pub longest_tags: usize,
    /// Version 1 of the protocol; `None` where it is not spoken.
    pub version_1: Option<Version1>,
    /// The images of version 1 that the registry shows, where it shows those: nobody pushes to them by version 2.
    pub shown: Option<View>,
    /// Who is told of what happens. The default tells nobody.
    pub events: Events,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            authorization: Authorization::default(),
            locations: Locations::default(),
            prefix: String::new(),
            trusted_proxies: None,
            access_log: None,
            join_trace: None,
            headers: HeaderMap::new(),
            read_only: false,
            limits: ClientLimits::default(),
            idle_timeout: Duration::from_mins(1),
            manifest_memory: 256 << 20,
            longest_catalog: 1000,
            // What one listing of a stock Swift gives.
            longest_tags: 10_000,
            version_1: None,
            shown: None,
            events: Events::default(),
        }
    }
}

/// The protocol over a registry. Cheap to clone. It stays as it was made; to change what is answered, a
/// [`CurrentApp`](crate::CurrentApp) is given another one.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Arc<Registry>,
    cache: Option<Arc<Cache>>,
    options: AppOptions,
    manifest_memory: Arc<Budget>,
    limits: Arc<Limits>,
}

impl App {
    /// The protocol over `registry`.
    #[must_use]
    pub fn new(registry: impl Into<Arc<Registry>>, options: AppOptions) -> Self {
        Self::over(registry.into(), None, options)
    }

    /// The protocol over a registry that is a cache of others: what is not in `registry` comes through `cache`, and nothing is
    /// pushed.
    #[must_use]
    pub fn caching(registry: Arc<Registry>, cache: Arc<Cache>, options: AppOptions) -> Self {
        Self::over(registry, Some(cache), options)
    }

    fn over(registry: Arc<Registry>, cache: Option<Arc<Cache>>, mut options: AppOptions) -> Self {
        leave_framing_alone(&mut options.headers);
        let manifest_memory = Arc::new(Budget::new(options.manifest_memory));
        let limits = Arc::new(Limits::new(options.limits));
        Self(Arc::new(Inner { registry, cache, options, manifest_memory, limits }))
    }

    /// The same by other options, over the same registry or one that is the same by other options of its own. What is counted
    /// goes on: the memory that manifests take, of which the first options say how much there is, and what clients have asked
    /// for, unless their limits are others. So do version 1 and its images that are shown, unless there are others, and the cache.
    #[must_use]
    pub fn with_options(&self, registry: impl Into<Arc<Registry>>, mut options: AppOptions) -> Self {
        leave_framing_alone(&mut options.headers);
        options.version_1 = options.version_1.or_else(|| self.options().version_1.clone());
        options.shown = options.shown.or_else(|| self.options().shown.clone());
        let manifest_memory = Arc::clone(&self.0.manifest_memory);
        let limits = if *self.0.limits.options() == options.limits {
            Arc::clone(&self.0.limits)
        } else {
            Arc::new(Limits::new(options.limits))
        };
        let cache = self.0.cache.clone();
        Self(Arc::new(Inner { registry: registry.into(), cache, options, manifest_memory, limits }))
    }

    pub(crate) fn cache(&self) -> Option<&Arc<Cache>> {
        self.0.cache.as_ref()
    }

    /// The registry that it speaks for.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn options(&self) -> &AppOptions {
        &self.0.options
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn manifest_memory(&self) -> &Budget {
        &self.0.manifest_memory
    }

    /// Whether a peer is one of the proxies that are believed because the operator named them.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.options().trusted_proxies.iter().flatten().any(|network| network.contains(&peer))
    }

    /// Where a request came from, as far as its proxies are believed.
    pub(crate) fn forwarded(&self, headers: &HeaderMap, peer: IpAddr) -> Forwarded {
        Forwarded::read(headers, peer, self.options().trusted_proxies.as_deref())
    }

    /// What the path names.
    pub(crate) fn route(&self, path: &str) -> Result<Route, RouteError> {
        if path == "/" {
            // Whatever the prefix, as in registry:2: who balances load asks the server, not the registry.
            return Ok(Route::Root);
        }
        let path = path.strip_prefix(self.options().prefix.as_str()).ok_or(RouteError::NotFound)?;
        match Route::parse(path)? {
            Route::Token if !self.options().authorization.gives_tokens() => Err(RouteError::NotFound),
            route => Ok(route),
        }
    }

    async fn answer<B>(
        &self,
        request: Request<B>,
        route: Result<Route, RouteError>,
        read: Arc<AtomicU64>,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let from: Option<&Forwarded> = parts.extensions.get();
        let client = from.map(|forwarded| Client::of(forwarded.client));
        // Load balancers ask for the root, all from a few addresses.
        if let Some(client) = client.filter(|_| !matches!(route, Ok(Route::Root)))
            && let Err(too_much) = self.limits().request(client)
        {
            return Failure::from(too_much).answer();
        }
        let AppOptions { authorization, locations, prefix, idle_timeout, read_only, shown, .. } =
            self.options();
        let action = match route {
            Ok(route) => match self.localized(route, &parts.uri) {
                Ok(route) => match Action::new(&parts.method, route) {
                    Ok(action) => action,
                    Err(allow) => return unsupported(allow),
                },
                Err(failure) => return failure.answer(),
            },
            Err(RouteError::Invalid(error)) => return Failure::from(error).answer(),
            Err(RouteError::NotFound) => return not_found(),
        };
        let forwarded = parts.extensions.get();
        let token_url = self.token_url(&parts.uri, &parts.headers, forwarded);
        let (uri, headers) = (&parts.uri, &parts.headers);
        let asking = Asking { uri, headers, forwarded, token_url: token_url.as_deref() };
        let permit = match authorization.ask(&action, asking).await {
            Ok(permit) => permit,
            Err(Refused { failure, identity }) => return failure.answer().asked_by(identity),
        };
        if let Err(Refused { failure, identity }) = self.keep_private(&action, &permit, asking).await {
            return failure.answer().asked_by(identity);
        }
        if (*read_only || shown.is_some()) && action.writes() {
            return refused_as_read_only(Failure::answer).asked_by(Some(permit.identity().clone()));
        }
        if let Err(refused) = self.refuse_changes(&action) {
            return refused.answer().asked_by(Some(permit.identity().clone()));
        }
        let base = locations.base(&parts.uri, &parts.headers, forwarded) + prefix;
        let identity = permit.identity().clone();
        tracing::Span::current().record("auth.user.name", identity.name());
        // Who signs in counts as one client wherever he comes from, beside the address.
        let user = identity.name().map(Client::named);
        if let Some(user) = user
            && let Err(too_much) = self.limits().request(user)
        {
            return Failure::from(too_much).answer().asked_by(Some(identity));
        }
        let client = user.or(client);
        let head = Head {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            base,
            permit,
            extensions: parts.extensions,
        };
        let received =
            Received::new(&head.headers, body.map_err(Into::into).boxed_unsync(), *idle_timeout, read);
        let _place = match client.filter(|_| action.takes_blob() && received.length != Some(0)) {
            None => None,
            Some(client) => match self.limits().upload(client).await {
                Ok(place) => Some(place),
                Err(too_much) => return Failure::from(too_much).answer().asked_by(Some(identity)),
            },
        };
        let answer = self.act(action, &head, received).await.unwrap_or_else(Failure::answer);
        answer.asked_by(Some(identity))
    }

    async fn act(&self, action: Action, head: &Head, received: Received) -> Result<Answer, Failure> {
        match action {
            Action::Root => Ok(status(StatusCode::OK).with_header(header::CACHE_CONTROL, "no-cache")),
            Action::Base => Ok(content(StatusCode::OK, "application/json", "{}".into())),
            Action::GiveToken => self.give_token(head, received).await,
            Action::ListRepositories => self.list_repositories(head).await,
            Action::ListReferrers(name, subject) => self.list_referrers(&name, &subject, head).await,
            Action::ListTags(name) => self.list_tags(&name, head).await,
            Action::GetManifest(name, reference) => self.get_manifest(&name, &reference, head).await,
            Action::PutManifest(name, reference) => {
                self.put_manifest(&name, &reference, head, received).await
            }
            Action::GetBlob(name, digest, Content::Omitted) => self.head_blob(&name, &digest, head).await,
            Action::GetBlob(name, digest, Content::Sent) => self.get_blob(&name, &digest, head).await,
            Action::DeleteManifest(name, reference) => self.delete_manifest(&name, &reference, head).await,
            Action::DeleteBlob(name, digest) => self.delete_blob(&name, &digest, head).await,
            Action::StartUpload(name) => self.start_upload(&name, head, received).await,
            Action::UploadStatus(name, id) => self.upload_status(&name, &id, head).await,
            Action::AppendUpload(name, id) => self.append_upload(&name, &id, head, received).await,
            Action::FinishUpload(name, id) => self.finish_upload(&name, &id, head, received).await,
            Action::CancelUpload(name, id) => self.cancel_upload(&name, &id, head).await,
        }
    }
}

impl<B> tower::Service<Request<B>> for App
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let app = self.clone();
        // Boxed once: the types of all handlers in one future would be too deep for the compiler to follow.
        Box::pin(async move {
            let is_head = request.method() == Method::HEAD;
            if let Some((version_1, path)) = app.version_1(request.uri().path()) {
                let measured = Measured::begin_as(V1::label(path), request.method());
                let path = path.to_owned();
                let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
                if app.options().read_only && !reads {
                    let refused = refused_as_read_only(Failure::answer_in_version_1);
                    return Ok(measured.until_sent(finished(refused, is_head)));
                }
                let answer = app.answer_version_1(&version_1.protocol, path, request, measured.read()).await;
                let answer = finished(answer, is_head).with_absent(&app.options().headers);
                return Ok(measured.until_sent(answer));
            }
            let route = app.route(request.uri().path());
            let measured = Measured::begin(request.method(), route.as_ref().ok());
            let answer = app.answer(request, route, measured.read()).await;
            let answer = finished(answer.with_header(API_VERSION, "registry/2.0"), is_head);
            Ok(measured.until_sent(answer.with_absent(&app.options().headers)))
        })
    }
}

/// Drops the headers by which a message finds its end.
fn leave_framing_alone(headers: &mut HeaderMap) {
    let keep_alive = HeaderName::from_static("keep-alive");
    let framing = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        keep_alive,
    ];
    for name in framing {
        if headers.remove(&name).is_some() {
            tracing::warn!(%name, "this header is not sent as configured: it is the connection's own");
        }
    }
}

fn unsupported(allow: &'static str) -> Answer {
    let message = format!("this path knows only {allow}");
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
        .answer()
        .with_header(header::ALLOW, allow)
}

/// As registry:2 does, which has no routes for what writes then.
fn refused_as_read_only(form: fn(Failure) -> Answer) -> Answer {
    form(apus_registry::Error::ReadOnly.into()).with_header(header::ALLOW, "GET, HEAD")
}

fn not_found() -> Answer {
    content(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n".into())
}
