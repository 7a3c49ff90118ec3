//! Copies that the cluster makes by itself.

use apus_storage::Freshness;
use http::header::{CONTENT_LENGTH, HeaderName};
use http::{HeaderValue, Method, StatusCode};

use super::Container;
use super::metadata::ObjectMetadata;
use super::send::escaped;
use super::upload::is_created;
use crate::error::{Result, SwiftError, SwiftErrorKind};

const COPY_FROM: HeaderName = HeaderName::from_static("x-copy-from");

impl Container {
    /// Copies an object into a container of the same account, and answers what is there then; `None` when there is no such
    /// object. Of a large object the content is copied: it becomes a plain one, and must not be larger than such may be.
    /// The metadata goes along.
    ///
    /// # Errors
    /// [`SwiftErrorKind::TooLarge`] for more than the cluster copies.
    pub async fn copy(&self, name: &str, into: &Self, new_name: &str) -> Result<Option<ObjectMetadata>> {
        let source = format!("/{}/{}", escaped(self.name()), escaped(name));
        let request = format!("PUT {}/{new_name}", into.name());
        let source = HeaderValue::from_str(&source).map_err(|error| {
            SwiftError::new(SwiftErrorKind::Unexpected, &request, "it cannot be made").with_source(error)
        })?;
        let Some(original) = self.head(name, Freshness::Newest).await? else { return Ok(None) };
        let call = into.call(Method::PUT, Some(new_name));
        let headers = [(COPY_FROM, source), (CONTENT_LENGTH, HeaderValue::from_static("0"))];
        let answer = self.client.send(call.headers(headers.into_iter().collect())).await?;
        match answer.status {
            status if is_created(status) || status == StatusCode::ACCEPTED => {}
            StatusCode::NOT_FOUND => {
                answer.discard().await;
                return Ok(None);
            }
            _ => return Err(answer.refused().await),
        }
        // Ceph RGW begins its answer before it has copied anything, so that the connection is kept.
        let incomplete = answer.error(SwiftErrorKind::UNAVAILABLE, "the copy is not all there");
        answer.discard().await;
        let copied = into.head(new_name, Freshness::Newest).await?;
        match copied.filter(|copied| copied.size == original.size) {
            Some(copied) => Ok(Some(copied)),
            None => Err(incomplete),
        }
    }
}
