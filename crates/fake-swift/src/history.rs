//! Names and what they stood for at each moment: how the store can show what it was.
//!
//! A change is kept for as long as a reader may ask for the time before it, which whoever makes a change says.
//! Nothing here knows what the names are of.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::clock::Timestamp;

/// A map in byte order of its names that remembers.
#[derive(Debug)]
pub(crate) struct History<T> {
    names: BTreeMap<String, Vec<Version<T>>>,
}

/// What a name stands for from a moment on: nothing, if it was deleted then.
#[derive(Debug)]
struct Version<T> {
    since: Timestamp,
    value: Option<T>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { names: BTreeMap::new() }
    }
}

impl<T> History<T> {
    /// Makes `name` stand for `value`, or for nothing, from `now` on, which must be later than all changes before.
    /// What it was before `oldest` is forgotten.
    pub(crate) fn set(&mut self, name: &str, value: Option<T>, now: Timestamp, oldest: Timestamp) {
        let versions = self.names.entry(name.to_owned()).or_default();
        versions.push(Version { since: now, value });
        let forgotten = versions.iter().rposition(|version| version.since <= oldest).unwrap_or(0);
        versions.drain(..forgotten);
        if let [Version { since, value: None }] = versions.as_slice()
            && *since <= oldest
        {
            self.names.remove(name);
        }
    }

    /// What `name` stood for at a moment.
    pub(crate) fn get(&self, name: &str, at: Timestamp) -> Option<&T> {
        value_at(self.names.get(name)?, at)
    }

    /// All names that stood for something at a moment.
    pub(crate) fn at(&self, moment: Timestamp) -> impl Iterator<Item = (&str, &T)> {
        self.range((Bound::Unbounded, Bound::Unbounded), moment)
    }

    /// As [`History::at`], of the names within these bounds.
    pub(crate) fn range(
        &self,
        bounds: (Bound<&str>, Bound<&str>),
        moment: Timestamp,
    ) -> impl Iterator<Item = (&str, &T)> {
        self.names
            .range::<str, _>(bounds)
            .filter_map(move |(name, versions)| Some((name.as_str(), value_at(versions, moment)?)))
    }
}

fn value_at<T>(versions: &[Version<T>], at: Timestamp) -> Option<&T> {
    versions.iter().rev().find(|version| version.since <= at)?.value.as_ref()
}

#[cfg(test)]
mod tests;
