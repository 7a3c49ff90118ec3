//! One stream of bytes that many follow: the latest part of it is kept in memory, within a bound, and each reader stands
//! somewhere in it. The writer waits for its readers, but not for one that holds up others: that one is left behind, and has to
//! find its bytes elsewhere.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::{UpstreamError, UpstreamErrorKind};

/// How long in all a reader may hold up others that have read everything.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a reader may take nothing at all while the writer waits for it.
const STALL: Duration = Duration::from_secs(10);
/// How often the writer looks for whom it waits.
const LOOK: Duration = Duration::from_millis(50);

/// Memory that all windows share.
#[derive(Debug)]
pub(crate) struct Memory {
    whole: usize,
    windows: AtomicUsize,
}

impl Memory {
    /// The most that one window keeps.
    const MOST: usize = 16 << 20;
    /// What each may keep, however many there are.
    const LEAST: usize = 512 << 10;

    pub(crate) fn new(whole: usize) -> Arc<Self> {
        Arc::new(Self { whole, windows: AtomicUsize::new(0) })
    }

    fn share(&self) -> usize {
        let windows = self.windows.load(Ordering::Relaxed).max(1);
        (self.whole / windows).clamp(Self::LEAST, Self::MOST)
    }
}

/// The kept part of a stream, and where its readers stand.
#[derive(Debug)]
pub(crate) struct Window {
    state: Mutex<State>,
    /// For readers: there is more, or it is over.
    more: Notify,
    /// For the writer: a reader went on.
    room: Notify,
    memory: Arc<Memory>,
}

#[derive(Debug)]
struct State {
    /// Pieces with the offsets of their first bytes, without gaps.
    pieces: VecDeque<(u64, Bytes)>,
    kept: usize,
    /// One past the last byte that came.
    end: u64,
    readers: HashMap<u64, Place>,
    next_reader: u64,
    over: Option<Result<(), UpstreamError>>,
}

/// Where a reader stands.
#[derive(Debug)]
struct Place {
    position: u64,
    /// How long the writer has waited for it since it took something.
    stalled: Duration,
    /// How long it has held up others.
    debt: Duration,
    left_behind: bool,
}

impl State {
    fn base(&self) -> u64 {
        self.pieces.front().map_or(self.end, |(offset, _)| *offset)
    }

    fn attached(&self) -> impl Iterator<Item = &Place> {
        self.readers.values().filter(|place| !place.left_behind)
    }

    /// Lets go of what every reader has, as long as there is not room for `wanted` bytes. Answers whether there is now.
    fn make_room(&mut self, wanted: usize, limit: usize) -> bool {
        let slowest = self.attached().map(|place| place.position).min().unwrap_or(u64::MAX);
        while !self.pieces.is_empty() && self.kept + wanted > limit {
            let Some((_, piece)) =
                self.pieces.pop_front_if(|(offset, piece)| *offset + piece.len() as u64 <= slowest)
            else {
                return false;
            };
            self.kept -= piece.len();
        }
        true
    }

    /// Charges those for whom the writer has waited for so long, and leaves behind who went too far.
    fn charge(&mut self, waited: Duration) {
        let first_end = self.pieces.front().map_or(0, |(offset, piece)| *offset + piece.len() as u64);
        let others_wait = self.attached().any(|place| place.position == self.end);
        for place in self.readers.values_mut().filter(|place| place.position < first_end) {
            place.stalled += waited;
            if others_wait {
                place.debt += waited;
            }
            place.left_behind |= place.debt > PATIENCE || place.stalled > STALL;
        }
    }
}

impl Window {
    /// A window on a stream of which the bytes from `start` on are wanted.
    pub(crate) fn new(start: u64, memory: Arc<Memory>) -> Arc<Self> {
        memory.windows.fetch_add(1, Ordering::Relaxed);
        let state = State {
            pieces: VecDeque::new(),
            kept: 0,
            end: start,
            readers: HashMap::new(),
            next_reader: 0,
            over: None,
        };
        Arc::new(Self { state: Mutex::new(state), more: Notify::new(), room: Notify::new(), memory })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the next bytes of the stream when there is room for them. Dropping the future adds nothing.
    pub(crate) async fn push(&self, piece: Bytes) {
        let mut waiting_since = Instant::now();
        loop {
            let went_on = self.room.notified();
            {
                let mut state = self.state();
                if state.make_room(piece.len(), self.memory.share()) {
                    let offset = state.end;
                    state.end += piece.len() as u64;
                    state.kept += piece.len();
                    state.pieces.push_back((offset, piece));
                    break;
                }
            }
            if timeout(LOOK, went_on).await.is_err() {
                let mut state = self.state();
                state.charge(waiting_since.elapsed());
                waiting_since = Instant::now();
                drop(state);
                self.more.notify_waiters();
            }
        }
        self.more.notify_waiters();
    }

    /// Nothing follows: all of it has come and is proven, or why not.
    pub(crate) fn end(&self, outcome: Result<(), UpstreamError>) {
        self.state().over.get_or_insert(outcome);
        self.more.notify_waiters();
    }

    /// Ends it when nobody follows any more, so that nobody joins it either. Answers whether it did.
    pub(crate) fn end_if_deserted(&self) -> bool {
        let mut state = self.state();
        let is_deserted = state.attached().next().is_none();
        if is_deserted {
            let (kind, message) = (UpstreamErrorKind::Unavailable, "nobody followed any more".to_owned());
            state.over.get_or_insert(Err(UpstreamError { upstream: String::new(), kind, message }));
        }
        is_deserted
    }

    /// A reader of the bytes from `position` on; `None` when they have gone already, or the stream came to a bad end.
    pub(crate) fn join(self: &Arc<Self>, position: u64) -> Option<Reader> {
        let mut state = self.state();
        if position < state.base() || matches!(state.over, Some(Err(_))) {
            return None;
        }
        let id = state.next_reader;
        state.next_reader += 1;
        let place = Place { position, stalled: Duration::ZERO, debt: Duration::ZERO, left_behind: false };
        state.readers.insert(id, place);
        drop(state);
        Some(Reader { window: Arc::clone(self), id })
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.memory.windows.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a reader finds.
#[derive(Debug)]
pub(crate) enum Next {
    /// More bytes.
    Piece(Bytes),
    /// The window went on without it.
    LeftBehind,
    /// There are no more.
    End,
    /// It is over before its end.
    Broken(UpstreamError),
}

/// Follows a window.
#[derive(Debug)]
pub(crate) struct Reader {
    window: Arc<Window>,
    id: u64,
}

impl Reader {
    /// The next bytes, at most `most` of them. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, most: u64) -> Next {
        loop {
            let mut more = std::pin::pin!(self.window.more.notified());
            // From here on nothing is missed.
            more.as_mut().enable();
            if let Some(next) = self.look(most) {
                return next;
            }
            more.await;
        }
    }

    fn look(&self, most: u64) -> Option<Next> {
        let mut state = self.window.state();
        let State { pieces, readers, end, over, .. } = &mut *state;
        let place = readers.get_mut(&self.id).filter(|place| !place.left_behind);
        let Some(place) = place else { return Some(Next::LeftBehind) };
        if place.position < *end {
            let at = pieces.partition_point(|(offset, _)| *offset <= place.position).checked_sub(1);
            let Some((offset, piece)) = at.and_then(|at| pieces.get(at)) else {
                return Some(Next::LeftBehind);
            };
            let skipped = usize::try_from(place.position - offset).unwrap_or(usize::MAX).min(piece.len());
            let rest = piece.slice(skipped..);
            let length = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
            place.position += length as u64;
            place.stalled = Duration::ZERO;
            drop(state);
            self.window.room.notify_one();
            return Some(Next::Piece(rest.slice(..length)));
        }
        match over {
            None => None,
            Some(Ok(())) => Some(Next::End),
            Some(Err(error)) => Some(Next::Broken(error.clone())),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.window.state().readers.remove(&self.id);
        self.window.room.notify_one();
    }
}

#[cfg(test)]
mod tests;
