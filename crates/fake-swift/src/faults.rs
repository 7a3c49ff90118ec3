//! Failures on a script: which requests fail, and how.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::replicas::Replica;

/// How a request fails, or what else befalls it.
///
/// "Done" means that the store carries the request out, whatever comes of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// Not done, and answered so, with these headers besides; a sign-in with Keystone in Keystone's form.
    Status(StatusCode, HeaderMap),
    /// Done, but answered so: the true answer was lost.
    DoneButStatus(StatusCode),
    /// Not done; the connection closes without an answer.
    Reset,
    /// Done; the connection closes without an answer.
    ResetAfterDone,

    /// The connection closes once so many bytes of the request's body are read, or more in the last piece. A
    /// request whose body is read to an end before is not disturbed.
    CutRequestBody(u64),
    /// Done with the first so many bytes of the request's body, as if there were no more.
    LoseRequestBody(u64),
    /// Every token given out so far becomes a bad one, before anyone asks for this request's. To choose the moment
    /// by the clock, there is [`crate::FakeSwift::expire_tokens`].
    ExpireTokens,
    /// As [`Action::ExpireTokens`], once so many bytes of the request's body are read: not done, and refused for the
    /// bad token. A request without a body is done, and its answer closes the connection after so many bytes of its
    /// body. Where the body is shorter nothing happens, and the tokens stay good.
    ExpireTokensInBody(u64),
    /// A PUT of an object loses a race: while it begins, another client stores this. Answered as Swift does, 202
    /// without the ETag of what was sent, or 412 if the PUT was for a new object only.
    Overtaken(Bytes),
    /// Done by this copy of listings and objects, in place of the one whose turn it is. Without a split they are
    /// alike: see [`crate::FakeSwift::split_listings`] and [`crate::FakeSwift::split_reads`].
    AnsweredBy(Replica),

    /// Done, but only after this time.
    Delay(Duration),
    /// Done at once, but answered only after this time.
    DelayAnswer(Duration),
    /// Done; the answer's body comes so many bytes (1 or more) at a time, with a pause between them.
    Trickle(usize, Duration),
    /// Done; after so many bytes of the answer's body no more come for a time, then all the rest.
    Stall(u64, Duration),
    /// Done, but the connection closes after so many bytes of the answer's body, headers not counted.
    TruncateBody(u64),
    /// Done; the answer's header has this value, or is missing. `Content-Length` can only be made to be missing.
    AnswerHeader(HeaderName, Option<HeaderValue>),
}

/// One entry of the script: requests that match `method` and `path_contains` fail as `action` says, after the first
/// `skip` of them, `times` times.
///
/// The deletes inside a bulk delete, or inside the delete of a large object with its segments, are matched too, as
/// `DELETE /v1/{account}/{container}/{object}`; there only [`Action::Status`] has a meaning.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The method; `None` matches all.
    pub method: Option<Method>,
    /// Part of `path?query`, as sent over the wire; empty matches all. A `*` in it stands for any characters.
    pub path_contains: String,
    /// How many matching requests go through first.
    pub skip: usize,
    /// How many fail then.
    pub times: usize,
    /// How.
    pub action: Action,
}

impl Fault {
    /// The next request of any kind fails as `action` says. To be narrowed with the struct update syntax.
    #[must_use]
    pub fn once(action: Action) -> Self {
        Self { method: None, path_contains: String::new(), skip: 0, times: 1, action }
    }

    /// Requests of any kind fail as `action` says, until the script is cleared.
    #[must_use]
    pub fn always(action: Action) -> Self {
        Self { times: usize::MAX, ..Self::once(action) }
    }

    fn matches(&self, method: &Method, path_and_query: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && contains(path_and_query, &self.path_contains)
    }
}

/// Whether the parts of `pattern` between its stars are in `text`, one after the other.
fn contains(text: &str, pattern: &str) -> bool {
    let mut rest = Some(text);
    for part in pattern.split('*') {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
}

/// The faults still to come, the first that matches taking the request.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<Vec<Fault>>);

impl Script {
    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// How many faults have not yet struck as often as they should.
    pub(crate) fn left(&self) -> usize {
        self.lock().iter().filter(|fault| fault.times > 0).count()
    }

    /// How a request from a client is to fail, if it is.
    pub(crate) fn strike(&self, method: &Method, path_and_query: &str) -> Option<Action> {
        self.strike_if(method, path_and_query, |_| true)
    }

    /// How a request that Swift makes to itself is to fail, if it is.
    pub(crate) fn strike_inner(&self, method: &Method, path: &str) -> Option<StatusCode> {
        match self.strike_if(method, path, |action| matches!(action, Action::Status(..)))? {
            Action::Status(status, _) => Some(status),
            _ => None,
        }
    }

    fn strike_if(&self, method: &Method, path: &str, wanted: impl Fn(&Action) -> bool) -> Option<Action> {
        for fault in self.lock().iter_mut() {
            if fault.times == 0 || !wanted(&fault.action) || !fault.matches(method, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.times != usize::MAX {
                fault.times -= 1;
            }
            return Some(fault.action.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests;
