//! Why temporary URLs do not work, and what to do about it. No key and no signed URL is ever in here.

use std::time::Duration;

use http::StatusCode;

use super::options::TemporaryUrlScope;
use crate::config::Interface;
use crate::error::SwiftError;

/// Why the cluster's temporary URLs cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemporaryUrlError {
    /// The cluster has none.
    #[error("the cluster does not list tempurl in /info")]
    NoMiddleware,
    /// It has none for reading.
    #[error("the cluster takes temporary URLs for {methods}, and GET is not among them")]
    NoMethod {
        /// For which it has.
        methods: String,
    },
    /// It wants signatures that nobody here can make.
    #[error("the cluster takes signatures by {digests} only")]
    NoDigest {
        /// By which.
        digests: String,
    },
    /// HP Cloud's manner needs the identifier of the project.
    #[error("accesskey is set, and the project's identifier is not")]
    NoProjectId,
    /// There is no key that could sign, and none may be set.
    #[error("there is no key to sign with, and none can be set on the {scope}")]
    NoKey {
        /// On what it would have been.
        scope: TemporaryUrlScope,
        /// What Swift said, where it did not keep silent.
        source: Option<SwiftError>,
    },
    /// There are keys, and the cluster does not take what they sign.
    #[error("{host} refuses what is signed: it answered {status} to each of {tried} signatures")]
    Refused {
        /// Who.
        host: String,
        /// How.
        status: StatusCode,
        /// Signatures that were tried.
        tried: usize,
        /// By how much its clock differs from ours, where that is more than a minute.
        clocks_apart: Option<Duration>,
    },
    /// Someone else answers there.
    #[error("{host} does not give the object that was asked for: it answered {found}")]
    Elsewhere {
        /// Who.
        host: String,
        /// What came.
        found: String,
    },
    /// Nobody answers there.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// Who.
        host: String,
        /// Why.
        source: apus_http_client::Error,
    },
    /// It answers that it cannot answer now.
    #[error("{host} answered {status}")]
    NotNow {
        /// Who.
        host: String,
        /// How.
        status: StatusCode,
    },
    /// The URLs would lead to where only the cloud's own network gets.
    #[error("the {} endpoint is in use, and it is not said how clients reach the object store", interface.as_str())]
    Inward {
        /// Which endpoint.
        interface: Interface,
    },
    /// Swift failed in what had to be done before.
    #[error("it could not be tried")]
    Swift(#[source] SwiftError),
}

impl TemporaryUrlError {
    /// What the reader can do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::NoMiddleware => {
                "enable the middleware tempurl in Swift's proxy; if it is, and /info does not show it, set tempurlmethods"
                    .to_owned()
            }
            Self::NoMethod { .. } => "let the middleware tempurl take GET and HEAD (its option methods)".to_owned(),
            Self::NoDigest { .. } => {
                "let the middleware tempurl take sha256 or sha512 (its option allowed_digests)".to_owned()
            }
            Self::NoProjectId => "set tenantid, or remove accesskey, which only HP Cloud knows".to_owned(),
            Self::NoKey { scope, .. } => format!(
                "give the user a role that may change the {scope}'s metadata, or have someone set \
                 X-{}-Meta-Temp-URL-Key and give its value as secretkey",
                match scope {
                    TemporaryUrlScope::Container => "Container",
                    TemporaryUrlScope::Account => "Account",
                }
            ),
            Self::Refused { clocks_apart: Some(apart), .. } => {
                format!("set the clocks right: Swift's and this machine's are {} s apart", apart.as_secs())
            }
            Self::Refused { .. } => "if a key was set just now, wait a minute; else check secretkey, and that what stands in \
                 front of Swift leaves host and path as they are"
                .to_owned(),
            Self::Elsewhere { .. } => {
                "it must lead to the object store, with the same paths: check tempurlhost, if it is set".to_owned()
            }
            Self::Inward { .. } => {
                "set tempurlhost to the scheme and host by which clients reach the object store".to_owned()
            }
            Self::NotNow { .. } => "look into Swift, or wait".to_owned(),
            Self::Unreachable { .. } => {
                "clients and this machine must both reach this host: check tempurlhost and endpointtype".to_owned()
            }
            Self::Swift(error) => error.advice().unwrap_or("look into Swift, or wait").to_owned(),
        }
    }
}
