//! Digests: an algorithm and its value (OCI image specification, "Digests"). Two algorithms are known, as equals.

use std::fmt;

use sha2::Digest as _;

use crate::Error;
use crate::name::excerpt;

/// A hash algorithm that Apus computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, what everyone uses.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Takes an algorithm's registered name, `sha256` or `sha512`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Characters of a value in hexadecimal.
    #[must_use]
    pub fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// The digest of some content, such as `sha256:e3b0...`, in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    /// Takes a digest in: a known algorithm, a colon, and its value in lower-case hexadecimal.
    ///
    /// # Errors
    /// [`Error::DigestInvalid`] when it is none, or of an algorithm that Apus does not compute.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::DigestInvalid { digest: excerpt(text), reason };
        let (algorithm, hex) = text.split_once(':').ok_or_else(|| invalid("it has no algorithm"))?;
        let algorithm = Algorithm::parse(algorithm)
            .ok_or_else(|| invalid("its algorithm is neither sha256 nor sha512"))?;
        if hex.len() != algorithm.hex_length() {
            return Err(invalid("its value has the wrong length"));
        }
        if !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            return Err(invalid("its value is not lower-case hexadecimal"));
        }
        Ok(Self { algorithm, hex: hex.to_owned() })
    }

    /// The digest of `content`.
    #[must_use]
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::from_value(algorithm, &sha2::Sha256::digest(content)),
            Algorithm::Sha512 => Self::from_value(algorithm, &sha2::Sha512::digest(content)),
        }
    }

    pub(crate) fn from_value(algorithm: Algorithm, value: &[u8]) -> Self {
        Self { algorithm, hex: data_encoding::HEXLOWER.encode(value) }
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its value, in lower-case hexadecimal.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

#[cfg(test)]
mod tests;
