//! Paths: read, and written. Names of repositories hold slashes, so a path is read from its end; this is a pure function of the
//! path alone.

use std::borrow::Cow;
use std::fmt;

use apus_registry::{Digest, Reference, RepositoryName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What an identifier may hold only encoded: all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/`: for load balancers that ask whether somebody is there.
    Root,
    /// `/v2/`: which protocol is spoken here.
    Base,
    /// `/v2/token`: where the registry's own tokens are to be had, if it gives any.
    Token,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(RepositoryName, String),
}

/// A path that names nothing.
#[derive(Debug)]
pub enum RouteError {
    /// No such place in the protocol.
    NotFound,
    /// The place exists, but a name, tag or digest in it is none.
    Invalid(apus_registry::Error),
}

impl From<apus_registry::Error> for RouteError {
    fn from(error: apus_registry::Error) -> Self {
        Self::Invalid(error)
    }
}

impl Route {
    /// Reads a path as it stands in the request line, without its query. Percent-encoding is taken off first, once, so what
    /// is encoded cannot mean anything else than what is plain.
    pub fn parse(path: &str) -> Result<Self, RouteError> {
        let path: Cow<'_, str> = percent_decode_str(path).decode_utf8().map_err(|_| RouteError::NotFound)?;
        let rest = match path.as_ref() {
            "/" => return Ok(Self::Root),
            "/v2" | "/v2/" => return Ok(Self::Base),
            "/v2/token" => return Ok(Self::Token),
            "/v2/_catalog" => return Ok(Self::Catalog),
            path => path.strip_prefix("/v2/").ok_or(RouteError::NotFound)?,
        };
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags(RepositoryName::parse(name)?));
        }
        if let Some(name) =
            rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads"))
        {
            return Ok(Self::Uploads(RepositoryName::parse(name)?));
        }
        // A name without a slash before its kind cannot have one in its last part: identifiers, tags and digests hold none.
        let (front, last) = rest.rsplit_once('/').ok_or(RouteError::NotFound)?;
        if let Some(name) = front.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(RepositoryName::parse(name)?, last.to_owned()));
        }
        if let Some(name) = front.strip_suffix("/blobs") {
            return Ok(Self::Blob(RepositoryName::parse(name)?, Digest::parse(last)?));
        }
        if let Some(name) = front.strip_suffix("/manifests") {
            return Ok(Self::Manifest(RepositoryName::parse(name)?, Reference::parse(last)?));
        }
        if let Some(name) = front.strip_suffix("/referrers") {
            return Ok(Self::Referrers(RepositoryName::parse(name)?, Digest::parse(last)?));
        }
        Err(RouteError::NotFound)
    }
}

/// The path, such that [`Route::parse`] makes the same route of it.
impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => formatter.write_str("/"),
            Self::Base => formatter.write_str("/v2/"),
            Self::Token => formatter.write_str("/v2/token"),
            Self::Catalog => formatter.write_str("/v2/_catalog"),
            Self::Tags(name) => write!(formatter, "/v2/{name}/tags/list"),
            Self::Manifest(name, reference) => write!(formatter, "/v2/{name}/manifests/{reference}"),
            Self::Referrers(name, digest) => write!(formatter, "/v2/{name}/referrers/{digest}"),
            Self::Blob(name, digest) => write!(formatter, "/v2/{name}/blobs/{digest}"),
            Self::Uploads(name) => write!(formatter, "/v2/{name}/blobs/uploads/"),
            Self::Upload(name, id) => {
                write!(formatter, "/v2/{name}/blobs/uploads/{}", utf8_percent_encode(id, ENCODED))
            }
        }
    }
}

#[cfg(test)]
mod tests;
