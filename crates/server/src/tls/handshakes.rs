//! How many handshakes may be under way. Whoever comes is never refused: the oldest handshake makes room, for an honest one has
//! ended long before. So clients that hold up their handshakes hold up nobody else.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The handshakes under way.
#[derive(Debug)]
pub(crate) struct Handshakes {
    most: usize,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    begun: u64,
    /// By their age. A sender that is dropped ends its handshake.
    handshakes: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Handshake<'a> {
    all: &'a Handshakes,
    number: u64,
    room_needed: oneshot::Receiver<()>,
}

impl Handshakes {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), under_way: Mutex::default() }
    }

    /// Another one begins.
    pub(crate) fn begin(&self) -> Handshake<'_> {
        let (sender, room_needed) = oneshot::channel();
        let mut under_way = self.lock();
        if under_way.handshakes.len() >= self.most {
            under_way.handshakes.pop_first();
        }
        let number = under_way.begun;
        under_way.begun += 1;
        under_way.handshakes.insert(number, sender);
        Handshake { all: self, number, room_needed }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handshake<'_> {
    /// Until it has to make room for another one.
    pub(crate) async fn room_needed(&mut self) {
        // Nothing is ever sent.
        let _ = (&mut self.room_needed).await;
    }
}

impl Drop for Handshake<'_> {
    fn drop(&mut self) {
        self.all.lock().handshakes.remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
