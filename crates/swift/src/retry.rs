//! When to try again, and when to give up.

use std::time::{Duration, SystemTime};

use apus_http_client::{Error, Stage};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

/// The pause after the first try; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause, and the longest wait that a server may ask for and get.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long to go on with one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    /// Tries, the first included.
    pub(crate) tries: u32,
    /// For all of them together.
    pub(crate) total: Duration,
}

impl Default for RetryPolicy {
    /// For signing in.
    fn default() -> Self {
        Self { tries: 4, total: Duration::from_secs(30) }
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Tries {
    policy: RetryPolicy,
    begun: Instant,
    made: u32,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self::by(RetryPolicy::default())
    }

    pub(crate) fn by(policy: RetryPolicy) -> Self {
        Self { policy, begun: Instant::now(), made: 1 }
    }

    /// How many were made, the present one included.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// What is left of the time for all of them.
    pub(crate) fn left(&self) -> Duration {
        self.policy.total.saturating_sub(self.begun.elapsed())
    }

    /// How long to pause before one more; `None` when it is time to give up.
    pub(crate) fn another(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let doublings = (self.made - 1).min(16);
        let own = jittered((FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE));
        let pause = asked.map_or(own, |asked| asked.max(own));
        let too_long = asked.is_some_and(|asked| asked > LONGEST_PAUSE) || pause >= self.left();
        if self.made >= self.policy.tries || too_long {
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
    // 498: Swift's rate limit. 499: Swift believes that we went away. 507: another disk may have room.
    matches!(status.as_u16(), 408 | 429 | 498..=500 | 502..=504 | 507)
}

/// A failure to get an answer that another try may better. The caller's own failures are none, and where there was no
/// answer for minutes another try would be as long.
pub(crate) fn is_passing(error: &Error) -> bool {
    matches!(
        error,
        Error::Connect { .. } | Error::Broken { .. } | Error::Timeout { stage: Stage::Connect, .. }
    )
}

/// What the server asks us to wait, as seconds or as a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
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
        assert_eq!(tries.made(), RetryPolicy::default().tries);
        for (pause, middle) in pauses.iter().zip([200, 400, 800]) {
            assert!((middle * 3 / 4..=middle * 5 / 4).contains(pause), "{pauses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_tries_do_not_end_in_endless_pauses() {
        let mut tries = Tries::by(RetryPolicy { tries: u32::MAX, total: Duration::from_hours(1) });
        for _ in 0..100 {
            assert!(tries.another(None).unwrap() <= LONGEST_PAUSE.mul_f64(1.25));
        }
    }

    #[tokio::test]
    async fn one_try_is_no_repetition() {
        assert_eq!(Tries::by(RetryPolicy { tries: 1, ..RetryPolicy::default() }).another(None), None);
    }

    #[tokio::test]
    async fn a_short_wait_is_granted_and_a_long_one_is_not() {
        let asked = |wait| Tries::new().another(Some(wait));
        assert_eq!(asked(Duration::from_secs(2)), Some(Duration::from_secs(2)));
        assert_eq!(asked(Duration::from_mins(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_tries_for_ever() {
        let mut tries = Tries::new();
        tokio::time::advance(RetryPolicy::default().total).await;
        assert_eq!((tries.left(), tries.another(None)), (Duration::ZERO, None));
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked(" 7 "), Some(Duration::from_secs(7)));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_mins(2));
        let wait = asked(&later).unwrap();
        assert!((90..=120).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(asked("Thu, 01 Jan 1970 00:00:07 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
    }
}
