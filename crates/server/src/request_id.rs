//! The identifier of a request: one for all that is logged on its way, for the client, and for the services that are asked on its
//! behalf.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use tokio::task::futures::TaskLocalFuture;

use crate::answer::REQUEST_ID;
use crate::parameters::text;

/// Characters of the longest identifier that is taken over.
const LONGEST: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The identifier of a request: letters, digits and `-._:=+/`, 128 at most. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// That of the request on whose behalf this code runs; `None` where it runs for none.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// A new one: 16 hexadecimal digits.
    pub(crate) fn random() -> Self {
        Self(data_encoding::HEXLOWER.encode(&rand::random::<[u8; 8]>()).into())
    }

    /// The one that a request came with (`X-Request-Id`), if it can be one.
    pub(crate) fn sent(headers: &HeaderMap) -> Option<Self> {
        let sent = text(headers, REQUEST_ID)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:=+/".contains(&byte);
        ((1..=LONGEST).contains(&sent.len()) && sent.bytes().all(fits)).then(|| Self(sent.into()))
    }

    /// Runs a future on behalf of this request.
    pub(crate) fn scope<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, future)
    }

    /// Does something on behalf of this request.
    pub(crate) fn sync_scope<T>(&self, act: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), act)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for RequestId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
