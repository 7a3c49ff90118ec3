//! URLs by which clients fetch objects from Swift itself, past this process.

use std::time::Duration;

use apus_storage::{ObjectName, Result, UrlMethod};
use bytes::Bytes;
use quick_cache::sync::Cache;

use super::{Backend, SwiftStorage, names};
use crate::client::{Container, ObjectMetadata, TemporaryUrlError, TemporaryUrlProof, TemporaryUrls};
use crate::config::SwiftConfig;

/// Objects that are kept in mind as better read here; some 200 bytes each.
const READ_HERE: usize = 16_384;

/// What is fetched to prove that temporary URLs work. It stays as it is in all versions: others fetch it too.
const PROBE: &[u8] = b"Apus fetches this by a temporary URL to know that such URLs work.\n";

/// Temporary URLs for what lies in the container.
pub(super) fn temporary_urls(container: &Container, config: &SwiftConfig) -> TemporaryUrls {
    let name = format!("{}temporary-url", names::probes(config));
    TemporaryUrls::new(container.clone(), config, name, Bytes::from_static(PROBE))
}

/// Objects that Swift itself would read poorly, as far as they were met: large ones that registry:2 wrote, of which it sends
/// one segment a second. Nobody is sent there for them.
pub(super) struct ReadHere(Cache<String, ()>);

impl ReadHere {
    pub(super) fn new() -> Self {
        Self(Cache::new(READ_HERE))
    }

    /// Keeps it in mind, if it is one.
    pub(super) fn meet(&self, object: &str, metadata: &ObjectMetadata) {
        if Container::reads_by_segments(metadata).is_some() {
            self.0.insert(object.to_owned(), ());
        }
    }
}

impl SwiftStorage {
    /// Proves now that temporary URLs work, and waits for it: an object is fetched by one, through the address that clients
    /// would be given. Without this the first call of `temporary_url` begins the proof, and answers none.
    ///
    /// It may set a key on the container where there is none, and it writes an object, `<prefix>/apus/probes/temporary-url`.
    pub async fn prove_temporary_urls(&self) -> Result<TemporaryUrlProof, TemporaryUrlError> {
        self.0.temporary_urls.prove().await
    }
}

impl Backend {
    pub(super) fn temporary_url(
        &self,
        name: &ObjectName,
        method: UrlMethod,
        lifetime: Duration,
    ) -> Result<Option<String>> {
        let object = self.names.object("temporary_url", name)?;
        if self.read_here.0.get(&object).is_some() {
            return Ok(None);
        }
        Ok(self.temporary_urls.url(&object, method, lifetime))
    }
}
