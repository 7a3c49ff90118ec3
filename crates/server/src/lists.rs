//! Lists: tags, repositories, referrers (OCI distribution specification, "Listing Tags", "Listing Referrers"; registry:2 for
//! the catalog). A list that goes on says so in a `Link` (RFC 8288).

use apus_registry::{Descriptor, Digest, RepositoryName, Tag};
use http::{HeaderName, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::answer::{Answer, WithHeader, content};
use crate::errors::{ErrorCode, Failure};
use crate::manifests::OCI_INDEX;
use crate::parameters::query;
use crate::request::Head;
use crate::warning::warn;
use crate::{App, Route};

/// The page of the catalog that clients get who name no size, as in registry:2.
const CATALOG_PAGE: usize = 100;

const JSON: &str = "application/json";

/// `OCI-Filters-Applied`
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

impl App {
    pub(crate) async fn list_tags(
        &self,
        repository: &RepositoryName,
        head: &Head,
    ) -> Result<Answer, Failure> {
        let longest = self.options().longest_tags;
        let size = PageSize::wanted(head, longest, longest)?;
        let last = query(&head.uri, "last");
        let page = self.tags(repository, last.as_deref(), size.entries).await?;
        let tags: Vec<&str> = page.tags.iter().map(Tag::as_str).collect();
        let list = listed(JSON, &TagList { name: repository.as_str(), tags: &tags })?;
        let place = Route::Tags(repository.clone());
        Ok(size.answer(list, head, &place, tags.last().copied().filter(|_| page.more)))
    }

    pub(crate) async fn list_repositories(&self, head: &Head) -> Result<Answer, Failure> {
        let size = PageSize::wanted(head, CATALOG_PAGE, self.options().longest_catalog)?;
        let last = query(&head.uri, "last");
        let page = self.registry().repositories(last.as_deref(), size.entries).await?;
        let names: Vec<&str> = page.repositories.iter().map(RepositoryName::as_str).collect();
        let list = listed(JSON, &Catalog { repositories: &names })?;
        Ok(size.answer(list, head, &Route::Catalog, names.last().copied().filter(|_| page.more)))
    }

    pub(crate) async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        head: &Head,
    ) -> Result<Answer, Failure> {
        let artifact_type =
            query(&head.uri, "artifactType").filter(|artifact_type| !artifact_type.is_empty());
        let last = query(&head.uri, "last").map(|last| Digest::parse(&last)).transpose()?;
        let page = self.referrers(repository, subject, artifact_type.as_deref(), last.as_ref()).await?;
        let index = Index { schema_version: 2, media_type: OCI_INDEX, manifests: &page.referrers };
        let mut answer = listed(OCI_INDEX, &index)?;
        if artifact_type.is_some() {
            answer = answer.with_header(FILTERS_APPLIED, "artifactType");
        }
        Ok(match page.next {
            None => answer,
            Some(next) => {
                let place = Route::Referrers(repository.clone(), subject.clone());
                let filter = artifact_type.as_deref().map(|wanted| ("artifactType", wanted));
                let next = next.to_string();
                going_on(answer, head, &place, filter.into_iter().chain([("last", &*next)]))
            }
        })
    }
}

// Written straight from what the registry gave: a page may have ten thousand entries.

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a str,
    tags: &'a [&'a str],
}

#[derive(Serialize)]
struct Catalog<'a> {
    repositories: &'a [&'a str],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u32,
    media_type: &'a str,
    manifests: &'a [Descriptor],
}

/// How many entries a page may have.
struct PageSize {
    entries: usize,
    /// Whether the client wanted more.
    cut: bool,
}

impl PageSize {
    /// What the client wants, or `default`; `longest` at most. What is no number is refused.
    fn wanted(head: &Head, default: usize, longest: usize) -> Result<Self, Failure> {
        let wanted = match query(&head.uri, "n") {
            None => default.min(longest),
            // More digits than a number holds are more than the longest page all the same.
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().unwrap_or(usize::MAX)
            }
            Some(_) => {
                let message = "n is the number of entries wanted: a whole number that is not negative";
                return Err(Failure::new(
                    StatusCode::BAD_REQUEST,
                    ErrorCode::PaginationNumberInvalid,
                    message,
                ));
            }
        };
        Ok(Self { entries: wanted.min(longest), cut: wanted > longest })
    }

    /// Says where the list goes on, if it does after `last`; and that the page is shorter than it was to be.
    fn answer(&self, list: Answer, head: &Head, place: &Route, last: Option<&str>) -> Answer {
        let Some(last) = last else { return list };
        let size = self.entries.to_string();
        let answer = going_on(list, head, place, [("last", last), ("n", &*size)].into_iter());
        if self.cut {
            warn(
                answer,
                &format!("a page has no more than {size} entries here; the list goes on at its Link"),
            )
        } else {
            answer
        }
    }
}

/// Says where a list goes on.
fn going_on<'a>(
    answer: Answer,
    head: &Head,
    place: &Route,
    query: impl Iterator<Item = (&'a str, &'a str)>,
) -> Answer {
    let query: Vec<String> = query
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    let next = format!("<{}?{}>; rel=\"next\"", head.location(place), query.join("&"));
    answer.with_header(header::LINK, next)
}

fn listed(media_type: &str, list: &impl Serialize) -> Result<Answer, Failure> {
    let body = serde_json::to_vec(list).map_err(|error| {
        tracing::error!(%error, "a list that cannot be written");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, "unknown error")
    })?;
    Ok(content(StatusCode::OK, media_type, body.into()))
}
