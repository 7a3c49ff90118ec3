//! A run through one case: it notes each step that was taken by its name, and in the end holds them against the case's table.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::protocol::Site;
use crate::support::{Apus, Client};

/// Where the steps are taken.
pub(super) const REPOSITORY: &str = "conformance/first";
/// Where blobs are mounted from, and where what is deleted in [`REPOSITORY`] stays.
pub(super) const OTHER: &str = "conformance/second";

/// A case: steps that belong together, by the names that the runner gives them.
pub(super) struct Case {
    /// The group that the steps are in, such as `image`; empty for those in none.
    group: &'static str,
    /// Their paths below it, such as `push/blob-post-put`.
    steps: &'static [&'static [&'static str]],
}

impl Case {
    pub(super) const fn new(group: &'static str, steps: &'static [&'static [&'static str]]) -> Self {
        Self { group, steps }
    }

    fn steps(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().copied().flatten().copied()
    }

    /// The full names of its steps and of all groups that these are in.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for step in self.steps() {
            let name = if self.group.is_empty() { step.into() } else { format!("{}/{step}", self.group) };
            let groups = name.match_indices('/').map(|(end, _)| &name[..end]);
            names.extend(groups.map(str::to_owned));
            names.insert(name);
        }
        names
    }
}

/// A run through a case. When it goes away it has taken every step of the case's table and no other, or fails the test.
pub(super) struct Run<'a> {
    case: &'a Case,
    pub(super) client: Client,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    taken: BTreeSet<&'static str>,
    current: Option<&'static str>,
}

impl<'a> Run<'a> {
    pub(super) fn begin(site: &Site, case: &'a Case) -> Self {
        Self::at(&site.apus, case)
    }

    pub(super) fn at(apus: &Apus, case: &'a Case) -> Self {
        Self { case, client: apus.client(), notes: Mutex::default() }
    }

    /// Takes a step.
    pub(super) async fn step<T>(&self, name: &'static str, work: impl Future<Output = T>) -> T {
        self.notes.lock().unwrap().current = Some(name);
        let done = work.await;
        let mut notes = self.notes.lock().unwrap();
        notes.taken.insert(name);
        notes.current = None;
        done
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let notes = self.notes.lock().unwrap();
        if std::thread::panicking() {
            eprintln!("in {}, step {}", self.case.group, notes.current.unwrap_or("none"));
        } else {
            assert_eq!(notes.taken, self.case.steps().collect(), "the steps of {}", self.case.group);
        }
    }
}
