//! What came from where, and when it was wanted last: one small object for each thing that is kept, whose own time is the time of
//! its last use. So any replica knows what has expired, and none has to remember anything.
//!
//! The objects and their names are described in `docs/layout.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use apus_registry::{Digest, RepositoryName};
use apus_storage::{BoxError, InvalidName, ListRequest, ObjectName, Outcome, Storage, WriteMode};
use quick_cache::sync::Cache as Table;
use serde_json::json;

use crate::Result;
use crate::routes::Target;

/// Under which all records lie; the `1` is their version.
pub(crate) const ROOT: &str = "apus/proxy/1";

/// Uses that are remembered, so that not each is written down.
const USES: usize = 16_384;
/// Uses are written down at most so often in a time to live.
const USES_IN_TTL: u32 = 8;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Blob,
    Manifest,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Blob => "_blobs",
            Self::Manifest => "_manifests",
        }
    }
}

/// A record's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) repository: RepositoryName,
    pub(crate) kind: Kind,
    pub(crate) digest: Digest,
    /// Of the upstream.
    pub(crate) identity: String,
}

impl Record {
    fn of(target: &Target, kind: Kind, digest: &Digest) -> Self {
        let identity = target.upstream.identity();
        Self { repository: target.local.clone(), kind, digest: digest.clone(), identity }
    }

    fn folder(&self) -> Result<ObjectName, InvalidName> {
        let Self { repository, kind, digest, .. } = self;
        let (algorithm, hex) = (digest.algorithm().name(), digest.hex());
        ObjectName::parse(format!("{ROOT}/{repository}/{}/{algorithm}/{hex}", kind.folder()))
    }

    pub(crate) fn name(&self) -> Result<ObjectName, InvalidName> {
        ObjectName::parse(format!("{}/{}", self.folder()?, self.identity))
    }

    /// The record that a name means; `None` for anything else that lies there.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(ROOT)?.strip_prefix('/')?;
        let (rest, identity) = rest.rsplit_once('/')?;
        let (rest, hex) = rest.rsplit_once('/')?;
        let (rest, algorithm) = rest.rsplit_once('/')?;
        let (repository, folder) = rest.rsplit_once('/')?;
        let kind = [Kind::Blob, Kind::Manifest].into_iter().find(|kind| kind.folder() == folder)?;
        Some(Self {
            repository: RepositoryName::parse(repository).ok()?,
            kind,
            digest: Digest::parse(&format!("{algorithm}:{hex}")).ok()?,
            identity: identity.to_owned(),
        })
    }
}

/// The records of all upstreams.
#[derive(Debug)]
pub(crate) struct Records {
    storage: Arc<dyn Storage>,
    uses: Arc<Table<(Kind, RepositoryName, Digest), Instant>>,
}

impl Records {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, uses: Arc::new(Table::new(USES)) }
    }

    /// Writes down that something was fetched and kept. What cannot be written down is kept longer than it need be, no worse.
    pub(crate) async fn keep(&self, target: &Target, kind: Kind, digest: &Digest) {
        self.is_due(target, kind, digest);
        if let Err(error) = write(&*self.storage, target, kind, digest).await {
            tracing::warn!(repository = %target.local, %digest, %error, "what was fetched could not be written down");
        }
    }

    /// Writes down that something was used, once in a while, and in the background.
    pub(crate) fn touch(&self, target: &Target, kind: Kind, digest: &Digest) {
        self.used(target, kind, digest, false);
    }

    /// The same for what the upstream has just confirmed: what nothing is written of yet, as what registry:2 has fetched, is from
    /// now on.
    pub(crate) fn adopt(&self, target: &Target, kind: Kind, digest: &Digest) {
        self.used(target, kind, digest, true);
    }

    fn used(&self, target: &Target, kind: Kind, digest: &Digest, adopts: bool) {
        if target.upstream.options.ttl.is_none() || !self.is_due(target, kind, digest) {
            return;
        }
        let (storage, target, digest) = (Arc::clone(&self.storage), target.clone(), digest.clone());
        tokio::spawn(async move {
            let touched = async {
                let name = Record::of(&target, kind, &digest).name()?;
                if storage.touch(&name).await? == Outcome::Absent && adopts {
                    write(&*storage, &target, kind, &digest).await?;
                }
                Ok::<_, BoxError>(())
            };
            if let Err(error) = touched.await {
                tracing::warn!(repository = %target.local, %digest, %error, "a use could not be written down");
            }
        });
    }

    /// Whether a use is to be written down; then it counts as written.
    fn is_due(&self, target: &Target, kind: Kind, digest: &Digest) -> bool {
        let key = (kind, target.local.clone(), digest.clone());
        let pause = target.upstream.options.ttl.unwrap_or(Duration::MAX) / USES_IN_TTL;
        let is_due = self.uses.get(&key).is_none_or(|written| written.elapsed() >= pause);
        if is_due {
            self.uses.insert(key, Instant::now());
        }
        is_due
    }

    /// Whether something that is here may have come from this upstream: its record says so, or there is none at all, as of what
    /// registry:2 has fetched. An upstream that took another's place in the configuration does not speak for what that one gave.
    pub(crate) async fn came_from(&self, target: &Target, kind: Kind, digest: &Digest) -> Result<bool> {
        let record = Record::of(target, kind, digest);
        let folder = record.folder().map_err(apus_registry::Error::from)?;
        let page =
            self.storage.list(&ListRequest::under(folder)).await.map_err(apus_registry::Error::from)?;
        let mut identities =
            page.entries.iter().filter_map(|entry| Record::parse(entry.name().as_str())).peekable();
        Ok(identities.peek().is_none() || identities.any(|found| found.identity == record.identity))
    }
}

async fn write(storage: &dyn Storage, target: &Target, kind: Kind, digest: &Digest) -> Result<(), BoxError> {
    let name = Record::of(target, kind, digest).name()?;
    let content = json!({ "version": 1, "upstream": target.upstream.url(), "repository": target.remote });
    storage.write(&name, content.to_string().into_bytes().into(), WriteMode::Replace).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
