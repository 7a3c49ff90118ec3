//! Tags, and who set them.

use apus_legacy::{Client, ImageId, Refusal, Repository};
use http::StatusCode;
use http::header::USER_AGENT;

use crate::V1;
use crate::call::{Body, Head};
use crate::replies::{self, Failure, Outcome};

impl V1 {
    pub(crate) async fn get_tags(&self, repository: &Repository) -> Outcome {
        let tags = self.registry().tags(repository).await?;
        let tags: std::collections::BTreeMap<_, _> =
            tags.iter().map(|(tag, id)| (tag.as_str(), id.as_str())).collect();
        Ok(replies::json(StatusCode::OK, &tags))
    }

    pub(crate) async fn get_tag(&self, repository: &Repository, tag: &str) -> Outcome {
        let id = self.registry().tag(repository, tag).await?;
        Ok(replies::json(StatusCode::OK, &id.as_str()))
    }

    pub(crate) async fn put_tag(
        &self,
        repository: &Repository,
        tag: &str,
        head: &Head,
        body: Body,
    ) -> Outcome {
        let content = self.collect(body).await?;
        let said: Option<String> = serde_json::from_slice(&content).ok();
        let said = said.filter(|said| !said.is_empty()).ok_or_else(|| Failure::bad("Invalid data"))?;
        let id = ImageId::parse(&said).ok_or_else(|| Failure::not_found("Image not found"))?;
        if !(head.tags.overwrite)(&repository.familiar(), tag) {
            match self.registry().tag(repository, tag).await {
                Ok(known) if known != id => return Err(Failure::denied()),
                Ok(_) | Err(Refusal::TagUnknown) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let client = Client::read(head.text(USER_AGENT).unwrap_or_default());
        match self.registry().put_tag(repository, tag, &id, &client).await.map_err(Failure::from) {
            Ok(()) => Ok(replies::done()),
            Err(failure) if failure.is_absence() => Err(Failure::not_found("Image not found")),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn delete_tag(&self, repository: &Repository, tag: &str, head: &Head) -> Outcome {
        if !(head.tags.delete)(&repository.familiar(), tag) {
            return Err(Failure::denied());
        }
        match self.registry().delete_tag(repository, tag).await.map_err(Failure::from) {
            Ok(()) => Ok(replies::done()),
            Err(failure) if failure.is_absence() => Err(Failure::not_found(format!("Tag not found: {tag}"))),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn get_client(&self, repository: &Repository, tag: Option<&str>) -> Outcome {
        Ok(replies::json(StatusCode::OK, &self.registry().client_of(repository, tag).await?))
    }
}
