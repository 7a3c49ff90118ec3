//! The part of an upload URL that Apus signs: where the upload stands, so that beginning one needs no request to storage,
//! and an identifier is of no use in another repository.

use apus_storage::{StageId, StageRevision};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::uploads::{Standing, UploadPosition};
use crate::{Algorithm, UploadOwner};

const VERSION: u32 = 1;
const MAC_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    version: u32,
    repository: &'a str,
    upload: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    algorithm: &'a str,
    offset: u64,
    revision: Option<&'a str>,
}

/// Signs positions and checks signatures.
#[derive(Clone)]
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(crate) fn new(secret: &[u8]) -> Self {
        // HMAC takes a key of any length (RFC 2104); the error type exists for other MACs.
        Self(
            Hmac::new_from_slice(secret)
                .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default())),
        )
    }

    pub(crate) fn sign(&self, position: &UploadPosition) -> String {
        let (offset, revision) = match position.standing() {
            Standing::Fresh => (0, None),
            Standing::At { offset, revision } => (*offset, Some(revision.as_str())),
        };
        let claims = Claims {
            version: VERSION,
            repository: position.repository().as_str(),
            upload: position.id().as_str(),
            principal: position.owner().principal.map(str::to_owned),
            algorithm: position.algorithm().name(),
            offset,
            revision,
        };
        // Plain strings and numbers always become JSON.
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let mut token = self.0.clone().chain_update(&claims).finalize().into_bytes().to_vec();
        token.extend_from_slice(&claims);
        BASE64URL_NOPAD.encode(&token)
    }

    /// A key for another purpose, of this secret and another one, which tells nothing of either. The purpose begins with a
    /// letter: claims, which begin with a brace, are never taken for it.
    pub(crate) fn derived(&self, purpose: &str, other: &[u8]) -> [u8; MAC_BYTES] {
        self.0
            .clone()
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(other)
            .finalize()
            .into_bytes()
            .into()
    }

    /// The position that a token stands for; `None` unless this key signed it, for this owner and upload.
    pub(crate) fn open(&self, token: &str, owner: UploadOwner<'_>, id: &StageId) -> Option<UploadPosition> {
        let token = BASE64URL_NOPAD.decode(token.trim_end_matches('=').as_bytes()).ok()?;
        let (mac, claims) = token.split_at_checked(MAC_BYTES)?;
        self.0.clone().chain_update(claims).verify_slice(mac).ok()?;
        let claims: Claims<'_> = serde_json::from_slice(claims).ok()?;
        let ours = claims.version == VERSION
            && claims.repository == owner.repository.as_str()
            && claims.principal.as_deref() == owner.principal
            && claims.upload == id.as_str();
        let standing = match claims.revision {
            None => Standing::Fresh,
            Some(revision) => {
                Standing::At { offset: claims.offset, revision: StageRevision::from_text(revision) }
            }
        };
        let algorithm = Algorithm::parse(claims.algorithm)?;
        ours.then(|| UploadPosition::new(owner, id.clone(), algorithm, standing))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signer")
    }
}

#[cfg(test)]
mod tests;
