//! Closing a connection so that the client comes to read its last answer (RFC 9112, section 9.6).
//!
//! An answer may be ready before the client has sent all of its content: a refused upload is. A socket that is closed with
//! content unread is reset, and the reset makes the client drop the answer, or never look for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long the client may go on sending before it sees that we have ended, and closes its side.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may be silent meanwhile.
const SILENCE: Duration = Duration::from_secs(1);

/// Bytes that are thrown away at once.
const SCRATCH: usize = 16 << 10;

/// A connection whose shutdown closes its own side first, and throws away what still comes until the client closes, too.
pub(crate) struct Lingering<S> {
    stream: S,
    /// `None` while our own side is open.
    waiting: Option<Waiting>,
}

struct Waiting {
    end: Instant,
    /// Until the client has been silent for too long, or the end.
    pause: Pin<Box<Sleep>>,
}

impl Waiting {
    fn new() -> Self {
        Self { end: Instant::now() + PATIENCE, pause: Box::pin(tokio::time::sleep(SILENCE)) }
    }

    fn heard(&mut self) {
        self.pause.as_mut().reset(self.end.min(Instant::now() + SILENCE));
    }
}

impl<S> Lingering<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, waiting: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, waiting } = self.get_mut();
        if waiting.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let waiting = waiting.get_or_insert_with(Waiting::new);
        let mut scratch = [0; SCRATCH];
        loop {
            if waiting.pause.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut unread = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut unread)) {
                Ok(()) if !unread.filled().is_empty() => waiting.heard(),
                // The client has closed its side, or is gone.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}
