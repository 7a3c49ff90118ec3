//! Requests that answer with a report of many things done: which of them are to be made again, and what the others mean.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Container;
use super::answer::{Answer, broke_off, plain};
use super::report::{Report, Trouble};
use crate::auth::Account;
use crate::error::{Result, SwiftErrorKind};
use crate::retry::Tries;

/// A report has a line for each of at most some thousand things.
const LONGEST_REPORT: usize = 4 << 20;

/// The tries of one request that answers with a report.
pub(super) struct Troubles<'a> {
    container: &'a Container,
    tries: Tries,
    renewed: bool,
    /// Some of it was done by a try before.
    pub(super) repeated: bool,
    /// Names of objects that a try before failed to delete.
    pub(super) failed: BTreeSet<String>,
}

impl<'a> Troubles<'a> {
    pub(super) fn new(container: &'a Container) -> Self {
        let tries = Tries::by(container.client.0.retry);
        Self { container, tries, renewed: false, repeated: false, failed: BTreeSet::new() }
    }

    /// A manifest that was refused: either it can be sent again, or this is the error.
    pub(super) async fn of_a_manifest(&mut self, answer: Answer) -> Result<()> {
        let damaged = answer.error(SwiftErrorKind::Damaged, "answered 400: a segment is missing or differs");
        let passing =
            answer.error(SwiftErrorKind::UNAVAILABLE, "answered 400: a segment cannot be looked at");
        let denied = answer.error(SwiftErrorKind::Denied, "answered 400: a segment may not be looked at");
        let account = Arc::clone(&answer.account);
        let body = answer.bytes(LONGEST_REPORT).await?;
        let report =
            Report::parse(&body).unwrap_or_else(|| Report { body: plain(&body), ..Report::default() });
        if self.may_go_on(&report, &account).await {
            return Ok(());
        }
        let error = match report.trouble() {
            Some(Trouble::Token) => denied,
            Some(Trouble::Passing) => passing,
            Some(Trouble::Lasting) | None => damaged,
        };
        Err(error.with_finding(&report.finding()))
    }

    /// What came of a deletion; `None` when it can be made again, for not all of it was done.
    pub(super) async fn of_a_deletion(&mut self, answer: Answer) -> Result<Option<Report>> {
        let failed = answer.error(SwiftErrorKind::UNAVAILABLE, "not everything was deleted");
        let account = Arc::clone(&answer.account);
        let body = match answer.bytes(LONGEST_REPORT).await {
            Ok(body) => body,
            Err(error) => {
                broke_off(error, &mut self.tries).await?;
                self.repeated = true;
                return Ok(None);
            }
        };
        let Some(report) = Report::parse(&body) else {
            return Err(failed.with_finding("its report cannot be read"));
        };
        if self.may_go_on(&report, &account).await {
            self.failed.extend(report.failed(self.container.name()));
            return Ok(None);
        }
        if report.trouble().is_none() || report.says_there_is_none() || report.says_it_is_not_static() {
            return Ok(Some(report));
        }
        Err(failed.with_finding(&report.finding()))
    }

    /// Waits until the request may be made again; `false` when that would not help.
    async fn may_go_on(&mut self, report: &Report, account: &Arc<Account>) -> bool {
        let pause = match report.trouble() {
            Some(Trouble::Token) if !self.renewed => {
                self.renewed = true;
                self.container.client.0.tokens.reject(account);
                Some(Duration::ZERO)
            }
            Some(Trouble::Passing) => self.tries.another(None),
            Some(Trouble::Token | Trouble::Lasting) | None => None,
        };
        let Some(pause) = pause else { return false };
        self.repeated = true;
        tracing::warn!(finding = report.finding(), ?pause, "a part of the request failed; trying again");
        tokio::time::sleep(pause).await;
        true
    }
}
