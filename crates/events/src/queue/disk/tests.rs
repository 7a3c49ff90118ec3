use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use tempfile::TempDir;

use super::*;
use crate::loss::Losses;
use crate::queue::Reports;

fn queue(directory: &TempDir) -> DiskQueue {
    let reports = Reports::of("hook", Arc::new(Losses::of("hook")));
    let journal = Journal::open(directory.path().to_owned(), 1 << 20, reports.clone()).unwrap();
    DiskQueue::start(journal, reports).unwrap()
}

#[tokio::test]
async fn whoever_waits_for_the_first_event_gets_it_when_it_comes() {
    let directory = tempfile::tempdir().unwrap();
    let queue = queue(&directory);
    {
        // Somebody asks, and then goes away.
        let mut asking = pin!(queue.first());
        assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let waiting = async {
        let first = queue.first().await;
        queue.take();
        first
    };
    let pushing = async {
        queue.push(Bytes::from_static(b"one")).unwrap().await.unwrap();
        queue.push(Bytes::from_static(b"two")).unwrap().await.unwrap();
    };
    let (first, ()) = tokio::join!(waiting, pushing);
    assert_eq!((first, queue.first().await), (Bytes::from_static(b"one"), Bytes::from_static(b"two")));
    assert_eq!(queue.len(), 1);
    queue.take();
    assert_eq!(queue.len(), 0);
}

#[tokio::test]
async fn what_was_pushed_is_written_when_the_queue_is_closed_and_nothing_comes_after() {
    let directory = tempfile::tempdir().unwrap();
    let closed = queue(&directory);
    for number in 0..1000 {
        closed.push(Bytes::from(number.to_string()));
    }
    closed.close().await;
    assert!(closed.push(Bytes::from_static(b"late")).is_none());
    assert_eq!(closed.len(), 1000);
    let queue = queue(&directory);
    assert_eq!(queue.len(), 1000);
    for number in 0..1000 {
        assert_eq!(queue.first().await, number.to_string());
        queue.take();
    }
    queue.close().await;
    assert!(directory.path().read_dir().unwrap().next().is_none());
}

/// The word that an event is written comes when another process can read it.
#[tokio::test]
async fn what_is_said_to_be_written_is() {
    let directory = tempfile::tempdir().unwrap();
    let queue = queue(&directory);
    queue.push(Bytes::from_static(b"event")).unwrap().await.unwrap();
    let entry = directory.path().read_dir().unwrap().next().unwrap().unwrap();
    assert!(std::fs::read_to_string(entry.path()).unwrap().ends_with(" event\n"));
}
