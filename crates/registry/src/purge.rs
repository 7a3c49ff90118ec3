//! Purging: uploads that nobody goes on with are dropped, with all that is stored of them; our own, which are stages, and those
//! that registry:2 left in `_uploads`.
//!
//! Any number of replicas may do it at once, and it may end anywhere: each step is safe to repeat. An upload goes only if it is
//! old by the newest that storage knows, asked again right before, for listings lag; whatever cannot be told is left alone.

use std::time::{Duration, SystemTime};

use apus_storage::{
    ByteRange, ErrorKind, Freshness, ListEntry, ListRequest, ObjectName, Outcome, StageEntry, body,
};
use jiff::Timestamp;

use crate::{Error, Registry, Result, layout};

/// Stages that are listed at once.
const PAGE: usize = 1000;

/// A time as registry:2 writes it, and more.
const LONGEST_TIME: usize = 64;

/// Objects of one upload of registry:2 that are held in mind; it writes some ten for a gigabyte. What is more goes the next time.
const MOST_OBJECTS: usize = 100_000;

/// Which uploads are purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeOptions {
    /// Those that were not gone on with for so long, by the time that storage gives them and the clock of this machine; and of
    /// registry:2 those that were begun so long ago, too.
    pub age: Duration,
    /// Drop nothing, and say the same.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgeSummary {
    /// Uploads that were dropped, or would be.
    pub purged: u64,
    /// Uploads that are too young.
    pub kept: u64,
    /// Uploads that should have been dropped, and could not be. Another run goes on from there.
    pub failures: u64,
}

impl Registry {
    /// Drops the uploads that nobody goes on with. Idempotent. Nothing happens in a registry that is read-only.
    ///
    /// # Errors
    /// When storage cannot list uploads. What fails for one upload is in the log, and counted.
    pub async fn purge_uploads(&self, options: &PurgeOptions) -> Result<PurgeSummary> {
        self.purge_uploads_at(options, SystemTime::now()).await
    }

    /// The same, as if it were this time now.
    async fn purge_uploads_at(&self, options: &PurgeOptions, now: SystemTime) -> Result<PurgeSummary> {
        let mut purge = Purge {
            registry: self,
            options,
            // What is older than the beginning of all time is not told from what is not.
            old_before: now.checked_sub(options.age).unwrap_or(SystemTime::UNIX_EPOCH),
            summary: PurgeSummary::default(),
        };
        if !self.options.read_only {
            purge.stages().await?;
            purge.uploads_of_registry_2().await?;
        }
        Ok(purge.summary)
    }
}

struct Purge<'a> {
    registry: &'a Registry,
    options: &'a PurgeOptions,
    old_before: SystemTime,
    summary: PurgeSummary,
}

/// What an upload turned out to be.
enum Found {
    Young,
    Gone,
    Purged,
}

impl Purge<'_> {
    fn count(&mut self, upload: &dyn std::fmt::Display, found: Result<Found>) {
        match found {
            Ok(Found::Purged) => {
                self.summary.purged += 1;
                tracing::info!(%upload, dry_run = self.options.dry_run, "an upload that nobody goes on with is purged");
            }
            Ok(Found::Young) => self.summary.kept += 1,
            Ok(Found::Gone) => {}
            Err(error) => {
                self.summary.failures += 1;
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%upload, error, "an old upload cannot be purged; it stays as it is");
            }
        }
    }

    async fn stages(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let stages = self.registry.storage.stage_list(after.as_ref(), PAGE).await?;
            let is_last = stages.len() < PAGE;
            after = stages.last().map(|stage| stage.id.clone());
            for stage in stages {
                let found = self.stage(&stage).await;
                self.count(&stage.id, found);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn stage(&self, stage: &StageEntry) -> Result<Found> {
        if stage.modified >= self.old_before {
            return Ok(Found::Young);
        }
        let storage = &self.registry.storage;
        match storage.stage_modified(&stage.id).await? {
            None => return Ok(Found::Gone),
            Some(modified) if modified >= self.old_before => return Ok(Found::Young),
            Some(_) if self.options.dry_run => return Ok(Found::Purged),
            Some(_) => {}
        }
        self.registry.ended.insert(stage.id.clone(), ());
        match storage.stage_drop(&stage.id).await {
            Ok(Outcome::Done) => Ok(Found::Purged),
            Ok(Outcome::Absent) => Ok(Found::Gone),
            // Somebody publishes it at this moment, after all.
            Err(error) if error.kind() == ErrorKind::StageMoved => {
                self.registry.ended.remove(&stage.id);
                Ok(Found::Young)
            }
            Err(error) => {
                self.registry.ended.remove(&stage.id);
                Err(error.into())
            }
        }
    }

    /// Those of registry:2 lie among the links of their repositories, and are found by listing all of them.
    async fn uploads_of_registry_2(&mut self) -> Result<()> {
        let mut request = ListRequest::under(layout::repositories()?);
        // They come in order: when another one begins, this one is complete.
        let mut open: Option<(ObjectName, Objects)> = None;
        loop {
            let page = self.registry.storage.list(&request).await?;
            for entry in page.entries {
                let ListEntry::Object { name, modified, .. } = entry else { continue };
                let Some(upload) = upload_of(&name) else { continue };
                if open.as_ref().is_none_or(|(open, _)| *open != upload) {
                    self.judge(open.replace((upload, Objects::default()))).await;
                }
                if let Some((_, objects)) = &mut open {
                    objects.latest = objects.latest.max(Some(modified));
                    if objects.names.len() < MOST_OBJECTS {
                        objects.names.push(name);
                    }
                }
            }
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        self.judge(open).await;
        Ok(())
    }

    async fn judge(&mut self, upload: Option<(ObjectName, Objects)>) {
        if let Some((upload, objects)) = upload {
            let found = self.upload_of_registry_2(&upload, objects).await;
            self.count(&upload, found);
        }
    }

    async fn upload_of_registry_2(&self, upload: &ObjectName, objects: Objects) -> Result<Found> {
        if objects.latest.is_none_or(|latest| latest >= self.old_before) {
            return Ok(Found::Young);
        }
        let started = ObjectName::parse(format!("{upload}/startedat"))?;
        match self.started_at(&started).await? {
            Some(begun) if begun >= self.old_before => return Ok(Found::Young),
            // Without it registry:2 would not go on with the upload; it leaves such things behind by itself.
            Some(_) | None => {}
        }
        let storage = &self.registry.storage;
        let mut there = Vec::new();
        for name in objects.names {
            match storage.stat(&name, Freshness::Newest).await {
                Ok(Some(info)) if info.modified >= self.old_before => return Ok(Found::Young),
                Ok(None) => {}
                // It can be deleted, though its segments are gone.
                Err(error) if error.kind() != ErrorKind::Damaged => return Err(error.into()),
                Ok(Some(_)) | Err(_) => there.push(name),
            }
        }
        if there.is_empty() {
            return Ok(Found::Gone);
        }
        if self.options.dry_run {
            return Ok(Found::Purged);
        }
        // When it began is deleted last: what is left by a failure is found again as what it was.
        let (last, first): (Vec<_>, Vec<_>) = there.into_iter().partition(|name| *name == started);
        for names in [first, last] {
            for outcome in storage.delete(&names).await {
                outcome?;
            }
        }
        Ok(Found::Purged)
    }

    async fn started_at(&self, name: &ObjectName) -> Result<Option<SystemTime>> {
        let reader = self.registry.storage.read(name, ByteRange::Full, Freshness::Newest).await?;
        let Some(reader) = reader else { return Ok(None) };
        let content = body::collect(reader.stream, LONGEST_TIME).await.map_err(Error::ContentBroken)?;
        let text = std::str::from_utf8(&content).unwrap_or_default();
        let time = text.trim().parse().ok().and_then(|time: Timestamp| SystemTime::try_from(time).ok());
        // What is no time is taken for young: nobody knows what it is.
        Ok(Some(time.unwrap_or(self.old_before)))
    }
}

/// What is stored of an upload of registry:2.
#[derive(Default)]
struct Objects {
    names: Vec<ObjectName>,
    latest: Option<SystemTime>,
}

/// The upload of registry:2 that an object belongs to: `repositories/<repository>/_uploads/<uuid>`.
fn upload_of(name: &ObjectName) -> Option<ObjectName> {
    const UPLOADS: &str = "/_uploads/";
    // No component of a repository's name begins with an underscore.
    let at = name
        .as_str()
        .find("/_")
        .filter(|at| name.as_str().get(*at..).is_some_and(|own| own.starts_with(UPLOADS)))?;
    let rest = name.as_str().get(at + UPLOADS.len()..)?;
    let (uuid, _) = rest.split_once('/')?;
    ObjectName::parse(name.as_str().get(..at + UPLOADS.len() + uuid.len())?).ok()
}

#[cfg(test)]
mod tests;
