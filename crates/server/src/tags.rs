//! The list of tags (OCI distribution specification, "Listing Tags").

use apus_registry::RepositoryName;
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::json;

use crate::App;
use crate::answer::{Answer, WithHeader, content};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::query;

impl App {
    pub(crate) async fn list_tags(
        &self,
        repository: &RepositoryName,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        let limit = match query(&head.uri, "n") {
            None => None,
            Some(text) => Some(text.parse::<usize>().map_err(|_| {
                let message = "n is the number of tags wanted: a whole number that is not negative";
                Failure::new(StatusCode::BAD_REQUEST, ErrorCode::PaginationNumberInvalid, message)
            })?),
        };
        let last = query(&head.uri, "last");
        let page = self.registry().tags(repository, last.as_deref(), limit).await?;
        let tags: Vec<&str> = page.tags.iter().map(apus_registry::Tag::as_str).collect();
        let body = json!({ "name": repository.as_str(), "tags": tags });
        let answer = content(StatusCode::OK, "application/json", Bytes::from(body.to_string()));
        Ok(match (tags.last(), limit) {
            (Some(last), Some(limit)) if page.more => {
                let path = self.location(&format!("/v2/{repository}/tags/list?last={last}&n={limit}"));
                answer.with_header(header::LINK, format!("<{path}>; rel=\"next\""))
            }
            _ => answer,
        })
    }
}
