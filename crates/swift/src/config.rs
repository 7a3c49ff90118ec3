//! What an operator has to say about a Swift, and what is wrong with what was said: [`credentials`] as whom, [`secret`]
//! where passwords come from, [`sources`] what the environment and `clouds.yaml` say. How to sign in is not known here.

mod credentials;
mod secret;
mod sources;

use std::borrow::Cow;
use std::time::Duration;

use apus_http_client::{HttpClient, Options, Proxies, Tls};
use http::{HeaderMap, Uri};
use secrecy::ExposeSecret;

pub use credentials::{ApplicationCredential, Credentials, Domain, Entity, Password, Scope, Token};
pub use secret::Secret;
pub(crate) use secret::UnreadableSecret;

use crate::client::TemporaryUrlOptions;
use crate::info::CapabilityOverrides;

/// How to reach a Swift, as whom, and where in it to store.
///
/// [`SwiftConfig::new`] takes credentials that are known; [`SwiftConfig::from_env`] and [`SwiftConfig::from_cloud`] find
/// them where the tools of OpenStack do. Change afterwards what differs. The names in quotes are those of registry:2's
/// `storage.swift`.
#[derive(Debug, Clone)]
pub struct SwiftConfig {
    /// Where to sign in ("authurl"): of Keystone, with or without `/v3`, or of TempAuth, such as
    /// `http://swift.example/auth/v1.0`.
    pub auth_url: String,
    /// How to sign in ("authversion"); `None` tells it from the URL's end, or else asks there which versions there are
    /// and takes the highest. A version that was found is never given up for a lower one.
    pub auth_version: Option<AuthVersion>,
    /// As whom.
    pub credentials: Credentials,
    /// The region whose object store is used ("region"); `None` takes the first of the catalog.
    pub region: Option<String>,
    /// Which of the object store's addresses ("endpointtype").
    pub interface: Interface,
    /// The account's URL, in place of the one that sign-in gives. Either is used as it is, but for a slash at its end.
    pub storage_url: Option<String>,
    /// Whom to believe ("insecureskipverify"), and as whom to show oneself, in TLS.
    pub tls: Tls,
    /// Which proxies to go through. They are those of the environment, unless changed.
    pub proxies: Proxies,
    /// The container that holds everything ("container"). It is made if it is missing.
    pub container: String,
    /// What every name of an object begins with ("prefix"); see [`SwiftStorage`](crate::SwiftStorage).
    pub prefix: String,
    /// Whose names objects have below the prefix.
    pub naming: Naming,
    /// Bytes in a segment of a large object ("chunksize"), from 1 MiB up. An upload of very many segments makes its later
    /// ones larger, and none is larger than the cluster allows.
    pub segment_size: u64,
    /// To connect, TLS included.
    pub connect_timeout: Duration,
    /// From the end of a request to the head of its answer.
    pub answer_timeout: Duration,
    /// While a transfer does not move.
    pub idle_timeout: Duration,
    /// For all tries of a request together, up to the head of the last answer. Content that streams takes as long as it
    /// moves; of a request that carries such, only no new try begins after this time.
    pub total_timeout: Duration,
    /// Tries of one request, the first included; 1 means that nothing is tried again.
    pub max_tries: u32,
    /// Compare the MD5 of all that is written with what Swift says it stored. It costs 2 seconds of a processor's time for
    /// each GiB. Unless this says, it is done where the cluster is reached without TLS, which checks every byte itself: what
    /// changes on its way unseen is noticed only by who reads it. Objects of up to 1 MiB are checked all the same.
    pub verify_checksums: Option<bool>,
    /// What the cluster can, in place of what it says of itself.
    pub capabilities: CapabilityOverrides,
    /// How clients are given URLs to objects.
    pub temporary_urls: TemporaryUrlOptions,
    /// Requests under way at once.
    pub max_requests: usize,
    /// What we call ourselves.
    pub user_agent: String,
    /// Adds to the headers of each request what its surroundings know, such as `X-Trans-Id-Extra`: Swift puts the first 32
    /// characters of that behind its own transaction identifier, in its answers and its logs.
    pub add_headers: Option<fn(&mut HeaderMap)>,
}

/// The version of the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthVersion {
    /// `X-Auth-User` and `X-Auth-Key`: TempAuth, Ceph RGW.
    V1,
    /// Keystone's Identity API 2.0, which it no longer has: old clouds, and some that imitate it.
    V2,
    /// Keystone's Identity API 3.
    V3,
}

impl AuthVersion {
    /// How URLs end that say the version themselves.
    const ENDS: [(&str, Self); 9] = [
        ("/v3", Self::V3),
        ("/v3/auth/tokens", Self::V3),
        ("/v2.0", Self::V2),
        ("/v2.0/tokens", Self::V2),
        ("/v2", Self::V2),
        ("/v1.0", Self::V1),
        ("/v1", Self::V1),
        // In Ceph's documentation.
        ("/auth/1.0", Self::V1),
        ("/auth/1", Self::V1),
    ];

    /// The version that the path of a URL says at its end, and the URL without that end and without slashes there.
    pub(crate) fn told_by(url: &str) -> (Option<Self>, &str) {
        let url = url.trim_end_matches('/');
        let told = Self::ENDS.iter().find_map(|(end, version)| Some((*version, url.strip_suffix(end)?)));
        match told {
            // Not in `http://v3`.
            Some((version, base)) if !base.ends_with('/') => (Some(version), base.trim_end_matches('/')),
            _ => (None, url),
        }
    }
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

/// Whose names objects have below the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// registry:2's: the object `a` is `<prefix>/files/a`. The prefix is put in front raw, and only slashes at the very beginning are
    /// dropped.
    #[default]
    Registry2,
    /// docker-registry 0.x's: the object `a` is `<prefix>/a`. A prefix that ends in a slash gets no other, and one slash at the very
    /// beginning is dropped.
    DockerRegistry,
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {reason}")]
pub struct ConfigError {
    /// Which one: as registry:2's `storage.swift` calls it, a variable of the environment, or a file with the line.
    pub setting: Cow<'static, str>,
    /// What is wrong with it.
    pub reason: String,
}

impl ConfigError {
    fn new(setting: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self { setting: setting.into(), reason: reason.into() }
    }
}

impl SwiftConfig {
    /// The least that [`segment_size`](Self::segment_size) may be.
    pub const MIN_SEGMENT_SIZE: u64 = 1 << 20;

    /// A configuration in which everything else is as most have it. There is an example for each way to sign in at
    /// [`Password`], [`ApplicationCredential`] and [`Token`].
    #[must_use]
    pub fn new(
        auth_url: impl Into<String>,
        credentials: impl Into<Credentials>,
        container: impl Into<String>,
    ) -> Self {
        Self {
            auth_url: auth_url.into(),
            auth_version: None,
            credentials: credentials.into(),
            region: None,
            interface: Interface::Public,
            storage_url: None,
            tls: Tls::default(),
            proxies: Proxies::from_env(),
            container: container.into(),
            prefix: String::new(),
            naming: Naming::default(),
            segment_size: 64 << 20,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(2),
            max_tries: 4,
            verify_checksums: None,
            capabilities: CapabilityOverrides::default(),
            temporary_urls: TemporaryUrlOptions::default(),
            max_requests: 256,
            user_agent: concat!("apus/", env!("CARGO_PKG_VERSION")).to_owned(),
            add_headers: None,
        }
    }

    /// What can be told without asking the cloud.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_url("authurl", &self.auth_url)?;
        if let Some(url) = &self.storage_url {
            check_url("storageurl", url)?;
        }
        if let Some(user) = self.credentials.user() {
            require("username", !user.text().is_empty(), "is missing")?;
        }
        if let (Credentials::ApplicationCredential(_) | Credentials::Token(_), Secret::Text(secret)) =
            (&self.credentials, self.credentials.secret())
        {
            require("the secret", !secret.expose_secret().is_empty(), "is empty")?;
        }
        if let Some(version) = self.auth_version.or(AuthVersion::told_by(&self.auth_url).0) {
            let fitting = self.credentials.check_version(version);
            fitting.map_err(|reason| ConfigError::new("authversion", format!("does not fit: {reason}")))?;
        }
        self.temporary_urls.validate()?;
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

    /// The HTTP stack as configured; reads the files of the TLS settings.
    pub(crate) fn http_client(&self) -> Result<HttpClient, ConfigError> {
        HttpClient::new(Options {
            name: "swift",
            max_requests: self.max_requests,
            connect_timeout: self.connect_timeout,
            answer_timeout: self.answer_timeout,
            idle_timeout: self.idle_timeout,
            tls: self.tls.clone(),
            proxies: self.proxies.clone(),
            user_agent: self.user_agent.clone(),
            add_headers: self.add_headers,
            ..Options::default()
        })
        .map_err(|error| match error {
            apus_http_client::Error::Settings { what, source } => {
                ConfigError::new(what, format!("cannot be used: {source}"))
            }
            error => ConfigError::new("the HTTP client", format!("cannot be made: {error}")),
        })
    }
}

fn require(setting: &'static str, holds: bool, reason: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::new(setting, reason)) }
}

fn check_url(setting: impl Into<Cow<'static, str>>, url: &str) -> Result<(), ConfigError> {
    let fault = match url.parse::<Uri>() {
        _ if url.is_empty() => "is missing",
        Err(_) => "is no URL",
        Ok(uri) => {
            let web = matches!(uri.scheme_str(), Some("http" | "https"));
            let names_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
            match (web, names_user, uri.query()) {
                (false, ..) => "must begin with http:// or https://",
                (_, true, _) => "holds a user or a password, which belong elsewhere",
                (.., Some(_)) => "has a query, which nothing is known to need",
                (true, false, None) => return Ok(()),
            }
        }
    };
    Err(ConfigError::new(setting, fault))
}

#[cfg(test)]
mod tests;
