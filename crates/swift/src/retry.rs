//! When to try again, and when to give up.

use std::time::Duration;

use apus_http_client::{Error, Stage};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

/// Tries of one request, the first included.
const TRIES: u32 = 4;
/// The pause after the first try; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest wait that a server may ask for and get.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// No try begins later than this after the first.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Tries {
    begun: Instant,
    made: u32,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), made: 1 }
    }

    /// How many were made, the present one included.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// How long to pause before one more; `None` when it is time to give up.
    pub(crate) fn another(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let own = jittered(FIRST_PAUSE * 2_u32.pow(self.made - 1));
        let pause = asked.map_or(own, |asked| asked.max(own));
        let late = self.begun.elapsed() + pause > PATIENCE;
        if self.made >= TRIES || pause > LONGEST_PAUSE || late {
            return None;
        }
        self.made += 1;
        Some(pause)
    }
}

/// Three quarters to five quarters of it, so that those who failed together do not come back together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + rand::random::<f64>() / 2.0)
}

/// An answer that another try may better.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    // 498: Swift's rate limit. 499: Swift believes that we went away.
    matches!(status.as_u16(), 408 | 429 | 498..=500 | 502..=504)
}

/// A failure to get an answer that another try may better. The caller's own failures are none, and where there was no
/// answer for minutes another try would be as long.
pub(crate) fn is_passing(error: &Error) -> bool {
    matches!(
        error,
        Error::Connect { .. } | Error::Broken { .. } | Error::Timeout { stage: Stage::Connect, .. }
    )
}

/// What the server asks us to wait. The form with a date is not used by Swift or Keystone, and counts as none.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pauses_grow_and_end() {
        let mut tries = Tries::new();
        let mut pauses = Vec::new();
        while let Some(pause) = tries.another(None) {
            pauses.push(pause.as_millis());
        }
        assert_eq!(tries.made(), TRIES);
        for (pause, middle) in pauses.iter().zip([200, 400, 800]) {
            assert!((middle * 3 / 4..=middle * 5 / 4).contains(pause), "{pauses:?}");
        }
    }

    #[tokio::test]
    async fn a_short_wait_is_granted_and_a_long_one_is_not() {
        assert_eq!(Tries::new().another(Some(Duration::from_secs(2))), Some(Duration::from_secs(2)));
        assert_eq!(Tries::new().another(Some(Duration::from_mins(1))), None);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_tries_for_ever() {
        let mut tries = Tries::new();
        tokio::time::advance(PATIENCE).await;
        assert_eq!(tries.another(None), None);
    }
}
