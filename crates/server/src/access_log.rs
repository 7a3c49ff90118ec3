//! One line in the log for each request, and an identifier that ties everything that is logged on its way to it. Here a request
//! also comes to know whom it came from.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Instant;

use apus_storage::BoxError;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::uri::Scheme;
use http::{Request, header};
use http_body::Body;
use tower::Service;
use tracing::Instrument;

use crate::CurrentApp;
use crate::answer::{Answer, REQUEST_ID, WithHeader};
use crate::listener::Peer;
use crate::parameters::text;

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
        let id = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 8]>());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let agent = text(request.headers(), header::USER_AGENT).unwrap_or_default().to_owned();
        let peer = self.peer;
        let mut app = self.app.get();
        let mut forwarded = app.forwarded(request.headers(), peer.ip());
        forwarded.scheme.get_or_insert_with(|| self.scheme.clone());
        let client = Some(forwarded.client).filter(|client| *client != peer.ip().to_canonical());
        let client = client.map(tracing::field::display);
        request.extensions_mut().insert(forwarded);
        let span = tracing::info_span!("request", %id, action = tracing::field::Empty);
        let logged = span.in_scope(|| app.call(request));
        let answered = async move {
            let answer = logged.await?;
            let status = answer.status().as_u16();
            // To the head of the answer: content may still be on its way.
            let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            if answer.status().is_server_error() {
                tracing::warn!(%peer, client, %method, path, status, milliseconds, agent, "answered with an error");
            } else {
                tracing::info!(%peer, client, %method, path, status, milliseconds, agent, "answered");
            }
            Ok(answer.with_header(REQUEST_ID, id))
        };
        Box::pin(answered.instrument(span))
    }
}
