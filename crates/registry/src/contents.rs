//! The bytes of manifests: fetched once for all who ask at the same time, proven by their digest, and kept for a while. What
//! they take in memory while they come is bounded.

use std::pin::pin;

use apus_storage::{ByteRange, ErrorKind, Freshness, StorageError, body};
use bytes::Bytes;
use futures_util::FutureExt;

use crate::{Digest, Registry, RegistryOptions, Result, layout};

impl Registry {
    /// The bytes of a manifest, whichever repository has it; `None` when there are none.
    pub(crate) async fn manifest_content(&self, digest: &Digest) -> Result<Option<Bytes>> {
        let mut found = pin!(self.caches.manifest_or_turn(digest));
        match found.as_mut().now_or_never() {
            Some(Ok(content)) => Ok(Some(content)),
            Some(Err(turn)) => {
                // Whatever ends this early drops the turn, and those who wait for it go on.
                let content = self.fetch_manifest(digest).await?;
                if let Some(content) = &content {
                    // Too large to be kept, it is given to those who wait all the same.
                    let _ = turn.insert(content.clone());
                }
                Ok(content)
            }
            None => match found.await {
                Ok(content) => Ok(Some(content)),
                // Nobody got it for us. The turn is given back first, so that of many who wait none waits for one that fails too.
                Err(turn) => {
                    drop(turn);
                    self.fetch_manifest(digest).await
                }
            },
        }
    }

    async fn fetch_manifest(&self, digest: &Digest) -> Result<Option<Bytes>> {
        let name = layout::blob_data(digest)?;
        let Some(reader) = self.storage.read(&name, ByteRange::Full, Freshness::Any).await? else {
            return Ok(None);
        };
        let limit = self.options.manifest_limit;
        if reader.info.size > limit as u64 {
            return Err(damaged(digest, format!("it is larger than {limit} bytes")).into());
        }
        // A manifest larger than all the room gets all of it. The room is never closed.
        let room = kib(reader.info.size).min(whole_room(&self.options));
        let _room = self.manifest_room.acquire_many(room).await.ok();
        let content = body::collect(reader.stream, limit).await.map_err(|error| {
            StorageError::new(ErrorKind::UNAVAILABLE, "read manifest", digest).with_source(error)
        })?;
        let actual = Digest::of(digest.algorithm(), &content);
        if actual != *digest {
            let error = damaged(digest, format!("its content has the digest {actual}"));
            return Err(error.with_advice("push the image again").into());
        }
        Ok(Some(content))
    }
}

/// The room for manifests that are being read, in KiB.
pub(crate) fn whole_room(options: &RegistryOptions) -> u32 {
    kib(options.manifest_memory)
}

fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024).max(1)).unwrap_or(u32::MAX)
}

pub(crate) fn damaged(digest: &Digest, reason: String) -> StorageError {
    StorageError::new(ErrorKind::Damaged, "read manifest", digest).with_source(reason)
}

#[cfg(test)]
mod tests;
