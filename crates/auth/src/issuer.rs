//! Tokens of the registry's own, for clients that sign in to nothing but a token server. One says who has proven to be whom, and
//! until when, and nothing of what they may do: that is asked anew whenever it is used, so what an operator takes away is gone at
//! once. Nothing of a token is remembered; whoever has the key can make one.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::authorization::MAX_USER_BYTES;
use crate::token::TokenError;

/// How long a token is good, as at Docker Hub. A request that has begun goes on, however long it takes.
const LIFETIME: Duration = Duration::from_mins(5);

/// How far the clocks of two replicas may be apart, in seconds.
const LEEWAY: u64 = 60;

/// `{"alg":"HS256","typ":"JWT"}` (RFC 7515), the only header there is: a token chooses nothing of how it is verified.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The longest token, in bytes: with the longest name of a user, each character of it written as an escape.
const MAX_BYTES: usize = 2 * MAX_USER_BYTES * 4 / 3 + 256;

/// Anything that can go wrong elsewhere.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where the key comes from that signs tokens and proves them. All replicas of a registry must get the same one.
#[async_trait]
pub trait TokenKeys: Send + Sync {
    /// The key: 32 bytes of which nobody else knows anything. Asked for whenever a token is made or shown, and for nothing else.
    ///
    /// # Errors
    /// When it cannot be had now. Nobody is let in by a token then.
    async fn key(&self) -> Result<SecretSlice<u8>, BoxError>;
}

/// Makes tokens, and believes those that it made, here or in another replica.
pub struct TokenIssuer {
    keys: Box<dyn TokenKeys>,
}

/// A token, and what its client is told of it.
#[derive(Debug)]
pub struct IssuedToken {
    /// Who has it.
    pub identity: Identity,
    /// The token: a JSON Web Token (RFC 7519) in its compact form. Clients need not read it.
    pub text: SecretString,
    /// When it was made, to the second.
    pub issued_at: SystemTime,
    /// How long it is good from then on.
    pub lifetime: Duration,
}

/// What a token says. Times are seconds since 1970.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// Absent for somebody anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    iat: u64,
    exp: u64,
}

impl TokenIssuer {
    /// Signs by these keys.
    #[must_use]
    pub fn new(keys: impl TokenKeys + 'static) -> Self {
        Self { keys: Box::new(keys) }
    }

    /// A token for somebody who has just proven to be this one.
    ///
    /// # Errors
    /// [`TokenError::Key`] alone.
    pub(crate) async fn issue(&self, identity: Identity, now: SystemTime) -> Result<IssuedToken, TokenError> {
        let iat = seconds(now);
        let claims = Claims { sub: identity.name().map(str::to_owned), iat, exp: iat + LIFETIME.as_secs() };
        // Plain strings and numbers always become JSON.
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let message = format!("{HEADER}.{}", BASE64URL_NOPAD.encode(&claims));
        let signature = hmac::sign(&self.key().await?, message.as_bytes());
        let text = format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()));
        let issued_at = SystemTime::UNIX_EPOCH + Duration::from_secs(iat);
        Ok(IssuedToken { identity, text: text.into(), issued_at, lifetime: LIFETIME })
    }

    /// Who has a token. Whether they are still somebody is for others to say.
    pub(crate) async fn verify(&self, token: &str, now: SystemTime) -> Result<Identity, TokenError> {
        const STRANGE: TokenError = TokenError::Malformed("it is not one of this registry's own");
        if token.len() > MAX_BYTES {
            return Err(STRANGE);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(STRANGE)?;
        let claims = message.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.')).ok_or(STRANGE)?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| STRANGE)?;
        hmac::verify(&self.key().await?, message.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;
        let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).map_err(|_| STRANGE)?;
        let Claims { sub, exp, .. } = serde_json::from_slice(&claims).map_err(|_| STRANGE)?;
        let now = seconds(now);
        if now > exp.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        // By the clock of a replica that was far ahead.
        if exp > now + LIFETIME.as_secs() + LEEWAY {
            return Err(TokenError::NotYetValid);
        }
        Ok(sub.map_or_else(Identity::anonymous, |name| Identity::user(name, Vec::new())))
    }

    async fn key(&self) -> Result<hmac::Key, TokenError> {
        let key = self.keys.key().await.map_err(TokenError::Key)?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()))
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenIssuer").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
