//! Links: small objects whose content is a digest. They are what a repository has; the bytes belong to all repositories.

use apus_storage::{
    ByteRange, ErrorKind, Freshness, ObjectName, Outcome, Storage, StorageError, WriteMode, body,
};
use bytes::Bytes;

use crate::{Digest, Result};

/// A link is 71 bytes, or 135 with SHA-512; what is longer than this is none.
const MAX_BYTES: usize = 512;

/// Follows a link; `None` when there is none. Always asks for the newest: links are what deletions delete and tags move.
pub(crate) async fn read(storage: &dyn Storage, name: &ObjectName) -> Result<Option<Digest>> {
    let Some(reader) = storage.read(name, ByteRange::Full, Freshness::Newest).await? else { return Ok(None) };
    if reader.info.size > MAX_BYTES as u64 {
        return Err(damaged(name, "it is too long").into());
    }
    let content = body::collect(reader.stream, MAX_BYTES)
        .await
        .map_err(|error| StorageError::new(ErrorKind::UNAVAILABLE, "read", name).with_source(error))?;
    let text = std::str::from_utf8(&content).map_err(|_| damaged(name, "it is no text"))?;
    match Digest::parse(text.trim()) {
        Ok(digest) => Ok(Some(digest)),
        Err(error) => Err(damaged(name, &error.to_string()).into()),
    }
}

/// Makes a link, or moves it.
pub(crate) async fn write(storage: &dyn Storage, name: &ObjectName, digest: &Digest) -> Result<()> {
    storage.write(name, Bytes::from(digest.to_string()).into(), WriteMode::Replace).await?;
    Ok(())
}

/// Removes a link.
pub(crate) async fn delete(storage: &dyn Storage, name: ObjectName) -> Result<Outcome> {
    let mut outcomes = storage.delete(std::slice::from_ref(&name)).await;
    match outcomes.pop() {
        Some(outcome) => Ok(outcome?),
        None => Err(StorageError::new(ErrorKind::Unexpected, "delete", name).into()),
    }
}

fn damaged(name: &ObjectName, reason: &str) -> StorageError {
    StorageError::new(ErrorKind::Damaged, "read", name)
        .with_source(format!("it should hold one digest: {reason}"))
        .with_advice("push the image again, or remove the object")
}
