//! The backends that a test can run Apus on, each fresh: an empty directory, or a container that nobody else uses.

use std::env;
use std::path::Path;

use apus_fake_swift::FakeSwift;

/// The container in a fake Swift.
pub(crate) const FAKE_CONTAINER: &str = "registry";

/// What an Apus logs when it is known that clients can be sent to its Swift.
pub(crate) const PROVEN: &str = "temporary URLs work";

/// The line below `storage:` that lets it send them.
pub(crate) const REDIRECTS: &str = "\n  redirect: {disable: false}";

/// Somewhere to store.
pub(crate) struct Backend {
    /// For messages.
    pub(crate) name: &'static str,
    storage: String,
    directory: Option<tempfile::TempDir>,
    container: Option<String>,
}

impl Backend {
    /// The lines below `storage:` of the configuration.
    pub(crate) fn storage(&self) -> &str {
        &self.storage
    }

    /// The same, and clients are sent to it for blobs as soon as that works: see [`PROVEN`].
    pub(crate) fn redirecting(mut self) -> Self {
        self.storage.push_str(REDIRECTS);
        self
    }

    /// The memory of the process.
    pub(crate) fn memory() -> Self {
        Self { name: "memory", storage: "  inmemory: {}".into(), directory: None, container: None }
    }

    /// An empty directory.
    pub(crate) fn filesystem() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = format!("  filesystem: {{rootdirectory: {}}}", directory.path().display());
        Self { name: "filesystem", storage, directory: Some(directory), container: None }
    }

    /// Where the filesystem backend stores.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().map(tempfile::TempDir::path)
    }

    /// The container in which the backends of a Swift store.
    pub(crate) fn container(&self) -> Option<&str> {
        self.container.as_deref()
    }

    /// The container `registry` of a fake Swift, with the sign-in of version 1.
    pub(crate) fn fake_v1(fake: &FakeSwift) -> Self {
        Self::fake("fake Swift, sign-in version 1", &fake.auth_url_v1(), "username: test:tester")
    }

    /// The container `registry` of a fake Swift, with the sign-in of version 3.
    pub(crate) fn fake_v3(fake: &FakeSwift) -> Self {
        Self::fake("fake Swift, sign-in version 3", &fake.auth_url_v3(), "username: tester\n    tenant: test")
    }

    fn fake(name: &'static str, url: &str, user: &str) -> Self {
        let storage = format!(
            "  swift:\n    authurl: {url}\n    {user}\n    password: testing\n    container: {FAKE_CONTAINER}"
        );
        Self { name, storage, directory: None, container: Some(FAKE_CONTAINER.to_owned()) }
    }

    /// A new container of the real Swift, with the sign-in of version 1.
    pub(crate) fn swift_v1() -> Self {
        let (url, user, key) = (variable("ST_AUTH"), variable("ST_USER"), variable("ST_KEY"));
        let container = new_container();
        let storage = format!(
            "  swift:\n    authurl: {url}\n    authversion: 1\n    username: \"{user}\"\n    password: \"{key}\"\n    container: {container}"
        );
        Self { name: "Swift, sign-in version 1", storage, directory: None, container: Some(container) }
    }

    /// A new container of the real Swift, with the sign-in of version 3.
    pub(crate) fn swift_v3() -> Self {
        let container = new_container();
        let storage = format!(
            "  swift:\n    authurl: {}\n    username: \"{}\"\n    password: \"{}\"\n    tenant: \"{}\"\n    domain: \"{}\"\n    tenantdomain: \"{}\"\n    region: \"{}\"\n    container: {container}",
            variable("OS_AUTH_URL"),
            variable("OS_USERNAME"),
            variable("OS_PASSWORD"),
            variable("OS_PROJECT_NAME"),
            variable("OS_USER_DOMAIN_NAME"),
            variable("OS_PROJECT_DOMAIN_NAME"),
            variable("OS_REGION_NAME"),
        );
        Self { name: "Swift, sign-in version 3", storage, directory: None, container: Some(container) }
    }
}

/// A name for a container that no other test uses.
pub(crate) fn new_container() -> String {
    format!("apus-test-{:016x}", rand::random::<u64>())
}

/// A variable that `scripts/test` sets.
pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("the variable {name} is not set: start a Swift with scripts/swift-up, or run scripts/test, which sets all")
    })
}
