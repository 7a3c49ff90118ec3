//! Which upstream a repository's name belongs to, and what the repository is called there. What is kept is named by the
//! upstream's prefix and its name there, so that no two upstreams, and no way to ask, meet in one repository.

use std::sync::Arc;

use apus_registry::{Error as RegistryError, RepositoryName};

use crate::upstream::{Upstream, below};
use crate::{Error, Result};

/// A repository of an upstream.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) upstream: Arc<Upstream>,
    /// Which upstream it is, here.
    pub(crate) index: usize,
    /// Its name here.
    pub(crate) local: RepositoryName,
    /// Its name there.
    pub(crate) remote: String,
}

/// All upstreams.
#[derive(Debug)]
pub(crate) struct Routes {
    upstreams: Vec<Arc<Upstream>>,
}

impl Routes {
    pub(crate) fn new(upstreams: Vec<Arc<Upstream>>) -> Self {
        Self { upstreams }
    }

    pub(crate) fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// Whose repository this name is; `None` for none's. The longest prefix decides.
    pub(crate) fn target(&self, local: &RepositoryName) -> Option<Target> {
        let length = |upstream: &Upstream| upstream.options.prefix.as_ref().map_or(0, |p| p.as_str().len());
        let matching = self.upstreams.iter().enumerate().filter_map(|(index, upstream)| {
            let name = match &upstream.options.prefix {
                Some(prefix) => below(local, prefix)?,
                None => local.as_str(),
            };
            Some((index, upstream, name))
        });
        let (index, upstream, name) = matching.max_by_key(|(_, upstream, _)| length(upstream))?;
        let remote = upstream.remote_name(name);
        Some(Target { upstream: Arc::clone(upstream), index, local: local.clone(), remote })
    }

    /// The name here of what a client calls `name` at the registry `ns`, containerd's word for where it would have asked.
    ///
    /// # Errors
    /// [`Error::NotServed`] when that is no upstream of ours; the registry's own error when the name here would be another
    /// upstream's, or none.
    pub(crate) fn local_name(&self, name: &RepositoryName, ns: &str) -> Result<RepositoryName> {
        let is_meant =
            |upstream: &Upstream| upstream.options.ns.iter().any(|known| known.eq_ignore_ascii_case(ns));
        let Some((index, upstream)) =
            self.upstreams.iter().enumerate().find(|(_, upstream)| is_meant(upstream))
        else {
            return Err(Error::NotServed { ns: ns.chars().take(256).collect() });
        };
        let local = match &upstream.options.prefix {
            Some(prefix) => RepositoryName::parse(&format!("{prefix}/{name}"))?,
            None => name.clone(),
        };
        if self.target(&local).is_none_or(|target| target.index != index) {
            return Err(RegistryError::RepositoryUnknown { repository: local }.into());
        }
        Ok(local)
    }
}

#[cfg(test)]
mod tests;
