//! What a test asks of the store itself, and does to it, past HTTP and past the log.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::faults::Fault;
use crate::keystone::Who;
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

    /// Where Keystone tells which versions of it there are.
    #[must_use]
    pub fn auth_url(&self) -> String {
        format!("{}/", self.shared.base_url(Interface::Public))
    }

    /// Where to sign in with Keystone, version 2.0: what `tokens` is appended to.
    #[must_use]
    pub fn auth_url_v2(&self) -> String {
        format!("{}/v2.0", self.shared.base_url(Interface::Public))
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

    /// A token of Keystone's for the user, with the project or without, as if somebody else had signed in.
    #[must_use]
    pub fn give_token(&self, scoped: bool) -> String {
        let options = &self.shared.options;
        let account = scoped.then(|| options.account());
        self.shared.state().tokens.keystone(Who::User, account, options.token_life)
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
            .map(|container| container.names().map(str::to_owned).collect())
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

    /// Stores a plain object, in a container that is created where it is missing. Listings that lag learn of it late.
    pub fn put_object(&self, container: &str, name: &str, data: impl Into<Bytes>) {
        self.put_object_ahead(container, name, data, Duration::ZERO);
    }

    /// As [`FakeSwift::put_object`], but as a proxy stores it whose clock is so far ahead. Until that time comes, a
    /// PUT of the name is answered 202 and a DELETE or POST of it 409, and the object stays as it is.
    pub fn put_object_ahead(&self, container: &str, name: &str, data: impl Into<Bytes>, ahead: Duration) {
        let mut state = self.shared.state();
        state.create_container(container);
        let written = state.clock.tick().after(ahead);
        state.put_object(container, name, StoredObject::plain(data.into(), written));
    }

    /// Deletes an object of any kind, itself only. Does nothing if there is none, or if it is ahead of its time: see
    /// [`FakeSwift::put_object_ahead`].
    pub fn delete_object(&self, container: &str, name: &str) {
        self.shared.state().delete_object(container, name);
    }
}
