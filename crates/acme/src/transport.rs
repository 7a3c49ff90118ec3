//! The protocol's requests over our own HTTP stack: one set of authorities, proxies and limits for all that leaves this process.

use std::pin::Pin;

use apus_http_client::{HttpClient, RequestBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use instant_acme::{BodyWrapper, BytesResponse, Error};

/// The most that is read of an answer, in bytes. A chain of certificates has some thousand.
const LARGEST: usize = 1 << 20;

/// Sends requests to an authority.
pub(crate) struct Transport(pub(crate) HttpClient);

type Answer = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl instant_acme::HttpClient for Transport {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answer {
        let client = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let content = body.collect().await.map_err(|error| Error::Other(error.into()))?.to_bytes();
            let sent = client.send(Request::from_parts(head, RequestBody::from(content))).await;
            let response = sent.map_err(|failure| Error::Other(failure.error.into()))?;
            let (mut parts, ()) = Response::new(()).into_parts();
            (parts.status, parts.headers) = (response.status, response.headers);
            let content = response.body.collect(LARGEST).await.map_err(|error| Error::Other(error.into()))?;
            Ok(BytesResponse { parts, body: Box::new(content) })
        })
    }
}
