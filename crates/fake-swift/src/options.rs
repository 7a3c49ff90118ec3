//! What a test may choose about the store before it starts. Nothing here changes while it runs.

use std::time::Duration;

use crate::answer::md5_hex;

/// How a [`crate::FakeSwift`] is set up. Take [`Options::default`] and change what the test is about.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the one user. TempAuth knows it as `project:user`.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// Name of the one project, in the domain `Default` (id `default`), as the user is.
    pub project: String,
    /// Region of the object store's endpoints in Keystone's catalog.
    pub region: String,
    /// How long a token is good for.
    pub token_life: Duration,
    /// Containers that exist at the start.
    pub containers: Vec<String>,
    /// Whether the user may create containers; if not, a container PUT is answered 403.
    pub may_create_containers: bool,
    /// Whether `/info` is answered; if not it is 403, as from a proxy with `expose_info = false`.
    pub info: bool,
    /// Largest object in bytes; a larger PUT is answered 413. It also bounds the memory that one request takes.
    pub max_file_size: u64,
    /// Most entries on one page of a listing; a larger `limit` is answered 412.
    pub container_listing_limit: usize,
    /// Most entries of a static large object's manifest; a longer one is answered 413.
    pub max_manifest_segments: usize,
    /// Fewest bytes in a segment of a static large object, the last one excepted. Today's Swift has it fixed at 1.
    pub min_segment_size: u64,
    /// Most names in one bulk delete; a longer one is refused (413, told inside an answer of status 200).
    pub max_deletes_per_request: usize,
}

impl Default for Options {
    /// User `tester`, password `testing`, project `test`, no container; Swift's own limits.
    fn default() -> Self {
        Self {
            user: "tester".into(),
            password: "testing".into(),
            project: "test".into(),
            region: "RegionOne".into(),
            token_life: Duration::from_hours(24),
            containers: Vec::new(),
            may_create_containers: true,
            info: true,
            max_file_size: 5 * 1024 * 1024 * 1024 + 2,
            container_listing_limit: 10_000,
            max_manifest_segments: 1000,
            min_segment_size: 1,
            max_deletes_per_request: 10_000,
        }
    }
}

impl Options {
    /// Keystone's id of [`Options::project`].
    #[must_use]
    pub fn project_id(&self) -> String {
        md5_hex(format!("project {}", self.project).as_bytes())
    }

    /// Keystone's id of [`Options::user`].
    #[must_use]
    pub fn user_id(&self) -> String {
        md5_hex(format!("user {}", self.user).as_bytes())
    }

    /// The project's account in Swift, `AUTH_` and the project's id.
    #[must_use]
    pub fn account(&self) -> String {
        format!("AUTH_{}", self.project_id())
    }
}
