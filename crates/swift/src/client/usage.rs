//! What a container and an account say of themselves: how much they hold, and how much they may.

use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::answer::text;
use super::send::Call;
use super::{Container, SwiftClient};
use crate::error::Result;

/// How much a container or an account holds, and how much it may (Swift, the middlewares container_quotas and
/// account_quotas). Counts may lag behind the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Objects in it.
    pub objects: Option<u64>,
    /// Bytes in it.
    pub bytes: Option<u64>,
    /// The most objects that it may hold; `None` when there is no such limit.
    pub object_quota: Option<u64>,
    /// The most bytes that it may hold; `None` when there is no such limit.
    pub byte_quota: Option<u64>,
}

/// A container, or the account that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Container,
    Account,
}

impl Level {
    /// Below the account.
    fn path(self, container: &Container) -> String {
        match self {
            Self::Container => container.name().to_owned(),
            Self::Account => String::new(),
        }
    }

    fn usage(self, headers: &HeaderMap) -> Usage {
        let level = match self {
            Self::Container => "container",
            Self::Account => "account",
        };
        let number = |name: &str| text(headers, &format!("x-{level}-{name}"))?.trim().parse().ok();
        Usage {
            objects: number("object-count"),
            bytes: number("bytes-used"),
            object_quota: number("meta-quota-count"),
            byte_quota: number("meta-quota-bytes").or_else(|| number("quota-bytes")),
        }
    }
}

impl Container {
    /// How much the container holds; `None` when there is none.
    pub async fn usage(&self) -> Result<Option<Usage>> {
        let headers = self.said_of(Level::Container).await?;
        Ok(headers.map(|headers| Level::Container.usage(&headers)))
    }

    /// Deletes the container, which must be empty. Answers whether it is gone; `false` when Swift believes that something is
    /// in it, which it may for a while after the last object was deleted.
    pub async fn remove(&self) -> Result<bool> {
        let answer = self.client.send(self.call(Method::DELETE, None)).await?;
        match answer.status {
            status if status.is_success() || status == StatusCode::NOT_FOUND => {
                answer.discard().await;
                self.forget();
                Ok(true)
            }
            StatusCode::CONFLICT => {
                answer.discard().await;
                Ok(false)
            }
            _ => Err(answer.refused().await),
        }
    }

    /// The headers of the container or of its account; `None` when there is none.
    pub(super) async fn said_of(&self, level: Level) -> Result<Option<HeaderMap>> {
        self.client.said_of(level.path(self)).await
    }

    /// Adds metadata to the container or to its account. What is there stays.
    pub(super) async fn say_of(&self, level: Level, name: &'static str, value: HeaderValue) -> Result<()> {
        let call = Call::new(Method::POST, level.path(self)).header(name, value);
        let answer = self.client.send(call).await?;
        if !answer.status.is_success() {
            return Err(answer.refused().await);
        }
        answer.discard().await;
        Ok(())
    }
}

impl SwiftClient {
    /// How much the account holds; `None` when there is no such account. It takes more rights than to use a container.
    pub async fn usage(&self) -> Result<Option<Usage>> {
        let headers = self.said_of(String::new()).await?;
        Ok(headers.map(|headers| Level::Account.usage(&headers)))
    }

    async fn said_of(&self, path: String) -> Result<Option<HeaderMap>> {
        let answer = self.send(Call::new(Method::HEAD, path)).await?;
        match answer.status {
            status if status.is_success() => Ok(Some(answer.headers)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(answer.refused().await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_numbers() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-container-object-count", "3"),
            ("x-container-bytes-used", "1000"),
            ("x-container-meta-quota-bytes", "5000"),
            ("x-container-meta-quota-count", "many"),
            ("x-account-bytes-used", "7"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let container =
            Usage { objects: Some(3), bytes: Some(1000), object_quota: None, byte_quota: Some(5000) };
        assert_eq!(Level::Container.usage(&headers), container);
        assert_eq!(Level::Account.usage(&headers), Usage { bytes: Some(7), ..Usage::default() });
    }
}
