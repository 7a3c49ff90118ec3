//! A page of a listing and the memory of this replica's changes, made one. It asks nobody: what the two disagree about comes
//! out as a doubt.

use std::sync::Arc;
use std::time::Instant;

use apus_storage::{ListEntry, ListPage, ListRequest};

use super::recent::Recent;

/// A page before its doubts are settled: it holds what either the listing or the memory believes to be there.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) keys: Vec<String>,
    pub(super) next: Option<String>,
    /// In the order of their keys, each of which is in `keys`.
    pub(super) doubts: Vec<Doubt>,
}

/// One object about which listing and memory disagree.
#[derive(Debug)]
pub(super) struct Doubt {
    /// Where it stands on the page.
    pub(super) key: String,
    /// Its whole name.
    pub(super) object: Arc<str>,
    /// The change that is remembered.
    pub(super) number: u64,
    /// What is remembered; the listing says the opposite.
    pub(super) is_present: bool,
}

impl Recent {
    /// Adds what this replica remembers to a page of storage's listing. By the memory, there are no more than `limit` on it.
    pub(super) fn merge(
        &mut self,
        request: &ListRequest,
        page: ListPage,
        limit: usize,
        now: Instant,
    ) -> Draft {
        let mut keys: Vec<String> = page.entries.iter().map(ListEntry::key).collect();
        let mut next = page.next;
        let mut doubts = self.remembered(request, next.as_deref(), now);
        doubts.retain(|doubt| doubt.is_present != keys.binary_search(&doubt.key).is_ok());
        keys.extend(doubts.iter().filter(|doubt| doubt.is_present).map(|doubt| doubt.key.clone()));
        // Two sorted runs: no more than a merge.
        keys.sort();
        let is_deleted = |key: &String| {
            let place = doubts.binary_search_by(|doubt| doubt.key.cmp(key)).ok();
            place.and_then(|place| doubts.get(place)).is_some_and(|doubt| !doubt.is_present)
        };
        let last = keys.iter().filter(|key| !is_deleted(key)).nth(limit.saturating_sub(1)).cloned();
        if let Some(last) = last.filter(|last| Some(last) != keys.last()) {
            keys.retain(|key| *key <= last);
            doubts.retain(|doubt| doubt.key <= last);
            next = Some(last);
        }
        Draft { keys, next, doubts }
    }

    /// What is remembered of the part of the listing that ends with `last`, or with the prefix. Of what is folded into one key,
    /// one link that is present decides.
    fn remembered(&mut self, request: &ListRequest, last: Option<&str>, now: Instant) -> Vec<Doubt> {
        let (prefix, after) = (request.prefix(), request.after.as_deref().unwrap_or_default());
        let mut found: Vec<Doubt> = Vec::new();
        for (object, change) in self.within(&prefix, after, now) {
            // Keys come in the order of the names that they are folded from.
            let key = if request.one_level { folded(object, &prefix) } else { object };
            if key <= after {
                continue;
            }
            if last.is_some_and(|last| key > last) {
                break;
            }
            if found.last().is_some_and(|earlier| earlier.key == key) {
                if !change.is_present {
                    continue;
                }
                found.pop();
            }
            found.push(Doubt {
                key: key.to_owned(),
                object: Arc::clone(object),
                number: change.number,
                is_present: change.is_present,
            });
        }
        found
    }
}

/// The name up to and with the first `/` after the prefix; all of it if there is none.
fn folded<'a>(name: &'a str, prefix: &str) -> &'a str {
    let slash = name.get(prefix.len()..).and_then(|rest| rest.find('/'));
    slash.and_then(|slash| name.get(..=prefix.len() + slash)).unwrap_or(name)
}
