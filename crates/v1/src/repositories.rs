//! Repositories as a whole, the index that a standalone registry plays, and the ping by which clients find out that it does.

use apus_legacy::{Refusal, Repository};
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use serde_json::{Value, json};

use crate::call::{Body, CONFIG, ENDPOINTS, Head, STANDALONE, TOKEN};
use crate::replies::{self, Failure, Outcome, no_key, with};
use crate::sign_in::SignIn;
use crate::token::unsigned;
use crate::{Reply, Right, V1};

impl V1 {
    pub(crate) fn ping(&self) -> Reply {
        let standalone = match (&self.options().mirror, self.options().standalone) {
            (Some(_), _) => "mirror",
            (None, true) => "True",
            (None, false) => "False",
        };
        let Some(debug) = &self.options().debug else {
            return with(replies::json(StatusCode::OK, &json!({})), STANDALONE, standalone);
        };
        let told = replies::json(StatusCode::OK, &json!({ "versions": { "apus": debug.version } }));
        let told = with(told, STANDALONE, standalone);
        match &debug.flavour {
            Some(flavour) => with(told, CONFIG, flavour),
            None => told,
        }
    }

    pub(crate) async fn delete_repository(&self, repository: &Repository, head: &Head) -> Outcome {
        match self.registry().tags(repository).await {
            Ok(tags) if tags.keys().any(|tag| !(head.tags.delete)(&repository.familiar(), tag)) => {
                return Err(Failure::denied());
            }
            Ok(_) | Err(Refusal::RepositoryUnknown) => {}
            Err(error) => return Err(error.into()),
        }
        match self.registry().delete_repository(repository).await.map_err(Failure::from) {
            Ok(()) => Ok(replies::done()),
            Err(failure) if failure.is_absence() => Err(Failure::not_found("Repository not found")),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn get_properties(&self, repository: &Repository) -> Outcome {
        let private = self.registry().is_private(repository).await?;
        let access = if private { "private" } else { "public" };
        Ok(replies::json(StatusCode::OK, &json!({ "access": access })))
    }

    pub(crate) async fn put_properties(&self, repository: &Repository, body: Body) -> Outcome {
        let said: Option<Value> = serde_json::from_slice(&self.collect(body).await?).ok();
        let access = said.as_ref().and_then(|said| said.get("access")).and_then(Value::as_str);
        let private = match access {
            Some("private") => true,
            Some("public") => false,
            _ => return Err(Failure::bad("Invalid data")),
        };
        self.registry().set_private(repository, private).await?;
        Ok(replies::done())
    }

    /// What clients of a standalone registry are told: that they may, and whom to ask from here on.
    async fn admitting(
        &self,
        reply: Reply,
        repository: &Repository,
        right: Right,
        head: &Head,
    ) -> Result<Reply, Failure> {
        let token = match &self.options().sign_in {
            SignIn::Today(keys) => {
                let key = keys.key().await.map_err(no_key)?;
                key.token(repository, right)
            }
            _ => Some(unsigned(repository, right)),
        };
        let token =
            token.ok_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "no token can be signed"))?;
        let reply = with(with(reply, TOKEN, &token), WWW_AUTHENTICATE, &token);
        Ok(with(reply, ENDPOINTS, self.endpoints(head)?))
    }

    pub(crate) fn endpoints<'a>(&'a self, head: &'a Head) -> Result<&'a str, Failure> {
        let asked = self.options().endpoints.as_deref().or(head.host.as_deref());
        asked.ok_or_else(|| Failure::bad("The header Host is missing"))
    }

    pub(crate) async fn get_images(&self, repository: &Repository, head: &Head) -> Outcome {
        let Some(images) = self.registry().index_images(repository).await? else {
            return Err(Failure::absent("images not found"));
        };
        let reply = replies::uncached(replies::raw_json(StatusCode::OK, images));
        self.admitting(reply, repository, Right::Read, head).await
    }

    /// What a client is about to push, or, as the last step, what it has pushed: then there is nothing to say.
    pub(crate) async fn put_images(
        &self,
        repository: &Repository,
        last: bool,
        head: &Head,
        body: Body,
    ) -> Outcome {
        // What would be wrong with the answer is so before anything is written.
        self.endpoints(head)?;
        let content = self.collect(body).await?;
        match serde_json::from_slice(&content) {
            Ok(Value::Array(_)) => {}
            Ok(_) => return Err(Failure::bad("Invalid data")),
            Err(_) => return Err(Failure::bad("Error Decoding JSON")),
        }
        self.registry().add_index_images(repository, &content).await?;
        let reply = if last { replies::no_content() } else { replies::json(StatusCode::OK, &"") };
        self.admitting(reply, repository, Right::Write, head).await
    }

    pub(crate) async fn delete_images(&self, repository: &Repository, head: &Head) -> Outcome {
        self.admitting(replies::no_content(), repository, Right::Delete, head).await
    }

    pub(crate) async fn post_user(&self, body: Body) -> Outcome {
        let content = self.collect(body).await?;
        match serde_json::from_slice::<serde::de::IgnoredAny>(&content) {
            Ok(_) => Ok(replies::json(StatusCode::CREATED, &"User Created")),
            Err(_) => Err(Failure::bad("Error Decoding JSON")),
        }
    }
}
