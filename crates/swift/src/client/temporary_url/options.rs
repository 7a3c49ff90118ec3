//! What an operator may say about temporary URLs. Nothing of it is needed.

use std::time::Duration;

use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

use crate::config::ConfigError;

/// Bytes in the longest value of metadata that a stock Swift takes.
const LONGEST_KEY: usize = 256;

/// How temporary URLs are made. The names in quotes are those of registry:2's `storage.swift`.
///
/// For which methods and by which digests the cluster takes them is one of its
/// [`Capabilities`](crate::Capabilities), which can be overridden.
#[derive(Debug, Clone)]
pub struct TemporaryUrlOptions {
    /// The key that signs them ("secretkey"). It is set where no other key is, and never in the place of another; `None`
    /// takes the key that is there, and makes one up where there is none.
    pub key: Option<SecretString>,
    /// HP Cloud's access key, which is a part of each URL ("accesskey"). With it the key is known to the cloud by other
    /// means: it must be given, and none is looked up or set.
    pub access_key: Option<String>,
    /// Where keys may be looked up and set ("tempurlcontainerkey"). `None` takes the container's before the account's:
    /// the account's opens every container, and only Ceph RGW has no other.
    pub key_scope: Option<TemporaryUrlScope>,
    /// How clients reach the object store, where that differs from how this process does: scheme and host, such as
    /// `https://objects.example.org`. It must show the same paths. Over the internal and the admin endpoint of a catalog it must
    /// be said, or there are no temporary URLs.
    pub public_host: Option<String>,
    /// How long a proof that they work is believed while they are used, and the first pause after one that failed.
    pub proof_interval: Duration,
}

/// Whose key signs a temporary URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporaryUrlScope {
    /// The container's: it opens nothing else.
    Container,
    /// The account's.
    Account,
}

impl TemporaryUrlScope {
    /// As a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Account => "account",
        }
    }
}

impl std::fmt::Display for TemporaryUrlScope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Default for TemporaryUrlOptions {
    fn default() -> Self {
        Self {
            key: None,
            access_key: None,
            key_scope: None,
            public_host: None,
            proof_interval: Duration::from_mins(1),
        }
    }
}

impl TemporaryUrlOptions {
    /// What can be told without asking the cloud.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |setting: &'static str, reason: &str| {
            Err(ConfigError { setting: setting.into(), reason: reason.to_owned() })
        };
        if let Some(key) = &self.key {
            let key = key.expose_secret();
            if key.is_empty() || key.len() > LONGEST_KEY {
                return wrong("secretkey", "must have between 1 and 256 bytes");
            }
            if key.trim() != key || HeaderValue::from_str(key).is_err() {
                return wrong(
                    "secretkey",
                    "must be printable characters of ASCII, without a blank at either end",
                );
            }
        }
        if self.access_key.is_some() && self.key.is_none() {
            return wrong("accesskey", "is of no use without secretkey");
        }
        match self.public_host.as_deref().map(str::parse::<Uri>) {
            None => Ok(()),
            Some(Ok(url)) if is_origin(&url) => Ok(()),
            Some(_) => {
                wrong("tempurlhost", "must be a scheme and a host, such as https://objects.example.org")
            }
        }
    }
}

/// A scheme, a host, perhaps a port, and nothing else.
fn is_origin(url: &Uri) -> bool {
    matches!(url.scheme_str(), Some("http" | "https"))
        && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && url.path_and_query().is_none_or(|rest| rest.as_str() == "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        type Spoil = fn(&mut TemporaryUrlOptions);
        let cases: [(&str, Spoil); 9] = [
            ("secretkey", |options| options.key = Some("".into())),
            ("secretkey", |options| options.key = Some("k".repeat(257).into())),
            ("secretkey", |options| options.key = Some("two\nlines".into())),
            ("secretkey", |options| options.key = Some(" blank".into())),
            ("accesskey", |options| options.access_key = Some("access".to_owned())),
            ("tempurlhost", |options| options.public_host = Some("objects.example".to_owned())),
            ("tempurlhost", |options| options.public_host = Some("https://objects.example/v1".to_owned())),
            ("tempurlhost", |options| options.public_host = Some("https://u:p@objects.example".to_owned())),
            ("tempurlhost", |options| options.public_host = Some("ftp://objects.example".to_owned())),
        ];
        TemporaryUrlOptions::default().validate().unwrap();
        for (setting, spoil) in cases {
            let mut options = TemporaryUrlOptions::default();
            spoil(&mut options);
            assert_eq!(options.validate().unwrap_err().setting, setting, "{options:?}");
        }
        for good in ["https://objects.example", "http://127.0.0.1:8080/"] {
            let public_host = Some(good.to_owned());
            TemporaryUrlOptions { public_host, ..TemporaryUrlOptions::default() }.validate().unwrap();
        }
    }

    #[test]
    fn no_debug_output_shows_the_key() {
        let options = TemporaryUrlOptions { key: Some("sesame".into()), ..TemporaryUrlOptions::default() };
        assert!(!format!("{options:?}").contains("sesame"));
    }
}
