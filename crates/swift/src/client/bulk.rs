//! Deleting many objects, many in one request where the cluster can (Swift, "Bulk Delete").

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};

use super::Container;
use super::object::Deletion;
use super::report::{Report, Trouble};
use super::send::{Call, escaped};
use crate::error::{Result, SwiftErrorKind};

/// More names than this are not worth one request: its answer would be long in coming.
const LARGEST_BATCH: usize = 1000;
/// Bytes of an escaped name. Ceph RGW takes lines of 2,048, and Swift of some more; longer names go alone.
const LONGEST_LINE: usize = 2000;
/// A line for each of a batch that could not be deleted.
const LONGEST_REPORT: usize = 4 << 20;

impl Container {
    /// Deletes objects themselves, of large objects the manifest only; the answers come in the order of the names.
    ///
    /// Many go in one request where the cluster can do so. It does not say then which of them were absent: if some were and
    /// some were not, all count as done. What failed in such a request is tried again by itself.
    pub async fn delete_many(&self, names: impl IntoIterator<Item = String>) -> Vec<Result<Deletion>> {
        let names: Vec<String> = names.into_iter().collect();
        let batch = if names.len() > 1 { self.batch().await } else { 1 };
        let mut settled = HashMap::new();
        if batch > 1 {
            for names in names.chunks(batch) {
                self.delete_batch(names, &mut settled).await;
            }
        }
        let deletions = names.into_iter().map(|name| {
            let settled = settled.get(&name).copied();
            async move {
                match settled {
                    Some(deletion) => Ok(deletion),
                    None => self.delete(&name).await,
                }
            }
        });
        stream::iter(deletions).buffered(Self::DELETES_AT_ONCE).collect().await
    }

    /// Names that may go in one request; 1 where the cluster has no such thing, or does not say.
    async fn batch(&self) -> usize {
        let capabilities = self.client.capabilities().await;
        let most = capabilities.ok().and_then(|capabilities| capabilities.max_deletes);
        most.unwrap_or(1).clamp(1, LARGEST_BATCH)
    }

    /// One request. Only what is certain to be gone is settled.
    async fn delete_batch(&self, names: &[String], settled: &mut HashMap<String, Deletion>) {
        let fits = |name: &&String| escaped(name).to_string().len() + self.name().len() * 3 <= LONGEST_LINE;
        let mut waiting: BTreeSet<String> = names.iter().filter(fits).cloned().collect();
        // A second time when the token was no longer good.
        for _ in 0..2 {
            if waiting.len() < 2 {
                return;
            }
            let Ok((report, expired)) = self.bulk_delete(&waiting).await else { return };
            let failed = report.failed(self.name());
            let failed: BTreeSet<String> = failed.filter(|name| waiting.contains(name)).collect();
            let told = report.deleted + report.not_found + report.errors.len() as u64;
            let is_complete = told == waiting.len() as u64 && failed.len() == report.errors.len();
            if !is_complete {
                return;
            }
            let deletion = if report.deleted == 0 { Deletion::Absent } else { Deletion::Done };
            settled.extend(waiting.difference(&failed).map(|name| (name.clone(), deletion)));
            if !expired {
                return;
            }
            waiting = failed;
        }
    }

    /// One request. Answers what came of it, and whether the token was refused for some of it, which is renewed then.
    async fn bulk_delete(&self, names: &BTreeSet<String>) -> Result<(Report, bool)> {
        let lines: Vec<String> =
            names.iter().map(|name| format!("/{}/{}\n", escaped(self.name()), escaped(name))).collect();
        let lines = lines.concat();
        let call = Call::new(Method::POST, String::new())
            .query("bulk-delete", "1")
            .header(CONTENT_TYPE.as_str(), HeaderValue::from_static("text/plain"))
            .header(ACCEPT.as_str(), HeaderValue::from_static("application/json"))
            .body(Bytes::from(lines).into());
        let answer = self.client.send(call).await?;
        if !answer.status.is_success() {
            return Err(answer.refused().await);
        }
        let account = Arc::clone(&answer.account);
        let unreadable = answer.error(SwiftErrorKind::Unexpected, "its report cannot be read");
        let body = answer.bytes(LONGEST_REPORT).await?;
        let report = Report::parse(&body).ok_or(unreadable)?;
        let expired = report.trouble() == Some(Trouble::Token);
        if expired {
            self.client.0.tokens.reject(&account);
        }
        if let Some(trouble) = report.trouble() {
            tracing::debug!(?trouble, finding = report.finding(), "not all of many were deleted at once");
        }
        Ok((report, expired))
    }
}
