//! The same questions, asked of both registries: what one answers must be what the other answers, but for what a client does
//! not look at.

use std::collections::BTreeMap;

use hyper::{Method, StatusCode, Uri};

use crate::support::content::digest;
use crate::support::{Answer, Client};

/// What clients say they take for a manifest.
const ACCEPT: &str = "application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json";

/// Of every question the answer.
pub(super) type Answers = BTreeMap<String, Said>;

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The names in a list, sorted: registry:2 has them in the order in which its storage lists them.
    Names(Vec<String>),
    /// A manifest, or a blob.
    Content {
        /// Of the bytes that came, and of those that were announced.
        digest: String,
        length: usize,
        announced: Vec<String>,
    },
    /// Nothing: the status and the code of the error.
    No(StatusCode, String),
}

impl Said {
    /// What is said of a manifest or a blob that the repository does not have.
    pub(super) fn unknown(code: &str) -> Self {
        Self::No(StatusCode::NOT_FOUND, code.to_owned())
    }

    pub(super) fn is_content(&self) -> bool {
        matches!(self, Self::Content { .. })
    }

    pub(super) fn is_no(&self) -> bool {
        matches!(self, Self::No(..))
    }
}

/// Asks all of this, each by GET, what has content by HEAD and in parts too.
pub(super) async fn answers(client: Client, paths: impl IntoIterator<Item = &String>) -> Answers {
    let mut answers = Answers::new();
    for path in paths {
        answers.insert(path.clone(), ask(client, path).await);
    }
    answers
}

/// Asks one question.
pub(super) async fn ask(client: Client, path: &str) -> Said {
    let get = fetch(client, Method::GET, path, &[]).await;
    if get.status != StatusCode::OK {
        return Said::No(get.status, get.code());
    }
    if path.contains("/_catalog") || path.ends_with("/tags/list") {
        return Said::Names(names(&get));
    }
    let found = digest(&get.body);
    if let Some((_, by_digest)) = path.rsplit_once("/sha256:") {
        assert_eq!(found, format!("sha256:{by_digest}"), "{path} holds something else");
    }
    let head = fetch(client, Method::HEAD, path, &[]).await.expect(200);
    assert_eq!(head.header("content-length"), get.body.len().to_string(), "HEAD {path}");
    let mut announced = Vec::new();
    if path.contains("/manifests/") {
        for name in ["docker-content-digest", "content-type", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            announced.push(format!("{name}: {}", get.header(name)));
        }
    } else {
        assert_parts(client, path, &get).await;
    }
    Said::Content { digest: found, length: get.body.len(), announced }
}

/// Parts of a blob, at its beginning, in the midst of it and at its end.
async fn assert_parts(client: Client, path: &str, whole: &Answer) {
    let length = whole.body.len();
    if length == 0 {
        return;
    }
    for (first, end) in
        [(0, length.min(3)), (length / 2, length.min(length / 2 + 70_000)), (length - 1, length)]
    {
        let range = format!("bytes={first}-{}", end - 1);
        let part = fetch(client, Method::GET, path, &[("range", &range)]).await.expect(206);
        assert!(part.body == whole.body[first..end], "{range} of {path} are other bytes");
    }
}

/// One request. Who is told to ask elsewhere does: registry:2 says so to a HEAD too.
async fn fetch(client: Client, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("accept", ACCEPT)];
    all.extend(headers);
    let answer = client.request(method.clone(), path, &all, "").await;
    if answer.status != StatusCode::TEMPORARY_REDIRECT {
        return answer;
    }
    let elsewhere: Uri = answer.location().parse().unwrap();
    let there = Client::new(elsewhere.authority().unwrap().as_str().parse().unwrap());
    there.request(method, elsewhere.path_and_query().unwrap().as_str(), headers, "").await
}

fn names(answer: &Answer) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let list = list.get("repositories").or_else(|| list.get("tags")).unwrap();
    // registry:2 says null where there is none.
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<_> = list.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}
