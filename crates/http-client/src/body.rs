//! Bodies on their way out. What was not yet read of one can be taken back; what is under way can be abandoned, and then
//! the connection breaks before the peer takes half a body for a whole one.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::error::Stage;
use crate::traffic::Traffic;

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes in pieces. The first error ends it.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Bytes in memory go out in pieces of this size, so that a slow peer is told from a dead one.
const PIECE: usize = 128 * 1024;

/// What a request carries.
pub struct RequestBody {
    length: Option<u64>,
    content: Content,
}

enum Content {
    Bytes(Bytes),
    Stream(ByteStream),
}

impl RequestBody {
    /// Nothing.
    #[must_use]
    pub fn empty() -> Self {
        Bytes::new().into()
    }

    /// A stream of exactly `length` bytes, or of any length when that is `None` (sent in chunks). One of another length
    /// fails the request, and the peer is not given a whole body.
    #[must_use]
    pub fn stream(length: Option<u64>, stream: ByteStream) -> Self {
        Self { length, content: Content::Stream(stream) }
    }

    /// The bytes, when they are all in memory: such a body can be sent again.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Stream(_) => None,
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self { length: Some(bytes.len() as u64), content: Content::Bytes(bytes) }
    }
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RequestBody").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A stream that was not as long as its request had announced.
#[derive(Debug, thiserror::Error)]
#[error("the body is not the {announced} bytes that were announced")]
struct WrongLength {
    announced: u64,
}

/// The request is over, and nobody wants the rest of its body.
#[derive(Debug, thiserror::Error)]
#[error("the request was abandoned")]
struct Abandoned;

/// A new request body in its two halves: the one that the connection reads, and the one by which the caller watches it.
pub(crate) fn sending(body: RequestBody, held: bool, traffic: Traffic) -> (Sending, Watch) {
    let length = body.length;
    let watch = Watch(Arc::new(Mutex::new(State {
        unsent: Some(body),
        held,
        abandoned: false,
        awaited: Awaited::Connection,
        since: Instant::now(),
        failure: None,
        waker: None,
    })));
    (Sending { watch: watch.clone(), content: None, length, given: 0, traffic }, watch)
}

/// What both halves know.
struct State {
    /// The body until its first byte is wanted.
    unsent: Option<RequestBody>,
    /// Not to be begun yet: the peer has not said that it wants it.
    held: bool,
    abandoned: bool,
    awaited: Awaited,
    /// When the present wait began.
    since: Instant,
    /// The error in which the caller's stream ended.
    failure: Option<BoxError>,
    waker: Option<Waker>,
}

/// What has to happen next.
#[derive(Clone, Copy, PartialEq)]
enum Awaited {
    /// There is a connection, and it begins with the request.
    Connection,
    /// The connection asks for more.
    Peer,
    /// The caller's stream gives more.
    Caller,
    /// The answer comes: all of the body was given.
    Answer,
}

impl State {
    fn now_await(&mut self, awaited: Awaited) {
        self.awaited = awaited;
        self.since = Instant::now();
    }
}

/// The caller's half.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Mutex<State>>);

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body may be begun.
    pub(crate) fn release(&self) {
        let mut state = self.state();
        if state.held {
            state.held = false;
            state.since = Instant::now();
            wake(state);
        }
    }

    /// Nobody wants the rest any more: unless all of it was given, the connection breaks.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.abandoned = true;
        wake(state);
    }

    /// Takes the body back, if it was not begun; it cannot be begun afterwards.
    pub(crate) fn take_unsent(&self) -> Option<RequestBody> {
        let mut state = self.state();
        let unsent = state.unsent.take();
        state.abandoned |= unsent.is_some();
        unsent
    }

    /// The error in which the caller's stream ended.
    pub(crate) fn take_failure(&self) -> Option<BoxError> {
        self.state().failure.take()
    }

    /// What is waited for now, and since when. The wait for a connection is limited elsewhere, and has always just begun.
    pub(crate) fn waiting(&self) -> (Stage, Instant) {
        let state = self.state();
        match state.awaited {
            Awaited::Connection => (Stage::Connect, Instant::now()),
            Awaited::Answer => (Stage::Answer, state.since),
            Awaited::Peer | Awaited::Caller if state.held => (Stage::Answer, state.since),
            Awaited::Peer => (Stage::SendBody, state.since),
            Awaited::Caller => (Stage::CallerBody, state.since),
        }
    }
}

/// Lets the connection look at the body again.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The connection's half.
pub(crate) struct Sending {
    watch: Watch,
    content: Option<Content>,
    length: Option<u64>,
    given: u64,
    traffic: Traffic,
}

impl Sending {
    fn fail(&self, error: BoxError) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.watch.state().failure = Some(error);
        Poll::Ready(Some(Err(Abandoned.into())))
    }

    fn give(&mut self, piece: Bytes) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.given += piece.len() as u64;
        if let Some(announced) = self.length.filter(|length| self.given > *length) {
            return self.fail(WrongLength { announced }.into());
        }
        self.traffic.add(piece.len());
        let whole = self.length == Some(self.given);
        self.watch.state().now_await(if whole { Awaited::Answer } else { Awaited::Peer });
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn end(&mut self) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(announced) = self.length.filter(|length| self.given < *length) {
            return self.fail(WrongLength { announced }.into());
        }
        self.watch.state().now_await(Awaited::Answer);
        Poll::Ready(None)
    }
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        {
            let mut state = this.watch.state();
            if state.abandoned {
                return Poll::Ready(Some(Err(Abandoned.into())));
            }
            if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                state.waker = Some(context.waker().clone());
            }
            if state.held {
                return Poll::Pending;
            }
            if let Some(body) = state.unsent.take() {
                this.content = Some(body.content);
            }
            if state.awaited == Awaited::Peer {
                state.now_await(Awaited::Caller);
            }
        }
        match &mut this.content {
            None => this.end(),
            Some(Content::Bytes(bytes)) if bytes.is_empty() => this.end(),
            Some(Content::Bytes(bytes)) => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                this.give(piece)
            }
            Some(Content::Stream(stream)) => match stream.as_mut().poll_next(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Some(Ok(piece))) => this.give(piece),
                Poll::Ready(Some(Err(error))) => this.fail(error),
                Poll::Ready(None) => this.end(),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        // The connection asks this first of all: it is there, and the request goes out.
        let whole = self.length == Some(self.given);
        let mut state = self.watch.state();
        if state.awaited == Awaited::Connection {
            state.now_await(if whole { Awaited::Answer } else { Awaited::Peer });
        }
        whole
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length - self.given))
    }
}

#[cfg(test)]
mod tests;
