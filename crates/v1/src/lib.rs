//! Version 1 of the registry's protocol, as docker-registry 0.x spoke it: what a path means, which headers an answer carries,
//! which texts clients compare. The rules behind it live in [`apus_legacy`]; connections, time limits and today's sign-in are the
//! matter of whoever hands requests in, by [`V1::answer`].
//!
//! | room | what lives there |
//! |---|---|
//! | [`V1`], [`V1Options`] | the protocol over a store |
//! | [`Call`], [`Reply`], [`Content`] | a request, and its answer |
//! | `route` | paths become typed; names hold slashes |
//! | `images`, `tags`, `repositories`, `search` | what is done, one file for each sort |
//! | [`SignIn`], [`Needs`], `sign_in`, `token`, `signature` | who may: nobody asks, an index says, or today's sign-in does |
//! | [`Index`] | the index that tokens are shown to |
//! | [`Mirror`] | the registry from which comes what is not here |
//! | [`Cors`] | what browsers are told |
//! | `replies` | answers and errors in the form of version 1 |

mod call;
mod cors;
mod images;
mod index;
mod mirror;
mod outgoing;
mod replies;
mod repositories;
mod route;
mod search;
mod sign_in;
mod signature;
mod tags;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;
use std::time::Duration;

use apus_legacy::LegacyRegistry;
use apus_storage::BoxError;
use http::{Method, StatusCode};
use tokio::sync::Semaphore;

pub use call::{Call, Content, Reply, TagRight, TagRights};
pub use cors::Cors;
pub use index::Index;
pub use mirror::{Mirror, MirrorOptions};
pub use outgoing::{Outgoing, OutgoingError};
pub use sign_in::{Needs, Right, SignIn};
pub use signature::{PrivilegedKey, PrivilegedKeyError};
pub use token::{TokenKey, TokenKeys};

use crate::call::Head;
use crate::replies::{Failure, Outcome};
use crate::route::{Route, Target};

/// Contents of more than [`SMALL`] bytes that are held in memory at once, of at most [`apus_legacy::LARGEST`] bytes each.
const LARGE_CONTENTS: usize = 16;
/// Bytes of a content that takes no turn.
const SMALL: u64 = 64 << 10;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an operator can choose of version 1.
#[derive(Debug)]
pub struct V1Options {
    /// `issue`: what `GET /` says, where nobody else answers it.
    pub issue: String,
    /// `standalone`: whether the registry plays the index, too: users, and the lists of images by which a push and a pull begin.
    pub standalone: bool,
    /// Who may do what.
    pub sign_in: SignIn,
    /// `privileged_key`: who signs with it may do everything.
    pub privileged_key: Option<PrivilegedKey>,
    /// `search_backend`: whether there is `/v1/search`.
    pub search: bool,
    /// `registry_endpoints`: the hosts that clients are told to push to and pull from. `None` for the one they have asked.
    pub endpoints: Option<String>,
    /// `storage_redirect`: clients fetch layers from storage itself, by URLs that are good for so long, where it has such.
    pub redirect: Option<Duration>,
    /// `mirroring`: from where comes what is not here.
    pub mirror: Option<Mirror>,
    /// `debug`: a ping names the version that answers, and the flavour of the configuration, if there is one.
    pub debug: Option<Debugging>,
    /// `cors`: what browsers let pages of other origins do. `None` to say nothing of it.
    pub cors: Option<Cors>,
}

/// What a ping tells beside that somebody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debugging {
    /// The version that answers.
    pub version: String,
    /// `SETTINGS_FLAVOR`: `X-Docker-Registry-Config`.
    pub flavour: Option<String>,
}

impl Default for V1Options {
    fn default() -> Self {
        Self {
            issue: "\"docker-registry server\"".to_owned(),
            standalone: true,
            sign_in: SignIn::Open,
            privileged_key: None,
            search: true,
            endpoints: None,
            redirect: None,
            mirror: None,
            debug: None,
            cors: None,
        }
    }
}

/// Version 1 over a store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct V1(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: LegacyRegistry,
    options: V1Options,
    large: Semaphore,
}

impl V1 {
    /// Version 1 over the rules and the objects of docker-registry 0.x.
    #[must_use]
    pub fn new(registry: LegacyRegistry, options: V1Options) -> Self {
        Self(Arc::new(Inner { registry, options, large: Semaphore::new(LARGE_CONTENTS) }))
    }

    fn registry(&self) -> &LegacyRegistry {
        &self.0.registry
    }

    fn options(&self) -> &V1Options {
        &self.0.options
    }

    /// Whether a path is version 1's: `/_ping`, and all below `/v1`. The path of the request line, without a query.
    #[must_use]
    pub fn is_path(path: &str) -> bool {
        path == "/_ping" || path == "/v1" || path.starts_with("/v1/")
    }

    /// What kind of thing a path names, for logs and metrics: a word of a small and fixed set.
    #[must_use]
    pub fn label(path: &str) -> &'static str {
        Route::parse(path).map_or("unknown", |route| route.label())
    }

    /// What a request needs of today's sign-in, before it is answered.
    ///
    /// # Errors
    /// That of the [`TokenKeys`]: it is not known whether the token that is shown is one of ours.
    pub async fn needs(
        &self,
        method: &Method,
        path: &str,
        headers: &http::HeaderMap,
    ) -> Result<Needs, BoxError> {
        sign_in::needs(self.options(), method, path, headers).await
    }

    /// Answers a request. The content of a refused one is not read.
    pub async fn answer(&self, call: Call) -> Reply {
        let (head, body) = call.apart();
        let reply = self.respond(&head, body).await;
        match &self.options().cors {
            Some(cors) => cors.told(reply, &head),
            None => reply,
        }
    }

    /// The answer to a request that is refused before it comes here.
    #[must_use]
    pub fn refusal(status: StatusCode, text: &str) -> Reply {
        replies::error(status, text)
    }

    async fn respond(&self, head: &Head, body: call::Body) -> Reply {
        let Some(route) = Route::parse(&head.path) else { return Failure::not_found("Not found").reply() };
        let Some(target) = Target::new(&head.method, route) else {
            let allow = route::allowed(&head.path);
            if head.method == Method::OPTIONS {
                return replies::empty(StatusCode::OK, &[(http::header::ALLOW, allow)]);
            }
            return Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed").reply_allowing(allow);
        };
        match self.act(&target, head, body).await {
            Ok(reply) => reply,
            Err(failure) if failure.is_absence() => {
                self.mirrored(&target, head).await.unwrap_or_else(|| failure.reply())
            }
            Err(failure) => failure.reply(),
        }
    }

    async fn act(&self, target: &Target, head: &Head, body: call::Body) -> Outcome {
        use Target as Act;
        if let Act::Ping = target {
            return Ok(self.ping());
        }
        if let Act::Root = target {
            return Ok(replies::json(StatusCode::OK, &self.options().issue));
        }
        let standing = self.sign_in(target, head).await?;
        match target {
            Act::Root | Act::Ping => Err(Failure::not_found("Not found")),
            Act::GetImage(id, part) => self.get_image(id.as_ref(), *part, head, &standing).await,
            Act::PutJson(id) => self.put_json(id.as_ref(), head, &standing, body).await,
            Act::PutLayer(id) => self.put_layer(id.as_ref(), body).await,
            Act::PutChecksum(id) => self.put_checksum(id.as_ref(), head).await,
            Act::GetTags(repository) => self.get_tags(repository).await,
            Act::DeleteRepository(repository) => self.delete_repository(repository, head).await,
            Act::GetTag(repository, tag) => self.get_tag(repository, tag).await,
            Act::PutTag(repository, tag) => self.put_tag(repository, tag, head, body).await,
            Act::DeleteTag(repository, tag) => self.delete_tag(repository, tag, head).await,
            Act::GetClient(repository, tag) => self.get_client(repository, tag.as_deref()).await,
            Act::GetProperties(repository) => self.get_properties(repository).await,
            Act::PutProperties(repository) => self.put_properties(repository, body).await,
            Act::Search => self.search(head).await,
            Act::GetUser
            | Act::PostUser
            | Act::PutUser
            | Act::GetImages(_)
            | Act::PutImages(..)
            | Act::DeleteImages(_)
            | Act::PutAuth
                if !self.options().standalone =>
            {
                Err(Failure::not_found("Not found"))
            }
            Act::GetUser | Act::PutAuth => Ok(replies::json(StatusCode::OK, &"OK")),
            Act::PostUser => self.post_user(body).await,
            Act::PutUser => Ok(replies::no_content()),
            Act::GetImages(repository) => self.get_images(repository, head).await,
            Act::PutImages(repository, last) => self.put_images(repository, *last, head, body).await,
            Act::DeleteImages(repository) => self.delete_images(repository, head).await,
        }
    }

    /// All of a request's content, if it is no more than [`apus_legacy::LARGEST`] bytes.
    async fn collect(&self, body: call::Body) -> Result<bytes::Bytes, Failure> {
        let limit = apus_legacy::LARGEST;
        let too_large = || Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "The content is too large");
        if body.length.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let _turn = if body.length.is_some_and(|length| length <= SMALL) {
            None
        } else {
            let turn = tokio::time::timeout(PATIENCE, self.0.large.acquire()).await;
            Some(turn.map_err(|_| Failure::busy())?)
        };
        match apus_storage::body::collect(body.stream, limit).await {
            Ok(content) => Ok(content),
            Err(error) if error.is::<apus_storage::body::LengthMismatch>() => Err(too_large()),
            Err(error) => {
                tracing::debug!(%error, "a content that was cut");
                Err(Failure::new(StatusCode::BAD_REQUEST, "The content was not complete"))
            }
        }
    }
}
