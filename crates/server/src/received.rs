//! The content of a request: its length where the client said it, and a stream that gives up on a client that has gone
//! silent. Nothing is read before the stream is: a client that waits for `100 Continue` sends nothing that is not wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

/// The content of a request as it comes from any connection.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// The content of a request.
pub(crate) struct Received {
    body: RequestBody,
    /// Bytes, where the client said so.
    pub(crate) length: Option<u64>,
    idle: Duration,
    /// Counts what was read.
    read: Arc<AtomicU64>,
}

/// Content that did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Incomplete {
    /// The client went away, or sent what cannot be read.
    #[error("it broke off after {received} bytes{}", of(*.promised))]
    BrokenOff { received: u64, promised: Option<u64>, source: BoxError },
    /// The client went silent.
    #[error("after {received} bytes{} none came for {} seconds", of(*.promised), .idle.as_secs())]
    Silent { received: u64, promised: Option<u64>, idle: Duration },
}

fn of(promised: Option<u64>) -> String {
    promised.map(|promised| format!(" of {promised}")).unwrap_or_default()
}

impl Received {
    pub(crate) fn new(headers: &HeaderMap, body: RequestBody, idle: Duration, read: Arc<AtomicU64>) -> Self {
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        let length = body.size_hint().exact().filter(|length| *length > 0 || !chunked);
        Self { body, length, idle, read }
    }

    /// The content, piece by piece.
    pub(crate) fn into_stream(self) -> ByteStream {
        let Self { body, length: promised, idle, read } = self;
        Box::pin(stream::try_unfold((body, 0, read), move |(mut body, received, read)| async move {
            loop {
                let Ok(frame) = tokio::time::timeout(idle, body.frame()).await else {
                    return Err(Incomplete::Silent { received, promised, idle }.into());
                };
                match frame {
                    None => return Ok::<_, BoxError>(None),
                    Some(Err(source)) => {
                        return Err(Incomplete::BrokenOff { received, promised, source }.into());
                    }
                    Some(Ok(frame)) => {
                        if let Ok(piece) = frame.into_data() {
                            let received = received + piece.len() as u64;
                            read.store(received, Ordering::Relaxed);
                            return Ok(Some((piece, (body, received, read))));
                        }
                    }
                }
            }
        }))
    }

    /// All of it, when it is no more than `limit` bytes; `None` when it is more. Takes no more memory than that.
    pub(crate) async fn collect(self, limit: usize) -> Result<Option<Bytes>, BoxError> {
        let mut stream = self.into_stream();
        let mut whole = Vec::with_capacity(limit);
        while let Some(piece) = stream.try_next().await? {
            if whole.len() + piece.len() > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&piece);
        }
        whole.shrink_to_fit();
        Ok(Some(whole.into()))
    }
}
