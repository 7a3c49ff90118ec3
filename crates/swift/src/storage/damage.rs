//! Large objects that cannot be read whole: found out, remembered, and replaced by the next who writes them.
//!
//! Swift looks at an object's segments only when they are read: a HEAD of an object whose segments are gone is answered as
//! ever, and so is a PUT that is to leave what exists. Whoever meets the damage while reading proves it, and marks the
//! object. From then on every process sees it with the first look, which costs nothing where there is no mark.

use std::sync::Arc;
use std::time::SystemTime;

use apus_storage::{ErrorKind, Freshness, Result, StorageError};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Backend;
use crate::client::{Container, ObjectKind, ObjectMetadata, Segment};
use crate::{SwiftError, SwiftErrorKind};

/// The user metadata that marks an object whose segments are not all there: when that was found.
const MARK: &str = "apus-damaged";
const MARK_HEADER: HeaderName = HeaderName::from_static("x-object-meta-apus-damaged");

/// The error of an object that is known to be damaged.
pub(super) fn damaged(operation: &'static str, object: impl std::fmt::Display) -> StorageError {
    StorageError::new(ErrorKind::Damaged, operation, object)
        .with_advice("its segments are not all there; write it again, which replaces it")
}

impl Backend {
    /// Whether what is there cannot be read whole. Only what is marked is looked at closely, and what has no size.
    pub(super) async fn is_damaged(
        &self,
        operation: &'static str,
        object: &str,
        found: &ObjectMetadata,
    ) -> Result<bool> {
        match found.kind {
            ObjectKind::Plain => Ok(false),
            // registry:2 makes no other of no bytes than one whose segments are gone, or not yet listed.
            ObjectKind::Dynamic => Ok(found.size == 0),
            ObjectKind::Static if found.user(MARK).is_none() => Ok(false),
            ObjectKind::Static => {
                let is_whole = self.is_whole(operation, object, found).await?;
                if is_whole {
                    self.mark(object, found, None).await;
                }
                Ok(!is_whole)
            }
        }
    }

    /// Whether all segments of a static large object are there, each as it was written.
    async fn is_whole(&self, operation: &'static str, object: &str, found: &ObjectMetadata) -> Result<bool> {
        let segments = self.segments_of(operation, object, found).await?;
        // Where neither cluster nor record names them, what was seen while reading counts.
        if segments.is_empty() {
            return Ok(false);
        }
        let looks = segments.into_iter().map(|segment| async move {
            let found = self.container.look(&segment.name, Freshness::Newest).await?;
            Ok::<_, SwiftError>(found.is_some_and(|found| is_as_written(&found, &segment)))
        });
        let looks = stream::iter(looks).buffer_unordered(Container::DELETES_AT_ONCE);
        let is_whole = looks.try_all(std::future::ready).await;
        is_whole.map_err(|error| error.into_storage(operation, object))
    }

    /// What reading has met.
    pub(super) fn report_damage(self: &Arc<Self>, object: &str, error: &SwiftError) {
        if error.kind() == SwiftErrorKind::Damaged {
            self.look_into(object);
        }
    }

    /// Reading has met nothing. On Ceph RGW that is also said of an object that misses a segment.
    pub(super) async fn doubt_absence(self: &Arc<Self>, object: &str) {
        let capabilities = self.container.client().capabilities().await;
        if capabilities.is_ok_and(|capabilities| capabilities.is_ceph()) {
            self.look_into(object);
        }
    }

    /// Proves that an object is damaged and marks it, in the background.
    fn look_into(self: &Arc<Self>, object: &str) {
        let (backend, object) = (Arc::clone(self), object.to_owned());
        tokio::spawn(async move {
            let Ok(Some(found)) = backend.container.look(&object, Freshness::Newest).await else { return };
            let doubtful = found.kind == ObjectKind::Static && found.user(MARK).is_none();
            if doubtful && matches!(backend.is_whole("read", &object, &found).await, Ok(false)) {
                tracing::error!(
                    object,
                    "it misses segments and cannot be read; the next who writes it mends it"
                );
                let now = httpdate::fmt_http_date(SystemTime::now());
                backend.mark(&object, &found, HeaderValue::from_str(&now).ok()).await;
            }
        });
    }

    /// Marks an object, or takes the mark away. It is only a help to others: failing changes nothing.
    async fn mark(&self, object: &str, found: &ObjectMetadata, mark: Option<HeaderValue>) {
        let mut headers: HeaderMap = found.to_repeat();
        match mark {
            Some(mark) => drop(headers.insert(MARK_HEADER, mark)),
            None => drop(headers.remove(MARK_HEADER)),
        }
        if let Err(error) = self.container.post(object, headers).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(object, error, "what was found of its segments cannot be noted down");
        }
    }
}

fn is_as_written(found: &ObjectMetadata, segment: &Segment) -> bool {
    let same_tag = segment.etag.is_empty() || found.entity_tag.as_deref() == Some(&*segment.etag);
    found.size == segment.size && same_tag
}
