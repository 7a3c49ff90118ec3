//! The content of a request: its length where the client said it, and a stream that gives up on a client that has gone
//! silent. Nothing is read before the stream is: a client that waits for `100 Continue` sends nothing that is not wanted.

use std::time::Duration;

use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

/// The content of a request.
pub(crate) struct Received {
    body: Incoming,
    /// Bytes, where the client said so.
    pub(crate) length: Option<u64>,
    idle: Duration,
}

/// A client that went silent in the middle of its content.
#[derive(Debug, thiserror::Error)]
#[error("no byte came for {} seconds", .0.as_secs())]
struct Silent(Duration);

impl Received {
    pub(crate) fn new(headers: &HeaderMap, body: Incoming, idle: Duration) -> Self {
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        let length = body.size_hint().exact().filter(|length| *length > 0 || !chunked);
        Self { body, length, idle }
    }

    /// The content, piece by piece.
    pub(crate) fn into_stream(self) -> ByteStream {
        let Self { body, idle, .. } = self;
        Box::pin(stream::try_unfold(body, move |mut body| async move {
            loop {
                let frame = tokio::time::timeout(idle, body.frame()).await.map_err(|_| Silent(idle))?;
                match frame.transpose()? {
                    None => return Ok::<_, BoxError>(None),
                    Some(frame) => {
                        if let Ok(piece) = frame.into_data() {
                            return Ok(Some((piece, body)));
                        }
                    }
                }
            }
        }))
    }

    /// All of it, when it is no more than `limit` bytes; `None` when it is more. The rest of content that is not much too
    /// long is taken off the connection, so that the client comes to read the answer.
    pub(crate) async fn collect(self, limit: usize) -> Result<Option<Bytes>, BoxError> {
        use futures_util::TryStreamExt;

        let grace = limit as u64 * 4;
        if self.length.is_some_and(|length| length > grace) {
            return Ok(None);
        }
        let mut stream = self.into_stream();
        let mut whole = Vec::new();
        let mut seen: u64 = 0;
        while let Some(piece) = stream.try_next().await? {
            seen += piece.len() as u64;
            if seen > grace {
                return Ok(None);
            }
            if seen <= limit as u64 {
                whole.extend_from_slice(&piece);
            }
        }
        Ok((seen <= limit as u64).then(|| whole.into()))
    }
}
