//! The application: one request in, one answer out. It only sends each action to its room.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apus_registry::{Registry, UploadPosition};
use futures_util::future::BoxFuture;
use http::{Request, StatusCode, header};
use hyper::body::Incoming;

use crate::action::Content;
use crate::answer::{API_VERSION, Answer, AnswerBody, WithHeader, content, status};
use crate::errors::{ErrorCode, Failure};
use crate::received::Received;
use crate::{Action, Route, RouteError};

/// What an operator can choose of the protocol.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// Put in front of the paths in `Location`: `https://registry.example.org`, without a closing slash. Empty for paths
    /// alone, which are right behind any proxy.
    pub public_url: String,
    /// Put in front of all paths, with a slash in front and none behind. Empty for none.
    pub prefix: String,
    /// How long a client may send nothing in the middle of its content.
    pub idle_timeout: Duration,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self { public_url: String::new(), prefix: String::new(), idle_timeout: Duration::from_mins(1) }
    }
}

/// The protocol over a registry. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    options: AppOptions,
}

impl App {
    /// The protocol over `registry`.
    #[must_use]
    pub fn new(registry: Registry, options: AppOptions) -> Self {
        Self(Arc::new(Inner { registry, options }))
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// A path as clients see it.
    pub(crate) fn location(&self, path: &str) -> String {
        let AppOptions { public_url, prefix, .. } = &self.0.options;
        format!("{public_url}{prefix}{path}")
    }

    /// The URL by which an upload goes on.
    pub(crate) async fn upload_location(&self, position: &UploadPosition) -> Result<String, Failure> {
        let token = self.registry().upload_token(position).await?;
        let (repository, id) = (position.repository(), position.id());
        Ok(self.location(&format!("/v2/{repository}/blobs/uploads/{id}?_state={token}")))
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(self.0.options.prefix.as_str());
        let action = match path.ok_or(RouteError::NotFound).and_then(Route::parse) {
            Ok(route) => match Action::new(&head.method, route) {
                Ok(action) => action,
                Err(allow) => return unsupported(allow),
            },
            Err(RouteError::Invalid(error)) => return Failure::from(error).answer(),
            Err(RouteError::NotFound) => return not_found(),
        };
        tracing::Span::current().record("action", action.label());
        let received = Received::new(&head.headers, body, self.0.options.idle_timeout);
        let answer = match action {
            Action::Root => Ok(status(StatusCode::OK).with_header(header::CACHE_CONTROL, "no-cache")),
            Action::Base => Ok(content(StatusCode::OK, "application/json", "{}".into())),
            Action::ListRepositories => self.list_repositories(&head).await,
            Action::ListReferrers(name, subject) => self.list_referrers(&name, &subject, &head).await,
            Action::ListTags(name) => self.list_tags(&name, &head).await,
            Action::GetManifest(name, reference, content) => {
                self.get_manifest(&name, &reference, content, &head).await
            }
            Action::PutManifest(name, reference) => {
                self.put_manifest(&name, &reference, &head, received).await
            }
            Action::GetBlob(name, digest, Content::Omitted) => self.head_blob(&name, &digest, &head).await,
            Action::GetBlob(name, digest, Content::Sent) => self.get_blob(&name, &digest, &head).await,
            Action::DeleteManifest(name, reference) => self.delete_manifest(&name, &reference).await,
            Action::DeleteBlob(name, digest) => self.delete_blob(&name, &digest).await,
            Action::StartUpload(name) => self.start_upload(&name, &head, received).await,
            Action::UploadStatus(name, id) => self.upload_status(&name, &id, &head).await,
            Action::AppendUpload(name, id) => self.append_upload(&name, &id, &head, received).await,
            Action::FinishUpload(name, id) => self.finish_upload(&name, &id, &head, received).await,
            Action::CancelUpload(name, id) => self.cancel_upload(&name, &id, &head).await,
        };
        answer.unwrap_or_else(Failure::answer)
    }
}

impl tower::Service<Request<Incoming>> for App {
    type Response = Answer;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Answer, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let app = self.clone();
        // Boxed once: the types of all handlers in one future would be too deep for the compiler to follow.
        Box::pin(async move {
            let head = request.method() == http::Method::HEAD;
            let mut answer = app.answer(request).await.with_header(API_VERSION, "registry/2.0");
            // Of other content hyper states the length by itself, and leaves it out.
            if head && answer.headers().contains_key(header::CONTENT_LENGTH) {
                *answer.body_mut() = AnswerBody::omitted();
            }
            Ok(answer)
        })
    }
}

fn unsupported(allow: &'static str) -> Answer {
    let message = format!("this path knows only {allow}");
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
        .answer()
        .with_header(header::ALLOW, allow)
}

fn not_found() -> Answer {
    content(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n".into())
}
