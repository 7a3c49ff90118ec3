//! One line in the log for each request, and an identifier that ties everything that is logged on its way to it.

use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{Request, header};
use hyper::body::Incoming;
use tracing::Instrument;

use crate::answer::{Answer, REQUEST_ID, WithHeader};
use crate::parameters::text;

/// Wraps a service.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog<S> {
    pub(crate) inner: S,
    pub(crate) peer: std::net::SocketAddr,
}

impl<S> tower::Service<Request<Incoming>> for AccessLog<S>
where
    S: tower::Service<Request<Incoming>, Response = Answer>,
    S::Future: Send + 'static,
{
    type Response = Answer;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Answer, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let begun = Instant::now();
        let id = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 8]>());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let agent = text(request.headers(), header::USER_AGENT).unwrap_or_default().to_owned();
        let span = tracing::info_span!("request", %id, action = tracing::field::Empty);
        let logged = span.in_scope(|| self.inner.call(request));
        let peer = self.peer;
        let answered = async move {
            let answer = logged.await?;
            let status = answer.status().as_u16();
            // To the head of the answer: content may still be on its way.
            let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            if answer.status().is_server_error() {
                tracing::warn!(%peer, %method, path, status, milliseconds, agent, "answered with an error");
            } else {
                tracing::info!(%peer, %method, path, status, milliseconds, agent, "answered");
            }
            Ok(answer.with_header(REQUEST_ID, id))
        };
        Box::pin(answered.instrument(span))
    }
}
