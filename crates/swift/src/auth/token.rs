//! One token for all: who needs one gets it, whoever it was that signed in.
//!
//! At most one sign-in is under way: a task of its own, for which all wait who have to, and which goes on when they no
//! longer do. A token is renewed before it ends, while the old one still serves. One that is refused is dropped. After a
//! failed sign-in nobody asks again for a while: an identity service that is down or overloaded does not get better by being
//! asked a thousand times, and one that was told a wrong password often enough locks the user out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{AuthError, Grant, SignIn};
use crate::config::AuthVersion;
use crate::retry::jittered;

/// Renewed when less than this is left of its life, or a fifth of it.
const MARGIN: Duration = Duration::from_mins(1);
/// Between two sign-ins at least: a token that is refused as soon as it is given is no reason to ask in a loop.
const PACE: Duration = Duration::from_millis(250);
/// After a 403 that was taken for a token's end and was none, no other is for so long: most say that the user may not do
/// something.
const DOUBT_PAUSE: Duration = Duration::from_mins(1);
/// The longest wait that the service may ask for and get.
const LONGEST_ASKED: Duration = Duration::from_mins(5);

/// The wait after the first failed sign-in, and the longest one: each is twice as long as the one before.
fn waits(error: &AuthError) -> (Duration, Duration) {
    match error {
        // Each try counts towards a lock-out (Keystone: security_compliance.lockout_failure_attempts).
        AuthError::Refused { .. } => (Duration::from_secs(5), Duration::from_mins(2)),
        _ => (Duration::from_secs(1), Duration::from_secs(15)),
    }
}

/// A token, and what it is for.
#[derive(Debug)]
pub(crate) struct Account {
    token: SecretString,
    storage_url: String,
    term: Option<Term>,
}

/// When a token ends, and when to see about the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Term {
    renew: Instant,
    end: Instant,
}

impl Term {
    /// A short life is used up to its half at least: some clouds give out the same token until it ends, and asking for it
    /// again and again would not make it last. They also count in whole seconds, so that the last one is said to be none.
    fn new(from: Instant, life: Duration) -> Self {
        let life = life.max(Duration::from_secs(1));
        let early = life.saturating_sub(MARGIN.max(life / 5));
        Self { renew: from + early.max(life / 2).max(Duration::from_secs(1)), end: from + life }
    }
}

impl Account {
    fn new(grant: Grant, asked: Instant) -> Self {
        let term = grant.life.map(|life| Term::new(asked, life));
        Self { token: grant.token, storage_url: grant.storage_url, term }
    }

    pub(crate) fn token(&self) -> &str {
        self.token.expose_secret()
    }

    /// Without a slash at its end.
    pub(crate) fn storage_url(&self) -> &str {
        &self.storage_url
    }

    /// How long the token is still good for, where that is known.
    pub(crate) fn life_left(&self) -> Option<Duration> {
        self.term.map(|term| term.end.saturating_duration_since(Instant::now()))
    }

    fn is_over(&self) -> bool {
        self.term.is_some_and(|term| term.end <= Instant::now())
    }

    fn is_due(&self) -> bool {
        self.term.is_some_and(|term| term.renew <= Instant::now())
    }
}

/// The one place where the token is.
#[derive(Clone)]
pub(crate) struct TokenCell(Arc<Cell>);

struct Cell {
    sign_in: SignIn,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    account: Option<Arc<Account>>,
    failure: Option<SignInFailure>,
    /// The sign-in that is under way.
    flight: Option<Flight>,
    /// When the last sign-in began.
    last: Option<Instant>,
    /// When a 403 was last taken for the end of a token.
    doubted: Option<Instant>,
}

/// What a sign-in led to.
type Outcome = Result<Arc<Account>, Arc<AuthError>>;
type Flight = Shared<BoxFuture<'static, Outcome>>;

struct SignInFailure {
    error: Arc<AuthError>,
    wait: Duration,
    until: Instant,
}

impl State {
    fn is_current(&self, account: &Arc<Account>) -> bool {
        self.account.as_ref().is_some_and(|current| Arc::ptr_eq(current, account))
    }

    /// The failure for which nobody is to ask again yet.
    fn recent_failure(&self) -> Option<Arc<AuthError>> {
        let failure = self.failure.as_ref().filter(|failure| failure.until > Instant::now())?;
        Some(Arc::clone(&failure.error))
    }

    fn keep_failure(&mut self, error: AuthError) -> Arc<AuthError> {
        let (first, longest) = waits(&error);
        let wait = self.failure.as_ref().map_or(first, |last| (last.wait * 2).clamp(first, longest));
        let asked = match &error {
            AuthError::NotNow { retry_after: Some(asked), .. } => (*asked).min(LONGEST_ASKED),
            _ => Duration::ZERO,
        };
        let error = Arc::new(error);
        let until = Instant::now() + jittered(wait).max(asked);
        self.failure = Some(SignInFailure { error: Arc::clone(&error), wait, until });
        error
    }
}

impl TokenCell {
    pub(crate) fn new(sign_in: SignIn) -> Self {
        Self(Arc::new(Cell { sign_in, state: Mutex::default() }))
    }

    /// The version of the sign-in, once that is known.
    pub(crate) fn version(&self) -> Option<AuthVersion> {
        self.0.sign_in.version()
    }

    /// A token that is good, as far as is known.
    pub(crate) async fn account(&self) -> Outcome {
        let flight = {
            let mut state = self.state();
            if let Some(account) = state.account.clone().filter(|account| !account.is_over()) {
                if account.is_due() && state.recent_failure().is_none() {
                    // It goes on by itself.
                    drop(self.board(&mut state));
                }
                return Ok(account);
            }
            match state.recent_failure() {
                Some(error) if state.flight.is_none() => return Err(error),
                _ => self.board(&mut state),
            }
        };
        flight.await
    }

    /// This token was refused: nobody is to get it any more.
    pub(crate) fn reject(&self, refused: &Arc<Account>) {
        let mut state = self.state();
        if state.is_current(refused) {
            state.account = None;
        }
    }

    /// Whether there is another token than this one, which was answered 403: some Ceph RGW say so when it has expired. If
    /// need be somebody signs in, but not often; this token stays in use until there is a better one.
    pub(crate) async fn another_than(&self, doubtful: &Arc<Account>) -> bool {
        let flight = {
            let mut state = self.state();
            if !state.is_current(doubtful) {
                return true;
            }
            if state.flight.is_none() {
                let again = state.doubted.is_some_and(|time| time.elapsed() < DOUBT_PAUSE);
                if again || state.recent_failure().is_some() {
                    return false;
                }
                state.doubted = Some(Instant::now());
            }
            self.board(&mut state)
        };
        flight.await.is_ok()
    }

    /// What was answered 403 with one token was done with [another](Self::another_than): the doubt was right.
    pub(crate) fn was_over(&self) {
        self.state().doubted = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the sign-in that is under way, or begins one.
    fn board(&self, state: &mut State) -> Flight {
        // One that has landed and is still here was cut off.
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.peek().is_none()) {
            return flight.clone();
        }
        let cell = self.clone();
        let task = tokio::spawn(async move { cell.sign_in().await });
        let flight = task.map(|ended| ended.unwrap_or_else(|_| Err(Arc::new(AuthError::CutOff))));
        let flight = flight.boxed().shared();
        state.flight = Some(flight.clone());
        flight
    }

    /// Signs in and keeps the outcome.
    async fn sign_in(&self) -> Outcome {
        let last = self.state().last;
        if let Some(last) = last {
            tokio::time::sleep_until(last + PACE).await;
        }
        let asked = Instant::now();
        self.state().last = Some(asked);
        let outcome = self.0.sign_in.sign_in().await;
        let told = match &outcome {
            Ok(_) => "signed_in",
            Err(AuthError::Refused { .. }) => "refused",
            Err(_) => "failed",
        };
        metrics::counter!("apus_swift_sign_ins_total", "outcome" => told).increment(1);
        let mut state = self.state();
        state.flight = None;
        match outcome {
            Ok(grant) => {
                let account = Arc::new(Account::new(grant, asked));
                state.account = Some(Arc::clone(&account));
                state.failure = None;
                Ok(account)
            }
            Err(error) => {
                let error = state.keep_failure(error);
                if state.account.as_ref().is_some_and(|account| !account.is_over()) {
                    let report = &*error as &dyn std::error::Error;
                    tracing::warn!(error = report, "no new token yet; the old one still serves");
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_early_but_not_all_the_time() {
        let seconds = Duration::from_secs;
        // Life, and when it is renewed.
        let cases = [(86_400, 69_120), (3600, 2880), (200, 140), (100, 50), (60, 30), (2, 1), (1, 1), (0, 1)];
        for (life, renewed) in cases {
            let from = Instant::now();
            let term = Term::new(from, seconds(life));
            assert_eq!(
                term,
                Term { renew: from + seconds(renewed), end: from + seconds(life.max(1)) },
                "{life}"
            );
        }
    }

    #[test]
    fn waits_grow_are_longest_after_a_refusal_and_never_shorter_than_what_was_asked() {
        let status = http::StatusCode::UNAUTHORIZED;
        let refused = || AuthError::Refused {
            url: String::new(),
            who: String::new(),
            status,
            reason: String::new(),
            advice: "",
        };
        let busy = |seconds| AuthError::NotNow {
            url: String::new(),
            status,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let waits = |errors: Vec<AuthError>| -> Vec<u64> {
            let mut state = State::default();
            let wait = |error| {
                state.keep_failure(error);
                state.failure.as_ref().map_or(Duration::ZERO, |failure| failure.wait).as_secs()
            };
            errors.into_iter().map(wait).collect()
        };
        let cut_off = || AuthError::CutOff;
        assert_eq!(waits((0..7).map(|_| cut_off()).collect()), [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(waits((0..7).map(|_| refused()).collect()), [5, 10, 20, 40, 80, 120, 120]);
        assert_eq!(waits(vec![cut_off(), refused(), cut_off()]), [1, 5, 10]);

        for (asked, granted) in [(30, 30), (100_000, 300)] {
            let mut state = State::default();
            let begun = Instant::now();
            state.keep_failure(busy(asked));
            let until = state.failure.unwrap().until - begun;
            assert!((granted..granted + 5).contains(&until.as_secs()), "{until:?}");
        }
    }

    #[test]
    fn no_debug_output_shows_a_token() {
        let grant = Grant { token: "s3cret".into(), storage_url: "http://h".to_owned(), life: None };
        assert!(!format!("{:?}", Account::new(grant, Instant::now())).contains("s3cret"));
    }
}
