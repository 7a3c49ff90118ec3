//! What is in an account: its containers.

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::SwiftClient;
use super::send::Call;
use crate::error::{Result, SwiftErrorKind};

/// A page of 10,000 names.
const LONGEST_PAGE: usize = 16 << 20;

/// A container in the listing of its account. Counts may lag behind the objects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ContainerEntry {
    /// Its name.
    pub name: String,
    /// Objects in it.
    #[serde(rename = "count", default)]
    pub objects: u64,
    /// Bytes in it.
    #[serde(default)]
    pub bytes: u64,
}

impl SwiftClient {
    /// The containers of the account whose names begin so, page after page as they are asked for.
    pub fn containers(&self, prefix: impl Into<String>) -> BoxStream<'static, Result<ContainerEntry>> {
        let state = (self.clone(), prefix.into(), Some(String::new()));
        let pages = stream::try_unfold(state, |(client, prefix, marker)| async move {
            let Some(marker) = marker else { return Ok(None) };
            let page = client.containers_after(&prefix, &marker).await?;
            // Only an empty page is known to be the last.
            let next = page.last().map(|last| last.name.clone()).filter(|last| *last != marker);
            Ok(Some((stream::iter(page.into_iter().map(Ok)), (client, prefix, next))))
        });
        pages.try_flatten().boxed()
    }

    async fn containers_after(&self, prefix: &str, marker: &str) -> Result<Vec<ContainerEntry>> {
        let mut call = Call::new(Method::GET, String::new()).query("format", "json");
        for (key, value) in [("prefix", prefix), ("marker", marker)] {
            if !value.is_empty() {
                call = call.query(key, value);
            }
        }
        let answer = self.send(call).await?;
        match answer.status {
            StatusCode::OK => {
                let unreadable = answer.error(SwiftErrorKind::Unexpected, "the listing cannot be read");
                let body = answer.bytes(LONGEST_PAGE).await?;
                serde_json::from_slice(&body).map_err(|error| unreadable.with_source(error))
            }
            // An account that nobody has used yet.
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(Vec::new()),
            _ => Err(answer.refused().await),
        }
    }
}
