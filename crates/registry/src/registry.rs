//! The registry itself: what its rooms share.

use std::sync::Arc;
use std::time::Duration;

use apus_storage::{ByteRange, Freshness, ObjectName, Publication, StageId, Storage, WriteMode, body};
use quick_cache::sync::Cache;
use rand::RngExt;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use tokio::sync::{OnceCell, Semaphore};

use crate::cache::Caches;
use crate::links::Links;
use crate::token::Signer;
use crate::{Error, ReferenceChecks, Result, contents, layout};

/// Uploads whose end is remembered; some 100 bytes each.
const ENDED_UPLOADS: usize = 16_384;

/// What an operator can choose.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// Signs upload URLs. Replicas that share it, or that share their storage and have none, take up each other's uploads.
    /// Without one, the first replica leaves a random one in storage.
    pub upload_secret: Option<SecretString>,
    /// Whether anything may be deleted.
    pub deletes: bool,
    /// Whether clients write nothing (whoever serves them sees to it), and so nothing is written by the registry itself either.
    pub read_only: bool,
    /// The largest manifest, in bytes. At least 4 MiB by the OCI distribution specification.
    pub manifest_limit: usize,
    /// Bytes of manifests kept in memory.
    pub manifest_cache: u64,
    /// Bytes of manifests that are on their way from storage into memory at once, to the KiB. Who needs more waits.
    pub manifest_memory: u64,
    /// Which of the things that a manifest names must be in its repository.
    pub references: ReferenceChecks,
    /// How long a URL is good for by which a client fetches a blob from storage itself. `None` when there are to be none.
    pub blob_url_lifetime: Option<Duration>,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            upload_secret: None,
            deletes: true,
            read_only: false,
            manifest_limit: 4 << 20,
            manifest_cache: 16 << 20,
            manifest_memory: 256 << 20,
            references: ReferenceChecks::default(),
            blob_url_lifetime: Some(Duration::from_mins(20)),
        }
    }
}

/// A registry over one storage. Any number of them, in any number of processes, may work on the same storage at once.
///
/// Clones are the same registry: they share what it remembers.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) links: Arc<Links>,
    pub(crate) options: RegistryOptions,
    pub(crate) caches: Arc<Caches>,
    /// Room for manifests that are being read, in KiB.
    pub(crate) manifest_room: Arc<Semaphore>,
    /// Uploads that came to their end here, well or not. Storage may never have known of them, and a chunk of theirs may still
    /// be on its way: here their URLs are good for nothing any more.
    pub(crate) ended: Arc<Cache<StageId, ()>>,
    signer: Arc<OnceCell<Signer>>,
    stored_secret: Arc<OnceCell<SecretSlice<u8>>>,
}

impl Registry {
    /// A registry over `storage`. Asks nothing of it yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, options: RegistryOptions) -> Self {
        let caches = Caches::new(options.manifest_cache);
        let links = Links::new(Arc::clone(&storage));
        let manifest_room = Semaphore::new(contents::whole_room(&options) as usize);
        Self {
            storage,
            links: Arc::new(links),
            options,
            caches: Arc::new(caches),
            manifest_room: Arc::new(manifest_room),
            ended: Arc::new(Cache::new(ENDED_UPLOADS)),
            signer: Arc::default(),
            stored_secret: Arc::default(),
        }
    }

    /// The same registry by other options. What is made only once stays as the first options said: the signature of upload URLs,
    /// and the sizes of what is kept in memory.
    #[must_use]
    pub fn with_options(&self, options: RegistryOptions) -> Self {
        Self { options, ..self.clone() }
    }

    /// The largest manifest that it takes, in bytes.
    #[must_use]
    pub fn manifest_limit(&self) -> usize {
        self.options.manifest_limit
    }

    /// Chunks of fewer bytes are taken, but an upload of many of them may meet a limit of storage early
    /// ([`Storage::least_append`]).
    #[must_use]
    pub fn least_append(&self) -> Option<u64> {
        self.storage.least_append()
    }

    /// The one gate of everything that deletes.
    pub(crate) fn may_delete(&self) -> Result<()> {
        if self.options.deletes { Ok(()) } else { Err(Error::DeletesDisabled) }
    }

    /// A key for a purpose, of 32 bytes: the same one in all replicas over this storage with the same [`RegistryOptions::upload_secret`].
    /// It takes both secrets to make it: the one in storage, which is random, so that a weak one in a configuration does no harm, and
    /// the configured one, if there is one, which not everybody knows who may read the storage. `purpose` begins with a letter.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] when there is no secret in storage, none may be made, and none of at least 32 bytes is configured to do
    /// without; [`Error::Storage`] when it cannot be read. What was read once is not asked for again.
    pub async fn derived_key(&self, purpose: &'static str) -> Result<SecretSlice<u8>> {
        let configured = self.options.upload_secret.as_ref().map(|secret| secret.expose_secret().as_bytes());
        let key = match (self.stored_secret().await, configured) {
            (Ok(stored), configured) => Signer::new(stored).derived(purpose, configured.unwrap_or_default()),
            (Err(Error::ReadOnly), Some(configured)) if configured.len() >= SECRET_BYTES => {
                Signer::new(configured).derived(purpose, &[])
            }
            (Err(error), _) => return Err(error),
        };
        Ok(key.to_vec().into())
    }

    /// # Errors
    /// [`Error::ReadOnly`] when no replica has ever needed one, and none may be made.
    pub(crate) async fn signer(&self) -> Result<&Signer> {
        self.signer
            .get_or_try_init(|| async {
                match &self.options.upload_secret {
                    Some(secret) => Ok(Signer::new(secret.expose_secret().as_bytes())),
                    None => Ok(Signer::new(self.stored_secret().await?)),
                }
            })
            .await
    }

    /// The secret that the replicas share through storage; made by whoever comes first.
    async fn stored_secret(&self) -> Result<&[u8]> {
        let secret = self.stored_secret.get_or_try_init(|| self.find_secret()).await?;
        Ok(secret.expose_secret())
    }

    async fn find_secret(&self) -> Result<SecretSlice<u8>> {
        let name = ObjectName::parse(layout::UPLOAD_SECRET)?;
        if let Some(secret) = self.read_secret(&name).await? {
            return Ok(secret);
        }
        if self.options.read_only {
            return Err(Error::ReadOnly);
        }
        let mut secret = vec![0; SECRET_BYTES];
        rand::rng().fill(secret.as_mut_slice());
        if let Publication::Published(_) =
            self.storage.write(&name, secret.into(), WriteMode::IfAbsent).await?
        {
            tracing::info!(object = %name, "made a secret; replicas over this storage share it");
        }
        // Two replicas may both have written: what is there now decides.
        self.read_secret(&name).await?.ok_or_else(|| damaged_secret(&name))
    }

    async fn read_secret(&self, name: &ObjectName) -> Result<Option<SecretSlice<u8>>> {
        let Some(reader) = self.storage.read(name, ByteRange::Full, Freshness::Newest).await? else {
            return Ok(None);
        };
        match body::collect(reader.stream, SECRET_BYTES).await {
            Ok(secret) if secret.len() == SECRET_BYTES => Ok(Some(secret.to_vec().into())),
            _ => Err(damaged_secret(name)),
        }
    }
}

const SECRET_BYTES: usize = 32;

fn damaged_secret(name: &ObjectName) -> Error {
    apus_storage::StorageError::new(apus_storage::ErrorKind::Damaged, "read", name)
        .with_advice("it should hold 32 bytes; delete the object and try again, or set http.secret")
        .into()
}
