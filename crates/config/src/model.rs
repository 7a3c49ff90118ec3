//! The configuration itself: plain types, their meaning and their defaults. How a file becomes one of these is not
//! its matter.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use crate::ListenAddress;

/// Everything that can be configured.
///
/// The default is what runs without any file: listen on 127.0.0.1:5000, keep the images in `./apus-data`, let them be
/// deleted. A file starts from other defaults where registry:2 has them; each field names its own.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `log`
    pub log: LogConfig,
    /// `storage`
    pub storage: StorageConfig,
    /// `http`
    pub http: HttpConfig,
    /// `validation`
    pub validation: ValidationConfig,
    /// `catalog.maxentries`: repositories on the longest page of the catalog. `None`, also for zero and less, for the server's
    /// own measure.
    pub catalog_max_entries: Option<NonZeroUsize>,
    /// `tags.maxtags`: tags on the longest page. `None` as above.
    pub tags_max_tags: Option<NonZeroUsize>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.level`, or the old `loglevel` where that is empty. Default info.
    pub level: LogLevel,
    /// `log.formatter`. Default text.
    pub format: LogFormat,
}

/// The least severe kind of message that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// Also what someone should look at.
    Warn,
    /// Also what happens in normal running.
    #[default]
    Info,
    /// Also how it happens.
    Debug,
}

/// The form of a line of log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Where images are kept, and what may be done to them.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// The one storage driver of the file. Default, without a file: the filesystem, at `./apus-data`.
    pub driver: StorageDriver,
    /// `storage.delete.enabled`: whether clients may delete. Default false in a file, true without one.
    pub delete_enabled: bool,
}

impl Default for StorageConfig {
    fn default() -> Self {
        let filesystem = FilesystemConfig { root_directory: PathBuf::from("./apus-data") };
        Self { driver: StorageDriver::Filesystem(filesystem), delete_enabled: true }
    }
}

/// A storage driver with its parameters.
#[derive(Clone, Debug)]
pub enum StorageDriver {
    /// `storage.filesystem`
    Filesystem(FilesystemConfig),
    /// `storage.inmemory`: gone when the process ends.
    InMemory,
    /// `storage.swift`
    Swift(Box<SwiftConfig>),
}

/// `storage.filesystem`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesystemConfig {
    /// `rootdirectory`: the directory under which everything lies. Default in a file: `/var/lib/registry`.
    pub root_directory: PathBuf,
}

/// `storage.swift`: which OpenStack Swift, as whom, and how.
///
/// Names follow registry:2's driver; its `tenant` is Keystone's project. Texts are as they were written: `007` stays
/// `007`. An empty text counts as absent.
#[derive(Clone, Debug)]
pub struct SwiftConfig {
    /// Where to sign in, and as whom.
    pub sign_in: SwiftSignIn,
    /// `container`: holds everything; without a slash.
    pub container: String,
    /// `tenant`: the name of the project.
    pub tenant: Option<String>,
    /// `tenantid`: the id of the project.
    pub tenant_id: Option<String>,
    /// `domain`: the name of the user's domain.
    pub domain: Option<String>,
    /// `domainid`: the id of the user's domain.
    pub domain_id: Option<String>,
    /// `tenantdomain`: the name of the project's domain.
    pub tenant_domain: Option<String>,
    /// `tenantdomainid`: the id of the project's domain.
    pub tenant_domain_id: Option<String>,
    /// `trustid`: the trust to sign in by. Only together with a password; it is used in place of a project.
    pub trust_id: Option<String>,
    /// `region` of the service catalogue; `None` for the first.
    pub region: Option<String>,
    /// `prefix` of every object name, byte for byte as it was written: it is joined on without any clean-up.
    pub prefix: String,
    /// `endpointtype` of the service catalogue; `None` for public.
    pub endpoint_type: Option<EndpointType>,
    /// `storageurl`: the URL of the account, in place of the one from the service catalogue.
    pub storage_url: Option<String>,
    /// `insecureskipverify`: believe any TLS certificate. Default false.
    pub insecure_skip_verify: bool,
    /// `cacert`: a PEM file of certificate authorities, believed in place of the machine's.
    pub ca_cert: Option<PathBuf>,
    /// `clientcertificate` and `clientkey`: the PEM files of our own certificate and its key, which may be one.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// `chunksize` in bytes, at least 1 MiB: the size of a segment. `None` lets the backend choose.
    pub chunk_size: Option<u64>,
    /// `secretkey`: the key that signs temporary URLs. Temporary URLs are not made yet.
    pub secret_key: Option<SecretString>,
    /// `accesskey`: signs temporary URLs in HP Cloud's manner, and stands in them. Temporary URLs are not made yet.
    pub access_key: Option<String>,
    /// `tempurlcontainerkey`: the key of temporary URLs is the container's, not the account's. Default false.
    pub temp_url_container_key: bool,
    /// `tempurlmethods`: what temporary URLs may be made for, where Swift does not say. Default none.
    pub temp_url_methods: Vec<String>,
}

/// Where to sign in to OpenStack, and as whom.
#[derive(Clone, Debug)]
pub enum SwiftSignIn {
    /// `cloud`: as `clouds.yaml` says of the cloud of this name, or, for the name `envvars`, as the environment says.
    Cloud(String),
    /// As the file itself says.
    Service {
        /// `authurl`: an http or https URL without credentials, query or fragment, as it was written.
        auth_url: String,
        /// `authversion`; `None` (or 0 in the file) to find it out.
        auth_version: Option<AuthVersion>,
        /// As whom.
        credentials: SwiftCredentials,
    },
}

/// As whom to sign in, and what proves it.
#[derive(Clone, Debug)]
pub enum SwiftCredentials {
    /// A user with a password, or with the key of v1 sign-in.
    Password {
        /// `username` or `userid`
        user: SwiftUser,
        /// `password` or `passwordfile`
        password: SwiftSecret,
    },
    /// An application credential, by its id.
    ApplicationCredential {
        /// `applicationcredentialid`
        id: String,
        /// `applicationcredentialsecret` or `applicationcredentialsecretfile`
        secret: SwiftSecret,
    },
    /// An application credential, by its name.
    NamedApplicationCredential {
        /// `applicationcredentialname`
        name: String,
        /// `username` or `userid`: whose it is.
        user: SwiftUser,
        /// `applicationcredentialsecret` or `applicationcredentialsecretfile`
        secret: SwiftSecret,
    },
    /// `tokenid` or `tokenfile`: a token made elsewhere.
    Token(SwiftSecret),
}

/// A user of Keystone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwiftUser {
    /// `userid`
    Id(String),
    /// `username`
    Name(String),
}

/// A secret, or the file that holds it and is read whenever the secret is needed.
#[derive(Clone, Debug)]
pub enum SwiftSecret {
    /// The secret.
    Text(SecretString),
    /// The file.
    File(PathBuf),
}

/// The version of OpenStack sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthVersion {
    /// Swift's own: `X-Auth-User` and `X-Auth-Key`.
    V1,
    /// Keystone's retired v2.0.
    V2,
    /// Keystone's v3.
    V3,
}

/// Which of the endpoints in Keystone's service catalogue to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointType {
    /// For everyone.
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For the cloud's administrators.
    Admin,
}

/// How the registry is served.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `addr`: where to listen. Default 127.0.0.1:5000.
    pub addr: ListenAddress,
    /// `secret`: signs the state of uploads; replicas share it. `None` for one made up at the start.
    pub secret: Option<SecretString>,
    /// `relativeurls`: answer with `Location: /v2/...` (true), or with a whole URL made from each request (false). `None` for
    /// the first.
    pub relative_urls: Option<bool>,
    /// `host`: how clients reach the registry, whatever `relativeurls` says. An http or https URL without credentials, query
    /// or fragment, and without a slash at the end.
    pub host: Option<String>,
    /// `trustedproxies`: who is believed about where a request came from; empty for nobody. `None` to believe anyone about
    /// scheme and host, and nobody about the client's address.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// `h2c.enabled`, unless `http2.disabled`: speak HTTP/2 without TLS beside HTTP/1.1. Default false.
    pub h2c: bool,
    /// `prefix`: the path in front of `/v2/`. Empty, or begins with a slash and ends without: `/registry`.
    pub prefix: String,
    /// `draintimeout`: how long requests under way may go on after SIGTERM; zero cuts them off. Default 30 s.
    pub drain_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            addr: ListenAddress { host: "127.0.0.1".to_owned(), port: 5000 },
            secret: None,
            relative_urls: None,
            host: None,
            trusted_proxies: None,
            h2c: false,
            prefix: String::new(),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// What must be true of a manifest before it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationConfig {
    /// Unless `disabled`: whether what a manifest names must be in its repository. Default true.
    pub enabled: bool,
    /// `manifests.indexes`: which of the manifests that an index names must be there.
    pub index_platforms: IndexPlatforms,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self { enabled: true, index_platforms: IndexPlatforms::default() }
    }
}

/// `validation.manifests.indexes.platforms`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IndexPlatforms {
    /// All of them.
    #[default]
    All,
    /// None of them.
    None,
    /// Those for the platforms of `platformlist`.
    Listed(Vec<Platform>),
}

/// An entry of `validation.manifests.indexes.platformlist`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `os`, such as `linux`.
    pub os: String,
    /// `architecture`, such as `amd64`.
    pub architecture: String,
}
