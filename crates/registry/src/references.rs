//! What a manifest names must be in its repository before it is taken: all of it, or as much as an operator asks for.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use regex::Regex;
use serde::Deserialize;

use crate::cache::Link;
use crate::manifest::{Child, Outline, invalid};
use crate::{Digest, Error, Registry, RepositoryName, Result, layout};

/// References of one manifest that are looked up at once.
const PARALLEL_CHECKS: usize = 8;

/// Characters of a URL that are shown to whoever may not push it.
const LONGEST_SHOWN: usize = 200;

/// Which of the things that a manifest names must be in its repository when it is pushed (`validation` in the configuration of
/// registry:2 and registry 3.x).
#[derive(Debug, Clone)]
pub struct ReferenceChecks {
    /// Whether anything is looked for at all, blobs too.
    pub enabled: bool,
    /// Of an index, what is looked for.
    pub platforms: IndexPlatforms,
    /// Of layers that lie elsewhere, where that may be.
    pub urls: LayerUrls,
}

/// Which URLs may stand in a manifest, as places where clients find layers that the registry does not have
/// (`validation.manifests.urls`). A URL is found fit by its text alone; nothing is asked of it.
#[derive(Debug, Clone, Default)]
pub struct LayerUrls {
    /// One of these must be found in each. `None` for any.
    pub allowed: Option<Vec<Regex>>,
    /// None of these may be.
    pub denied: Vec<Regex>,
}

impl LayerUrls {
    /// Whether this one may stand there. As in registry:2 it is of the web, and has no fragment, wherever anything is said of
    /// URLs at all.
    fn take(&self, url: &str) -> bool {
        if self.allowed.is_none() && self.denied.is_empty() {
            return true;
        }
        let finds = |patterns: &Vec<Regex>| patterns.iter().any(|pattern| pattern.is_match(url));
        let is_web = url.split_once("://").is_some_and(|(scheme, rest)| {
            let of_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
            of_web && !rest.is_empty() && !rest.starts_with('/') && !rest.contains('#')
        });
        let is_clean = !url.contains(|character: char| character.is_whitespace() || character.is_control());
        is_web && is_clean && self.allowed.as_ref().is_none_or(finds) && !finds(&self.denied)
    }
}

impl Default for ReferenceChecks {
    /// Everything must be there.
    fn default() -> Self {
        Self { enabled: true, platforms: IndexPlatforms::All, urls: LayerUrls::default() }
    }
}

/// Which manifests of an index must be there (`validation.manifests.indexes.platforms` of registry 3.x). An index that names
/// others is called sparse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexPlatforms {
    /// All of them.
    All,
    /// None of them.
    None,
    /// Those for one of these platforms; all of them where the list is empty. What has no platform need not be there.
    Listed(Vec<Platform>),
}

/// What an image runs on. Its variant is not compared, as it is not in registry 3.x.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The processor, such as `amd64`.
    pub architecture: String,
}

impl IndexPlatforms {
    fn include(&self, child: &Child) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Listed(platforms) if platforms.is_empty() => true,
            Self::Listed(platforms) => {
                child.platform.as_ref().is_some_and(|platform| platforms.contains(platform))
            }
        }
    }
}

impl Registry {
    /// Looks for what a manifest names, as far as it must be there, and that the indexes that it names are not nested without
    /// end. Each thing is looked for once, however often it is named.
    ///
    /// # Errors
    /// [`Error::ManifestReferencesUnknown`] with all that is missing; [`Error::ManifestInvalid`] when it nests too many indexes,
    /// or a layer of it lies where it may not.
    pub(crate) async fn check_references(
        &self,
        repository: &RepositoryName,
        outline: &Outline,
    ) -> Result<()> {
        let checks = &self.options.references;
        if !checks.enabled {
            return Ok(());
        }
        if let Some(url) = outline.urls.iter().find(|url| !checks.urls.take(url)) {
            let shown: String = url.chars().take(LONGEST_SHOWN).collect();
            return Err(invalid(format!(
                "a layer of it lies at {shown:?}, which this registry does not allow"
            )));
        }
        let children = || outline.manifests.iter().filter(|child| checks.platforms.include(child));
        let blobs = outline.blobs.iter().map(|digest| (Link::Blob, digest));
        let manifests = children().map(|child| (Link::Manifest, &child.digest));
        let mut seen = HashSet::new();
        let references: Vec<(Link, Digest)> = blobs
            .chain(manifests)
            .filter(|reference| seen.insert(*reference))
            .map(|(link, digest)| (link, digest.clone()))
            .collect();
        let missing: Vec<Digest> = stream::iter(references)
            .map(|(link, digest)| async move {
                let is_there = match link {
                    Link::Blob => self.has_blob(repository, &digest).await?,
                    Link::Manifest => self.has_manifest(repository, &digest).await?,
                };
                Ok::<_, Error>((!is_there).then_some(digest))
            })
            .buffered(PARALLEL_CHECKS)
            .try_filter_map(|missing| std::future::ready(Ok(missing)))
            .try_collect()
            .await?;
        if !missing.is_empty() {
            return Err(Error::ManifestReferencesUnknown { missing });
        }
        // An index says of an ordinary image what it is, and so that costs nothing.
        self.walk_down(children(), |child| child.may_be_index).await
    }

    async fn has_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool> {
        if self.caches.had_link(Link::Blob, repository, digest) {
            return Ok(true);
        }
        match self.blob_info(repository, digest).await {
            Ok(_) => Ok(true),
            Err(Error::BlobUnknown { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn has_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool> {
        if self.caches.had_link(Link::Manifest, repository, digest) {
            return Ok(true);
        }
        let is_there = self.links.read(&layout::revision_link(repository, digest)?).await?.is_some();
        if is_there {
            self.caches.saw_link(Link::Manifest, repository, digest);
        }
        Ok(is_there)
    }
}

#[cfg(test)]
mod tests;
