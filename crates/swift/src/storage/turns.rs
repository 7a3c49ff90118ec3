//! Turns: what this process does to one stage happens one after the other where that matters.

use std::hash::{BuildHasher, RandomState};

use apus_storage::StageId;
use tokio::sync::{Mutex, MutexGuard};

/// Stages share a turn by chance, and then wait for each other for the time of one PUT.
const TURNS: usize = 1024;

/// A turn for each stage.
pub(super) struct Turns {
    hasher: RandomState,
    turns: Vec<Mutex<()>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), turns: (0..TURNS).map(|_| Mutex::new(())).collect() }
    }

    /// Waits until nobody else here has the turn of this stage; it ends when what is answered is dropped.
    pub(super) async fn of(&self, stage: &StageId) -> Option<MutexGuard<'_, ()>> {
        let turn = usize::try_from(self.hasher.hash_one(stage) % TURNS as u64).unwrap_or_default();
        // There are as many as the remainder can name.
        Some(self.turns.get(turn)?.lock().await)
    }
}
