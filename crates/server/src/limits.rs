//! How much each client may ask for, so that one of them cannot take what all need: requests in a time, and uploads at once.
//! Memory is bounded whatever clients send: those that were heard last are remembered, and who is forgotten begins anew.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Clients whose requests are counted; some 300 bytes each.
const COUNTED: usize = 32_768;

/// How long an upload waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an operator can choose. By default there are no such limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientLimits {
    /// Requests of one client.
    pub requests: Option<RequestRate>,
    /// Uploads whose content is received from one client at once; more wait for a moment, then are refused.
    pub uploads: Option<NonZeroU32>,
    /// The same from all clients together.
    pub all_uploads: Option<NonZeroU32>,
}

/// Requests of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRate {
    /// On average.
    pub per_second: NonZeroU32,
    /// At once, by one who has been silent for long enough.
    pub burst: NonZeroU32,
}

/// Who is counted as one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    V4(Ipv4Addr),
    /// The first 64 bits of an address of IPv6: within them anyone may choose an address as they like.
    V6([u16; 4]),
    /// Who has signed in, wherever from: a number that this process makes of the name.
    User(u64),
}

impl Client {
    pub(crate) fn named(user: &str) -> Self {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self::User(SEED.hash_one(user))
    }

    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [one, two, three, four, ..] = address.segments();
                Self::V6([one, two, three, four])
            }
        }
    }
}

/// It is too much.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// Too many requests: another one may come after this time.
    Requests { wait: Duration },
    /// Too many uploads of this client at once.
    Uploads,
    /// Too many uploads of all clients at once.
    AllUploads,
}

/// The limits, and who stands where.
#[derive(Debug)]
pub(crate) struct Limits<C: Clock = MonotonicClock> {
    options: ClientLimits,
    requests: Option<Requests<C>>,
    uploads: Option<Places>,
    all_uploads: Option<Arc<Semaphore>>,
}

/// An upload that may be received, until it is dropped.
#[derive(Debug)]
pub(crate) struct UploadPlace<'a> {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_client: Option<Place<'a>>,
}

impl Limits {
    pub(crate) fn new(options: ClientLimits) -> Self {
        Self::by_clock(options, MonotonicClock)
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn by_clock(options: ClientLimits, clock: C) -> Self {
        let places = |most: NonZeroU32| most.get() as usize;
        Self {
            options,
            requests: options.requests.map(|rate| Requests::new(rate, clock)),
            uploads: options.uploads.map(|most| Places::new(places(most))),
            all_uploads: options.all_uploads.map(|most| Arc::new(Semaphore::new(places(most)))),
        }
    }

    pub(crate) fn options(&self) -> &ClientLimits {
        &self.options
    }

    /// Counts a request.
    pub(crate) fn request(&self, client: Client) -> Result<(), TooMuch> {
        self.requests.as_ref().map_or(Ok(()), |requests| requests.count(client))
    }

    /// Waits for a place for an upload, for a while.
    pub(crate) async fn upload(&self, client: Client) -> Result<UploadPlace<'_>, TooMuch> {
        let of_client = match &self.uploads {
            Some(places) => Some(places.take(client).await.ok_or(TooMuch::Uploads)?),
            None => None,
        };
        let of_all = match &self.all_uploads {
            Some(places) => Some(acquired(Arc::clone(places)).await.ok_or(TooMuch::AllUploads)?),
            None => None,
        };
        Ok(UploadPlace { _of_all: of_all, _of_client: of_client })
    }
}

async fn acquired(places: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    tokio::time::timeout(PATIENCE, places.acquire_owned()).await.ok()?.ok()
}

type Counter<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A counter for each client that was heard of late.
struct Requests<C: Clock> {
    quota: Quota,
    clock: C,
    counters: Cache<Client, Arc<Counter<C>>>,
}

impl<C: Clock + Clone> Requests<C> {
    fn new(rate: RequestRate, clock: C) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self { quota, clock, counters: Cache::new(COUNTED) }
    }

    fn count(&self, client: Client) -> Result<(), TooMuch> {
        let counter = self.counters.get_or_insert_with(&client, || {
            Ok::<_, std::convert::Infallible>(Arc::new(RateLimiter::direct_with_clock(
                self.quota,
                self.clock.clone(),
            )))
        });
        let Ok(counter) = counter;
        counter.check().map_err(|until| TooMuch::Requests { wait: until.wait_time_from(self.clock.now()) })
    }
}

impl<C: Clock> std::fmt::Debug for Requests<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Requests").field("quota", &self.quota).finish_non_exhaustive()
    }
}

/// So many places for each client. Only those are held in mind who have one, or wait for one.
#[derive(Debug)]
struct Places {
    each: usize,
    taken: Mutex<HashMap<Client, Arc<Semaphore>>>,
}

/// One of them.
#[derive(Debug)]
struct Place<'a> {
    all: &'a Places,
    client: Client,
    permit: Option<OwnedSemaphorePermit>,
}

impl Places {
    fn new(each: usize) -> Self {
        Self { each, taken: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Client, Arc<Semaphore>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, client: Client) -> Option<Place<'_>> {
        // Whatever becomes of the waiting, the client is forgotten by the last who leaves.
        let mut place = Place { all: self, client, permit: None };
        let of_client =
            Arc::clone(self.lock().entry(client).or_insert_with(|| Arc::new(Semaphore::new(self.each))));
        place.permit = acquired(of_client).await;
        place.permit.is_some().then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.all.lock();
        self.permit = None;
        // Who waits or holds a place has a share in it, and none is made but under this lock.
        if taken.get(&self.client).is_some_and(|places| Arc::strong_count(places) == 1) {
            taken.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests;
