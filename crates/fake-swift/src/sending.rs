//! The body of an answer on its way to the client: all at once, slowly, with a pause, or broken off.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Swift's pipe between two servers moves this much at a time.
const FRAME: usize = 64 * 1024;

/// Time for the bytes before a cut to reach the client, since closing a connection may discard what it has queued.
const TIME_TO_FLUSH: Duration = Duration::from_millis(50);

/// How the bytes go.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Pace {
    /// As fast as the client takes them.
    #[default]
    Swift,
    /// So many at a time, with a pause after each.
    Trickle { bytes: usize, pause: Duration },
    /// With one pause after so many.
    Stall { after: u64, pause: Duration },
}

/// The body of an answer before it is sent.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    /// The bytes, in order.
    pub(crate) chunks: Vec<Bytes>,
    /// What `Content-Length` promises; without it the body goes in chunked encoding.
    pub(crate) length: Option<u64>,
    pub(crate) pace: Pace,
    /// Whether the connection breaks after `chunks`.
    pub(crate) broken: bool,
}

impl Payload {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { length: Some(bytes.len() as u64), chunks: vec![bytes], ..Self::default() }
    }

    /// Bytes that there are to send.
    pub(crate) fn available(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// Keeps the first `bytes` bytes; the connection breaks after them.
    pub(crate) fn truncate(&mut self, bytes: u64) {
        let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
        for chunk in &mut self.chunks {
            chunk.truncate(left);
            left -= chunk.len();
        }
        self.broken = true;
    }
}

/// The connection is broken off on purpose.
#[derive(Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection is broken off on purpose")
    }
}

impl std::error::Error for Broken {}

/// A body on its way to the client.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    chunks: VecDeque<Bytes>,
    length: Option<u64>,
    pace: Pace,
    broken: bool,
    sent: u64,
    /// Nothing goes on before this has passed.
    pause: Option<Pin<Box<Sleep>>>,
}

impl AnswerBody {
    /// `head`: the payload has a length, but no bytes of it are to be sent.
    pub(crate) fn new(payload: Payload, head: bool) -> Self {
        let Payload { chunks, length, pace, broken } = payload;
        let length = if head { Some(0) } else { length };
        Self { chunks: chunks.into(), length, pace, broken, sent: 0, pause: None }
    }

    /// The next bytes to go, if there are any left.
    fn next(&mut self) -> Option<Bytes> {
        let most = match self.pace {
            Pace::Trickle { bytes, .. } => bytes.clamp(1, FRAME),
            Pace::Stall { after, .. } if self.sent < after => {
                FRAME.min(usize::try_from(after - self.sent).unwrap_or(FRAME))
            }
            Pace::Swift | Pace::Stall { .. } => FRAME,
        };
        while self.chunks.front().is_some_and(Bytes::is_empty) {
            self.chunks.pop_front();
        }
        let chunk = self.chunks.front_mut()?;
        Some(chunk.split_to(chunk.len().min(most)))
    }

    /// How long to wait before more bytes go.
    fn next_pause(&mut self) -> Option<Duration> {
        match self.pace {
            Pace::Trickle { pause, .. } if self.sent > 0 => Some(pause),
            Pace::Stall { after, pause } if self.sent == after => {
                self.pace = Pace::Swift;
                Some(pause)
            }
            _ => None,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.pause.is_none() {
            let time = if self.chunks.iter().any(|chunk| !chunk.is_empty()) {
                self.next_pause()
            } else {
                self.broken.then_some(TIME_TO_FLUSH)
            };
            self.pause = time.map(|time| Box::pin(sleep(time)));
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let frame = self.next();
        self.sent += frame.as_ref().map_or(0, |frame| frame.len() as u64);
        Poll::Ready(match frame {
            Some(frame) => Some(Ok(Frame::data(frame))),
            None if self.broken => Some(Err(Broken)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        !self.broken && self.chunks.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
