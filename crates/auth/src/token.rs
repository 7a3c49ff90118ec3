//! Tokens that a token server signs: the distribution project's token authentication. A token is believed if a key that the
//! operator laid down, or one that a certificate of theirs certifies, signed it for this registry, and its time is now. Nothing
//! of a token is remembered: what the next one does not say is over.

mod algorithm;
mod certificates;
mod claims;
mod key_set;
mod keys;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::SystemTime;

use self::certificates::Bundle;
use self::claims::{Claims, Parts, ResourceActions};
use self::key_set::KeySet;
use self::keys::PublicKey;
use crate::authorization::{MAX_TOKEN_BYTES, MAX_USER_BYTES};
use crate::watched::{FileError, Watched};
use crate::{Access, Identity};

pub use self::algorithm::SigningAlgorithm;

/// How far the clocks of the token server and of this machine may be apart, in seconds.
const LEEWAY: f64 = 60.0;

/// Which tokens are believed.
#[derive(Debug, Clone)]
pub struct TokenOptions {
    /// Who must have made the token: its `iss`.
    pub issuer: String,
    /// For whom it must have been made: its `aud`, or one of them.
    pub service: String,
    /// How it may be signed.
    pub algorithms: HashSet<SigningAlgorithm>,
    /// Certificates in PEM: their keys are trusted, and those that they certify.
    pub root_cert_bundle: Option<PathBuf>,
    /// Keys as a JSON Web Key Set. Without it and without certificates no token is believed.
    pub jwks: Option<PathBuf>,
}

/// Checks tokens.
#[derive(Debug)]
pub struct TokenVerifier {
    issuer: String,
    service: String,
    algorithms: HashSet<SigningAlgorithm>,
    bundle: Option<Watched<Bundle>>,
    key_set: Option<Watched<KeySet>>,
}

/// What a token proves: who has it, and what the token server grants them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    identity: Identity,
    access: Vec<ResourceActions>,
}

/// Why a token is not believed. For logs: it says more than a client needs to know, but nothing of the token's signature.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is no token.
    #[error("the token cannot be read: {0}")]
    Malformed(&'static str),
    /// It is signed in a way that is not allowed.
    #[error("the token is signed by {name:?}, which is not among the algorithms that are allowed here")]
    Algorithm {
        /// The algorithm, cut short.
        name: String,
    },
    /// The key that signed it is not known.
    #[error("the token names no key that is trusted here: its key identifier is {kid:?}")]
    UnknownKey {
        /// The token's `kid`, cut short.
        kid: Option<String>,
    },
    /// Its chain of certificates does not lead to one that is trusted.
    #[error("the token's certificates are not trusted: {reason}")]
    Certificates {
        /// What is wrong with them.
        reason: String,
    },
    /// The signature is not that key's, or not of this token.
    #[error("the token's signature is wrong")]
    Signature,
    /// Another made it.
    #[error("the token is from the issuer {issuer:?}, which is not the one that is trusted here")]
    Issuer {
        /// Who made it, cut short.
        issuer: String,
    },
    /// It was made for another.
    #[error("the token is for another audience than this registry")]
    Audience,
    /// Its time is over, or it says none.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come, by more than a minute.
    #[error("the token is not valid yet; are the clocks right?")]
    NotYetValid,
    /// Its user is in the file no more.
    #[error("the token is for a user who is not there any more")]
    UserGone,
    /// A file of keys, or of users, cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key of the registry's own tokens cannot be had now.
    #[error("the key of tokens cannot be read")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TokenVerifier {
    /// Reads the files of keys.
    pub fn open(options: TokenOptions) -> Result<Self, FileError> {
        let TokenOptions { issuer, service, algorithms, root_cert_bundle, jwks } = options;
        let bundle = root_cert_bundle
            .map(|path| Watched::open(&path, certificates::MAX_FILE_BYTES, Bundle::parse))
            .transpose()?;
        let key_set =
            jwks.map(|path| Watched::open(&path, key_set::MAX_FILE_BYTES, KeySet::parse)).transpose()?;
        Ok(Self { issuer, service, algorithms, bundle, key_set })
    }

    /// Keys and certificates that were passed over when the files were read last, and why.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let of_bundle = self.bundle.iter().flat_map(Watched::complaints);
        of_bundle.chain(self.key_set.iter().flat_map(Watched::complaints)).collect()
    }

    /// For whom tokens must be made.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Checks a token, against keys as the files had them a second ago at the most.
    pub async fn verify(&self, token: &str, now: SystemTime) -> Result<Grant, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed("it is too long"));
        }
        let parts = Parts::parse(token)?;
        self.verify_signature(&parts, now).await?;
        self.judge(parts.claims()?, now)
    }

    /// A chain of certificates comes before a key identifier, as in registry:2.
    async fn verify_signature(&self, parts: &Parts<'_>, now: SystemTime) -> Result<(), TokenError> {
        let algorithm = SigningAlgorithm::from_name(&parts.header.alg)
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or_else(|| TokenError::Algorithm { name: excerpt(&parts.header.alg) })?;
        let signed = |key: &PublicKey| key.verifies(algorithm, parts.message, &parts.signature);
        let unknown = || TokenError::UnknownKey { kid: parts.header.key_name().map(excerpt) };

        let bundle = match &self.bundle {
            Some(bundle) => Some(bundle.get().await?),
            None => None,
        };
        let chain = parts.header.chain()?;
        if let (false, Some(bundle)) = (chain.is_empty(), &bundle) {
            let key = bundle.value.certified(&chain, now);
            let key = key.map_err(|reason| TokenError::Certificates { reason })?;
            return if signed(&key) { Ok(()) } else { Err(TokenError::Signature) };
        }
        let kid = parts.header.key_name().ok_or_else(unknown)?;
        let key_set = match &self.key_set {
            Some(key_set) => Some(key_set.get().await?),
            None => None,
        };
        let certified = bundle.iter().flat_map(|bundle| bundle.value.called(kid));
        let mut keys =
            certified.chain(key_set.iter().flat_map(|set| set.value.called(kid, algorithm))).peekable();
        if keys.peek().is_none() {
            return Err(unknown());
        }
        if keys.any(signed) { Ok(()) } else { Err(TokenError::Signature) }
    }

    fn judge(&self, claims: Claims, now: SystemTime) -> Result<Grant, TokenError> {
        if claims.iss != self.issuer {
            return Err(TokenError::Issuer { issuer: excerpt(&claims.iss) });
        }
        if !claims.aud.is_some_and(|audience| audience.contains(&self.service)) {
            return Err(TokenError::Audience);
        }
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        if claims.exp.is_none_or(|expires| now > expires + LEEWAY) {
            return Err(TokenError::Expired);
        }
        if [claims.nbf, claims.iat].into_iter().flatten().any(|begins| now + LEEWAY < begins) {
            return Err(TokenError::NotYetValid);
        }
        if claims.sub.len() > MAX_USER_BYTES || claims.sub.contains(char::is_control) {
            return Err(TokenError::Malformed("its subject is no name of a user"));
        }
        Ok(Grant { identity: Identity::user(claims.sub, claims.groups), access: claims.access })
    }
}

impl Grant {
    /// Who has the token: its `sub`, and its `groups`. A token without a subject is anonymous.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the token grants this. `*` among the actions grants all of them; names are what they are, without patterns.
    #[must_use]
    pub fn allows(&self, access: &Access) -> bool {
        self.access.iter().any(|granted| {
            granted.resource == access.resource.as_str()
                && granted.name == access.name
                && granted.actions.iter().any(|action| action == "*" || action == access.action.as_str())
        })
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
