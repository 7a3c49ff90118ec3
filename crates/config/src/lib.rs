//! One typed configuration out of a registry:2 YAML file, or out of none.
//!
//! [`Config::default`] is what runs without any file; [`Config::load_with`] reads a file and the [`Environment`],
//! [`Config::load`] a file alone, [`Config::parse`] its text. The way from text to types has three steps, one room each:
//!
//! 1. `yaml` turns the text into a small tree (`tree`) in which every key and every value still knows its place and
//!    its exact text.
//! 2. `environment` edits the tree, and so what a variable says obeys the same rules as the file. Which keys there are, it
//!    knows from `schema`.
//! 3. `read` takes the tree apart through `section`, key by key, into the plain types of `model`. A key that nobody
//!    asked for is left over and becomes a warning; a value that does not fit becomes an error. Both name file, line
//!    and column, or the variable.
//!
//! Before the last step [`Effective`] is made of the tree: every setting with its source, for people. `load` is the way
//! through these rooms.
//!
//! Nothing here opens a socket or knows HTTP or Swift: the result is plain data.
//!
//! ```
//! let file = "
//! version: 0.1
//! storage:
//!   filesystem:
//!     rootdirectory: /srv/registry
//! http:
//!   addr: 127.0.0.1:5000
//!   draintimeout: 1m
//! ";
//! let loaded = apus_config::Config::parse(file, "config.yml")?;
//! assert_eq!(loaded.config.http.addr.port, 5000);
//! assert_eq!(loaded.config.http.drain_timeout.as_secs(), 60);
//! assert!(loaded.warnings.is_empty());
//! assert!(loaded.effective.to_yaml().contains("addr: 127.0.0.1:5000  # config.yml:7:9"));
//! # Ok::<(), apus_config::ConfigError>(())
//! ```

mod differences;
mod docker_registry;
mod effective;
mod environment;
mod error;
mod listen;
mod load;
mod model;
mod quantity;
mod read;
mod schema;
mod section;
mod tree;
mod yaml;

pub use docker_registry::{Converted, DockerRegistryStorage};
pub use effective::{Effective, Setting};
pub use environment::Environment;
pub use error::{ConfigError, Place, Source, Warning};
pub use listen::ListenAddress;
pub use load::Loaded;
pub use model::{
    AccessConfig, AccessPermission, AccessRule, AccessSubject, AuthConfig, AuthVersion, CipherSuite,
    ClientAuth, ClientAuthMode, Config, DebugConfig, EndpointConfig, EndpointType, EventAction, FileCheck,
    FilesystemConfig, HealthConfig, HealthPace, HttpCheck, HttpConfig, IndexPlatforms, LimitsConfig,
    LogConfig, LogFormat, LogLevel, NotificationsConfig, Platform, ProtectedTags, ProxyConfig,
    ProxyCredentials, RedirectConfig, SigningAlgorithm, StorageConfig, StorageDriver, SwiftCapabilities,
    SwiftConfig, SwiftCredentials, SwiftNaming, SwiftSecret, SwiftSignIn, SwiftUser, TcpCheck,
    TlsCertificate, TlsConfig, TlsVersion, TokenAuthConfig, UploadPurging, UpstreamConfig, UrlPattern,
    V1Access, V1Config, V1Cors, V1Mirroring, ValidationConfig,
};
