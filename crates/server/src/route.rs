//! Paths. Names of repositories hold slashes, so a path is read from its end; this is a pure function of the path alone.

use std::borrow::Cow;

use apus_registry::{Digest, Reference, RepositoryName};
use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/`: for load balancers that ask whether somebody is there.
    Root,
    /// `/v2/`: which protocol is spoken here.
    Base,
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

#[cfg(test)]
mod tests;
