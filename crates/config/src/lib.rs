//! One typed configuration out of a registry:2 YAML file, or out of none.
//!
//! [`Config::default`] is what runs without any file; [`Config::load`] reads a file; [`Config::parse`] reads its text.
//! The way from text to types has two steps, one room each:
//!
//! 1. `yaml` turns the text into a small tree (`tree`) in which every key and every value still knows its place and
//!    its exact text. An overlay, such as variables of the environment, belongs here: it edits the tree, and so what it
//!    adds obeys the same rules as the file.
//! 2. `read` takes the tree apart through `section`, key by key, into the plain types of `model`. A key that nobody
//!    asked for is left over and becomes a warning; a value that does not fit becomes an error. Both name file, line
//!    and column.
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
//!   addr: :5000
//!   draintimeout: 1m
//! ";
//! let loaded = apus_config::Config::parse(file, "config.yml")?;
//! assert_eq!(loaded.config.http.addr.port, 5000);
//! assert_eq!(loaded.config.http.drain_timeout.as_secs(), 60);
//! assert!(loaded.warnings.is_empty());
//! # Ok::<(), apus_config::ConfigError>(())
//! ```

mod error;
mod listen;
mod model;
mod quantity;
mod read;
mod section;
mod tree;
mod yaml;

pub use error::{ConfigError, Place, Warning};
pub use listen::ListenAddress;
pub use model::{
    AuthVersion, Config, EndpointType, FilesystemConfig, HttpConfig, IndexPlatforms, LogConfig, LogFormat,
    LogLevel, Platform, StorageConfig, StorageDriver, SwiftConfig, SwiftCredentials, SwiftSecret,
    SwiftSignIn, SwiftUser, ValidationConfig,
};
pub use read::Loaded;
