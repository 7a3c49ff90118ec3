//! What a token says, taken apart (RFC 7515, RFC 7519 and the distribution project's token authentication). Nothing here is
//! believed yet.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use rustls_pki_types::CertificateDer;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::TokenError;
use super::certificates::MAX_CHAIN;

/// A token in its three parts.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) header: Header,
    /// What was signed.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    claims: &'a str,
}

/// What the header says of how to verify. Of keys that it brings along (`jwk`, `jku`, `x5u`) nothing is read but a name: whoever
/// forges a token would bring their own.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    kid: Option<String>,
    jwk: Option<Named>,
    #[serde(default, deserialize_with = "or_default")]
    x5c: Vec<String>,
    /// Extensions that must be understood, and none is.
    crit: Option<IgnoredAny>,
}

/// A key, of which only the name counts.
#[derive(Debug, Deserialize)]
struct Named {
    kid: Option<String>,
}

/// What the token server says.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) iss: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) sub: String,
    pub(super) aud: Option<Audience>,
    /// Seconds since 1970, with or without fractions (RFC 7519, NumericDate).
    pub(super) exp: Option<f64>,
    pub(super) nbf: Option<f64>,
    pub(super) iat: Option<f64>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) access: Vec<ResourceActions>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token grants on one thing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ResourceActions {
    #[serde(rename = "type")]
    pub(super) resource: String,
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) actions: Vec<String>,
}

/// Token servers that are written in Go say `null` for what is empty.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl<'a> Parts<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        const PARTS: TokenError =
            TokenError::Malformed("it is not three parts of base64url with dots between them");
        let (message, signature) = token.rsplit_once('.').ok_or(PARTS)?;
        let (header, claims) = message.split_once('.').ok_or(PARTS)?;
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).map_err(|_| PARTS)?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|_| TokenError::Malformed("its header is no JOSE header"))?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed("its header has critical extensions"));
        }
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| PARTS)?;
        Ok(Self { header, message: message.as_bytes(), signature, claims })
    }

    /// What the token says: to be asked for only when its signature was found to be right.
    pub(super) fn claims(&self) -> Result<Claims, TokenError> {
        const CLAIMS: TokenError = TokenError::Malformed("its claims are not those of a registry's token");
        let claims = BASE64URL_NOPAD.decode(self.claims.as_bytes()).map_err(|_| CLAIMS)?;
        serde_json::from_slice(&claims).map_err(|_| CLAIMS)
    }
}

impl Header {
    /// By what the token calls the key that signed it. A key in the token itself counts for its name alone, by which one of the
    /// trusted keys is found: so the distribution project's own token server names its key.
    pub(super) fn key_name(&self) -> Option<&str> {
        self.kid.as_deref().or_else(|| self.jwk.as_ref()?.kid.as_deref())
    }

    /// The chain of certificates, that of the signing key first (RFC 7515 section 4.1.6); empty if there is none.
    pub(super) fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TokenError> {
        if self.x5c.len() > MAX_CHAIN {
            return Err(TokenError::Malformed("its chain has more than 8 certificates"));
        }
        let decode = |certificate: &String| BASE64.decode(certificate.as_bytes()).map(CertificateDer::from);
        let chain: Result<_, _> = self.x5c.iter().map(decode).collect();
        chain.map_err(|_| TokenError::Malformed("its chain of certificates is not base64"))
    }
}

impl Audience {
    pub(super) fn contains(&self, service: &str) -> bool {
        match self {
            Self::One(audience) => audience == service,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == service),
        }
    }
}
