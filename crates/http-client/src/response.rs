//! Answers: the head at once, the body as a stream that never waits for ever.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

use crate::body::{RequestBody, Watch};
use crate::error::{Error, Stage};
use crate::traffic::Traffic;

/// An answer. Dropping it before its body was read closes the connection.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: ResponseBody,
    /// The request's body, when the peer answered before any of it was read.
    pub unsent: Option<RequestBody>,
}

/// The body of an answer: a stream of its bytes. An end before the announced length is an error.
pub struct ResponseBody {
    incoming: Incoming,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    traffic: Traffic,
    _permit: OwnedSemaphorePermit,
    _abandon: AbandonOnDrop,
}

impl ResponseBody {
    pub(crate) fn new(
        incoming: Incoming,
        idle: Duration,
        permit: OwnedSemaphorePermit,
        abandon: AbandonOnDrop,
        traffic: Traffic,
    ) -> Self {
        let timer = Box::pin(sleep(idle));
        Self { incoming, idle, timer, waiting: false, traffic, _permit: permit, _abandon: abandon }
    }

    /// All of it when it is no longer than `limit` bytes, else [`Error::TooLong`].
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.try_next().await? {
            if whole.len() + piece.len() > limit {
                return Err(Error::TooLong { limit });
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match Pin::new(&mut this.incoming).poll_frame(context) {
                Poll::Ready(frame) => {
                    this.waiting = false;
                    match frame {
                        None => return Poll::Ready(None),
                        Some(Err(error)) => {
                            return Poll::Ready(Some(Err(Error::Broken { source: error.into() })));
                        }
                        // What is no data is a trailer, and nobody asked for those.
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(piece) => {
                                this.traffic.add(piece.len());
                                return Poll::Ready(Some(Ok(piece)));
                            }
                            Err(_trailers) => {}
                        },
                    }
                }
                Poll::Pending => {
                    // The clock runs only while someone waits: a slow reader is no slow peer.
                    if !this.waiting {
                        this.waiting = true;
                        this.timer.as_mut().reset(Instant::now() + this.idle);
                    }
                    return this
                        .timer
                        .as_mut()
                        .poll(context)
                        .map(|()| Some(Err(Error::Timeout { stage: Stage::ReadBody, after: this.idle })));
                }
            }
        }
    }
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ResponseBody")
            .field("size", &self.incoming.size_hint())
            .finish_non_exhaustive()
    }
}

/// Once a request is over, for whatever reason, the rest of its body is not wanted.
pub(crate) struct AbandonOnDrop(pub(crate) Watch);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
