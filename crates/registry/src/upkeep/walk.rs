//! The way through all repositories, once. One listing shows all objects in order, so that those of a repository come together;
//! they are collected, and judged at the end of each. What the listing has shown is summed up in one number, by which two walks
//! are compared.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use apus_storage::{ListEntry, ListRequest, ObjectName};
use futures_util::{Stream, TryStreamExt, stream};
use sha2::{Digest as _, Sha256};

use super::entries::{Entry, of_repository};
use super::{CollectError, CollectEvent, Collection, held};
use crate::{Digest, Error, Result, layout};

/// Repositories that are judged at once; requests at storage are bounded besides.
const PARALLEL_REPOSITORIES: usize = 8;

/// Doubts that are told in full.
const MOST_DOUBTS: usize = 20;

/// One walk.
pub(super) struct Walk<'a> {
    pub(super) collection: &'a Collection<'a>,
    /// Whether it is the first of its collection.
    pub(super) is_first: bool,
    found: Mutex<Walked>,
}

/// What a walk has found.
#[derive(Default)]
pub(super) struct Walked {
    /// Repositories that hold anything.
    pub(super) repositories: u64,
    /// The sum of what was seen: the names of objects, and what links say.
    pub(super) seen: u128,
    pub(super) doubts: Doubts,
    /// Manifests that no tag keeps.
    pub(super) condemned: Vec<Condemned>,
    /// Referrer records of manifests that are gone.
    pub(super) stale: Vec<ObjectName>,
}

/// A manifest that is to be taken from its repository.
pub(super) struct Condemned {
    pub(super) repository: Arc<str>,
    pub(super) digest: Digest,
    pub(super) link: ObjectName,
    /// What goes with it, and before it.
    pub(super) attached: Vec<ObjectName>,
}

/// The objects of one repository, as they are listed.
#[derive(Default)]
pub(super) struct Block {
    pub(super) repository: String,
    pub(super) revisions: Vec<(ObjectName, Digest, SystemTime)>,
    pub(super) signatures: Vec<(ObjectName, Digest, Digest)>,
    pub(super) tags: Vec<(ObjectName, String)>,
    pub(super) history: Vec<(ObjectName, Digest)>,
    pub(super) referrers: Vec<(ObjectName, Digest, SystemTime)>,
    /// Of the links of blobs only those that are young: old ones keep nothing.
    pub(super) young_layers: Vec<(ObjectName, Option<Digest>)>,
}

/// Why it is not certain what is needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts {
    told: Vec<String>,
    more: usize,
    /// Whether there is one that another walk will meet again.
    pub(super) lasting: bool,
}

impl Doubts {
    pub(super) fn is_none(&self) -> bool {
        self.told.is_empty()
    }

    fn add(&mut self, text: String, lasting: bool) {
        self.lasting |= lasting;
        if self.told.len() < MOST_DOUBTS {
            self.told.push(text);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn into_error(self) -> CollectError {
        let Self { mut told, more, .. } = self;
        if told.is_empty() {
            told.push(
                "what storage lists did not hold still from one walk to the next; stop the registry or make it \
                 read-only, and run it again later"
                    .to_owned(),
            );
        }
        CollectError::InDoubt { doubts: told, more }
    }
}

impl<'a> Walk<'a> {
    /// Goes through all repositories, and marks what they need.
    pub(super) async fn through_all(collection: &'a Collection<'a>, is_first: bool) -> Result<Walked> {
        let walk = Self { collection, is_first, found: Mutex::default() };
        walk.blocks().try_for_each_concurrent(PARALLEL_REPOSITORIES, |block| walk.judge(block)).await?;
        let mut walked = walk.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        walked
            .condemned
            .sort_by(|one, other| (&one.repository, &one.digest).cmp(&(&other.repository, &other.digest)));
        Ok(walked)
    }

    pub(super) fn found(&self) -> MutexGuard<'_, Walked> {
        held(&self.found)
    }

    /// A listing and an object contradict each other. That may pass: listings lag.
    pub(super) fn doubt(&self, text: String) {
        self.found().doubts.add(text, false);
    }

    /// Something cannot be read, and will not be better for waiting.
    pub(super) fn doubt_for_good(&self, text: String) {
        self.found().doubts.add(text, true);
    }

    /// Takes note of an object, in whatever order.
    pub(super) fn saw(&self, name: &str, says: Option<&Digest>) {
        let mut hash = Sha256::new_with_prefix(name);
        if let Some(says) = says {
            hash.update(" ");
            hash.update(says.to_string());
        }
        let hash = hash.finalize();
        let number = hash.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let mut found = self.found();
        found.seen = found.seen.wrapping_add(number);
    }

    /// The repositories one after the other, each with all its objects.
    fn blocks(&self) -> impl Stream<Item = Result<Block>> {
        stream::try_unfold(Listing::default(), move |mut listing| async move {
            loop {
                if let Some(block) = listing.ready.pop() {
                    return Ok(Some((block, listing)));
                }
                if listing.is_over {
                    return Ok(None);
                }
                self.next_page(&mut listing).await?;
            }
        })
    }

    async fn next_page(&self, listing: &mut Listing) -> Result<()> {
        let mut request = ListRequest::under(layout::repositories()?);
        let prefix = request.prefix();
        if let Some(after) = &listing.after {
            request = request.after(&**after);
        }
        let page = self.collection.registry.storage.list(&request).await.map_err(Error::from)?;
        listing.listed += page.entries.len() as u64;
        self.collection.tell(CollectEvent::Progress("objects of repositories listed", listing.listed));
        let mut last = listing.after.take().unwrap_or_default();
        let mut blocks = Vec::new();
        for entry in page.entries {
            let ListEntry::Object { name, modified, .. } = entry else { continue };
            if name.as_str() <= last.as_str() {
                self.doubt(format!("a listing is out of order: {name} comes after {last}"));
            }
            name.as_str().clone_into(&mut last);
            let Some((repository, entry)) = name.as_str().strip_prefix(&prefix).and_then(of_repository)
            else {
                continue;
            };
            let open = listing.open.get_or_insert_with(Block::default);
            if open.repository != repository {
                let next = Block { repository: repository.to_owned(), ..Block::default() };
                blocks.push(std::mem::replace(open, next));
            }
            self.take(open, entry, &name, modified);
        }
        if let Some(next) = &page.next
            && *next < last
        {
            self.doubt(format!("a listing goes back: after {last} it goes on at {next}"));
        }
        listing.is_over = page.next.is_none();
        listing.after = page.next;
        if listing.is_over {
            blocks.extend(listing.open.take());
        }
        blocks.retain(|block| !block.repository.is_empty());
        blocks.reverse();
        listing.ready = blocks;
        Ok(())
    }

    fn take(&self, block: &mut Block, entry: Entry, name: &ObjectName, modified: SystemTime) {
        if !matches!(entry, Entry::Upload | Entry::Other) {
            self.saw(name.as_str(), None);
        }
        let name = || name.clone();
        match entry {
            Entry::Layer(digest) if self.collection.is_young(modified) => {
                block.young_layers.push((name(), digest));
            }
            Entry::Revision(digest) => block.revisions.push((name(), digest, modified)),
            Entry::Signature(manifest, signature) => block.signatures.push((name(), manifest, signature)),
            Entry::Tag(tag) => block.tags.push((name(), tag)),
            Entry::History(digest) => block.history.push((name(), digest)),
            Entry::Referrer(_, referrer) => block.referrers.push((name(), referrer, modified)),
            Entry::Unknown => self.doubt_for_good(format!(
                "{} is nothing that this version of Apus knows; use the version that wrote it, or remove the object",
                name()
            )),
            Entry::Layer(_) | Entry::Upload | Entry::Other => {}
        }
    }
}

/// Where the listing stands.
#[derive(Default)]
struct Listing {
    after: Option<String>,
    is_over: bool,
    listed: u64,
    /// The repository whose objects are being listed.
    open: Option<Block>,
    /// Repositories that are complete, the first one last.
    ready: Vec<Block>,
}
