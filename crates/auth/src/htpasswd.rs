//! Users and hashed passwords in a file, as Apache's `htpasswd -B` writes it. Passwords are hashed off the event loop, so many
//! at once and no more; what was right is remembered for a moment, by a keyed hash that means nothing elsewhere.

mod entries;

use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret as _, SecretSlice};
use tokio::sync::Semaphore;

use self::entries::Entries;
use crate::Identity;
use crate::authorization::BasicCredentials;
use crate::watched::{FileError, Parsed, Watched};

/// The largest file, in bytes: some 50,000 users.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// How long a right password is remembered.
const REMEMBERED: Duration = Duration::from_mins(1);

/// How many right passwords are remembered; some 100 bytes each.
const REMEMBERED_ENTRIES: usize = 4096;

/// How many may wait for each that is being hashed.
const WAITING_FOR_EACH: usize = 32;

/// The users in a file.
#[derive(Debug)]
pub struct Htpasswd {
    file: Watched<Users>,
    /// Each permit is a password that is being hashed.
    hashing: Arc<Semaphore>,
    /// Each permit is a password that is being hashed or waits for it.
    waiting: Semaphore,
}

/// Why nothing can be said about a password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// There is no such user, or the password is another. Which of them, nobody is told, nor shown by the time it took.
    #[error("the user or the password is wrong")]
    Wrong,
    /// So many passwords wait to be checked that this one was not. Try again in a moment.
    #[error("too many passwords wait to be checked; try again in a moment")]
    Busy,
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// One reading of the file, and what was found right in it.
#[derive(Debug)]
struct Users {
    entries: Arc<Entries>,
    remembered: Cache<[u8; 32], Instant>,
    key: hmac::Key,
}

impl Htpasswd {
    /// Reads the file. Lines that are broken are passed over; [`Htpasswd::complaints`] tells which. No file is made where there
    /// is none, nor a user where there is nobody.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        // One processor is left to those who are in already.
        let at_once =
            available_parallelism().map_or(1, |processors| processors.get().saturating_sub(1).max(1));
        Ok(Self {
            file: Watched::open(path, MAX_FILE_BYTES, Users::read)?,
            hashing: Arc::new(Semaphore::new(at_once)),
            waiting: Semaphore::new(at_once * (1 + WAITING_FOR_EACH)),
        })
    }

    /// Lines that were passed over when the file was read last, by their numbers, and why. They hold nothing of the lines.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.file.complaints()
    }

    /// Whether there is such a user, in the file as it was a second ago at the most.
    pub(crate) async fn knows(&self, user: &str) -> Result<bool, FileError> {
        Ok(self.file.get().await?.value.entries.knows(user))
    }

    /// Checks a password, against the file as it was a second ago at the most.
    pub async fn verify(&self, credentials: &BasicCredentials) -> Result<Identity, PasswordError> {
        let file = self.file.get().await?;
        let users = &file.value;
        let known = users.known_as(credentials);
        // Of several requests that come with the same password at once, one hashes and the others wait for it.
        let turn = loop {
            match users.remembered.get_value_or_guard_async(&known).await {
                Ok(since) if since.elapsed() < REMEMBERED => {
                    return Ok(Identity::user(credentials.user(), Vec::new()));
                }
                Ok(stale) => drop(users.remembered.remove_if(&known, |since| *since == stale)),
                Err(turn) => break turn,
            }
        };
        self.hash(&users.entries, credentials).await?;
        // It may have been pushed out meanwhile; then it is hashed again the next time.
        let _ = turn.insert(Instant::now());
        Ok(Identity::user(credentials.user(), Vec::new()))
    }

    async fn hash(
        &self,
        entries: &Arc<Entries>,
        credentials: &BasicCredentials,
    ) -> Result<(), PasswordError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| PasswordError::Busy)?;
        let permit = Arc::clone(&self.hashing).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let (entries, user) = (Arc::clone(entries), credentials.user().to_owned());
        let password = SecretSlice::from(credentials.password().to_vec());
        let right = tokio::task::spawn_blocking(move || {
            // Whoever asked may be gone by now; the processor is not.
            let _permit = permit;
            entries.verify(&user, password.expose_secret())
        })
        .await;
        match right {
            Ok(true) => Ok(()),
            Ok(false) => Err(PasswordError::Wrong),
            // The program is about to end.
            Err(_) => Err(PasswordError::Busy),
        }
    }
}

impl Users {
    fn read(content: &[u8]) -> Result<Parsed<Self>, String> {
        let (entries, complaints) = Entries::parse(content);
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| "the system has no random numbers".to_owned())?;
        let remembered = Cache::new(REMEMBERED_ENTRIES);
        Ok(Parsed { value: Self { entries: Arc::new(entries), remembered, key }, complaints })
    }

    /// The name under which these credentials are remembered. A name holds no colon, so no two credentials share one.
    fn known_as(&self, credentials: &BasicCredentials) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(credentials.user().as_bytes());
        context.update(b":");
        context.update(credentials.password());
        let mut name = [0; 32];
        for (to, from) in name.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        name
    }
}

#[cfg(test)]
mod tests;
