//! A blob on its way to one client: by the window of its fetch as long as it keeps up, else by another way to the same bytes.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use apus_registry::Digest;
use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use futures_util::stream;
use metrics::counter;
use tokio::time::timeout;

use crate::Result;
use crate::cache::Cache;
use crate::flights::{Ended, Flight};
use crate::routes::Target;
use crate::window::{Next, Reader, Window};

/// How long a reader who came too late for a fetch waits for its end, before the upstream is asked once more.
const PATIENCE: Duration = Duration::from_mins(2);

struct Following {
    cache: Arc<Cache>,
    target: Target,
    digest: Digest,
    flight: Arc<Flight>,
    left: Range<u64>,
    reader: Option<Reader>,
}

/// The bytes of `range` of a blob that is being fetched.
pub(crate) fn follow(
    cache: &Arc<Cache>,
    target: &Target,
    digest: &Digest,
    flight: Arc<Flight>,
    window: &Arc<Window>,
    range: Range<u64>,
) -> ByteStream {
    let following = Following {
        cache: Arc::clone(cache),
        target: target.clone(),
        digest: digest.clone(),
        flight,
        reader: window.join(range.start),
        left: range,
    };
    Box::pin(stream::try_unfold(following, |mut following| async move {
        Ok::<_, BoxError>(following.next().await?.map(|piece| (piece, following)))
    }))
}

impl Following {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        while !self.left.is_empty() {
            let Some(reader) = &mut self.reader else {
                self.reader = Some(self.other_way().await?);
                continue;
            };
            match reader.next(self.left.end - self.left.start).await {
                Next::Piece(piece) => {
                    self.left.start += piece.len() as u64;
                    counter!("registry_proxy_pushed_bytes_total", "type" => "blob")
                        .increment(piece.len() as u64);
                    return Ok(Some(piece));
                }
                Next::LeftBehind => self.reader = None,
                Next::End => return Err("the blob is shorter than its registry said".into()),
                Next::Broken(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    async fn other_way(&self) -> Result<Reader> {
        let is_stored = match timeout(PATIENCE, self.flight.ended()).await {
            Ok(ended) => ended? == Ended::Stored,
            Err(_) => false,
        };
        // The repository of the fetch has the blob; ours may have its link a moment later.
        let target = Target { local: self.flight.repository.clone(), ..self.target.clone() };
        self.cache.repeat(
            if is_stored { &target } else { &self.target },
            &self.digest,
            self.left.start,
            is_stored,
        )
    }
}
