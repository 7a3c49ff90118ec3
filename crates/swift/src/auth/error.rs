//! Why signing in failed, and what an operator can do. No password and no token is ever in here.

use std::time::Duration;

use apus_http_client::Error;
use http::StatusCode;

use crate::config::{Credentials, UnreadableSecret};
use crate::error::{NO_TLS, SwiftErrorKind};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// The file with the secret does not give it.
    #[error(transparent)]
    Secret(#[from] UnreadableSecret),
    /// Nobody answers there.
    #[error("{url} cannot be reached")]
    Unreachable { url: String, source: Error },
    /// The service cannot answer now.
    #[error("{url} answered {status}")]
    NotNow { url: String, status: StatusCode, retry_after: Option<Duration> },
    /// The service knows no such user, or another password.
    #[error("{url} answered {status} to {who}{reason}")]
    Refused { url: String, who: String, status: StatusCode, reason: String, advice: &'static str },
    /// The token is for no project, so there are no containers for it.
    #[error(
        "{url} gave a token without a project, and so without an object store: tenant and tenantid are both missing"
    )]
    NoProject { url: String },
    /// The project has no object store.
    #[error("the catalog of {url} has no service of type object-store")]
    NoObjectStore { url: String },
    /// It has one, but not where it was asked for.
    #[error("the catalog of {url} has no {wanted} endpoint of an object store; it has: {offered}")]
    NoEndpoint { url: String, wanted: String, offered: String },
    /// How to sign in cannot be told.
    #[error("{url} does not say how to sign in: {reason}")]
    NoVersion { url: String, reason: String },
    /// An answer that no documentation foresees.
    #[error("{url}: {reason}")]
    Unexpected { url: String, reason: String },
    /// The task that signed in ended before it was done, together with its runtime.
    #[error("the sign-in was cut off")]
    CutOff,
}

impl AuthError {
    /// These credentials were refused.
    pub(super) fn refused(
        url: String,
        credentials: &Credentials,
        status: StatusCode,
        reason: String,
    ) -> Self {
        let advice = match credentials {
            Credentials::Password(_) => {
                "check username, password, domain or domainid, and tenant, tenantid or trustid with its domain"
            }
            Credentials::ApplicationCredential(_) => {
                "check the application credential: its id, or its name with the user and the user's domain; its \
                 secret; and that it has not expired"
            }
            Credentials::Token(_) => {
                "the token has expired, was revoked or may not be used for this project: give a new one"
            }
        };
        Self::Refused { url, who: credentials.who(), status, reason, advice }
    }

    pub(crate) fn kind(&self) -> SwiftErrorKind {
        match self {
            Self::Unreachable { .. } | Self::CutOff => SwiftErrorKind::UNAVAILABLE,
            Self::NotNow { retry_after, .. } => SwiftErrorKind::Unavailable { retry_after: *retry_after },
            Self::Secret(_)
            | Self::Refused { .. }
            | Self::NoProject { .. }
            | Self::NoObjectStore { .. }
            | Self::NoEndpoint { .. }
            | Self::NoVersion { .. } => SwiftErrorKind::Denied,
            Self::Unexpected { .. } => SwiftErrorKind::Unexpected,
        }
    }

    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Secret(_) => "put the secret there; it is read again at the next sign-in",
            Self::Unreachable { source: Error::Tls { .. }, .. } => NO_TLS,
            Self::Unreachable { .. } => "check authurl, and that the identity service is up",
            Self::NotNow { .. } => "look into the identity service, or wait",
            Self::Refused { advice, .. } => advice,
            Self::NoProject { .. } => {
                "set tenant (the project's name, OS_PROJECT_NAME) or tenantid (OS_PROJECT_ID)"
            }
            Self::NoObjectStore { .. } => {
                "check that this is the right project (tenant, tenantid), or ask the cloud for an object store"
            }
            Self::NoEndpoint { .. } => "set region and endpointtype to one of those",
            Self::NoVersion { .. } => "set authversion to 1, 2 or 3, and check authurl",
            Self::Unexpected { .. } => "check authurl and authversion",
            Self::CutOff => "try again",
        }
    }
}
