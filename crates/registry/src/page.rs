//! Pages in the order of names, out of listings in the order of objects. The two differ: storage lists `1.0-rc/...` before
//! `1.0/...`, because it compares the slash too. A page holds no more than it may show, however long the listing is.

use std::collections::BTreeSet;

/// The smallest names after one, out of all that are offered.
#[derive(Debug)]
pub(crate) struct SortedPage<'a> {
    after: Option<&'a str>,
    limit: usize,
    names: BTreeSet<String>,
    more: bool,
}

impl<'a> SortedPage<'a> {
    /// At most `limit` names after `after`.
    pub(crate) fn new(after: Option<&'a str>, limit: usize) -> Self {
        Self { after, limit, names: BTreeSet::new(), more: false }
    }

    pub(crate) fn offer(&mut self, name: &str) {
        let wanted = self.after.is_none_or(|after| name > after) && !self.names.contains(name);
        if wanted && self.names.len() < self.limit {
            self.names.insert(name.to_owned());
        } else if wanted {
            self.more = true;
            if self.names.last().is_some_and(|last| name < last.as_str()) {
                self.names.pop_last();
                self.names.insert(name.to_owned());
            }
        }
    }

    /// Whether nothing that is listed from `key` on can change the page. Objects of a name have keys that begin with the name
    /// and `separator`.
    ///
    /// Of two names, neither the beginning of the other, the keys compare as the names do. So what is listed after the last
    /// name of the page and belongs before it can only be a beginning of that name.
    pub(crate) fn is_settled(&self, key: &str, separator: &str) -> bool {
        let Some(last) = self.names.last().filter(|_| self.more) else { return self.more };
        last.char_indices()
            .filter_map(|(end, _)| last.get(..end))
            .filter(|beginning| !beginning.is_empty() && self.after.is_none_or(|after| *beginning > after))
            .all(|beginning| format!("{beginning}{separator}").as_str() < key)
    }

    /// The names in order, and whether more follow.
    pub(crate) fn into_names(self) -> (impl Iterator<Item = String>, bool) {
        (self.names.into_iter(), self.more)
    }
}

#[cfg(test)]
mod tests;
