//! Lists: tags, repositories, referrers (OCI distribution specification, "Listing Tags", "Listing Referrers"; registry:2 for
//! the catalog). A list that goes on says so in a `Link` (RFC 8288).

use apus_registry::{Digest, RepositoryName, Tag};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::App;
use crate::answer::{Answer, WithHeader, content};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::query;

/// The longest page of tags: what one listing of a stock Swift gives. Clients that ask for all get this many, and a `Link`.
const LONGEST_TAGS: usize = 10_000;
/// The pages of the catalog, unless told otherwise and at most, as registry:2 has them.
const CATALOG_PAGE: usize = 100;
const LONGEST_CATALOG: usize = 1000;

/// `OCI-Filters-Applied`
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

impl App {
    pub(crate) async fn list_tags(
        &self,
        repository: &RepositoryName,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        let limit = page_size(head, LONGEST_TAGS, LONGEST_TAGS)?;
        let last = query(&head.uri, "last");
        let page = self.registry().tags(repository, last.as_deref(), limit).await?;
        let tags: Vec<&str> = page.tags.iter().map(Tag::as_str).collect();
        let body = json!({ "name": repository.as_str(), "tags": tags });
        let path = format!("/v2/{repository}/tags/list");
        Ok(self.with_next(json_list(&body), &path, tags.last().filter(|_| page.more), limit))
    }

    pub(crate) async fn list_repositories(&self, head: &Parts) -> Result<Answer, Failure> {
        let limit = page_size(head, CATALOG_PAGE, LONGEST_CATALOG)?;
        let last = query(&head.uri, "last");
        let page = self.registry().repositories(last.as_deref(), limit).await?;
        let names: Vec<&str> = page.repositories.iter().map(RepositoryName::as_str).collect();
        let body = json!({ "repositories": names });
        Ok(self.with_next(json_list(&body), "/v2/_catalog", names.last().filter(|_| page.more), limit))
    }

    pub(crate) async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        const INDEX: &str = "application/vnd.oci.image.index.v1+json";
        let artifact_type =
            query(&head.uri, "artifactType").filter(|artifact_type| !artifact_type.is_empty());
        let last = query(&head.uri, "last").map(|last| Digest::parse(&last)).transpose()?;
        let page =
            self.registry().referrers(repository, subject, artifact_type.as_deref(), last.as_ref()).await?;
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": page.referrers });
        let mut answer = content(StatusCode::OK, INDEX, Bytes::from(index.to_string()));
        if artifact_type.is_some() {
            answer = answer.with_header(FILTERS_APPLIED, "artifactType");
        }
        Ok(match page.next {
            None => answer,
            Some(next) => {
                let filter = artifact_type
                    .map(|wanted| format!("artifactType={}&", encode(&wanted)))
                    .unwrap_or_default();
                let path = format!(
                    "/v2/{repository}/referrers/{subject}?{filter}last={}",
                    encode(&next.to_string())
                );
                answer.with_header(header::LINK, format!("<{}>; rel=\"next\"", self.location(&path)))
            }
        })
    }

    /// Says where the list goes on, if it does after `last`.
    fn with_next(&self, answer: Answer, path: &str, last: Option<&&str>, limit: usize) -> Answer {
        match last {
            None => answer,
            Some(last) => {
                let path = self.location(&format!("{path}?last={}&n={limit}", encode(last)));
                answer.with_header(header::LINK, format!("<{path}>; rel=\"next\""))
            }
        }
    }
}

/// How many entries are wanted. A number beyond `longest` gets `longest`; what is no number is refused.
fn page_size(head: &Parts, default: usize, longest: usize) -> Result<usize, Failure> {
    match query(&head.uri, "n") {
        None => Ok(default),
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            // More digits than a number holds are more than the longest page all the same.
            Ok(text.parse().unwrap_or(longest).min(longest))
        }
        Some(_) => {
            let message = "n is the number of entries wanted: a whole number that is not negative";
            Err(Failure::new(StatusCode::BAD_REQUEST, ErrorCode::PaginationNumberInvalid, message))
        }
    }
}

fn json_list(body: &serde_json::Value) -> Answer {
    content(StatusCode::OK, "application/json", Bytes::from(body.to_string()))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
