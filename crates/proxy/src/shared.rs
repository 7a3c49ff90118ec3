//! One answer for all who ask the same at the same time. The work goes on when those who asked go away.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Work that is under way, by what it is about.
#[derive(Debug)]
pub(crate) struct Shared<K, V>(Mutex<HashMap<K, watch::Receiver<Option<V>>>>);

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, V> Shared<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The answer to `key`: of who is at it already, or else by `work`.
    pub(crate) async fn get<W>(self: &Arc<Self>, key: K, work: impl Fn() -> W) -> V
    where
        W: Future<Output = V> + Send + 'static,
    {
        loop {
            let mut answer = self.begun(&key, &work);
            if let Ok(answer) = answer.wait_for(Option::is_some).await
                && let Some(answer) = answer.clone()
            {
                return answer;
            }
            // Whoever was at it has panicked.
        }
    }

    fn begun<W>(self: &Arc<Self>, key: &K, work: &impl Fn() -> W) -> watch::Receiver<Option<V>>
    where
        W: Future<Output = V> + Send + 'static,
    {
        let mut under_way = self.under_way();
        if let Some(answer) = under_way.get(key) {
            return answer.clone();
        }
        let (sender, answer) = watch::channel(None);
        under_way.insert(key.clone(), answer.clone());
        drop(under_way);
        let done = Done { shared: Arc::clone(self), key: key.clone() };
        let work = work();
        tokio::spawn(async move {
            let answer = work.await;
            // Who asks from now on asks anew.
            drop(done);
            sender.send_replace(Some(answer));
        });
        answer
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<K, watch::Receiver<Option<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the work off the list, whatever becomes of it.
struct Done<K: Eq + Hash, V> {
    shared: Arc<Shared<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Done<K, V> {
    fn drop(&mut self) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests;
