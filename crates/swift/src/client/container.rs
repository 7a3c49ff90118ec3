//! One container: there before it is used, and made where it is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::sync::Mutex;

use super::SwiftClient;
use super::answer::Answer;
use super::send::Call;
use super::usage::Level;
use crate::error::{Result, SwiftError, SwiftErrorKind};

/// A container. Clones are the same.
#[derive(Clone)]
pub struct Container {
    pub(super) client: SwiftClient,
    name: Arc<str>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    ready: AtomicBool,
    gate: Mutex<()>,
}

impl Container {
    pub(super) fn new(client: SwiftClient, name: String) -> Self {
        Self { client, name: name.into(), state: Arc::default() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that it is reached by.
    #[must_use]
    pub fn client(&self) -> &SwiftClient {
        &self.client
    }

    /// Another container of the same account.
    pub(super) fn sibling(&self, name: &str) -> Self {
        if *name == *self.name { self.clone() } else { self.client.container(name) }
    }

    /// Makes sure that the container is there, once; makes it if it is not.
    pub async fn ensure(&self) -> Result<()> {
        if self.state.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let _gate = self.state.gate.lock().await;
        if !self.state.ready.load(Ordering::Acquire) {
            self.make().await.map_err(|error| {
                let name = &self.name;
                let meaning = match error.kind() {
                    SwiftErrorKind::Unavailable { .. } => {
                        format!("it is not known whether there is a container {name:?}")
                    }
                    _ => format!("there is no container {name:?} for us, and none can be made"),
                };
                error.with_finding(&meaning)
            })?;
            self.state.ready.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Makes the container, or changes the metadata of one that is there: `X-Container-Meta-Color`, `X-Container-Read`,
    /// `X-Storage-Policy` (only when it is made). What these headers do not say stays.
    pub async fn create(&self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Result<()> {
        let call = self.call(Method::PUT, None).headers(headers.into_iter().collect());
        let made = self.client.send(call).await?;
        if !made.status.is_success() {
            return Err(made.refused().await);
        }
        made.discard().await;
        Ok(())
    }

    /// What Swift says of the container in its headers, its metadata among them; `None` when there is none.
    pub async fn metadata(&self) -> Result<Option<HeaderMap>> {
        self.said_of(Level::Container).await
    }

    /// Whether there is such a container.
    pub async fn exists(&self) -> Result<bool> {
        Ok(self.metadata().await?.is_some())
    }

    async fn make(&self) -> Result<()> {
        if !self.exists().await? {
            self.create([]).await?;
            tracing::info!(container = &*self.name, "made the container");
        }
        Ok(())
    }

    /// A call to the container, or to an object in it.
    pub(super) fn call(&self, method: Method, object: Option<&str>) -> Call {
        let path = match object {
            Some(object) => format!("{}/{object}", self.name),
            None => self.name.to_string(),
        };
        Call::new(method, path)
    }

    /// The error of a 404 that only a missing container can be the cause of. The next request looks for it again.
    pub(super) async fn vanished(&self, answer: Answer) -> SwiftError {
        self.forget();
        let error = answer.error(
            SwiftErrorKind::UNAVAILABLE,
            format!("answered 404: the container {:?} has vanished", self.name),
        );
        answer.discard().await;
        error.with_advice("it is made again with the next request")
    }

    /// It may not be there any more.
    pub(super) fn forget(&self) {
        self.state.ready.store(false, Ordering::Release);
    }
}

impl std::fmt::Debug for Container {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Container").field("name", &self.name).finish_non_exhaustive()
    }
}
