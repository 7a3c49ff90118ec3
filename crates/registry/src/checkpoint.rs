//! What is kept with the bytes of a staged upload: whose it is, and the hash so far. The format is fixed in `docs/layout.md`.

use apus_storage::{ErrorKind, StageId, StorageError};
use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::hashing::Hasher;
use crate::{Algorithm, RepositoryName, UploadOwner};

/// The version that this code writes, and the newest that it reads.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    repository: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    algorithm: String,
    series: String,
    state: String,
}

/// An upload's owner and its hash.
#[derive(Debug, Clone)]
pub(crate) struct UploadCheckpoint {
    repository: RepositoryName,
    principal: Option<String>,
    pub(crate) hasher: Hasher,
}

impl UploadCheckpoint {
    pub(crate) fn new(owner: UploadOwner<'_>, hasher: Hasher) -> Self {
        let UploadOwner { repository, principal } = owner;
        Self { repository: repository.clone(), principal: principal.map(str::to_owned), hasher }
    }

    /// Whose upload it is.
    pub(crate) fn owner(&self) -> UploadOwner<'_> {
        UploadOwner { repository: &self.repository, principal: self.principal.as_deref() }
    }

    pub(crate) fn encode(&self) -> Bytes {
        let record = Record {
            version: VERSION,
            repository: self.repository.to_string(),
            principal: self.principal.clone(),
            algorithm: self.hasher.algorithm().name().to_owned(),
            series: Hasher::SERIES.to_owned(),
            state: BASE64.encode(&self.hasher.state()),
        };
        // A record of plain strings and a number: serde_json has no way to fail on it, and an empty checkpoint would be
        // refused when it is read.
        serde_json::to_vec(&record).unwrap_or_default().into()
    }

    pub(crate) fn decode(stage: &StageId, bytes: &[u8]) -> Result<Self, StorageError> {
        let damaged = |reason: &'static str| {
            StorageError::new(ErrorKind::Damaged, "resume upload", stage)
                .with_source(reason)
                .with_advice("begin the upload anew")
        };
        let version =
            serde_json::from_slice::<Version>(bytes).map_err(|_| damaged("its checkpoint is no record"))?;
        if version.version > VERSION {
            return Err(StorageError::new(ErrorKind::UnknownVersion, "resume upload", stage).with_advice(format!(
                "its checkpoint has version {}, this Apus knows {VERSION}: let the newer Apus finish it, or begin anew",
                version.version
            )));
        }
        let record: Record =
            serde_json::from_slice(bytes).map_err(|_| damaged("its checkpoint lacks a field"))?;
        if record.series != Hasher::SERIES {
            return Err(damaged("its hash was begun by another implementation"));
        }
        let repository = RepositoryName::parse(&record.repository)
            .map_err(|_| damaged("its checkpoint names no repository"))?;
        let hasher = Algorithm::parse(&record.algorithm)
            .zip(BASE64.decode(record.state.as_bytes()).ok())
            .and_then(|(algorithm, state)| Hasher::resume(algorithm, &state))
            .ok_or_else(|| damaged("its hash cannot be taken up"))?;
        Ok(Self { repository, principal: record.principal, hasher })
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[cfg(test)]
mod tests;
