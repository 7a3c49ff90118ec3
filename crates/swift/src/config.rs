//! What an operator has to say about a Swift, and what is wrong with what was said. Where it came from, a file or the
//! environment, is not known here.

use std::time::Duration;

use http::Uri;
use secrecy::SecretString;

/// How to reach a Swift, as whom, and where in it to store.
///
/// Take [`SwiftConfig::new`] and change what differs. The names in quotes are those of registry:2's `storage.swift`.
#[derive(Debug, Clone)]
pub struct SwiftConfig {
    /// Where to sign in ("authurl"): of Keystone, with or without `/v3`, or of TempAuth, such as
    /// `http://swift.example/auth/v1.0`.
    pub auth_url: String,
    /// How to sign in ("authversion"); `None` finds it out from the URL, or by asking there.
    pub auth_version: Option<AuthVersion>,
    /// The user's name ("username"); with version 1 it is often `account:user`.
    pub user: String,
    /// The user's identifier in Keystone. It is used in place of the name, and needs no domain.
    pub user_id: Option<String>,
    /// The user's password or key ("password").
    pub password: SecretString,
    /// The name of the project whose containers are used ("tenant"). Keystone only.
    pub tenant: Option<String>,
    /// The project's identifier ("tenantid"). It is used in place of the name, and needs no domain.
    pub tenant_id: Option<String>,
    /// The name of the user's domain ("domain").
    pub domain: Option<String>,
    /// The identifier of the user's domain ("domainid"). Without name and identifier the domain is `Default`.
    pub domain_id: Option<String>,
    /// The name of the project's domain ("tenantdomain").
    pub tenant_domain: Option<String>,
    /// The identifier of the project's domain ("tenantdomainid"). Without name and identifier it is the user's domain.
    pub tenant_domain_id: Option<String>,
    /// The region whose object store is used ("region"); `None` takes the first of the catalog.
    pub region: Option<String>,
    /// Which of the object store's addresses ("endpointtype").
    pub interface: Interface,
    /// The account's URL, in place of the one that sign-in gives.
    pub storage_url: Option<String>,
    /// The container that holds everything ("container"). It is made if it is missing.
    pub container: String,
    /// What every name of an object begins with ("prefix"), raw as registry:2 takes it; see
    /// [`SwiftStorage`](crate::SwiftStorage).
    pub prefix: String,
    /// Bytes in a segment of a large object ("chunksize"), from 1 MiB up. An upload of very many segments makes its later
    /// ones larger, and none is larger than the cluster allows.
    pub segment_size: u64,
    /// Believe any TLS certificate ("insecureskipverify").
    pub insecure: bool,
    /// To connect, TLS included.
    pub connect_timeout: Duration,
    /// From the end of a request to the head of its answer.
    pub answer_timeout: Duration,
    /// While a transfer does not move.
    pub idle_timeout: Duration,
    /// Requests under way at once.
    pub max_requests: usize,
    /// What we call ourselves.
    pub user_agent: String,
}

/// The version of the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthVersion {
    /// `X-Auth-User` and `X-Auth-Key`: TempAuth, Ceph RGW.
    V1,
    /// Keystone's Identity API 3.
    V3,
}

/// Which address of a service in Keystone's catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interface {
    /// For anyone.
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For its administrators.
    Admin,
}

impl Interface {
    /// Keystone's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct ConfigError {
    /// Its name, as registry:2's `storage.swift` calls it.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl SwiftConfig {
    /// The least that [`segment_size`](Self::segment_size) may be.
    pub const MIN_SEGMENT_SIZE: u64 = 1 << 20;

    /// A configuration in which everything else is as most have it.
    #[must_use]
    pub fn new(
        auth_url: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<SecretString>,
        container: impl Into<String>,
    ) -> Self {
        Self {
            auth_url: auth_url.into(),
            auth_version: None,
            user: user.into(),
            user_id: None,
            password: password.into(),
            tenant: None,
            tenant_id: None,
            domain: None,
            domain_id: None,
            tenant_domain: None,
            tenant_domain_id: None,
            region: None,
            interface: Interface::Public,
            storage_url: None,
            container: container.into(),
            prefix: String::new(),
            segment_size: 64 << 20,
            insecure: false,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(1),
            max_requests: 256,
            user_agent: concat!("apus/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// What can be told without asking the cloud.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_url("authurl", &self.auth_url)?;
        if let Some(url) = &self.storage_url {
            check_url("storage URL", url)?;
        }
        require("username", !(self.user.is_empty() && self.user_id.is_none()), "is missing")?;
        require("container", !self.container.is_empty(), "is missing")?;
        // Swift, "Object Storage API overview", constraints.
        require("container", self.container.len() <= 256, "is longer than 256 bytes")?;
        require("container", !self.container.contains('/'), "holds a slash, which no container may")?;
        require("prefix", !self.prefix.contains(char::is_control), "holds a control character")?;
        require("prefix", self.prefix.len() <= 256, "is longer than 256 bytes: names would not fit")?;
        require(
            "chunksize",
            self.segment_size >= Self::MIN_SEGMENT_SIZE,
            "must be a number that is larger than or equal to 1048576",
        )
    }
}

fn require(field: &'static str, holds: bool, reason: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError { field, reason: reason.to_owned() }) }
}

fn check_url(field: &'static str, url: &str) -> Result<(), ConfigError> {
    let uri: Uri =
        url.parse().map_err(|error| ConfigError { field, reason: format!("{url:?} is no URL: {error}") })?;
    let scheme = uri.scheme_str();
    require(field, matches!(scheme, Some("http" | "https")), "must begin with http:// or https://")?;
    let password = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    require(field, !password, "holds a user or a password; use username and password")?;
    require(field, uri.query().is_none(), "has a query, which nothing is known to need")
}

#[cfg(test)]
mod tests;
