//! A request as the handlers see it: what it is about, its query, who sent it, its headers and its body.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};
use percent_encoding::percent_decode_str;

use crate::answer::Refusal;
use crate::body::RequestBody;
use crate::ceph;
use crate::keystone::Version;
use crate::log::RequestKind;
use crate::options::{Dialect, Feature, Options};
use crate::replicas::Replica;
use crate::server::Shared;
use crate::tokens::Caller;

/// What a path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// TempAuth's `/auth/v1.0`.
    SignInV1,
    /// Keystone: its root, or one of its versions with what follows that version's path.
    Keystone(Option<Version>, String),
    /// A way to sign in that this store does not have: to Swift it is a path like any other, and a bad one.
    NoSignIn,
    /// `/info`; Ceph's gateway has it at `/swift/info`.
    Info,
    /// `/v1/{account}`; with Ceph's gateway these three begin with `/swift/v1`, and may be without the account.
    Account(String),
    /// `/v1/{account}/{container}`.
    Container(ContainerAddress),
    /// `/v1/{account}/{container}/{object}`.
    Object(ObjectAddress),
    /// Below `/v1/`, but not UTF-8, or with a NUL: 412.
    NotText,
    /// `/v1` without an account: 412.
    BadUrl,
    /// Anything else: 404.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerAddress {
    pub(crate) account: String,
    pub(crate) container: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectAddress {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) object: String,
}

impl Target {
    /// Reads a path as it came over the wire, percent-encoded. An object's name may have slashes of its own.
    pub(crate) fn parse(path: &str, options: &Options) -> Self {
        match path {
            "/auth/v1.0" | "/auth/v1.0/" if options.has(Feature::SignInV1) => return Self::SignInV1,
            "/auth/v1.0" => return Self::NoSignIn,
            "/swift/info" if options.is_ceph() => return Self::Info,
            "/info" if !options.is_ceph() => return Self::Info,
            _ => {}
        }
        if let Some(keystone) = Self::keystone(path, options) {
            return keystone;
        }
        let begin = if options.is_ceph() { "/swift/v1" } else { "/v1" };
        let storage = match path.strip_prefix(begin) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.trim_start_matches('/'),
            _ => return Self::Nothing,
        };
        let Ok(storage) = percent_decode_str(storage).decode_utf8() else { return Self::NotText };
        if storage.contains('\0') {
            return Self::NotText;
        }
        let storage = if options.dialect == (Dialect::Ceph { account_in_url: false }) {
            format!("{}/{storage}", options.account())
        } else {
            storage.into_owned()
        };
        let mut parts = storage.splitn(3, '/').map(str::to_owned);
        let account = parts.next().filter(|account| !account.is_empty());
        match (account, parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
            (None, _, _) => Self::BadUrl,
            (Some(account), container, _) if container.is_empty() => Self::Account(account),
            (Some(account), container, object) if object.is_empty() => {
                Self::Container(ContainerAddress { account, container })
            }
            (Some(account), container, object) => Self::Object(ObjectAddress { account, container, object }),
        }
    }

    fn keystone(path: &str, options: &Options) -> Option<Self> {
        let mut versions = Version::ALL.into_iter().filter(|version| options.has(version.feature()));
        if path == "/" {
            return versions.next().map(|_| Self::Keystone(None, String::new()));
        }
        versions.find_map(|version| {
            let rest = path.strip_prefix(version.path())?;
            let whole = rest.is_empty() || rest.starts_with('/');
            whole.then(|| Self::Keystone(Some(version), rest.to_owned()))
        })
    }

    pub(crate) fn kind(&self) -> RequestKind {
        match self {
            Self::SignInV1 | Self::Keystone(..) | Self::NoSignIn => RequestKind::SignIn,
            Self::Info => RequestKind::Info,
            Self::Account(_) => RequestKind::Account,
            Self::Container(_) => RequestKind::Container,
            Self::Object(_) => RequestKind::Object,
            Self::NotText | Self::BadUrl | Self::Nothing => RequestKind::Other,
        }
    }

    /// The account, where there is one.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Account(account) => Some(account),
            Self::Container(at) => Some(&at.account),
            Self::Object(at) => Some(&at.account),
            _ => None,
        }
    }
}

/// The query of a request, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of `key`, empty if it has none.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

/// A request on its way through the handlers.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) fake: Arc<Shared>,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Query,
    pub(crate) caller: Caller,
    pub(crate) body: RequestBody,
    /// The copy that is to answer, whosever turn it is.
    pub(crate) replica: Option<Replica>,
    /// What another client stores under the name of this PUT, while it begins.
    pub(crate) overtaken_by: Option<Bytes>,
}

impl Call {
    /// The text of header `name`, if it is there and ASCII.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the caller may use `account`: 401 if it is not signed in, 403 if the account is not its own.
    pub(crate) fn authorize(&self, account: &str) -> Result<(), Refusal> {
        match &self.caller {
            Caller::Project(own) | Caller::Guest { account: own, .. } if own == account => Ok(()),
            Caller::Project(_) | Caller::NoProject => Err(Refusal::standard(http::StatusCode::FORBIDDEN)),
            Caller::Rejected | Caller::Anonymous if self.fake.options.is_ceph() => {
                Err(ceph::refuse_stranger(&self.headers))
            }
            Caller::Guest { .. } | Caller::Rejected | Caller::Anonymous => {
                Err(Refusal::unauthorized(account))
            }
        }
    }
}

#[cfg(test)]
mod tests;
