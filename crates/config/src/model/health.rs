//! `health`: what is looked at again and again, to know whether the registry can do its work.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

/// The checks of a file; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthConfig {
    /// `storagedriver`: whether the storage answers; `None` unless it is `enabled`.
    pub storage: Option<HealthPace>,
    /// `file`
    pub files: Vec<FileCheck>,
    /// `http`
    pub http: Vec<HttpCheck>,
    /// `tcp`
    pub tcp: Vec<TcpCheck>,
}

/// How often a check is made, and how often it must fail to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPace {
    /// `interval` between two checks. Default 10 s, also for zero.
    pub interval: Duration,
    /// `threshold`: failures in a row. Default 1, also for zero and less.
    pub threshold: NonZeroU32,
}

/// Unhealthy while a file is there: a person's switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCheck {
    /// `file`
    pub path: PathBuf,
    /// `interval` and `threshold`. registry:2 ignores the latter here.
    pub pace: HealthPace,
}

/// Healthy while a HEAD request is answered as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    /// `uri`: an http or https URL without credentials.
    pub uri: String,
    /// `headers` of the request; every value is marked as sensitive.
    pub headers: HeaderMap,
    /// `statuscode` of the answer. Default 200, also for zero.
    pub status: StatusCode,
    /// `timeout`; `None`, also for zero, if the file sets no limit.
    pub timeout: Option<Duration>,
    /// `interval` and `threshold`
    pub pace: HealthPace,
}

/// Healthy while a connection can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpCheck {
    /// `addr`: `host:port`
    pub address: String,
    /// `timeout`; `None`, also for zero, if the file sets no limit.
    pub timeout: Option<Duration>,
    /// `interval` and `threshold`
    pub pace: HealthPace,
}
