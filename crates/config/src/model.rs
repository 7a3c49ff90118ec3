//! The configuration itself: plain types, their meaning and their defaults. How a file becomes one of these is not
//! its matter.

mod access;
mod auth;
mod health;
mod http;
mod notifications;
mod proxy;
mod tls;
mod v1;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;
use secrecy::SecretString;

pub use access::{AccessConfig, AccessPermission, AccessRule, AccessSubject, ProtectedTags};
pub use auth::{AuthConfig, SigningAlgorithm, TokenAuthConfig};
pub use health::{FileCheck, HealthConfig, HealthPace, HttpCheck, TcpCheck};
pub use http::{DebugConfig, HttpConfig};
pub use notifications::{EndpointConfig, EventAction, NotificationsConfig};
pub use proxy::{ProxyConfig, ProxyCredentials, UpstreamConfig};
pub use tls::{CipherSuite, ClientAuth, ClientAuthMode, TlsCertificate, TlsConfig, TlsVersion};
pub use v1::{V1Access, V1Config, V1Cors, V1Mirroring};

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
    /// `auth`; `None` where nothing is said: then nobody signs in.
    pub auth: Option<AuthConfig>,
    /// `access`; `None` to let whoever may sign in do everything: everyone, where nobody signs in.
    pub access: Option<AccessConfig>,
    /// `http`
    pub http: HttpConfig,
    /// `notifications`
    pub notifications: NotificationsConfig,
    /// `health`
    pub health: HealthConfig,
    /// `proxy`; `None` for a registry of its own.
    pub proxy: Option<ProxyConfig>,
    /// `v1`; `None` unless version 1 is spoken, or its images are shown.
    pub v1: Option<V1Config>,
    /// `limits`
    pub limits: LimitsConfig,
    /// `validation`
    pub validation: ValidationConfig,
    /// `catalog.maxentries`: repositories on the longest page of the catalog. `None`, also for zero and less, for the server's
    /// own measure.
    pub catalog_max_entries: Option<NonZeroUsize>,
    /// `tags.maxtags`: tags on the longest page. `None` as above.
    pub tags_max_tags: Option<NonZeroUsize>,
}

impl Config {
    /// Whether version 2 shows the images of version 1, and those alone.
    #[must_use]
    pub fn shows_version_1(&self) -> bool {
        self.v1.as_ref().is_some_and(|v1| v1.shown)
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.level`, or the old `loglevel` where that is empty. Default info.
    pub level: LogLevel,
    /// `log.formatter`. Default text.
    pub format: LogFormat,
    /// `log.fields`: what every line says beside its own, in the order of the file.
    pub fields: Vec<(String, String)>,
    /// Unless `log.accesslog.disabled`: whether requests are logged in Apache's combined form, on standard output. Default
    /// true.
    pub access_log: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: LogLevel::default(),
            format: LogFormat::default(),
            fields: Vec::new(),
            access_log: true,
        }
    }
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
    /// One JSON object a line, with the names that Logstash wants.
    Logstash,
}

/// Where images are kept, and what may be done to them.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// The one storage driver of the file. Default, without a file: the filesystem, at `./apus-data`.
    pub driver: StorageDriver,
    /// `storage.delete.enabled`: whether clients may delete. Default false in a file, true without one.
    pub delete_enabled: bool,
    /// `storage.redirect`
    pub redirect: RedirectConfig,
    /// `storage.maintenance.readonly.enabled`: nothing may be written. Default false.
    pub read_only: bool,
    /// `storage.maintenance.uploadpurging`: `None` unless it is `enabled`, which it is by default.
    pub upload_purging: Option<UploadPurging>,
}

impl Default for StorageConfig {
    fn default() -> Self {
        let filesystem = FilesystemConfig { root_directory: PathBuf::from("./apus-data") };
        let driver = StorageDriver::Filesystem(filesystem);
        Self {
            driver,
            delete_enabled: true,
            redirect: RedirectConfig::default(),
            read_only: false,
            upload_purging: Some(UploadPurging::default()),
        }
    }
}

/// What becomes of uploads that nobody goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPurging {
    /// `age` from which on an upload is removed. Default 168 h.
    pub age: Duration,
    /// `interval` between two looks. Default 24 h.
    pub interval: Duration,
    /// `dryrun`: only say what would be removed. Default false.
    pub dry_run: bool,
}

impl Default for UploadPurging {
    fn default() -> Self {
        Self { age: Duration::from_hours(168), interval: Duration::from_hours(24), dry_run: false }
    }
}

/// Whether clients are sent to the object store itself for the content of blobs, where it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectConfig {
    /// Unless `disable`. Default true.
    pub enabled: bool,
    /// `lifetime`: how long a URL is good for that a client is sent to; from five minutes to a day. Default 20 minutes.
    pub lifetime: Duration,
}

impl Default for RedirectConfig {
    fn default() -> Self {
        Self { enabled: true, lifetime: Duration::from_mins(20) }
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
    /// `naming`: whose names objects have below the prefix. Default registry:2's.
    pub naming: SwiftNaming,
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
    /// `secretkey`: the key that signs temporary URLs; `None` for the one that is there, or one made up.
    pub secret_key: Option<SecretString>,
    /// `accesskey`: signs temporary URLs in HP Cloud's manner, and stands in them.
    pub access_key: Option<String>,
    /// `tempurlcontainerkey`: whether only the container's key may sign temporary URLs. Default false: the account's too.
    pub temp_url_container_key: bool,
    /// `tempurlmethods`: for which methods there are temporary URLs, in place of what Swift says. Empty for unsaid.
    pub temp_url_methods: Vec<String>,
    /// `tempurldigests`: by which digests they may be signed (`sha512`, `sha256`, `sha1`), in place of what Swift says. Empty
    /// for unsaid.
    pub temp_url_digests: Vec<String>,
    /// `tempurlhost`: scheme and host by which clients reach the object store, without a slash at the end. `None` for those
    /// by which Apus does.
    pub temp_url_host: Option<String>,
    /// `connecttimeout`: to connect, TLS included; from a second to ten minutes, as the next two. `None` lets the backend
    /// choose, here and in all that follows.
    pub connect_timeout: Option<Duration>,
    /// `answertimeout`: from the end of a request to the head of its answer.
    pub answer_timeout: Option<Duration>,
    /// `idletimeout`: while a transfer does not move.
    pub idle_timeout: Option<Duration>,
    /// `totaltimeout`: for all tries of a request together, streams not counted; from a second to an hour.
    pub total_timeout: Option<Duration>,
    /// `maxtries`: tries of one request, the first included; from 1 to 20.
    pub max_tries: Option<u32>,
    /// `maxrequests`: requests under way at once; from 16 to 10,000.
    pub max_requests: Option<usize>,
    /// `verifychecksums`: compare the MD5 of what is written with what Swift stored. `None` for where Swift is
    /// reached without TLS.
    pub verify_checksums: Option<bool>,
    /// `capabilities`
    pub capabilities: SwiftCapabilities,
}

/// `storage.swift.naming`: whose names objects have below the prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwiftNaming {
    /// `registry2`: `<prefix>/files/...`
    #[default]
    Registry2,
    /// `docker-registry`: `<prefix>/...`, as docker-registry 0.x has them.
    DockerRegistry,
}

/// `storage.swift.capabilities`: what the cluster can, in place of what it says of itself. `None` for what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwiftCapabilities {
    /// `maxfilesize`: bytes in the largest plain object, at least 1 MiB.
    pub max_file_size: Option<u64>,
    /// `containerlistinglimit`: most entries on a page of a listing, at least 1.
    pub container_listing_limit: Option<usize>,
    /// `maxmanifestsegments`: most segments of a static large object; 0 where there are no such objects.
    pub max_manifest_segments: Option<usize>,
    /// `minsegmentsize`: fewest bytes in such a segment, the last one excepted.
    pub min_segment_size: Option<u64>,
    /// `maxdeletesperrequest`: most names in a bulk delete; 0 where there is no such thing.
    pub max_deletes_per_request: Option<usize>,
    /// `conditionalwrites`: whether it heeds `If-None-Match: *`.
    pub conditional_writes: Option<bool>,
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

/// `limits`: how much clients may ask for. Zero and less are no limit, which is the default of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsConfig {
    /// `client.requestspersecond`: requests of one client on average.
    pub client_requests: Option<NonZeroU32>,
    /// `client.burst`: requests of one client at once. `None` for ten seconds' worth.
    pub client_burst: Option<NonZeroU32>,
    /// `client.uploads`: contents of blobs that are received from one client at once.
    pub client_uploads: Option<NonZeroU32>,
    /// `uploads`: the same from all together.
    pub uploads: Option<NonZeroU32>,
}

/// What must be true of a manifest before it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationConfig {
    /// Unless `disabled`: whether what a manifest names must be in its repository. Default true.
    pub enabled: bool,
    /// `manifests.indexes`: which of the manifests that an index names must be there.
    pub index_platforms: IndexPlatforms,
    /// `manifests.urls.allow`: by one of these must go each URL of a layer that lies elsewhere. `None` for any.
    pub urls_allowed: Option<Vec<UrlPattern>>,
    /// `manifests.urls.deny`: by none of these may one go.
    pub urls_denied: Vec<UrlPattern>,
}

/// A regular expression that is found anywhere in a URL.
#[derive(Clone, Debug)]
pub struct UrlPattern(pub Regex);

impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for UrlPattern {}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            index_platforms: IndexPlatforms::default(),
            urls_allowed: None,
            urls_denied: Vec::new(),
        }
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
