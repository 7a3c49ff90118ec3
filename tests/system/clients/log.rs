//! What a client asked Apus: the requests in its log.

use std::time::{Duration, Instant};

use crate::support::Apus;

/// How long a line may take from Apus to the test.
const LATE: Duration = Duration::from_secs(30);

/// A request, and the status of its answer.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    pub(super) status: u64,
}

impl Logged {
    /// Whether it carries bytes of a blob.
    pub(super) fn sends_blob(&self) -> bool {
        self.is_upload() && (self.method == "PATCH" || self.method == "PUT")
    }

    /// Whether it asks for the bytes of a blob.
    pub(super) fn fetches_blob(&self) -> bool {
        self.method == "GET" && self.path.contains("/blobs/sha256:")
    }

    /// Whether it is a cross-repository mount that made the blob one of the repository's.
    pub(super) fn mounts_blob(&self) -> bool {
        self.is_upload() && self.method == "POST" && self.status == 201
    }

    fn is_upload(&self) -> bool {
        self.path.contains("/blobs/uploads/")
    }
}

/// All requests about a repository that were answered until now.
pub(super) async fn requests(apus: &Apus, repository: &str) -> Vec<Logged> {
    // Lines come in their order: with that of a request of our own, all before it are there.
    let own = format!("/v2/until-{:016x}/tags/list", rand::random::<u64>());
    apus.client().get(&own).await;
    let begun = Instant::now();
    while !apus.log().iter().any(|line| line.contains(&own)) {
        assert!(begun.elapsed() < LATE, "no line for {own}:\n{}", apus.log().join("\n"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let logged = apus.log();
    let lines = logged.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let requests = lines.filter_map(|line| {
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        Some(Logged {
            method: text("http.request.method")?,
            path: text("http.request.uri")?,
            status: line["http.response.status"].as_u64()?,
        })
    });
    let prefix = format!("/v2/{repository}/");
    requests.filter(|request| request.path.starts_with(&prefix)).collect()
}
