//! Tokens of version 1: `Token signature=…,repository="ns/name",access=read`. An index makes them, or this registry itself: then
//! they say of one that today's sign-in has let it into a repository, to the routes that name none.

use std::time::{Duration, SystemTime};

use apus_legacy::Repository;
use apus_storage::BoxError;
use async_trait::async_trait;
use data_encoding::HEXUPPER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use crate::Right;

/// How long a token of our own is good: longer than the longest push.
const LIFETIME: Duration = Duration::from_hours(6);

/// What a client shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    repository: Repository,
    signature: String,
    access: Option<String>,
    expires: Option<u64>,
}

impl Token {
    /// Reads an `Authorization` header. The scheme may stand there twice, as docker has it, and in any case.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (mut rest, mut found) = (header.trim_start(), false);
        while let Some((scheme, after)) = rest.split_at_checked(6)
            && scheme.eq_ignore_ascii_case("token ")
        {
            (rest, found) = (after.trim_start(), true);
        }
        if !found {
            return None;
        }
        let (mut repository, mut signature, mut access, mut expires) = (None, String::new(), None, None);
        for (key, value) in rest.split(',').filter_map(|pair| pair.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match key.trim() {
                "repository" => {
                    let name = percent_decode_str(value).decode_utf8().ok()?;
                    repository = Some(Repository::parse(&name)?);
                }
                "signature" => value.clone_into(&mut signature),
                "access" => access = Some(value.to_owned()),
                "expires" => expires = Some(value.parse().ok()?),
                _ => {}
            }
        }
        Some(Self { repository: repository?, signature, access, expires })
    }

    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    pub(crate) fn names(&self, repository: &Repository) -> bool {
        self.repository == *repository
    }

    /// Whether it is for what this method does. One that says nothing of it is for everything.
    pub(crate) fn is_for(&self, method: &Method) -> bool {
        self.access.as_deref().is_none_or(|access| access == Right::of(method).word())
    }
}

impl Token {
    /// Whether one of our own lets this method in: who may push was asked about pulling too.
    pub(crate) fn lets(&self, method: &Method) -> bool {
        self.is_for(method) || (Right::of(method) == Right::Read && self.access.as_deref() == Some("write"))
    }
}

/// Where the key comes from that signs tokens of our own. All replicas of a registry must get the same one.
#[async_trait]
pub trait TokenKeys: std::fmt::Debug + Send + Sync {
    /// The key. Asked for whenever a token is made or shown, and for nothing else.
    ///
    /// # Errors
    /// When it cannot be had now. Nobody is let in by a token then.
    async fn key(&self) -> Result<TokenKey, BoxError>;
}

/// A key that is always the same.
#[async_trait]
impl TokenKeys for TokenKey {
    async fn key(&self) -> Result<TokenKey, BoxError> {
        Ok(self.clone())
    }
}

/// The key that signs tokens of our own.
#[derive(Clone)]
pub struct TokenKey(SecretSlice<u8>);

impl TokenKey {
    /// A key made of a secret: of what is shared by all replicas.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.to_vec().into())
    }

    fn mac(&self, repository: &Repository, access: &str, expires: u64) -> Option<Hmac<Sha256>> {
        // Any length will do for a key.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        mac.update(format!("apus v1 token\n{repository}\n{access}\n{expires}").as_bytes());
        Some(mac)
    }

    /// A token for a repository.
    pub(crate) fn token(&self, repository: &Repository, right: Right) -> Option<String> {
        let expires = seconds(SystemTime::now() + LIFETIME);
        let signature = self.mac(repository, right.word(), expires)?.finalize().into_bytes();
        Some(format!("{},expires={expires}", written(&HEXUPPER.encode(&signature), repository, right)))
    }

    /// Whether a token was made with this key, and is good still.
    pub(crate) fn proves(&self, token: &Token) -> bool {
        let (Some(access), Some(expires)) = (&token.access, token.expires) else { return false };
        let Ok(signature) = HEXUPPER.decode(token.signature.as_bytes()) else { return false };
        expires > seconds(SystemTime::now())
            && self
                .mac(&token.repository, access, expires)
                .is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TokenKey").finish_non_exhaustive()
    }
}

/// A token for where nobody looks at it: docker wants one all the same.
pub(crate) fn unsigned(repository: &Repository, right: Right) -> String {
    const LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let letters = rand::random::<[u8; 16]>();
    let letters = letters.iter().filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()));
    written(&letters.map(|letter| char::from(*letter)).collect::<String>(), repository, right)
}

fn written(signature: &str, repository: &Repository, right: Right) -> String {
    format!("Token signature={signature},repository=\"{}\",access={}", quoted(repository), right.word())
}

/// A repository's name as it can stand in a header.
fn quoted(repository: &Repository) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const ENCODED: &AsciiSet = &CONTROLS.add(b'"').add(b'%').add(b',').add(b'\\');
    utf8_percent_encode(&repository.to_string(), ENCODED).to_string()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
