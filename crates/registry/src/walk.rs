//! The way down from an index to the manifests that it names, and on through those that are indexes themselves. Whoever
//! follows indexes goes this way, because here it has an end: indexes that name each other a few levels deep can otherwise
//! make a walk that is as long as their number to the power of their depth.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::manifest::{Child, Outline, invalid};
use crate::{Digest, Error, Registry, Result};

/// The most indexes on any way down, the first one included. Two are common: one of images and one of such.
pub(crate) const DEEPEST: usize = 8;

/// The most manifests that one walk reads.
pub(crate) const MOST_READ: usize = 1000;

/// Manifests that are read at once.
const PARALLEL_READS: usize = 4;

impl Registry {
    /// Walks down from an index that names `children`. Of these, and of what is named by them in turn, it reads what `follow`
    /// chooses, each once. What is not there, or is no manifest, has nothing below it.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`] when there are more than [`DEEPEST`] indexes on a way down,
    /// or more than [`MOST_READ`] manifests to read.
    pub(crate) async fn walk_down<'a>(
        &self,
        children: impl Iterator<Item = &'a Child>,
        follow: impl Fn(&Child) -> bool,
    ) -> Result<()> {
        let mut met = Met::default();
        let mut level = met.names(children.filter(|child| follow(child)))?;
        let mut depth = 1;
        while !level.is_empty() {
            depth += 1;
            let unread: Vec<_> =
                level.iter().filter(|digest| !met.below.contains_key(*digest)).cloned().collect();
            let mut outlines = stream::iter(unread)
                .map(|digest| async move { Ok::<_, Error>((self.outline(&digest).await?, digest)) })
                .buffer_unordered(PARALLEL_READS);
            while let Some((outline, digest)) = outlines.try_next().await? {
                let index = outline.filter(|outline| outline.is_index);
                let below = index
                    .map(|index| met.names(index.manifests.iter().filter(|child| follow(child))))
                    .transpose()?;
                met.below.insert(digest, below);
            }
            let indexes: Vec<&Names> =
                level.iter().filter_map(|digest| met.below.get(digest)?.as_ref()).collect();
            if depth > DEEPEST && !indexes.is_empty() {
                return Err(invalid(format!("it nests indexes more than {DEEPEST} deep")));
            }
            level = indexes.into_iter().flatten().cloned().collect();
        }
        Ok(())
    }

    async fn outline(&self, digest: &Digest) -> Result<Option<Outline>> {
        Ok(self.manifest_content(digest).await?.and_then(|content| Outline::of(&content).ok()))
    }
}

/// Digests, each held once for all who name it: a thousand indexes may name the same thousand.
type Names = BTreeSet<Arc<Digest>>;

/// What a walk has met.
#[derive(Default)]
struct Met {
    names: HashSet<Arc<Digest>>,
    /// What was read, and what it names that is to be followed; `None` where it is no index.
    below: HashMap<Arc<Digest>, Option<Names>>,
}

impl Met {
    fn names<'a>(&mut self, children: impl Iterator<Item = &'a Child>) -> Result<Names> {
        let mut names = Names::new();
        for Child { digest, .. } in children {
            let name = match self.names.get(digest) {
                Some(name) => Arc::clone(name),
                None if self.names.len() == MOST_READ => {
                    return Err(invalid(format!(
                        "below it are more than {MOST_READ} manifests that may be indexes"
                    )));
                }
                None => Arc::new(digest.clone()),
            };
            self.names.insert(Arc::clone(&name));
            names.insert(name);
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests;
