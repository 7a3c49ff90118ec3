//! What a client is told that must first say who it is: the `WWW-Authenticate` header (RFC 9110 section 11.6.1, RFC 6750
//! section 3, RFC 7617 section 2), in the form that clients of registry:2 know.

use std::fmt::{self, Write as _};

use crate::{Access, Scope};

/// The parts of a `WWW-Authenticate` header. `Display` writes the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Ask for a name and a password.
    Basic {
        /// What the client shows to the person who is asked.
        realm: String,
    },
    /// Ask for a token.
    Bearer {
        /// The URL where tokens are to be had. A server that sends its clients to itself puts its own here; empty where it must.
        realm: String,
        /// The name of the registry, for which the token must be made. Of one that gives tokens itself it is the realm of its
        /// passwords.
        service: String,
        /// What the token must grant; nothing for the base of the API, where any token will do.
        scope: Vec<Access>,
        /// What was wrong with the token that was sent; `None` if none was.
        error: Option<BearerError>,
    },
}

/// What was wrong with a token, in the words of RFC 6750.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerError {
    /// It is not believed.
    InvalidToken,
    /// It does not grant what is needed.
    InsufficientScope,
}

impl fmt::Display for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { realm } => write!(formatter, "Basic realm={}", Quoted(realm)),
            Self::Bearer { realm, service, scope, error } => {
                write!(formatter, "Bearer realm={},service={}", Quoted(realm), Quoted(service))?;
                if !scope.is_empty() {
                    write!(formatter, ",scope={}", Quoted(&Scope(scope).to_string()))?;
                }
                match error {
                    None => Ok(()),
                    Some(BearerError::InvalidToken) => formatter.write_str(",error=\"invalid_token\""),
                    Some(BearerError::InsufficientScope) => {
                        formatter.write_str(",error=\"insufficient_scope\"")
                    }
                }
            }
        }
    }
}

/// A quoted string of RFC 9110 section 5.6.4, in ASCII. What must not stand in a header becomes a question mark, so that no
/// text ends the header or begins another.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(formatter, "\\{character}")?,
                ' '..='~' => formatter.write_char(character)?,
                _ => formatter.write_char('?')?,
            }
        }
        formatter.write_char('"')
    }
}

#[cfg(test)]
mod tests;
