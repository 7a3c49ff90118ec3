//! The settings of one source, by the names that `clouds.yaml` has for them: `OS_AUTH_URL` is `auth_url`. What they mean
//! is not known here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Surroundings;
use crate::config::{AuthVersion, ConfigError};

/// A setting with the place where it was found. It has no `Debug`: it may be a password.
pub(super) struct Setting {
    pub(super) text: String,
    /// A variable, or a line of a file.
    pub(super) origin: String,
}

impl Setting {
    /// What `parse` understands; `expected` says in an error what that is. Not for secrets: the error shows the text.
    pub(super) fn parse<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        parse(&self.text).ok_or_else(|| {
            ConfigError::new(self.origin.clone(), format!("is {:?}, expected {expected}", self.text))
        })
    }

    pub(super) fn boolean(&self) -> Result<bool, ConfigError> {
        self.parse("true or false", |text| match &*text.to_ascii_lowercase() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        })
    }
}

/// All settings of one source; none is empty.
pub(super) struct Settings {
    by_name: BTreeMap<String, Setting>,
    source: Source,
}

/// Where settings that are missing would have to be.
pub(super) enum Source {
    /// In variables with `OS_`.
    OpenStack,
    /// In variables with `ST_`.
    Swift,
    /// Below a cloud.
    Cloud { name: String, file: PathBuf },
}

/// What the `swift` command calls otherwise than all others.
const SWIFT_VARIABLES: [(&str, &str); 4] = [
    ("auth_url", "ST_AUTH"),
    ("username", "ST_USER"),
    ("password", "ST_KEY"),
    ("auth_version", "ST_AUTH_VERSION"),
];

impl Settings {
    pub(super) fn new(source: Source) -> Self {
        Self { by_name: BTreeMap::new(), source }
    }

    /// Adds a setting, over one of the same name.
    pub(super) fn set(&mut self, name: &str, text: String, origin: String) {
        if !text.is_empty() {
            self.by_name.insert(name.to_owned(), Setting { text, origin });
        }
    }

    pub(super) fn of_openstack(surroundings: &Surroundings) -> Self {
        let mut settings = Self::new(Source::OpenStack);
        for (variable, text) in &surroundings.variables {
            if let Some(name) = variable.strip_prefix("OS_") {
                settings.set(&name.to_lowercase(), text.clone(), variable.clone());
            }
        }
        settings
    }

    pub(super) fn of_swift(surroundings: &Surroundings) -> Self {
        let mut settings = Self::new(Source::Swift);
        for (name, variable) in SWIFT_VARIABLES {
            if let Some(text) = surroundings.variable(variable) {
                settings.set(name, text.to_owned(), variable.to_owned());
            }
        }
        let url_is_mute =
            settings.first(&["auth_url"]).is_some_and(|url| AuthVersion::told_by(&url.text).0.is_none());
        if url_is_mute && settings.first(&["auth_version"]).is_none() {
            settings.set("auth_version", "1".to_owned(), "ST_AUTH_VERSION".to_owned());
        }
        settings
    }

    /// The first of these names that says something.
    pub(super) fn first(&self, names: &[&str]) -> Option<&Setting> {
        names.iter().find_map(|name| self.by_name.get(*name))
    }

    pub(super) fn required(&self, name: &str) -> Result<&Setting, ConfigError> {
        self.by_name.get(name).ok_or_else(|| self.missing(name))
    }

    /// The error of a setting that is not there.
    pub(super) fn missing(&self, name: &str) -> ConfigError {
        match &self.source {
            Source::OpenStack => ConfigError::new(format!("OS_{}", name.to_uppercase()), "is not set"),
            Source::Swift => {
                let known = SWIFT_VARIABLES.iter().find(|(known, _)| *known == name);
                ConfigError::new(known.map_or("ST_AUTH", |(_, variable)| variable), "is not set")
            }
            Source::Cloud { name: cloud, file } => {
                ConfigError::new(format!("{}: cloud {cloud:?}: {name}", file.display()), "is missing")
            }
        }
    }
}
