//! The body of a request: read at most once, never beyond a bound, and counted.
//!
//! Hyper sends `100 Continue` when a body is first asked for, so a handler that refuses before it calls
//! [`RequestBody::collect`] refuses before the client has sent any of it.

use bytes::{Bytes, BytesMut};
use http::header::EXPECT;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::answer::Refusal;

#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    /// The client holds the body back until it is asked for.
    held_back: bool,
    received: u64,
    /// Break off after so many bytes.
    cut_after: Option<u64>,
    cut: bool,
    /// Forget all that comes after so many bytes.
    kept: u64,
}

/// Why a body could not be had.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// It is longer than allowed.
    TooLarge,
    /// The client went away before its end.
    Disconnected,
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::standard(StatusCode::PAYLOAD_TOO_LARGE),
            BodyError::Disconnected => {
                Self::standard(StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST))
            }
        }
    }
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, headers: &HeaderMap) -> Self {
        let expect =
            headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        Self { incoming, held_back: expect, received: 0, cut_after: None, cut: false, kept: u64::MAX }
    }

    /// Makes the body break off after `bytes` bytes, if it is that long.
    pub(crate) fn cut_after(&mut self, bytes: u64) {
        self.cut_after = Some(bytes);
    }

    /// Makes the body end after `bytes` bytes, as if the client had sent no more.
    pub(crate) fn keep(&mut self, bytes: u64) {
        self.kept = bytes;
    }

    /// Whether it broke off so.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut
    }

    /// Bytes read so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Reads all that is left, at most `limit` bytes.
    pub(crate) async fn collect(&mut self, limit: u64) -> Result<Bytes, BodyError> {
        let mut data = BytesMut::new();
        loop {
            if self.cut_after.is_some_and(|bytes| bytes <= self.received) {
                self.cut = true;
                return Err(BodyError::Disconnected);
            }
            self.held_back = false;
            match self.incoming.frame().await {
                None => return Ok(data.freeze()),
                Some(Err(_)) => return Err(BodyError::Disconnected),
                Some(Ok(frame)) => {
                    let chunk = frame.into_data().unwrap_or_default();
                    self.received += chunk.len() as u64;
                    if data.len() as u64 + chunk.len() as u64 > limit {
                        return Err(BodyError::TooLarge);
                    }
                    let room = self.kept.saturating_sub(data.len() as u64);
                    let end = usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len());
                    data.extend_from_slice(&chunk.slice(..end));
                }
            }
        }
    }

    /// Lets go of the body once the answer is known. What the client still sends is read and forgotten, so that the
    /// connection stays of use; if it has been holding the body back, the connection closes instead.
    pub(crate) fn let_go(mut self) {
        if !self.held_back {
            tokio::spawn(async move { while let Some(Ok(_)) = self.incoming.frame().await {} });
        }
    }
}
