//! The backends that a test can run Apus on, each fresh: an empty directory, or a container that nobody else uses.

use std::env;

/// Somewhere to store.
pub struct Backend {
    /// For messages.
    pub name: &'static str,
    storage: String,
    _directory: Option<tempfile::TempDir>,
}

impl Backend {
    /// The lines below `storage:` of the configuration.
    pub fn storage(&self) -> &str {
        &self.storage
    }

    /// The memory of the process.
    pub fn memory() -> Self {
        Self { name: "memory", storage: "  inmemory: {}".into(), _directory: None }
    }

    /// An empty directory.
    pub fn filesystem() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = format!("  filesystem: {{rootdirectory: {}}}", directory.path().display());
        Self { name: "filesystem", storage, _directory: Some(directory) }
    }

    /// A new container of the real Swift, with the sign-in of version 1.
    pub fn swift_v1() -> Self {
        let (url, user, key) = (variable("ST_AUTH"), variable("ST_USER"), variable("ST_KEY"));
        let container = new_container();
        let storage = format!(
            "  swift:\n    authurl: {url}\n    authversion: 1\n    username: \"{user}\"\n    password: \"{key}\"\n    container: {container}"
        );
        Self { name: "Swift, sign-in version 1", storage, _directory: None }
    }

    /// A new container of the real Swift, with the sign-in of version 3.
    pub fn swift_v3() -> Self {
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
        Self { name: "Swift, sign-in version 3", storage, _directory: None }
    }
}

/// A name for a container that no other test uses.
pub fn new_container() -> String {
    format!("apus-test-{:016x}", rand::random::<u64>())
}

/// A variable that `scripts/test` sets.
pub fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("the variable {name} is not set: start a Swift with scripts/swift-up, or run scripts/test, which sets all")
    })
}
