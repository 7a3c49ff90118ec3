//! Fetches of blobs: one for all who ask, into storage and into a window at the same time. Storage sets the pace; where it fails,
//! the rest goes to the readers alone, and nothing is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use apus_registry::{Digest, Error as RegistryError, Hasher, RepositoryName};
use apus_storage::{BoxError, ByteStream, ErrorKind};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, watch};
use tokio::time::{Instant, sleep};

use crate::cache::Cache;
use crate::error::chain;
use crate::records::Kind;
use crate::routes::Target;
use crate::source::Source;
use crate::window::{Memory, Reader, Window};
use crate::{Error, Result, UpstreamError, UpstreamErrorKind};

/// Bytes that all windows may keep together, as long as they are few.
const WINDOW_MEMORY: usize = 32 << 20;
/// Blobs that are fetched at once. Others wait for their turn.
const MOST_FLIGHTS: usize = 64;

/// What a blob is fetched by: the upstream and the digest. Two upstreams never share a fetch: the one must not be able to break
/// the other's.
type Key = (usize, Digest);

/// All fetches under way.
#[derive(Debug)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<Key, Arc<Flight>>>,
    /// Streams that repeat a blob for readers who came too late for the fetch.
    repeats: Mutex<HashMap<Key, Vec<Weak<Window>>>>,
    slots: Semaphore,
    memory: Arc<Memory>,
}

impl Default for Flights {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
            repeats: Mutex::default(),
            slots: Semaphore::new(MOST_FLIGHTS),
            memory: Memory::new(WINDOW_MEMORY),
        }
    }
}

/// A fetch.
#[derive(Debug)]
pub(crate) struct Flight {
    /// For whose sake it was begun.
    pub(crate) repository: RepositoryName,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    flowing: Option<(u64, Arc<Window>)>,
    ended: Option<Result<Ended>>,
}

/// How a fetch ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The blob is in storage, and the repository has it.
    Stored,
    /// All bytes came and were proven, and storage did not take them.
    NotKept,
}

/// What is known of a fetch when its reader begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// So many bytes come, or have come, by this window.
    Flowing(u64, Arc<Window>),
    /// The blob is in storage.
    Stored,
}

impl Flight {
    /// Waits until there is something to read, or the fetch has failed.
    pub(crate) async fn begun(&self) -> Result<Begun> {
        let mut state = self.state.subscribe();
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                State { ended: Some(Ok(Ended::Stored)), .. } => return Ok(Begun::Stored),
                State { ended: Some(Err(error)), .. } => return Err(error),
                State { flowing: Some((size, window)), .. } => return Ok(Begun::Flowing(size, window)),
                State { .. } => {}
            }
            // It cannot be closed: this holds the sender.
            let _ = state.changed().await;
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> Result<Ended> {
        let mut state = self.state.subscribe();
        loop {
            if let Some(ended) = &state.borrow_and_update().ended {
                return ended.clone();
            }
            let _ = state.changed().await;
        }
    }

    fn end(&self, ended: Result<Ended>) {
        self.state.send_modify(|state| {
            if let (Some((_, window)), Err(Error::Upstream(error))) = (&state.flowing, &ended) {
                // As a rule it knows that already.
                window.end(Err(error.clone()));
            }
            state.ended = Some(ended);
        });
    }
}

/// Takes a fetch off the list and ends it, whatever became of its task.
struct Landing {
    flights: Arc<Flights>,
    key: Key,
    flight: Arc<Flight>,
    ended: Option<Result<Ended>>,
}

impl Landing {
    fn land(mut self, ended: Result<Ended>) {
        self.ended = Some(ended);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // Who finds it gone from the list finds it in storage.
        lock(&self.flights.under_way).remove(&self.key);
        let given_up = || {
            let (kind, message) = (UpstreamErrorKind::Unavailable, "the fetch was given up".to_owned());
            Err(UpstreamError { upstream: String::new(), kind, message }.into())
        };
        self.flight.end(self.ended.take().unwrap_or_else(given_up));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    /// The fetch of a blob: the one under way, or a new one. It goes on when nobody waits for it any more.
    pub(crate) fn flight(self: &Arc<Self>, target: &Target, digest: &Digest) -> Arc<Flight> {
        let key = (target.index, digest.clone());
        let mut under_way = lock(&self.flights.under_way);
        if let Some(flight) = under_way.get(&key) {
            return Arc::clone(flight);
        }
        let (state, _) = watch::channel(State::default());
        let flight = Arc::new(Flight { repository: target.local.clone(), state });
        under_way.insert(key.clone(), Arc::clone(&flight));
        drop(under_way);
        let landing =
            Landing { flights: Arc::clone(&self.flights), key, flight: Arc::clone(&flight), ended: None };
        let (cache, target, digest) = (Arc::clone(self), target.clone(), digest.clone());
        tokio::spawn(async move {
            let ended = cache.bring(&landing.flight, &target, &digest).await;
            if let Err(error) = &ended {
                tracing::warn!(repository = %target.local, %digest, %error, "a blob could not be fetched");
            }
            landing.land(ended);
        });
        flight
    }

    async fn bring(&self, flight: &Flight, target: &Target, digest: &Digest) -> Result<Ended> {
        let _slot = self.flights.slots.acquire().await;
        let mut is_damaged = false;
        // Another fetch may have brought it meanwhile.
        match self.registry.blob_info(&target.local, digest).await {
            Ok(_) => return Ok(Ended::Stored),
            Err(RegistryError::BlobUnknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match self.registry.stored_size(digest).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                // Another repository has the bytes. That this one has them, only the upstream can say.
                target.upstream.head_blob(&target.remote, digest).await?;
                if self.registry.mount_blob_from_anywhere(digest, &target.local).await?.is_some() {
                    self.records.keep(target, Kind::Blob, digest).await;
                    return Ok(Ended::Stored);
                }
            }
            Err(RegistryError::Storage(error)) if error.kind() == ErrorKind::Damaged => is_damaged = true,
            Err(error) => return Err(error.into()),
        }
        let source =
            Source::open(Arc::clone(&target.upstream), target.remote.clone(), digest.clone()).await?;
        let (size, window) = (source.size(), Window::new(0, Arc::clone(&self.flights.memory)));
        flight.state.send_modify(|state| state.flowing = Some((size, Arc::clone(&window))));
        let pump = Pump::new(source, digest.clone(), Arc::clone(&window));
        let kept = tokio::select! {
            kept = self.keep(target, digest, size, pump.stream(), is_damaged) => kept.map_err(|error| chain(&error)),
            () = pump.stalled(self.options.write_timeout) => Err("storage takes too long".to_owned()),
        };
        // What storage did not take goes to the readers all the same.
        while let Some(piece) = pump.next().await {
            piece?;
        }
        match kept {
            Ok(()) => {
                self.records.keep(target, Kind::Blob, digest).await;
                Ok(Ended::Stored)
            }
            Err(reason) => {
                tracing::error!(repository = %target.local, %digest, reason, "a fetched blob was not kept");
                Ok(Ended::NotKept)
            }
        }
    }

    /// Takes the bytes into storage on the registry's ordinary ways. Of two, the second replaces what is damaged there.
    async fn keep(
        &self,
        target: &Target,
        digest: &Digest,
        size: u64,
        stream: ByteStream,
        is_damaged: bool,
    ) -> Result<(), RegistryError> {
        if !is_damaged {
            return self.registry.write_whole(&target.local, size, stream, digest).await;
        }
        let position = self.registry.begin_upload(&target.local, digest.algorithm());
        let token = self.registry.upload_token(&position).await?;
        let upload = self.registry.upload(&target.local, position.id().as_str(), Some(&token)).await?;
        self.registry.finish(upload, None, None, stream, digest).await.map(drop)
    }

    /// A reader of a window that repeats the blob for those who came too late: one that is open and has not passed `position`
    /// yet, or a new one. From storage if the blob is there, else from the upstream, proven once more.
    pub(crate) fn repeat(
        self: &Arc<Self>,
        target: &Target,
        digest: &Digest,
        position: u64,
        is_stored: bool,
    ) -> Result<Reader> {
        let key = (target.index, digest.clone());
        let mut repeats = lock(&self.flights.repeats);
        repeats.retain(|_, windows| {
            windows.retain(|window| window.strong_count() > 0);
            !windows.is_empty()
        });
        let open = repeats.entry(key).or_default();
        if let Some(reader) = open.iter().filter_map(Weak::upgrade).find_map(|window| window.join(position)) {
            return Ok(reader);
        }
        let window = Window::new(position, Arc::clone(&self.flights.memory));
        let Some(reader) = window.join(position) else {
            let message = "a new window has passed its beginning".to_owned();
            let upstream = target.upstream.home.authority.clone();
            return Err(UpstreamError { upstream, kind: UpstreamErrorKind::Unavailable, message }.into());
        };
        open.push(Arc::downgrade(&window));
        let (cache, target, digest) = (Arc::clone(self), target.clone(), digest.clone());
        tokio::spawn(async move {
            let ended = if is_stored {
                cache.repeat_stored(&target, &digest, position, &window).await
            } else {
                repeat_fetched(target, digest, position, &window).await
            };
            window.end(ended);
        });
        Ok(reader)
    }

    async fn repeat_stored(
        &self,
        target: &Target,
        digest: &Digest,
        position: u64,
        window: &Window,
    ) -> Result<(), UpstreamError> {
        let failed = |reason: String| {
            let message = format!("what was fetched cannot be read from storage: {reason}");
            target.upstream.home.error(UpstreamErrorKind::Unavailable, message)
        };
        let range = apus_storage::ByteRange::From(position);
        let opened = self.registry.open_blob(&target.local, digest, range).await;
        let mut stream = opened.map_err(|error| failed(chain(&error)))?.stream;
        while let Some(piece) = stream.next().await {
            window.push(piece.map_err(|error| failed(chain(&*error)))?).await;
            if window.end_if_deserted() {
                break;
            }
        }
        Ok(())
    }
}

/// From the first byte, so that all of it is proven; what lies before `position` was sent already.
async fn repeat_fetched(
    target: Target,
    digest: Digest,
    position: u64,
    window: &Window,
) -> Result<(), UpstreamError> {
    let source = Source::open(target.upstream, target.remote, digest.clone()).await?;
    let mut proven = Proven::new(source, digest);
    let mut passed = 0;
    while let Some(piece) = proven.next().await? {
        let skipped = position.saturating_sub(passed).min(piece.len() as u64);
        passed += piece.len() as u64;
        let piece = piece.slice(usize::try_from(skipped).unwrap_or(piece.len())..);
        if !piece.is_empty() {
            window.push(piece).await;
        }
        if window.end_if_deserted() {
            break;
        }
    }
    Ok(())
}

/// The bytes of a source of which the last are given only when all together have the digest.
struct Proven {
    source: Source,
    digest: Digest,
    hasher: Hasher,
    left: u64,
    judged: bool,
}

impl Proven {
    fn new(source: Source, digest: Digest) -> Self {
        let hasher = Hasher::new(digest.algorithm());
        Self { left: source.size(), source, digest, hasher, judged: false }
    }

    /// Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        let piece = self.source.next().await?;
        if let Some(piece) = &piece {
            self.hasher.update(piece);
            self.left = self.left.saturating_sub(piece.len() as u64);
        }
        if self.left == 0 && !self.judged {
            let actual = self.hasher.clone().digest();
            if actual != self.digest {
                let message = format!("the content of {} has the digest {actual}", self.digest);
                return Err(self.source.error(UpstreamErrorKind::Wrong, message));
            }
            self.judged = true;
        }
        Ok(piece)
    }
}

/// Draws from a source, and gives each piece to the window before whoever draws gets it.
#[derive(Clone)]
struct Pump {
    inner: Arc<AsyncMutex<Inner>>,
    /// Since when storage has what it was given.
    with_storage: Arc<Mutex<Option<Instant>>>,
}

struct Inner {
    proven: Proven,
    window: Arc<Window>,
    /// What was drawn and is not in the window yet.
    pending: Option<Bytes>,
    over: Option<Result<(), UpstreamError>>,
}

impl Inner {
    /// Dropping the future loses nothing.
    async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        match &self.over {
            Some(Ok(())) => return None,
            Some(Err(error)) => return Some(Err(error.clone())),
            None => {}
        }
        if self.pending.is_none() {
            match self.proven.next().await {
                Ok(Some(piece)) => self.pending = Some(piece),
                ended => {
                    let ended = ended.map(drop);
                    self.window.end(ended.clone());
                    self.over = Some(ended.clone());
                    return ended.err().map(Err);
                }
            }
        }
        let piece = self.pending.clone()?;
        self.window.push(piece).await;
        self.pending.take().map(Ok)
    }
}

impl Pump {
    fn new(source: Source, digest: Digest, window: Arc<Window>) -> Self {
        let inner = Inner { proven: Proven::new(source, digest), window, pending: None, over: None };
        Self { inner: Arc::new(AsyncMutex::new(inner)), with_storage: Arc::default() }
    }

    async fn next(&self) -> Option<Result<Bytes, UpstreamError>> {
        self.inner.lock().await.next().await
    }

    /// For storage.
    fn stream(&self) -> ByteStream {
        *lock(&self.with_storage) = Some(Instant::now());
        Box::pin(stream::unfold(self.clone(), |pump| async move {
            *lock(&pump.with_storage) = None;
            let piece = pump.next().await;
            *lock(&pump.with_storage) = Some(Instant::now());
            piece.map(|piece| (piece.map_err(BoxError::from), pump))
        }))
    }

    /// Ends when storage has had something for so long without asking for more.
    async fn stalled(&self, limit: Duration) {
        loop {
            let since = *lock(&self.with_storage);
            let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
            match limit.checked_sub(waited) {
                None | Some(Duration::ZERO) => return,
                Some(left) => sleep(left).await,
            }
        }
    }
}
