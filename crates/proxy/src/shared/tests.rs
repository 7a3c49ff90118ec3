use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::*;

#[tokio::test]
async fn all_who_ask_meanwhile_get_one_answer() {
    let (shared, gate, times) =
        (Arc::new(Shared::default()), Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let work = || {
        let (gate, times) = (Arc::clone(&gate), Arc::clone(&times));
        async move {
            let time = times.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            time
        }
    };
    let (answers, ()) =
        tokio::join!(join_all((0..10).map(|_| shared.get("a", work))), async { gate.add_permits(1) });
    assert_eq!(answers, vec![0; 10]);
    gate.add_permits(1);
    assert_eq!(shared.get("a", work).await, 1);
    assert!(shared.under_way().is_empty());
}
