//! The streams of an HTTP/2 connection: whether there are any, and one whose client takes nothing of its answer.
//!
//! Each stream has a window of its own, so a client can hold one up, and with it what the answer is read from, while the
//! connection is lively. hyper waits for such a window outside the answer's body, where the body can do nothing about it. So
//! here each stream is watched from outside: the body notes when the client has been given something to take, and a stream
//! that stays at that point for too long is dropped, which resets it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use apus_storage::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::answer::AnswerBody;

tokio::task_local! {
    /// That of the stream whose task this is.
    static PACE: Arc<Pace>;
}

/// Since when a client has had something to take; `None` while it waits for us.
#[derive(Debug, Default)]
struct Pace(Mutex<Option<Instant>>);

impl Pace {
    fn client_has(&self, something: bool) {
        let since = something.then(Instant::now);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the streams of one connection.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    open: Arc<watch::Sender<usize>>,
    patience: Duration,
}

impl Streams {
    /// Streams whose clients may take nothing for so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self { open: Arc::new(watch::Sender::new(0)), patience }
    }

    /// Until there has been no stream for so long.
    pub(super) async fn none_for(&self, silence: Duration) {
        let mut open = self.open.subscribe();
        loop {
            // An error would say that `self` is gone.
            let _ = open.wait_for(|open| *open == 0).await;
            if tokio::time::timeout(silence, open.wait_for(|open| *open > 0)).await.is_err() {
                return;
            }
        }
    }

    /// Lets a stream run to its end, or to the moment when its client has taken nothing for too long.
    async fn watch(&self, stream: impl Future<Output = ()>) {
        let pace = Arc::new(Pace::default());
        let mut stream = std::pin::pin!(PACE.scope(Arc::clone(&pace), stream));
        loop {
            let limit = pace.since().unwrap_or_else(Instant::now) + self.patience;
            if tokio::time::timeout_at(limit, stream.as_mut()).await.is_ok() {
                return;
            }
            if pace.since().is_some_and(|since| since + self.patience <= Instant::now()) {
                tracing::info!(seconds = self.patience.as_secs_f32(), "a client takes nothing of its answer");
                return;
            }
        }
    }
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let open = Open::new(self.clone());
        tokio::spawn(async move { open.0.watch(stream).await });
    }
}

/// A stream that is open.
struct Open(Streams);

impl Open {
    fn new(streams: Streams) -> Self {
        streams.open.send_modify(|open| *open += 1);
        Self(streams)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

/// The body of an answer that notes the pace at which its client takes it.
pub(super) struct Watched {
    body: AnswerBody,
    pace: Option<Arc<Pace>>,
}

impl Watched {
    /// Within the stream that the answer belongs to.
    pub(super) fn new(body: AnswerBody) -> Self {
        Self { body, pace: PACE.try_with(Arc::clone).ok() }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, pace } = self.get_mut();
        let frame = Pin::new(body).poll_frame(context);
        if let Some(pace) = pace {
            pace.client_has(matches!(frame, Poll::Ready(Some(Ok(_)))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
