//! Reading on where a connection broke: the same content from the next byte, or the error.

use std::sync::Arc;

use apus_storage::{BoxError, ByteRange, ByteStream, Freshness};
use futures_util::{TryStreamExt, stream};

use super::Container;
use super::object::{Download, Reading};
use crate::error::{SwiftError, SwiftErrorKind};
use crate::retry::Tries;

/// What is read, and how far.
struct Progress {
    container: Container,
    name: Arc<str>,
    freshness: Freshness,
    /// Only of an object with the same tag are the next bytes those that belong there.
    tag: String,
    stream: ByteStream,
    position: u64,
    end: u64,
    /// Since the last byte.
    tries: Option<Tries>,
}

impl Container {
    /// The content of an object that was opened, over as many connections as it takes. Of an object without an entity tag
    /// it cannot be told whether it is still the same, and its content ends with the first connection.
    pub(super) fn resuming(&self, name: &str, freshness: Freshness, download: Download) -> Download {
        let Download { metadata, range, stream } = download;
        let Some(tag) = metadata.entity_tag.clone() else { return Download { metadata, range, stream } };
        let progress = Progress {
            container: self.clone(),
            name: name.into(),
            freshness,
            tag,
            stream,
            position: range.start,
            end: range.end,
            tries: None,
        };
        let stream = stream::try_unfold(progress, |mut progress| async move {
            loop {
                match progress.stream.try_next().await {
                    Ok(None) => return Ok(None),
                    Ok(Some(piece)) => {
                        progress.position += piece.len() as u64;
                        progress.tries = None;
                        return Ok(Some((piece, progress)));
                    }
                    Err(error) => progress.go_on(error).await?,
                }
            }
        });
        Download { metadata, range, stream: Box::pin(stream) }
    }
}

impl Progress {
    /// Opens the rest, or says why not.
    async fn go_on(&mut self, mut error: BoxError) -> Result<(), BoxError> {
        let policy = self.container.client.0.retry;
        while is_unavailable(&error) && self.position < self.end {
            let tries = self.tries.get_or_insert_with(|| Tries::by(policy));
            let Some(pause) = tries.another(None) else { return Err(error) };
            tracing::warn!(
                object = &*self.name,
                position = self.position,
                error = &*error as &dyn std::error::Error,
                ?pause,
                "the content broke off; reading on"
            );
            tokio::time::sleep(pause).await;
            let rest = ByteRange::FromTo { first: self.position, last: self.end - 1 };
            match self.container.open(&self.name, rest, self.freshness).await {
                Ok(Reading::Content(download))
                    if download.metadata.entity_tag.as_deref() == Some(&*self.tag)
                        && download.range == (self.position..self.end) =>
                {
                    self.stream = download.stream;
                    return Ok(());
                }
                // It is another object now, or none.
                Ok(_) => return Err(error),
                Err(other) => error = other.into(),
            }
        }
        Err(error)
    }
}

fn is_unavailable(error: &BoxError) -> bool {
    let error = error.downcast_ref::<SwiftError>();
    error.is_some_and(|error| matches!(error.kind(), SwiftErrorKind::Unavailable { .. }))
}
