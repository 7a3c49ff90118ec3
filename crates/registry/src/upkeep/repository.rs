//! What one repository needs: all its manifests, or those that are tagged and what hangs on them, and all that these name. And
//! whether its links agree with each other: where one says that something should be there that is not listed, it is asked for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use apus_storage::{ErrorKind, ObjectName};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::manifest::Content;
use super::named::Named;
use super::walk::{Block, Condemned, Walk};
use super::{CollectEvent, held};
use crate::{Digest, Error, Result};

/// A manifest of the repository.
struct Revision {
    link: ObjectName,
    /// By which the repository has it.
    digest: Digest,
    /// Under which its bytes lie: another one where a link of registry:2 points from SHA-512 to SHA-256.
    stored: Digest,
    is_young: bool,
}

/// The manifests of the repository, by either of their digests.
#[derive(Default)]
struct Revisions {
    all: Vec<Revision>,
    places: HashMap<Digest, usize>,
    /// Others that its manifests name: whether these are in the repository after all is asked once,
    asked: Mutex<HashSet<Digest>>,
    /// and they are followed once, for indexes may name each other over and over.
    met: Mutex<HashSet<Digest>>,
}

impl Revisions {
    fn place(&self, digest: &Digest) -> Option<usize> {
        self.places.get(digest).copied()
    }
}

impl Walk<'_> {
    /// Marks what a repository needs, and takes note of what it does not.
    pub(super) async fn judge(&self, block: Block) -> Result<()> {
        let Block { repository, revisions, signatures, tags, history, referrers, young_layers } = block;
        if self.is_first {
            self.collection.tell(CollectEvent::Repository(&repository));
        }
        self.found().repositories += 1;
        self.keep_young_blobs(young_layers).await?;
        let revisions = self.revisions(revisions).await?;
        let tagged = self.tagged(&repository, tags, &revisions).await?;
        self.check_history(&repository, &history, &revisions).await?;
        self.check_referrers(&repository, &referrers, &revisions).await?;

        // A tag that dangles may be mended, and then need any of the manifests.
        let dangles = tagged.iter().any(|target| revisions.place(target).is_none());
        let kept = if self.collection.options.delete_untagged && !dangles {
            Some(self.keep_tagged(&repository, &revisions, &tagged).await?)
        } else {
            self.keep_all(&repository, &revisions).await?;
            None
        };
        let is_kept = |place: usize| kept.as_ref().is_none_or(|kept| kept.contains(&place));
        for (_, manifest, signature) in &signatures {
            if revisions.place(manifest).is_none_or(is_kept) {
                self.collection.mark([signature]);
            }
        }
        let mut attached: HashMap<usize, Vec<ObjectName>> = HashMap::new();
        let signatures = signatures.into_iter().map(|(name, manifest, _)| (name, manifest));
        let referrers = referrers.into_iter().map(|(name, referrer, _)| (name, referrer));
        for (name, manifest) in referrers.chain(history).chain(signatures) {
            if let Some(place) = revisions.place(&manifest).filter(|place| !is_kept(*place)) {
                attached.entry(place).or_default().push(name);
            }
        }
        let repository: Arc<str> = repository.into();
        for (place, Revision { link, digest, .. }) in revisions.all.into_iter().enumerate() {
            if !is_kept(place) {
                let attached = attached.remove(&place).unwrap_or_default();
                let condemned = Condemned { repository: Arc::clone(&repository), digest, link, attached };
                self.found().condemned.push(condemned);
            }
        }
        Ok(())
    }

    /// What young links of blobs say is kept: an upload that no manifest names yet.
    async fn keep_young_blobs(&self, links: Vec<(ObjectName, Option<Digest>)>) -> Result<()> {
        self.each(links, |(name, digest)| async move {
            self.collection.mark(&digest);
            let stored = self.follow_link(&name).await?;
            self.collection.mark(&stored);
            Ok(())
        })
        .await?;
        Ok(())
    }

    async fn revisions(&self, links: Vec<(ObjectName, Digest, SystemTime)>) -> Result<Revisions> {
        let all = self.each(links, |(link, digest, modified)| async move {
            let is_young = self.collection.is_young(modified);
            let stored = self.follow_link(&link).await?;
            Ok(stored.map(|stored| Revision { link, digest, stored, is_young }))
        });
        let mut revisions = Revisions::default();
        for (place, revision) in all.await?.into_iter().flatten().enumerate() {
            revisions.places.insert(revision.digest.clone(), place);
            revisions.places.entry(revision.stored.clone()).or_insert(place);
            revisions.all.push(revision);
        }
        Ok(revisions)
    }

    /// What the tags point to. A tag whose manifest the repository does not have keeps that all the same.
    async fn tagged(
        &self,
        repository: &str,
        tags: Vec<(ObjectName, String)>,
        revisions: &Revisions,
    ) -> Result<HashSet<Digest>> {
        let targets = self.each(tags, |(name, tag)| async move {
            let Some(target) = self.follow_link(&name).await? else { return Ok(None) };
            if revisions.place(&target).is_none() {
                if self.check_absent(repository, &target).await? && self.is_first {
                    let (digest, keeps) = (&target, "what it names is kept; delete the tag, or push it again");
                    self.collection.warn(&format!(
                        "{repository}: the tag {tag} points to {digest}, which the repository does not have; {keeps}"
                    ));
                }
                self.keep(repository, &target);
                self.keep_below(repository, vec![target.clone()], revisions).await?;
            }
            Ok(Some(target))
        });
        Ok(targets.await?.into_iter().flatten().collect())
    }

    /// What tags have once pointed to is not needed for that. But what is there still must have been listed.
    async fn check_history(
        &self,
        repository: &str,
        history: &[(ObjectName, Digest)],
        revisions: &Revisions,
    ) -> Result<()> {
        let unlisted: HashSet<&Digest> = history
            .iter()
            .map(|(_, digest)| digest)
            .filter(|digest| revisions.place(digest).is_none())
            .collect();
        self.each(unlisted, |digest| self.check_absent(repository, digest)).await?;
        Ok(())
    }

    /// A referrer record is deleted with its manifest. One that was left behind goes now.
    async fn check_referrers(
        &self,
        repository: &str,
        records: &[(ObjectName, Digest, SystemTime)],
        revisions: &Revisions,
    ) -> Result<()> {
        let unlisted = records.iter().filter(|(_, referrer, _)| revisions.place(referrer).is_none());
        self.each(unlisted, |(name, referrer, modified)| async move {
            if !self.check_absent(repository, referrer).await? {
                return Ok(());
            }
            if !self.collection.is_young(*modified) {
                self.found().stale.push(name.clone());
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Keeps all manifests.
    async fn keep_all(&self, repository: &str, revisions: &Revisions) -> Result<()> {
        self.each(&revisions.all, |revision| async move {
            self.keep(repository, &revision.digest);
            self.keep(repository, &revision.stored);
            if self.is_followed(&revision.stored) {
                return Ok(());
            }
            match self.manifest(repository, revision).await? {
                Some(named) => self.keep_named(repository, &revision.stored, named, revisions).await,
                None => Ok(()),
            }
        })
        .await?;
        Ok(())
    }

    /// Keeps the manifests that are tagged or young; those that an index names which is kept, at any depth; and those whose
    /// subject is kept. Answers the places of all that it keeps.
    async fn keep_tagged(
        &self,
        repository: &str,
        revisions: &Revisions,
        tagged: &HashSet<Digest>,
    ) -> Result<HashSet<usize>> {
        let places = 0..revisions.all.len();
        let read = self.each(revisions.all.iter().zip(places), |(revision, place)| async move {
            Ok((place, self.manifest(repository, revision).await?))
        });
        let mut manifests: HashMap<usize, Named> =
            read.await?.into_iter().filter_map(|(place, named)| Some((place, named?))).collect();
        let mut referrers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (place, named) in &manifests {
            if let Some(subject) = named.subject.as_ref().and_then(|subject| revisions.place(subject)) {
                referrers.entry(subject).or_default().push(*place);
            }
        }
        let young = revisions.all.iter().enumerate().filter(|(_, revision)| revision.is_young);
        let mut next: Vec<usize> = tagged.iter().filter_map(|target| revisions.place(target)).collect();
        next.extend(young.map(|(place, _)| place));
        let mut kept = HashSet::new();
        while let Some(place) = next.pop() {
            if kept.insert(place) {
                let named = manifests.get(&place).into_iter().flat_map(|named| &named.all);
                next.extend(named.filter_map(|digest| revisions.place(digest)));
                next.extend(referrers.get(&place).into_iter().flatten());
            }
        }
        let all = revisions.all.iter().enumerate();
        let all = all.map(|(place, revision)| (kept.contains(&place), revision, manifests.remove(&place)));
        self.each(all, |(is_kept, revision, named)| async move {
            if is_kept {
                self.keep(repository, &revision.digest);
                self.keep(repository, &revision.stored);
            }
            match named {
                Some(named) if is_kept => {
                    self.keep_named(repository, &revision.stored, named, revisions).await
                }
                Some(named) => self.check_named(repository, &named, revisions).await,
                None => Ok(()),
            }
        })
        .await?;
        Ok(kept)
    }

    /// A manifest of the repository. What cannot be read is a doubt: it may name anything.
    async fn manifest(&self, repository: &str, revision: &Revision) -> Result<Option<Named>> {
        let reason = match self.collection.content(&revision.stored).await? {
            Content::Manifest(named) => return Ok(Some(named)),
            Content::Other(reason) | Content::Damaged(reason) => reason,
            Content::Absent => "its content is gone".to_owned(),
        };
        let digest = &revision.digest;
        self.doubt_for_good(format!(
            "{repository}: the manifest {digest} cannot be read, and so what it names is not known: {reason}; \
             push it again, or delete it"
        ));
        Ok(None)
    }

    /// Keeps a manifest itself.
    fn keep(&self, repository: &str, digest: &Digest) {
        if held(&self.collection.marks).insert(digest) && self.is_first {
            self.collection.tell(CollectEvent::Manifest(repository, digest));
        }
    }

    /// Keeps what a manifest names.
    async fn keep_named(
        &self,
        repository: &str,
        digest: &Digest,
        named: Named,
        revisions: &Revisions,
    ) -> Result<()> {
        self.collection.mark(&named.all);
        if self.is_first {
            for digest in &named.all {
                self.collection.tell(CollectEvent::Blob(repository, digest));
            }
        }
        self.check_named(repository, &named, revisions).await?;
        let elsewhere = self.followed(digest, named, revisions);
        self.keep_below(repository, elsewhere, revisions).await
    }

    /// What a manifest of the repository names must have been listed if it is there too, its subject like the manifests of an
    /// index.
    async fn check_named(&self, repository: &str, named: &Named, revisions: &Revisions) -> Result<()> {
        for digest in named.manifests.iter().chain(&named.subject) {
            if revisions.place(digest).is_none() && held(&revisions.asked).insert(digest.clone()) {
                self.check_absent(repository, digest).await?;
            }
        }
        Ok(())
    }

    /// Keeps what is named by manifests that the repository does not have, where they are there: the other platforms of a
    /// sparse index. What is no manifest names nothing.
    async fn keep_below(&self, repository: &str, mut next: Vec<Digest>, revisions: &Revisions) -> Result<()> {
        while let Some(digest) = next.pop() {
            if !held(&revisions.met).insert(digest.clone()) || self.is_followed(&digest) {
                continue;
            }
            match self.collection.content(&digest).await? {
                Content::Manifest(named) => {
                    self.collection.mark(&named.all);
                    self.check_named(repository, &named, revisions).await?;
                    // Those that the repository has are followed too: it may be that none of its tags keeps them.
                    next.extend(named.manifests.iter().cloned());
                    self.followed(&digest, named, revisions);
                }
                Content::Damaged(reason) => self.doubt_for_good(format!(
                    "{repository}: {digest}, which a manifest names, cannot be read: {reason}; push it again"
                )),
                Content::Other(_) | Content::Absent => {}
            }
        }
        Ok(())
    }

    fn is_followed(&self, digest: &Digest) -> bool {
        held(&self.collection.followed).contains(digest)
    }

    /// All that a manifest names is marked. Answers the manifests that it names and that the repository does not have. If there
    /// are such, or its subject is one, each walk follows it anew, and asks for them.
    fn followed(&self, digest: &Digest, named: Named, revisions: &Revisions) -> Vec<Digest> {
        let is_elsewhere = |digest: &Digest| revisions.place(digest).is_none();
        let elsewhere: Vec<Digest> = named.manifests.into_iter().filter(is_elsewhere).collect();
        if elsewhere.is_empty() && !named.subject.as_ref().is_some_and(is_elsewhere) {
            held(&self.collection.followed).insert(digest);
        }
        elsewhere
    }

    /// That a manifest is not in the repository, by its own link: it was not listed. Where it is there after all, the listing
    /// is not to be trusted.
    async fn check_absent(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let is_there = self.collection.has_revision(repository, digest).await?;
        if is_there {
            self.doubt(format!(
                "{repository}: the manifest {digest} is there and is not listed; try again later"
            ));
        }
        Ok(!is_there)
    }

    /// Follows a link that was listed. `None` where there is a doubt about it.
    async fn follow_link(&self, name: &ObjectName) -> Result<Option<Digest>> {
        let _turn = self.collection.requests.acquire().await.ok();
        match self.collection.registry.links.read(name).await {
            Ok(Some(digest)) => {
                self.saw(name.as_str(), Some(&digest));
                Ok(Some(digest))
            }
            Ok(None) => {
                self.doubt(format!("{name} is listed and is not there; try again later"));
                Ok(None)
            }
            Err(Error::Storage(error)) if error.kind() == ErrorKind::Damaged => {
                self.doubt_for_good(error.report());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Does something with each, several at once, in whatever order.
    async fn each<I, T, F>(&self, items: I, act: impl FnMut(I::Item) -> F) -> Result<Vec<T>>
    where
        I: IntoIterator,
        F: Future<Output = Result<T>>,
    {
        let parallel = self.collection.options.parallel.max(1);
        stream::iter(items).map(act).buffer_unordered(parallel).try_collect().await
    }
}
