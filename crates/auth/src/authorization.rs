//! What a client says of itself: the text of an `Authorization` header, taken apart (RFC 9110 section 11.4, RFC 7617,
//! RFC 6750). Nothing here knows whether it is true.

use std::fmt;

use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// The longest name of a user, in bytes.
pub const MAX_USER_BYTES: usize = 255;

/// The longest password, in bytes. bcrypt looks at no more than 72.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// The longest token, in bytes: some hundred repositories, and a chain of certificates.
pub const MAX_TOKEN_BYTES: usize = 32 * 1024;

/// Neither a name nor a password: what skopeo and podman send where they are asked for both and have none.
const NOBODY: &str = "Og==";

/// What a client says of itself. Secrets are not shown by `Debug`.
#[derive(Debug)]
pub enum Authorization {
    /// Nothing at all.
    None,
    /// `Basic`: a name and a password.
    Basic(BasicCredentials),
    /// `Bearer`: a token, at most [`MAX_TOKEN_BYTES`] long.
    Bearer(SecretString),
}

/// A name and a password.
pub struct BasicCredentials {
    user: String,
    password: SecretSlice<u8>,
}

impl BasicCredentials {
    /// Who the client says to be: 1 to [`MAX_USER_BYTES`] bytes.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// At most [`MAX_PASSWORD_BYTES`] bytes, in whatever encoding the client has.
    pub(crate) fn password(&self) -> &[u8] {
        self.password.expose_secret()
    }

    /// A name and a password that came by another way than the header, within the same bounds.
    pub fn new(user: &str, password: &[u8]) -> Result<Self, AuthorizationError> {
        if user.len() > MAX_USER_BYTES || password.len() > MAX_PASSWORD_BYTES {
            return Err(AuthorizationError::TooLong);
        }
        // Names end up in logs, so they are in one line.
        if user.is_empty() || user.contains(char::is_control) {
            return Err(AuthorizationError::Basic);
        }
        Ok(Self { user: user.to_owned(), password: password.to_vec().into() })
    }
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BasicCredentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why an `Authorization` header says nothing. What was in it is not told: it may be a secret with a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// Neither `Basic` nor `Bearer`.
    #[error("the Authorization header is neither Basic nor Bearer")]
    Scheme,
    /// `Basic`, and then no base64 of a name, a colon and a password; or a name that is none.
    #[error("the credentials are not a name and a password")]
    Basic,
    /// More than is looked at.
    #[error("the name, the password or the token is too long")]
    TooLong,
}

impl Authorization {
    /// Takes the text of the header apart; `None` where there was no such header. A request with two of them must have been
    /// refused before.
    pub fn parse(header: Option<&str>) -> Result<Self, AuthorizationError> {
        let Some(header) = header else { return Ok(Self::None) };
        let (scheme, rest) = header.trim().split_once(' ').ok_or(AuthorizationError::Scheme)?;
        let rest = rest.trim_start();
        if scheme.eq_ignore_ascii_case("bearer") {
            if rest.len() > MAX_TOKEN_BYTES {
                return Err(AuthorizationError::TooLong);
            }
            Ok(Self::Bearer(rest.into()))
        } else if scheme.eq_ignore_ascii_case("basic") {
            if rest == NOBODY { Ok(Self::None) } else { basic(rest).map(Self::Basic) }
        } else {
            Err(AuthorizationError::Scheme)
        }
    }
}

fn basic(encoded: &str) -> Result<BasicCredentials, AuthorizationError> {
    // Base64 makes four characters of three bytes.
    if encoded.len() > (MAX_USER_BYTES + 1 + MAX_PASSWORD_BYTES).div_ceil(3) * 4 {
        return Err(AuthorizationError::TooLong);
    }
    let decoded: SecretSlice<u8> =
        BASE64.decode(encoded.as_bytes()).map_err(|_| AuthorizationError::Basic)?.into();
    let mut parts = decoded.expose_secret().splitn(2, |byte| *byte == b':');
    let (Some(user), Some(password)) = (parts.next(), parts.next()) else {
        return Err(AuthorizationError::Basic);
    };
    let user = std::str::from_utf8(user).map_err(|_| AuthorizationError::Basic)?;
    BasicCredentials::new(user, password)
}

#[cfg(test)]
mod tests;
