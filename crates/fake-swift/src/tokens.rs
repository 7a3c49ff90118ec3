//! The tokens given out, and who a token stands for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName};

use crate::answer::md5_hex;
use crate::keystone::Who;

pub(crate) const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const X_STORAGE_TOKEN: HeaderName = HeaderName::from_static("x-storage-token");

/// How TempAuth's tokens begin, and how it knows that a bad one was meant for it.
const TEMPAUTH_PREFIX: &str = "AUTH_tk";

/// How the tokens of Ceph's gateway begin.
pub(crate) const GATEWAY_PREFIX: &str = "AUTH_rgwtk";

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The user, with a token for the project that owns this account.
    Project(String),
    /// Someone with a temporary URL to an object of this account, which may consist of what is in this container; of
    /// anything in the account if none is named.
    Guest { account: String, container: Option<String> },
    /// The user, with a token for no project.
    NoProject,
    /// A bad token of TempAuth's form. TempAuth refuses the request itself, before any other part of Swift.
    Rejected,
    /// No token, or a bad one of any other form. As behind Keystone, each part of Swift goes on until it has to
    /// know who asks, which is why a bulk request can answer 200 and have the 401 inside.
    Anonymous,
}

/// The token that a request came with, good or bad.
pub(crate) fn sent_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(X_AUTH_TOKEN).or_else(|| headers.get(X_STORAGE_TOKEN))?.to_str().ok()
}

#[derive(Debug)]
struct Token {
    who: Who,
    account: Option<String>,
    expires: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_text: BTreeMap<String, Token>,
    tempauth: Option<String>,
}

impl Tokens {
    /// TempAuth's token for `account`, the one already given out as long as it is good, and how long that is.
    pub(crate) fn tempauth(&mut self, account: &str, life: Duration) -> (String, Duration) {
        if let Some(text) = &self.tempauth
            && let Some(token) = self.by_text.get(text)
            && let Some(left) = token.expires.checked_duration_since(Instant::now())
        {
            return (text.clone(), left);
        }
        let text = self.give(TEMPAUTH_PREFIX, Who::User, Some(account.to_owned()), life);
        self.tempauth = Some(text.clone());
        (text, life)
    }

    /// A new token of the gateway's for `account`.
    pub(crate) fn gateway(&mut self, account: &str, life: Duration) -> String {
        self.give(GATEWAY_PREFIX, Who::User, Some(account.to_owned()), life)
    }

    /// A new token of Keystone's, for `account` or for no project.
    pub(crate) fn keystone(&mut self, who: Who, account: Option<String>, life: Duration) -> String {
        self.give("gAAAAAB", who, account, life)
    }

    /// Whose token this is, and how long it is still good.
    pub(crate) fn holder(&self, text: &str) -> Option<(Who, Duration)> {
        let token = self.by_text.get(text)?;
        Some((token.who, token.expires.checked_duration_since(Instant::now())?))
    }

    fn give(&mut self, prefix: &str, who: Who, account: Option<String>, life: Duration) -> String {
        // Counted for all stores of the process, so that a token of one is not good at another.
        static GIVEN: AtomicU64 = AtomicU64::new(0);
        let number = GIVEN.fetch_add(1, Ordering::Relaxed);
        let text = format!("{prefix}{}", md5_hex(format!("token {number}").as_bytes()));
        self.by_text.insert(text.clone(), Token { who, account, expires: Instant::now() + life });
        text
    }

    /// Makes every token given out so far a bad one.
    pub(crate) fn expire(&mut self) {
        self.by_text.clear();
    }

    pub(crate) fn caller(&self, headers: &HeaderMap) -> Caller {
        let Some(text) = sent_token(headers) else { return Caller::Anonymous };
        match self.by_text.get(text).filter(|token| token.expires > Instant::now()) {
            Some(Token { account: Some(account), .. }) => Caller::Project(account.clone()),
            Some(Token { account: None, .. }) => Caller::NoProject,
            None if text.starts_with(TEMPAUTH_PREFIX) => Caller::Rejected,
            None => Caller::Anonymous,
        }
    }
}
