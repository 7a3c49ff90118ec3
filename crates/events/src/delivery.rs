//! Delivery to one endpoint: the first event is sent until it is taken, then the next. Nothing is given up, so the order is kept;
//! an endpoint that fails is left in peace for a time that grows.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::watch;

use crate::queue::Queue;
use crate::receiver::Receiver;

/// The pause after a first failure; it doubles with each, up to the configured one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// No pause grows beyond this, unless a longer one is configured.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What a delivery is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Deliver,
    /// End: what waits is tried once more, as long as that goes well.
    LastTries,
    /// End after the event that is being sent.
    Stop,
}

/// Delivers until it is ordered to end.
pub(crate) async fn deliver(receiver: Receiver, queue: Arc<Queue>, mut orders: watch::Receiver<Order>) {
    let mut failures: u32 = 0;
    loop {
        let order = *orders.borrow();
        match order {
            Order::Stop => return,
            Order::LastTries if queue.len() == 0 => return,
            Order::LastTries | Order::Deliver => {}
        }
        let event = tokio::select! {
            event = queue.first() => event,
            () = changed(&mut orders) => continue,
        };
        match receiver.send(&event).await {
            Ok(()) => {
                queue.take();
                if failures > 0 {
                    tracing::info!(
                        endpoint = receiver.name(),
                        failures,
                        waiting = queue.len(),
                        "the endpoint takes events again"
                    );
                    failures = 0;
                }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let threshold = receiver.threshold();
                // Once at the beginning of a run, then each time that it is tried after a pause.
                if failures == 1 || failures >= threshold {
                    tracing::warn!(endpoint = receiver.name(), error = %error.report(), failures, waiting = queue.len(), "the endpoint does not take events");
                }
                if order == Order::LastTries {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(pause(failures, threshold, receiver.backoff())) => {}
                    () = changed(&mut orders) => {}
                }
            }
        }
    }
}

/// Until there is another order. Where nobody can give one any more, nobody does.
async fn changed(orders: &mut watch::Receiver<Order>) {
    if orders.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// How long an endpoint is left in peace: short below the threshold, then `backoff` and twice as long each time. A quarter more at
/// random, so that replicas do not come back all at once.
fn pause(failures: u32, threshold: u32, backoff: Duration) -> Duration {
    let doubled = |first: Duration, times: u32| first.saturating_mul(2_u32.saturating_pow(times));
    let pause = match failures.checked_sub(threshold) {
        None => doubled(FIRST_PAUSE, failures.saturating_sub(1)).min(backoff),
        Some(beyond) => doubled(backoff, beyond).min(LONGEST_PAUSE.max(backoff)),
    };
    pause.saturating_add(pause.mul_f64(rand::rng().random_range(0.0..0.25)))
}

#[cfg(test)]
mod tests;
