//! The protocol step by step, as raw requests, over every backend. Real clients walk the same steps, but each of them only
//! its own way, and none of them sends what a broken or a hostile one would.
//!
//! | file | what it shows |
//! |---|---|
//! | `uploads` | the ways in which a blob comes in |
//! | `blobs` | the ways in which it goes out |
//! | `manifests` | manifests and tags |
//! | `lists` | the catalog, referrers |
//! | `deleting` | what is deleted, and what stays |
//! | `refused` | bad input: names, digests, identifiers, sizes |
//! | `broken` | bodies that end before their time, paths that are none |
//! | `threats` | what has brought other registries down or laid them open, by name |
//! | `concurrency` | a thousand requests at once |
//! | `replicas` | two replicas over one storage |
//! | `many_tags` | a repository of a hundred thousand tags |

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options};

use crate::support::backend::PROVEN;
use crate::support::{Answer, Apus, Backend, Client, swift};

mod blobs;
mod broken;
mod concurrency;
mod deleting;
mod lists;
mod manifests;
mod many_tags;
mod refused;
mod replicas;
mod threats;
pub(crate) mod uploads;

/// Makes each of these a test over each backend: `memory::<name>`, `filesystem::<name>` and so on.
macro_rules! over_every_backend {
    ($($case:ident),+ $(,)?) => {
        over_every_backend!(memory, Site::memory(), $($case),+);
        over_every_backend!(filesystem, Site::filesystem(), $($case),+);
        over_every_backend!(fake_swift, Site::fake_swift().await, $($case),+);
        over_every_backend!(lagging_swift, Site::lagging_swift().await, $($case),+);
        over_every_backend!(real_swift, Site::real_swift(), $($case),+);
    };
    ($backend:ident, $site:expr, $($case:ident),+) => {
        mod $backend {
            use crate::protocol::Site;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$case(&$site).await;
                }
            )+
        }
    };
}
pub(crate) use over_every_backend;

/// What Apus makes for itself when it is first asked: no blob, and no part of one.
const OWN: &str = "apus/upload-secret";

/// What no client is ever told: parts of the names of objects.
const INTERNAL: [&str; 6] = ["docker/registry", "_layers", "_manifests/", "segments/", "apus/", "sessions"];

/// How long the listings of a lagging Swift are behind: longer than any test takes, so they never catch up.
const LAG: Duration = Duration::from_hours(1);

/// An Apus, and what it stores in.
pub(crate) struct Site {
    pub(crate) apus: Apus,
    pub(crate) backend: Backend,
    pub(crate) fake: Option<FakeSwift>,
}

impl Site {
    pub(crate) fn memory() -> Self {
        Self::over(Backend::memory(), None)
    }

    pub(crate) fn filesystem() -> Self {
        Self::over(Backend::filesystem(), None)
    }

    pub(crate) async fn fake_swift() -> Self {
        Self::over_fake(Options::default()).await
    }

    /// A Swift whose listings say nothing of what the test does: only asking for an object tells whether it exists.
    pub(crate) async fn lagging_swift() -> Self {
        Self::over_fake(Options { listing_lag: LAG, ..Options::default() }).await
    }

    pub(crate) fn real_swift() -> Self {
        Self::over(Backend::swift_v1(), None)
    }

    /// The real Swift, to which clients are sent for blobs.
    pub(crate) async fn redirecting_swift() -> Self {
        let site = Self::over(Backend::swift_v3().redirecting(), None);
        site.apus.until_it_logs(PROVEN).await;
        site
    }

    async fn over_fake(options: Options) -> Self {
        let fake = FakeSwift::start(options).await.unwrap();
        Self::over(Backend::fake_v1(&fake), Some(fake))
    }

    fn over(backend: Backend, fake: Option<FakeSwift>) -> Self {
        Self { apus: start(&backend, ""), backend, fake }
    }

    /// Another Apus over the same storage, with more sections in its configuration.
    pub(crate) fn another_apus(&self, more: &str) -> Apus {
        start(&self.backend, more)
    }

    pub(crate) fn client(&self) -> Client {
        self.apus.client()
    }

    /// Begins an upload to a repository. Answers its URL.
    pub(crate) async fn begin(&self, repository: &str) -> String {
        self.client().post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202).location()
    }

    /// The answer refuses the request in the form of the specification, with these codes, says why, and tells nothing of
    /// what is behind it. Gives the message and the detail.
    #[track_caller]
    pub(crate) fn refused(&self, answer: Answer, status: u16, code: &str) -> String {
        let answer = answer.expect(status);
        assert_eq!(answer.header("content-type"), "application/json");
        let errors: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let error = &errors["errors"][0];
        assert_eq!(error["code"], code, "{errors}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{errors}");
        self.keeps_to_itself(&answer);
        format!("{} {}", error["message"], error["detail"])
    }

    /// The answer shows no name of an object, no directory and no container.
    #[track_caller]
    fn keeps_to_itself(&self, answer: &Answer) {
        let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
        let directory = self.backend.directory().and_then(Path::to_str);
        // The fake's container has a name that every answer may hold.
        let container = self.backend.container().filter(|_| self.fake.is_none());
        for internal in INTERNAL.into_iter().chain(directory).chain(container) {
            assert!(!shown.contains(internal), "an answer shows {internal}: {shown}");
        }
    }

    /// What storage holds but what Apus makes for itself; `None` where nobody can look.
    async fn holds(&self) -> Option<BTreeSet<String>> {
        let names = match (self.backend.directory(), self.backend.container(), &self.fake) {
            (Some(directory), ..) => files(directory),
            (None, Some(container), Some(fake)) => fake.object_names(container),
            (None, Some(container), None) => swift::object_names(container).await,
            (None, None, _) => return None,
        };
        Some(names.into_iter().filter(|name| !name.ends_with(OWN)).collect())
    }

    /// Storage comes to hold what it held `before`, and soon: what was begun in vain may be cleared away after the answer.
    async fn holds_again(&self, before: Option<&BTreeSet<String>>) {
        let begun = Instant::now();
        loop {
            let now = self.holds().await;
            if now.as_ref() == before {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "left behind: {now:#?}\nbefore: {before:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn start(backend: &Backend, more: &str) -> Apus {
    Apus::start_with(&format!("{}\n  delete: {{enabled: true}}", backend.storage()), more)
}

/// The paths of all files below a directory, relative to it.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(directory).unwrap().display().to_string());
            }
        }
    }
    found
}

/// Protocol version 2 is spoken: what every client asks first.
async fn the_base_says_which_protocol_is_spoken(site: &Site) {
    for path in ["/v2/", "/v2"] {
        let answer = site.client().get(path).await.expect(200);
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.body, "{}");
        let head = site.client().head(path).await.expect(200);
        assert_eq!(head.header("docker-distribution-api-version"), "registry/2.0");
        assert!(head.body.is_empty());
    }
}

/// Every answer, an error too, carries an identifier by which it is found in the log, and which protocol is spoken.
async fn every_answer_can_be_found_in_the_log(site: &Site) {
    for path in ["/v2/", "/v2/nothing/tags/list", "/v2/UPPER/tags/list", "/v3/"] {
        let answer = site.client().get(path).await;
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0", "{path}");
        let id = answer.header("x-request-id");
        assert!(!id.is_empty(), "{path}");
        let begun = Instant::now();
        while !site.apus.log().iter().any(|line| line.contains(id) && line.contains(path)) {
            assert!(begun.elapsed() < Duration::from_secs(5), "{path} is not in the log");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A method that a path does not know is refused with the methods that it knows.
async fn an_unknown_method_is_told_the_known_ones(site: &Site) {
    for (path, allow) in [
        ("/v2/", "GET, HEAD"),
        ("/v2/a/tags/list", "GET, HEAD"),
        ("/v2/a/blobs/uploads/", "POST"),
        ("/v2/a/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE"),
    ] {
        let answer = site.client().request(hyper::Method::OPTIONS, path, &[], "").await;
        assert_eq!(answer.header("allow"), allow);
        site.refused(answer, 405, "UNSUPPORTED");
    }
}

over_every_backend!(
    the_base_says_which_protocol_is_spoken,
    every_answer_can_be_found_in_the_log,
    an_unknown_method_is_told_the_known_ones,
);
