//! The debug address: what the people who run the registry ask of it, on a port of its own. What is shown there is the matter
//! of who adds a page; here is only how pages are found and sent. Nothing of the registry's protocol comes here, and nobody
//! is asked who they are: the address belongs where only operators reach it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;

use crate::Listener;
use crate::serve::pause;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 64;

/// How long one connection may last: it is for one request, and no page is long.
const LIFETIME: Duration = Duration::from_mins(1);

type Page = Arc<dyn Fn(Parts) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

/// What the debug address shows: pages by their paths. Cheap to clone.
#[derive(Clone, Default)]
pub struct DebugPages(BTreeMap<String, Page>);

impl DebugPages {
    /// No pages yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a page at exactly this path, in place of one that is there. It is made anew for each GET and HEAD; the head of the
    /// request says what kind of content the reader understands.
    #[must_use]
    pub fn with<F, Made>(mut self, path: impl Into<String>, page: F) -> Self
    where
        F: Fn(Parts) -> Made + Send + Sync + 'static,
        Made: Future<Output = Response<Bytes>> + Send + 'static,
    {
        self.0.insert(path.into(), Arc::new(move |head| page(head).boxed()));
        self
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, _) = request.into_parts();
        let readable = head.method == Method::GET || head.method == Method::HEAD;
        let answer = match self.0.get(head.uri.path()) {
            None => text(StatusCode::NOT_FOUND, self.directory()),
            Some(_) if !readable => {
                let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "pages are only read\n".to_owned());
                answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
                answer
            }
            Some(page) => page(head).await,
        };
        Ok(answer.map(Full::new))
    }

    /// For who has looked in vain.
    fn directory(&self) -> String {
        let paths: Vec<&str> = self.0.keys().map(String::as_str).collect();
        format!("404 page not found; here are:\n  {}\n", paths.join("\n  "))
    }
}

impl fmt::Debug for DebugPages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Plain text, as a page.
fn text(status: StatusCode, text: String) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = status;
    let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, media_type);
    answer
}

/// Shows pages until it is dropped: also while the registry starts, and while its last requests end.
pub async fn serve_debug(listener: impl Into<Listener>, pages: DebugPages) {
    let listener = listener.into();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        let pages = pages.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| pages.clone().answer(request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .serve_connection(TokioIo::new(socket), service);
            match tokio::time::timeout(LIFETIME, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a connection to the debug address ended"),
                Err(_) => tracing::debug!(%peer, "a connection to the debug address has lasted too long"),
            }
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests;
