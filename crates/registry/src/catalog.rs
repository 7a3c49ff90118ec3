//! The catalog: the names of the repositories that hold something.

use apus_storage::ListRequest;

use crate::page::SortedPage;
use crate::{Registry, RepositoryName, Result, layout};

/// One page of the names of repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPage {
    /// In the order of their bytes.
    pub repositories: Vec<RepositoryName>,
    /// Whether more follow.
    pub more: bool,
}

impl Registry {
    /// The repositories after `last`, at most `limit` of them: those that have a blob or a manifest.
    ///
    /// One listing goes over all objects, ten thousand at a time; a repository that fills the rest of a page is jumped over.
    pub async fn repositories(&self, last: Option<&str>, limit: usize) -> Result<RepositoryPage> {
        let mut request = ListRequest::under(layout::repositories()?);
        let prefix = request.prefix();
        if let Some(last) = last {
            request = request.after(format!("{prefix}{last}"));
        }
        let mut page = SortedPage::new(last, limit);
        'listing: loop {
            let listed = self.links.list(&request).await?;
            let mut last_found = None;
            for key in &listed.keys {
                let Some(path) = key.strip_prefix(&prefix) else { continue };
                // No component of a name begins with an underscore, so the first that does is the repository's own.
                let Some((repository, own)) = path.split_once("/_") else { continue };
                if page.is_settled(&format!("{repository}/_"), "/_") {
                    break 'listing;
                }
                if own.starts_with("layers/") || own.starts_with("manifests/") {
                    last_found = Some(repository);
                    page.offer(repository);
                }
            }
            let Some(next) = listed.next else { break };
            // The rest of what is its own says nothing new; behind the tilde lies what is not.
            let rest = last_found.map(|repository| format!("{prefix}{repository}/_"));
            request = request.after(match rest {
                Some(rest) if next.starts_with(&rest) => rest + "~",
                _ => next,
            });
        }
        let (names, more) = page.into_names();
        let repositories = names.filter_map(|name| RepositoryName::parse(&name).ok()).collect();
        Ok(RepositoryPage { repositories, more })
    }
}

#[cfg(test)]
mod tests;
