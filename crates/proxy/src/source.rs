//! The bytes of an upstream's blob, in order, each once. Where the connection breaks they are taken up again by a ranged request.

use std::sync::Arc;
use std::time::Duration;

use apus_registry::Digest;
use apus_storage::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use metrics::counter;
use tokio::time::sleep;

use crate::error::chain;
use crate::upstream::Upstream;
use crate::{UpstreamError, UpstreamErrorKind};

/// How often one blob is taken up again.
const MOST_RESUMPTIONS: u32 = 8;
/// The pause before the first time; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A blob that is being fetched, from its first byte.
pub(crate) struct Source {
    upstream: Arc<Upstream>,
    repository: String,
    digest: Digest,
    size: u64,
    position: u64,
    stream: Option<ByteStream>,
    resumptions: u32,
}

impl Source {
    /// Opens a blob of an upstream's repository.
    pub(crate) async fn open(
        upstream: Arc<Upstream>,
        repository: String,
        digest: Digest,
    ) -> Result<Self, UpstreamError> {
        let (size, stream) = upstream.get_blob(&repository, &digest, 0).await?;
        Ok(Self { upstream, repository, digest, size, position: 0, stream: Some(stream), resumptions: 0 })
    }

    /// Bytes of the whole blob, as the upstream says.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The next bytes; `None` when all have come. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        while self.position < self.size {
            let broken = match &mut self.stream {
                None => match self.reopen().await {
                    Ok(()) => continue,
                    Err(error) if error.kind.leaves_it_open() => error.message,
                    Err(error) => return Err(error),
                },
                Some(stream) => match stream.next().await {
                    Some(Ok(piece)) if piece.is_empty() => continue,
                    Some(Ok(piece)) => {
                        counter!("registry_proxy_pulled_bytes_total", "type" => "blob")
                            .increment(piece.len() as u64);
                        self.position += piece.len() as u64;
                        if self.position > self.size {
                            return Err(self.error(UpstreamErrorKind::Wrong, "it sends more than it said"));
                        }
                        return Ok(Some(piece));
                    }
                    Some(Err(error)) => chain(&*error),
                    None => "it ended early".to_owned(),
                },
            };
            self.stream = None;
            self.resumptions += 1;
            let (position, size) = (self.position, self.size);
            if self.resumptions > MOST_RESUMPTIONS {
                let message = format!("a blob broke off at {position} of {size} bytes: {broken}");
                return Err(self.error(UpstreamErrorKind::Unavailable, message));
            }
            tracing::warn!(
                upstream = self.upstream.home.authority,
                digest = %self.digest,
                position,
                size,
                reason = broken,
                "a blob broke off and is taken up again"
            );
            sleep(LONGEST_PAUSE.min(PAUSE * 2_u32.pow(self.resumptions - 1))).await;
        }
        Ok(None)
    }

    async fn reopen(&mut self) -> Result<(), UpstreamError> {
        let (size, stream) = self.upstream.get_blob(&self.repository, &self.digest, self.position).await?;
        if size != self.size {
            return Err(self.error(UpstreamErrorKind::Wrong, "it says another length of a blob each time"));
        }
        self.stream = Some(stream);
        Ok(())
    }

    pub(crate) fn error(&self, kind: UpstreamErrorKind, message: impl Into<String>) -> UpstreamError {
        self.upstream.home.error(kind, message)
    }
}
