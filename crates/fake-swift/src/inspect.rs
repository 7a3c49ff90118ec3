//! What a test asks of the store itself, and does to it, past HTTP and past the log.

use bytes::Bytes;
use http::HeaderMap;

use crate::answer::md5_hex;
use crate::faults::Fault;
use crate::log::{Interface, RequestRecord};
use crate::manifest::Manifest;
use crate::server::FakeSwift;
use crate::state::StoredObject;

/// An object as it is stored at one moment.
#[derive(Debug, Clone)]
pub struct ObjectSnapshot {
    /// The content; of a static large object, its manifest in JSON; of a dynamic one, mostly nothing.
    pub data: Bytes,
    /// MD5 of `data`, in hex.
    pub etag: String,
    /// `Content-Type`.
    pub content_type: String,
    /// The headers it keeps: `X-Object-Meta-*`, `X-Object-Manifest`, `X-Delete-At` and the like.
    pub headers: HeaderMap,
    /// Of a static large object, its segments as `/container/object`, in order; of any other object `None`.
    pub segments: Option<Vec<String>>,
}

/// Where to find it.
impl FakeSwift {
    /// Where to sign in with TempAuth, version 1.
    #[must_use]
    pub fn auth_url_v1(&self) -> String {
        format!("{}/auth/v1.0", self.shared.base_url(Interface::Public))
    }

    /// Where to sign in with Keystone, version 3: what `auth/tokens` is appended to.
    #[must_use]
    pub fn auth_url_v3(&self) -> String {
        format!("{}/v3", self.shared.base_url(Interface::Public))
    }

    /// The storage URL that sign-in gives for an interface.
    #[must_use]
    pub fn storage_url(&self, interface: Interface) -> String {
        self.shared.storage_url(interface)
    }
}

/// What it was asked.
impl FakeSwift {
    /// All requests since the start or the last [`FakeSwift::take_requests`], in the order of their arrival. The log
    /// grows until it is taken.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.log.all()
    }

    /// As [`FakeSwift::requests`], and empties the log.
    #[must_use = "the log is emptied"]
    pub fn take_requests(&self) -> Vec<RequestRecord> {
        self.shared.log.take()
    }

    /// How many requests in the log are `wanted`. Those of a budget are
    /// `|request| request.kind.is_storage()`.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&RequestRecord) -> bool) -> usize {
        self.requests().iter().filter(|record| wanted(record)).count()
    }
}

/// How it is to fail.
impl FakeSwift {
    /// Adds a fault to the script. Of several that match a request, the one added first takes it.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// How many faults have yet to strike: 0 shows that the script was played to its end.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.shared.faults.left()
    }

    /// Makes every token given out so far a bad one.
    pub fn expire_tokens(&self) {
        self.shared.state().tokens.expire();
    }
}

/// What it holds.
impl FakeSwift {
    /// Names of all objects in a container, in byte order. Empty if there is no such container.
    #[must_use]
    pub fn object_names(&self, container: &str) -> Vec<String> {
        let state = self.shared.state();
        state
            .containers
            .get(container)
            .map(|container| container.names().cloned().collect())
            .unwrap_or_default()
    }

    /// An object as it is stored; `None` if there is none of the name.
    #[must_use]
    pub fn object(&self, container: &str, name: &str) -> Option<ObjectSnapshot> {
        let state = self.shared.state();
        let object = state.object(container, name)?;
        Some(ObjectSnapshot {
            data: object.data.clone(),
            etag: object.etag.clone(),
            content_type: object.content_type.clone(),
            headers: object.headers.clone(),
            segments: object.manifest.as_ref().map(Manifest::names),
        })
    }

    /// Creates a container, if there is none of the name.
    pub fn create_container(&self, name: &str) {
        self.shared.state().create_container(name);
    }

    /// Stores a plain object, in a container that is created where it is missing.
    pub fn put_object(&self, container: &str, name: &str, data: impl Into<Bytes>) {
        let data = data.into();
        let mut state = self.shared.state();
        state.create_container(container);
        let now = state.clock.tick();
        let object = StoredObject {
            etag: md5_hex(&data),
            data,
            content_type: "application/octet-stream".into(),
            headers: HeaderMap::new(),
            manifest: None,
            written: now,
            modified: now,
        };
        if let Some(container) = state.containers.get_mut(container) {
            container.put(name, object);
        }
    }

    /// Deletes an object of any kind, itself only. Does nothing if there is none.
    pub fn delete_object(&self, container: &str, name: &str) {
        self.shared.state().delete_object(container, name);
    }
}
