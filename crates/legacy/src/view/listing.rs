//! Names: the tags of all repositories as version 2 lists them. The old registry's own listings are in another order, so a page is
//! gathered out of all that may belong to it; it holds no more than was asked for, however long they are. Manifests and blobs are
//! found when they are asked for, and stand in no listing.

use std::collections::BTreeMap;
use std::time::SystemTime;

use apus_registry::{RepositoryName, Tag, layout as today};
use apus_storage::{
    ErrorKind, InvalidName, ListEntry, ListPage, ListRequest, ObjectName, Result, StorageError,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{View, known};
use crate::Repository;
use crate::layout::{self, RepositoryPart};

/// Tags that are asked at once whether they are any.
const ASKED_AT_ONCE: usize = 16;

/// Bytes of a link.
const LINK: u64 = 71;

impl View {
    pub(super) async fn list_shown(&self, request: &ListRequest) -> Result<ListPage> {
        let Some(scope) = Scope::of(request)? else { return Ok(ListPage::default()) };
        let mut page = Page::new(request);
        for folder in &scope.folders {
            let mut listing = ListRequest::under(folder.clone());
            let mut private = None;
            loop {
                let listed = self.0.storage.list(&listing).await?;
                let tags = listed.entries.iter().filter_map(|entry| tag(entry, &mut private, scope.is_one));
                let tags: Vec<_> = tags.filter(|tag| page.wants(&tag.key)).collect();
                for tag in &self.real(tags).await? {
                    page.offer(tag);
                }
                match listed.next {
                    Some(next) => listing.after = Some(next),
                    None => break,
                }
            }
        }
        page.finish()
    }

    /// Leaves out what only looks like a tag: what is known of a tag that begins with an underscore has the name of a tag.
    async fn real(&self, tags: Vec<ShownTag>) -> Result<Vec<ShownTag>> {
        stream::iter(tags)
            .map(|tag| async move {
                if !tag.name.ends_with("_json") {
                    return Ok(Some(tag));
                }
                let meaning = self.0.registry.tag(&tag.repository, &tag.name).await;
                Ok(known(meaning, "read tag", &tag.repository)?.map(|_| tag))
            })
            .buffered(ASKED_AT_ONCE)
            .try_filter_map(|tag| std::future::ready(Ok(tag)))
            .try_collect()
            .await
    }
}

/// A tag as version 2 has it.
struct ShownTag {
    repository: Repository,
    name: String,
    key: String,
    modified: SystemTime,
}

/// The tag that an object is; `None` for all others, and where version 2 has no such names. In a list of many repositories,
/// private ones are left out, as in the old registry's search: their marks come before their tags.
fn tag(entry: &ListEntry, private: &mut Option<Repository>, is_one: bool) -> Option<ShownTag> {
    let ListEntry::Object { name: object, modified, .. } = entry else { return None };
    let (repository, part) = layout::read_repository(object)?;
    let name = match part {
        RepositoryPart::Tag(name) => name,
        RepositoryPart::Private => {
            *private = Some(repository);
            return None;
        }
        _ => return None,
    };
    if !is_one && private.as_ref() == Some(&repository) {
        return None;
    }
    let shown = RepositoryName::parse(&repository.familiar()).ok()?;
    let key = today::tag_link(&shown, &Tag::parse(&name).ok()?).ok()?.to_string();
    Some(ShownTag { repository, name, key, modified: *modified })
}

/// Where in the old registry lies what may be listed.
struct Scope {
    folders: Vec<ObjectName>,
    /// Whether it is one repository's.
    is_one: bool,
}

impl Scope {
    /// `None` where there is nothing.
    fn of(request: &ListRequest) -> Result<Option<Self>> {
        let all = format!("{}/repositories/", today::ROOT);
        let prefix = request.prefix();
        let Some(own) = prefix.strip_prefix(&all).filter(|own| !own.is_empty()) else {
            let folders = if all.starts_with(&prefix) { vec![root().map_err(invalid)?] } else { Vec::new() };
            return Ok((!folders.is_empty()).then_some(Self { folders, is_one: false }));
        };
        if let Some((name, _)) = own.split_once("/_") {
            let Some(repository) = Repository::of_familiar(name) else { return Ok(None) };
            let folder = layout::repository_folder(&repository).map_err(invalid)?;
            return Ok(Some(Self { folders: vec![folder], is_one: true }));
        }
        // A repository, and those whose names go on behind it, which all are of its namespace or of one that has its name.
        let own = own.trim_end_matches('/');
        let namespace = own.split('/').next().unwrap_or(own);
        let mut folders = vec![layout::namespace_folder(namespace).map_err(invalid)?];
        if let Some(repository) = Repository::of_familiar(own).filter(|found| found.namespace() != namespace)
        {
            folders.push(layout::repository_folder(&repository).map_err(invalid)?);
        }
        Ok(Some(Self { folders, is_one: false }))
    }
}

fn root() -> Result<ObjectName, InvalidName> {
    ObjectName::parse(layout::REPOSITORIES)
}

fn invalid(error: InvalidName) -> StorageError {
    StorageError::new(ErrorKind::InvalidName, "list", &error.name).with_source(error)
}

/// The first names behind the last one that was seen, out of all that are offered.
struct Page {
    prefix: String,
    after: Option<String>,
    one_level: bool,
    limit: usize,
    /// What is listed, and for an object when it was written.
    found: BTreeMap<String, Option<SystemTime>>,
    more: bool,
}

impl Page {
    fn new(request: &ListRequest) -> Self {
        Self {
            prefix: request.prefix(),
            after: request.after.clone(),
            one_level: request.one_level,
            limit: request.limit.clamp(1, ListRequest::DEFAULT_LIMIT),
            found: BTreeMap::new(),
            more: false,
        }
    }

    /// As which name a key is listed.
    fn listed<'a>(&self, key: &'a str) -> Option<&'a str> {
        let own = key.strip_prefix(&self.prefix)?;
        let listed = match own.find('/').filter(|_| self.one_level) {
            Some(slash) => key.get(..=self.prefix.len() + slash)?,
            None => key,
        };
        self.after.as_deref().is_none_or(|after| listed > after).then_some(listed)
    }

    fn wants(&self, key: &str) -> bool {
        let last = self.found.last_key_value().filter(|_| self.found.len() >= self.limit);
        self.listed(key).is_some_and(|listed| {
            !self.found.contains_key(listed)
                && (!self.more || last.is_none_or(|(last, _)| listed < last.as_str()))
        })
    }

    fn offer(&mut self, tag: &ShownTag) {
        let Some(listed) = self.listed(&tag.key) else { return };
        let is_object = listed.len() == tag.key.len();
        self.found.insert(listed.to_owned(), is_object.then_some(tag.modified));
        if self.found.len() > self.limit {
            self.found.pop_last();
            self.more = true;
        }
    }

    fn finish(self) -> Result<ListPage> {
        let next = self.found.last_key_value().filter(|_| self.more).map(|(last, _)| last.clone());
        let entries = self.found.into_iter().map(|(key, modified)| {
            let name = ObjectName::parse(key.trim_end_matches('/')).map_err(invalid)?;
            Ok(match modified {
                Some(modified) => ListEntry::Object { name, size: LINK, modified },
                None => ListEntry::Prefix(name),
            })
        });
        Ok(ListPage { entries: entries.collect::<Result<_>>()?, next })
    }
}

#[cfg(test)]
mod tests;
