//! A queue in files. A thread of its own works on them, in the order in which it is asked: nobody else waits for the disk.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Reports;
use super::journal::Journal;

/// After so long what was added is on the disk itself, so that it outlives the machine.
const SYNC: Duration = Duration::from_secs(1);
/// Bytes of events that wait to be written; more come only where the disk has stopped.
const MOST_IN_HAND: u64 = 16 << 20;
/// From so many events that wait to be written on, nobody waits for them: the disk is slow, and requests are not to be.
const WAITED_FOR: u64 = 4096;

#[derive(Debug)]
pub(crate) struct DiskQueue {
    /// `None` when the thread is to end.
    orders: Mutex<Option<Sender<Order>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    shared: Arc<Shared>,
    reports: Reports,
}

/// What the thread tells of itself.
#[derive(Debug, Default)]
struct Shared {
    /// Events that wait, written or not.
    events: AtomicU64,
    /// Of these, not written yet.
    in_hand: AtomicU64,
    bytes_in_hand: AtomicU64,
}

#[derive(Debug)]
enum Order {
    Append(Bytes, oneshot::Sender<()>),
    First(oneshot::Sender<Bytes>),
    Take,
}

impl DiskQueue {
    pub(crate) fn start(journal: Journal, reports: Reports) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let (ends, ended) = oneshot::channel();
        let shared = Arc::new(Shared { events: journal.events().into(), ..Shared::default() });
        let worker = Worker { journal, shared: Arc::clone(&shared), reports: reports.clone(), asking: None };
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            worker.work(&receiver);
            // Who does not wait for it does not want to know.
            let _ = ends.send(());
        })?;
        Ok(Self { orders: Some(sender).into(), ended: Some(ended).into(), shared, reports })
    }

    pub(crate) fn push(&self, event: Bytes) -> Option<oneshot::Receiver<()>> {
        let length = event.len() as u64;
        if self.shared.bytes_in_hand.fetch_add(length, Ordering::Relaxed) + length > MOST_IN_HAND {
            self.shared.bytes_in_hand.fetch_sub(length, Ordering::Relaxed);
            self.reports.losses.add(1, &"notifications.queue.directory does not keep up: see to that disk");
            return None;
        }
        let in_hand = self.shared.in_hand.fetch_add(1, Ordering::Relaxed);
        self.shared.events.fetch_add(1, Ordering::Relaxed);
        let (done, written) = oneshot::channel();
        if !self.order(Order::Append(event, done)) {
            self.shared.events.fetch_sub(1, Ordering::Relaxed);
            self.reports.losses.add(1, &"this process is about to end");
            return None;
        }
        (in_hand < WAITED_FOR).then_some(written)
    }

    pub(crate) async fn first(&self) -> Bytes {
        let (asking, answer) = oneshot::channel();
        if self.order(Order::First(asking))
            && let Ok(event) = answer.await
        {
            return event;
        }
        // The queue is closed, and there is nothing more to come.
        std::future::pending().await
    }

    pub(crate) fn take(&self) {
        self.shared.events.fetch_sub(1, Ordering::Relaxed);
        self.order(Order::Take);
    }

    pub(crate) fn len(&self) -> u64 {
        self.shared.events.load(Ordering::Relaxed)
    }

    /// Tells of what nobody takes for now.
    pub(crate) fn stay(&self) {
        let left = self.len();
        if left > 0 {
            tracing::warn!(
                endpoint = self.reports.endpoint,
                events = left,
                "these events are for an endpoint that is configured no more; they stay in notifications.queue.directory until \
                 it is configured again, or you delete them"
            );
        }
    }

    /// Until all that was pushed is written.
    pub(crate) async fn close(&self) {
        self.orders().take();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = ended {
            // A disk that has stopped does not keep the process.
            let _ = tokio::time::timeout(SYNC, ended).await;
        }
        let left = self.len();
        if left > 0 {
            tracing::info!(endpoint = self.reports.endpoint, events = left, "events wait for the next start");
        }
    }

    /// Answers whether the thread is still there to be asked.
    fn order(&self, order: Order) -> bool {
        self.orders().as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }

    fn orders(&self) -> MutexGuard<'_, Option<Sender<Order>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread.
struct Worker {
    journal: Journal,
    shared: Arc<Shared>,
    reports: Reports,
    /// Who wants the first event, while there is none.
    asking: Option<oneshot::Sender<Bytes>>,
}

impl Worker {
    fn work(mut self, orders: &Receiver<Order>) {
        let syncer = Syncer::start();
        let mut unsaved_since: Option<Instant> = None;
        loop {
            let order = match unsaved_since {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => orders.recv_timeout(SYNC.saturating_sub(since.elapsed())),
            };
            match order {
                Ok(Order::Append(event, done)) => {
                    self.append(&event);
                    unsaved_since.get_or_insert_with(Instant::now);
                    // A request that has gone away is not told.
                    let _ = done.send(());
                }
                Ok(Order::First(asking)) => self.asking = Some(asking),
                Ok(Order::Take) => self.journal.take(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.answer();
            if unsaved_since.is_some_and(|since| since.elapsed() >= SYNC) {
                let synced = syncer.as_ref().is_none_or(|syncer| syncer.take(self.unsaved()));
                unsaved_since = (!synced).then(Instant::now);
            }
        }
        self.unsaved().into_iter().flatten().for_each(|file| sync(&file));
    }

    fn unsaved(&self) -> Option<[File; 2]> {
        self.journal.unsaved().unwrap_or_else(|error| {
            warn_of_sync(&error);
            None
        })
    }

    fn append(&mut self, event: &Bytes) {
        match self.journal.append(event) {
            Ok(()) => self.reports.losses.over(),
            Err(refused) => {
                self.shared.events.fetch_sub(1, Ordering::Relaxed);
                self.reports.losses.add(1, &refused);
            }
        }
        self.shared.in_hand.fetch_sub(1, Ordering::Relaxed);
        self.shared.bytes_in_hand.fetch_sub(event.len() as u64, Ordering::Relaxed);
    }

    /// Whoever asks for the first event gets it, if there is one. It stays the first, also where nobody waits any more.
    fn answer(&mut self) {
        if let Some(asking) = self.asking.take() {
            let waiting = self.journal.events();
            match self.journal.first() {
                Some(event) => drop(asking.send(event)),
                None => self.asking = Some(asking),
            }
            // What could not be read does not wait any more.
            self.shared.events.fetch_sub(waiting.saturating_sub(self.journal.events()), Ordering::Relaxed);
        }
    }
}

/// Another thread, which waits for the disk, so that who adds events does not.
struct Syncer(SyncSender<[File; 2]>);

impl Syncer {
    /// `None` where there can be no other thread: then the system decides when the disk gets what was added.
    fn start() -> Option<Self> {
        let (sender, receiver) = sync_channel::<[File; 2]>(1);
        let work = move || receiver.iter().flatten().for_each(|file| sync(&file));
        thread::Builder::new().name("events-sync".to_owned()).spawn(work).ok()?;
        Some(Self(sender))
    }

    /// Answers whether they will be synced: `false` while others still are.
    fn take(&self, files: Option<[File; 2]>) -> bool {
        files.is_none_or(|files| self.0.try_send(files).is_ok())
    }
}

fn sync(file: &File) {
    if let Err(error) = file.sync_all() {
        warn_of_sync(&error);
    }
}

fn warn_of_sync(error: &io::Error) {
    tracing::warn!(%error, "notifications.queue.directory cannot be synced: events may not outlive the machine");
}

#[cfg(test)]
mod tests;
