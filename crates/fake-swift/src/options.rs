//! What a test may choose about the store before it starts. Nothing here changes while it runs.

use std::time::Duration;

use http::Method;

use crate::answer::md5_hex;
use crate::tempurl::Digest;

/// Whose Swift it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenStack's.
    #[default]
    Swift,
    /// That of Ceph's object gateway, RGW, as of Pacific:
    /// - URLs begin with `/swift/v1`; `/info` is at `/swift/info`, and tells little;
    /// - a token of Keystone's that has expired is 403, no token 401; sign-in with TempAuth is 204;
    /// - a PUT takes no notice of `If-None-Match`, and of a race it says nothing;
    /// - of a static large object, segments must be there and of the size that is told, but their ETags are believed,
    ///   when it is written and when it is read; its manifest reads as nothing; its listed size is the manifest's;
    /// - a bulk delete has no limit, and ends at a line of 2047 bytes without a word;
    /// - temporary URLs have keys for the account only; a bad one is 403, an old one 401;
    /// - a refusal is a word in plain text; listings in JSON are written otherwise.
    Ceph {
        /// Whether the account is part of a URL (`rgw_swift_account_in_url`).
        account_in_url: bool,
    },
}

/// A part of Swift that a store may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// Many deletes in one request: without it, `?bulk-delete` is no part of a request to the account.
    BulkDelete,
    /// Static large objects: without them, `multipart-manifest` means nothing, and a manifest is data.
    StaticLargeObjects,
    /// Temporary URLs: without them, a signature in a query means nothing.
    TemporaryUrls,
    /// Sign-in with TempAuth.
    SignInV1,
    /// Sign-in with version 2.0 of Keystone, which is not in its list of versions then.
    SignInV2,
    /// Sign-in with version 3 of Keystone, which is not in its list of versions then.
    SignInV3,
}

/// How a [`crate::FakeSwift`] is set up. Take [`Options::default`] and change what the test is about.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose Swift it is.
    pub dialect: Dialect,
    /// Name of the one user. TempAuth knows it as `project:user`.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// Name of the one project, in the domain `Default` (id `default`), as the user is.
    pub project: String,
    /// Name of the user's application credential for the project.
    pub application_credential: String,
    /// Its secret.
    pub application_credential_secret: String,
    /// Name of another user of Keystone's, who is in no project, but may act for the user by a trust.
    pub trustee: String,
    /// That user's password.
    pub trustee_password: String,
    /// Region of the object store's endpoints in Keystone's catalog.
    pub region: String,
    /// How long a token is good for.
    pub token_life: Duration,
    /// Containers that exist at the start.
    pub containers: Vec<String>,
    /// Whether the user may create containers; if not, a container PUT is answered 403.
    pub may_create_containers: bool,
    /// How far listings are behind: those of the account and of containers, with the counts in their headers, show
    /// the state of so long ago, and a dynamic large object consists of what they show. Objects are never behind.
    pub listing_lag: Duration,
    /// How far copies of objects are behind: a GET or HEAD without `X-Newest: true` shows the object as it was so long
    /// ago, or that there was none; writes, conditions of a PUT, and the segments of a large object are never behind.
    pub read_lag: Duration,
    /// Which version of Swift `/info` tells; Ceph's gateway tells its own.
    pub version: String,
    /// Whether `/info` is answered; if not it is 403, as from a proxy with `expose_info = false`.
    pub info: bool,
    /// What the store is without. `/info` does not tell of it, and requests that need it are taken for plain ones.
    pub without: Vec<Feature>,
    /// Methods for which there are temporary URLs.
    pub tempurl_methods: Vec<Method>,
    /// Digests by which temporary URLs may be signed.
    pub tempurl_digests: Vec<Digest>,
    /// Whether objects have their ETag in quotes in every answer, not only large ones.
    pub quoted_etags: bool,
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
            dialect: Dialect::Swift,
            user: "tester".into(),
            password: "testing".into(),
            project: "test".into(),
            application_credential: "robot".into(),
            application_credential_secret: "secret-of-the-robot".into(),
            trustee: "trustee".into(),
            trustee_password: "trusted".into(),
            region: "RegionOne".into(),
            token_life: Duration::from_hours(24),
            containers: Vec::new(),
            may_create_containers: true,
            listing_lag: Duration::ZERO,
            read_lag: Duration::ZERO,
            version: "2.30.1".into(),
            info: true,
            without: Vec::new(),
            tempurl_methods: vec![Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE],
            tempurl_digests: Digest::ALL.to_vec(),
            quoted_etags: false,
            max_file_size: 5 * 1024 * 1024 * 1024 + 2,
            container_listing_limit: 10_000,
            max_manifest_segments: 1000,
            min_segment_size: 1,
            max_deletes_per_request: 10_000,
        }
    }
}

impl Options {
    pub(crate) fn is_ceph(&self) -> bool {
        matches!(self.dialect, Dialect::Ceph { .. })
    }

    /// The path of an account.
    pub(crate) fn storage_path(&self, account: &str) -> String {
        match self.dialect {
            Dialect::Swift => format!("/v1/{account}"),
            Dialect::Ceph { account_in_url: true } => format!("/swift/v1/{account}"),
            Dialect::Ceph { account_in_url: false } => "/swift/v1".to_owned(),
        }
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        !self.without.contains(&feature)
    }

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

    /// Keystone's id of [`Options::application_credential`].
    #[must_use]
    pub fn application_credential_id(&self) -> String {
        md5_hex(format!("credential {}", self.application_credential).as_bytes())
    }

    /// Keystone's id of [`Options::trustee`].
    #[must_use]
    pub fn trustee_id(&self) -> String {
        md5_hex(format!("user {}", self.trustee).as_bytes())
    }

    /// Keystone's id of the trust by which [`Options::trustee`] may act for [`Options::user`] in the project.
    #[must_use]
    pub fn trust_id(&self) -> String {
        md5_hex(format!("trust {} {}", self.user, self.trustee).as_bytes())
    }

    /// The project's account in Swift, `AUTH_` and the project's id.
    #[must_use]
    pub fn account(&self) -> String {
        format!("AUTH_{}", self.project_id())
    }
}
