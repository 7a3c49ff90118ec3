//! What was asked of the store, in the order in which it was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;

/// Which of the store's two ports a request came to. Keystone's catalog gives the public one to the interface
/// `public`, the other to `internal` and `admin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interface {
    /// The port of the public endpoint.
    Public,
    /// The port of the internal and the admin endpoint.
    Internal,
}

/// What a request was about, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// TempAuth or Keystone.
    SignIn,
    /// `/info`.
    Info,
    /// The account itself; a bulk delete too.
    Account,
    /// A container; a listing.
    Container,
    /// An object.
    Object,
    /// No path that Swift knows.
    Other,
}

impl RequestKind {
    /// Whether it counts in a budget of storage requests: neither signing in nor `/info`.
    #[must_use]
    pub fn is_storage(self) -> bool {
        !matches!(self, Self::SignIn | Self::Info)
    }
}

/// One request as the store saw it.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// The method.
    pub method: Method,
    /// The path, percent-decoded; bytes that are not UTF-8 show as U+FFFD.
    pub path: String,
    /// The query as it was sent, without the question mark; empty if there was none.
    pub query: String,
    /// All headers. Those with secrets are marked sensitive, so that printing the record does not show them.
    pub headers: HeaderMap,
    /// The port it came to.
    pub interface: Interface,
    /// What it was about.
    pub kind: RequestKind,
    /// Whether it came with a token that was good.
    pub authenticated: bool,
    /// Bytes of its body that were read in order to answer. 0 where the store refused before it wanted any.
    pub body_bytes: u64,
    /// What the client was told. `None` while the store is at work, and for ever if it broke off the connection.
    pub status: Option<StatusCode>,
    /// The answer's `X-Trans-Id`.
    pub transaction: String,
}

impl RequestRecord {
    /// The record of a request that has just come.
    pub(crate) fn new(
        head: &Parts,
        kind: RequestKind,
        interface: Interface,
        authenticated: bool,
        transaction: &str,
    ) -> Self {
        Self {
            method: head.method.clone(),
            path: percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: mark_secrets(head.headers.clone()),
            interface,
            kind,
            authenticated,
            body_bytes: 0,
            status: None,
            transaction: transaction.to_owned(),
        }
    }
}

/// Finds a record again once its answer is known, even if the test has taken it out meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u64);

#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    records: Vec<(u64, RequestRecord)>,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn arrived(&self, record: RequestRecord) -> Ticket {
        let mut entries = self.lock();
        let number = entries.next;
        entries.next += 1;
        entries.records.push((number, record));
        Ticket(number)
    }

    /// Completes a record with `change`, unless it was taken out.
    pub(crate) fn complete(&self, ticket: Ticket, change: impl FnOnce(&mut RequestRecord)) {
        let mut entries = self.lock();
        if let Some((_, record)) = entries.records.iter_mut().rev().find(|(number, _)| *number == ticket.0) {
            change(record);
        }
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.lock().records.iter().map(|(_, record)| record.clone()).collect()
    }

    pub(crate) fn take(&self) -> Vec<RequestRecord> {
        std::mem::take(&mut self.lock().records).into_iter().map(|(_, record)| record).collect()
    }
}

fn mark_secrets(mut headers: HeaderMap) -> HeaderMap {
    for (name, value) in &mut headers {
        if *name == AUTHORIZATION
            || ["x-auth-token", "x-auth-key", "x-storage-token"].contains(&name.as_str())
        {
            value.set_sensitive(true);
        }
    }
    headers
}
