//! Where the tools of OpenStack find out how to sign in: `OS_*`, `ST_*`, `clouds.yaml`.
//!
//! A source fills whole groups, never single settings: who signs in, for what, to which endpoint, over which TLS. Else a
//! stray variable would change the meaning of a file that someone else has written. Every setting knows where it was
//! found, and every error says it.

mod clouds;
mod groups;
mod settings;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use apus_http_client::Tls;

use super::{ConfigError, Credentials, Password, Scope, SwiftConfig};
use groups::{Endpoint, Identity};
use settings::Settings;

impl SwiftConfig {
    /// What the environment of this process says, in this order; the first that says anything of a group says all of it:
    ///
    /// 1. `OS_*`, as the tools of OpenStack have them: `OS_AUTH_URL`, `OS_USERNAME` or `OS_USER_ID`, `OS_PASSWORD`,
    ///    `OS_APPLICATION_CREDENTIAL_ID` or `_NAME` and `_SECRET`, `OS_TOKEN` or `OS_AUTH_TOKEN`, `OS_AUTH_TYPE`,
    ///    `OS_IDENTITY_API_VERSION`; `OS_PROJECT_NAME` or `OS_PROJECT_ID` (also `OS_TENANT_`), `OS_TRUST_ID`; the domains
    ///    `OS_USER_DOMAIN_NAME`, `OS_PROJECT_DOMAIN_NAME`, `OS_DEFAULT_DOMAIN` and theirs by `_ID`; `OS_REGION_NAME`,
    ///    `OS_INTERFACE` or `OS_ENDPOINT_TYPE`, `OS_STORAGE_URL`; `OS_CACERT`, `OS_CERT`, `OS_KEY`, `OS_INSECURE`.
    /// 2. `ST_AUTH`, `ST_USER` and `ST_KEY`, as the `swift` command has them; version 1, unless the URL or
    ///    `ST_AUTH_VERSION` says otherwise.
    /// 3. The cloud that `OS_CLOUD` names, or the only one there is; see [`SwiftConfig::from_cloud`].
    ///
    /// An empty variable counts as absent. `container` is [`SwiftConfig::container`].
    ///
    /// ```no_run
    /// use apus_swift::{SwiftClient, SwiftConfig};
    ///
    /// let client = SwiftClient::new(&SwiftConfig::from_env("photos")?)?;
    /// # Ok::<(), apus_swift::ConfigError>(())
    /// ```
    pub fn from_env(container: impl Into<String>) -> Result<Self, ConfigError> {
        from_env(&Surroundings::of_process()?)?.config(container.into())
    }

    /// What `clouds.yaml` says of a cloud, and `secure.yaml` over it. Each of the two is taken from the first of these
    /// places that has it: the file that `OS_CLIENT_CONFIG_FILE` (or `OS_CLIENT_SECURE_FILE`) names, the current directory,
    /// `~/.config/openstack`, `/etc/openstack`. Profiles of vendors are not known here.
    ///
    /// ```no_run
    /// use apus_swift::{SwiftClient, SwiftConfig};
    ///
    /// let client = SwiftClient::new(&SwiftConfig::from_cloud("mycloud", "photos")?)?;
    /// # Ok::<(), apus_swift::ConfigError>(())
    /// ```
    pub fn from_cloud(name: &str, container: impl Into<String>) -> Result<Self, ConfigError> {
        from_cloud(&Surroundings::of_process()?, name)?.config(container.into())
    }
}

/// What a process is surrounded by.
struct Surroundings {
    variables: BTreeMap<String, String>,
    /// Where `clouds.yaml` may lie, the first to be looked at first.
    directories: Vec<PathBuf>,
}

impl Surroundings {
    fn of_process() -> Result<Self, ConfigError> {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            if name.starts_with("OS_")
                || name.starts_with("ST_")
                || matches!(&*name, "HOME" | "XDG_CONFIG_HOME")
            {
                let value = value.into_string();
                let value = value.map_err(|_| ConfigError::new(name.clone(), "is not UTF-8"))?;
                variables.insert(name, value);
            }
        }
        let mut surroundings = Self { variables, directories: vec![PathBuf::from(".")] };
        let home = surroundings.variable("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(Path::new(surroundings.variable("HOME")?).join(".config")));
        surroundings.directories.extend(home.map(|home| home.join("openstack")));
        surroundings.directories.push(PathBuf::from("/etc/openstack"));
        Ok(surroundings)
    }

    /// A variable that says something.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn from_env(surroundings: &Surroundings) -> Result<Found, ConfigError> {
    let mut found = Found::default();
    found.take(&Settings::of_openstack(surroundings))?;
    found.take(&Settings::of_swift(surroundings))?;
    let cloud = match surroundings.variable("OS_CLOUD") {
        Some(name) => Some(clouds::named(surroundings, name)?),
        None if found.identity.is_none() => clouds::only(surroundings)?,
        None => None,
    };
    if let Some(cloud) = &cloud {
        found.take_from_cloud(cloud)?;
    }
    Ok(found)
}

fn from_cloud(surroundings: &Surroundings, name: &str) -> Result<Found, ConfigError> {
    let mut found = Found::default();
    found.take_from_cloud(&clouds::named(surroundings, name)?)?;
    Ok(found)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    identity: Option<Identity>,
    scope: Option<Scope>,
    endpoint: Option<Endpoint>,
    tls: Option<Tls>,
}

impl Found {
    /// Takes the groups that no earlier source had.
    fn take(&mut self, settings: &Settings) -> Result<(), ConfigError> {
        if self.identity.is_none() {
            self.identity = groups::identity(settings)?;
        }
        if self.scope.is_none() {
            self.scope = groups::scope(settings);
        }
        if self.endpoint.is_none() {
            self.endpoint = groups::endpoint(settings)?;
        }
        if self.tls.is_none() {
            self.tls = groups::tls(settings)?;
        }
        Ok(())
    }

    /// As [`take`](Self::take); after a cloud there is nowhere else to look for an identity.
    fn take_from_cloud(&mut self, settings: &Settings) -> Result<(), ConfigError> {
        self.take(settings)?;
        if self.identity.is_some() { Ok(()) } else { Err(settings.missing("auth_url")) }
    }

    fn config(self, container: String) -> Result<SwiftConfig, ConfigError> {
        let Some(Identity { auth_url, version, credentials }) = self.identity else {
            return Err(ConfigError::new(
                "OS_AUTH_URL, ST_AUTH or OS_CLOUD",
                "is needed: none of them is set, and there is no clouds.yaml in ., ~/.config/openstack or \
                 /etc/openstack",
            ));
        };
        let credentials = match (credentials, self.scope) {
            (Credentials::Password(password), Some(scope)) => {
                Credentials::Password(Password { scope, ..password })
            }
            (Credentials::Token(token), Some(Scope::Project(project))) => token.for_project(project).into(),
            (credentials, _) => credentials,
        };
        let mut config = SwiftConfig::new(auth_url, credentials, container);
        config.auth_version = version;
        if let Some(endpoint) = self.endpoint {
            config.region = endpoint.region;
            config.interface = endpoint.interface;
            config.storage_url = endpoint.storage_url;
        }
        config.tls = self.tls.unwrap_or_default();
        config.validate()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
