//! One token for all: who needs one gets it, whoever it was that signed in.
//!
//! A token is renewed before it ends, by one task, while the old one still serves. One that is refused is dropped and all
//! wait for one new sign-in. After a failed sign-in nobody asks again for a while: an identity service that is down or
//! overloaded does not get better by being asked a thousand times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{AuthError, Grant, SignIn};
use crate::retry::jittered;

/// Renewed when less than this is left of its life, or a fifth of it.
const MARGIN: Duration = Duration::from_mins(1);
/// The wait after a first failed sign-in; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait, unless the service asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Between two sign-ins at least: a token that is refused as soon as it is given is no reason to ask in a loop.
const PACE: Duration = Duration::from_millis(250);
/// The longest wait that the service may ask for and get.
const LONGEST_ASKED: Duration = Duration::from_mins(1);

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
    /// Held by whoever signs in.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    account: Option<Arc<Account>>,
    failure: Option<SignInFailure>,
    renewing: bool,
    /// When somebody signed in last.
    last: Option<Instant>,
}

struct SignInFailure {
    error: Arc<AuthError>,
    wait: Duration,
    until: Instant,
}

impl TokenCell {
    pub(crate) fn new(sign_in: SignIn) -> Self {
        Self(Arc::new(Cell { sign_in, state: Mutex::default(), gate: tokio::sync::Mutex::default() }))
    }

    /// A token that is good, as far as is known.
    pub(crate) async fn account(&self) -> Result<Arc<Account>, Arc<AuthError>> {
        if let Some(account) = self.current() {
            return Ok(account);
        }
        let _gate = self.0.gate.lock().await;
        // Whoever was at the gate before may have it, or may have failed a moment ago.
        if let Some(account) = self.current() {
            return Ok(account);
        }
        if let Some(error) = self.recent_failure() {
            return Err(error);
        }
        self.sign_in().await
    }

    /// This token was refused: nobody is to get it any more.
    pub(crate) fn reject(&self, refused: &Arc<Account>) {
        let mut state = self.state();
        if state.account.as_ref().is_some_and(|account| Arc::ptr_eq(account, refused)) {
            state.account = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present token; sees to it that it is renewed in time.
    fn current(&self) -> Option<Arc<Account>> {
        let mut state = self.state();
        let account = Arc::clone(state.account.as_ref().filter(|account| !account.is_over())?);
        let waiting = state.failure.as_ref().is_some_and(|failure| failure.until > Instant::now());
        if account.is_due() && !state.renewing && !waiting {
            state.renewing = true;
            drop(state);
            let cell = self.clone();
            tokio::spawn(async move {
                let _gate = cell.0.gate.lock().await;
                if let Err(error) = cell.sign_in().await {
                    tracing::warn!(%error, "the token could not be renewed yet; the old one still serves");
                }
                cell.state().renewing = false;
            });
        }
        Some(account)
    }

    fn recent_failure(&self) -> Option<Arc<AuthError>> {
        let state = self.state();
        let failure = state.failure.as_ref().filter(|failure| failure.until > Instant::now())?;
        Some(Arc::clone(&failure.error))
    }

    /// Signs in and keeps the outcome. Only for whoever holds the gate.
    async fn sign_in(&self) -> Result<Arc<Account>, Arc<AuthError>> {
        let last = self.state().last;
        if let Some(last) = last {
            tokio::time::sleep_until(last + PACE).await;
        }
        let asked = Instant::now();
        let outcome = self.0.sign_in.sign_in().await;
        let mut state = self.state();
        state.last = Some(asked);
        match outcome {
            Ok(grant) => {
                let account = Arc::new(Account::new(grant, asked));
                state.account = Some(Arc::clone(&account));
                state.failure = None;
                Ok(account)
            }
            Err(error) => {
                let wait =
                    state.failure.as_ref().map_or(FIRST_WAIT, |last| (last.wait * 2).min(LONGEST_WAIT));
                let asked = match &error {
                    AuthError::NotNow { retry_after: Some(asked), .. } => (*asked).min(LONGEST_ASKED),
                    _ => Duration::ZERO,
                };
                let error = Arc::new(error);
                let until = Instant::now() + jittered(wait).max(asked);
                state.failure = Some(SignInFailure { error: Arc::clone(&error), wait, until });
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
    fn no_debug_output_shows_a_token() {
        let grant = Grant { token: "s3cret".into(), storage_url: "http://h".to_owned(), life: None };
        assert!(!format!("{:?}", Account::new(grant, Instant::now())).contains("s3cret"));
    }
}
