//! The variables of the environment that have a say in the configuration: `REGISTRY_*` and `OS_*`, and those that a file of
//! docker-registry 0.x names. What they say is put into the tree of the file by [`overlay`] and [`openstack`], so that it
//! obeys the same rules as the file.

mod openstack;
mod overlay;
mod services;
mod target;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::docker_registry;
use crate::tree::Node;
use crate::{ConfigError, Place, Source, Warning};

/// What the variables of registry:2 begin with.
const PREFIX: &str = "REGISTRY_";

/// Names the file, where the command does not.
const CONFIGURATION_PATH: &str = "REGISTRY_CONFIGURATION_PATH";

/// The same for docker-registry 0.x.
const DOCKER_REGISTRY_CONFIG: &str = "DOCKER_REGISTRY_CONFIG";

/// Variables of an environment. Nothing changes when that environment does.
#[derive(Clone, Default)]
pub struct Environment {
    /// In lexical order, in which registry:2 obeys them: what names a whole section comes before its parts.
    variables: BTreeMap<String, OsString>,
}

/// What there is to say about how the sources came together.
#[derive(Default)]
pub(crate) struct Remarks {
    pub(crate) warnings: Vec<Warning>,
    /// What was decided where two sources say something.
    pub(crate) notes: Vec<String>,
    /// The names of variables that are not meant for a registry, and were passed over.
    pub(crate) passed_over: Vec<String>,
}

/// A variable that says something. It has no `Debug`: it may be a password.
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            if let Ok(name) = name.into_string() {
                variables.insert(name, value);
            }
        }
        Self { variables }
    }

    /// An environment of these names and values; of a name that comes twice the last counts.
    pub fn new<N: Into<String>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { variables: variables.collect() }
    }

    /// `REGISTRY_CONFIGURATION_PATH`, or else `DOCKER_REGISTRY_CONFIG`, if it says something.
    #[must_use]
    pub fn configuration_path(&self) -> Option<PathBuf> {
        let said = |name: &&str| self.variables.get(*name).filter(|path| !path.is_empty());
        [CONFIGURATION_PATH, DOCKER_REGISTRY_CONFIG].iter().find_map(said).map(PathBuf::from)
    }

    /// What has a say beside a file of docker-registry 0.x. Such a file names the variables of OpenStack that count itself, and to it
    /// two of the variables that look like settings were something else.
    pub(crate) fn beside_docker_registry(&self) -> Self {
        let mut variables = self.variables.clone();
        variables.retain(|name, _| {
            !name.starts_with(openstack::PREFIX)
                && ![docker_registry::HOST, docker_registry::PORT].contains(&&**name)
        });
        Self { variables }
    }

    /// A note about the variables that the server of docker-registry 0.x had, and that are nothing to Apus.
    pub(crate) fn of_the_old_server(&self) -> Option<String> {
        let is_one = |name: &&str| name.starts_with("GUNICORN_") || name.starts_with("NEW_RELIC_");
        let names: Vec<_> = self.variables.keys().map(String::as_str).filter(is_one).collect();
        let note =
            || format!("no effect: {}, for Apus has no workers to count, and no agents", names.join(", "));
        (!names.is_empty()).then(note)
    }

    /// What one variable says; `None` if there is no such variable.
    pub(crate) fn value(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        let Some(value) = self.variables.get(name) else { return Ok(None) };
        value.to_str().map(Some).ok_or_else(|| not_text(name))
    }

    /// Puts into the tree what the variables say.
    pub(crate) fn apply(&self, root: &mut Node, remarks: &mut Remarks) -> Result<(), ConfigError> {
        overlay::apply(self, root, remarks)?;
        openstack::fill_in(self, root, remarks)
    }

    /// The variables whose names begin so, in lexical order.
    fn beginning_with(
        &self,
        prefix: &'static str,
    ) -> impl Iterator<Item = Result<Variable<'_>, ConfigError>> {
        let all = self.variables.iter().filter(move |(name, _)| name.starts_with(prefix));
        all.map(|(name, value)| match value.to_str() {
            Some(value) => Ok(Variable { name, value }),
            None => Err(not_text(name)),
        })
    }
}

/// The names alone: the values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Variable<'_> {
    fn source(&self) -> Source {
        Source::Variable(Arc::from(self.name))
    }

    fn place(&self) -> Place {
        place(self.name)
    }
}

fn not_text(name: &str) -> ConfigError {
    ConfigError::Invalid {
        place: place(name),
        key: "the variable".to_owned(),
        found: "bytes that are not UTF-8".to_owned(),
        expected: "a text".to_owned(),
    }
}

fn place(variable: &str) -> Place {
    Place::beginning(Source::Variable(Arc::from(variable)))
}

#[cfg(test)]
mod tests;
