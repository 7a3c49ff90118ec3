//! Uploads that end with the registry that took them.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::Method;

use super::Store;
use super::answers::{Said, ask};
use super::stock::{Stock, Way};
use crate::support::client::streamed;
use crate::support::content::{digest, random};
use crate::support::swift::object_names;

/// More than registry:2 keeps in memory on Swift: 20 MiB are a segment.
const SENT: usize = 24 << 20;

/// How long it may take to store the first of it.
const STORED: Duration = Duration::from_mins(2);

/// Promise: an upload with which registry:2 was killed in the middle of a chunk leaves nothing that is seen, its URL is
/// unknown, and the blob can be pushed.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_died_with_registry_2_is_no_blob() {
    for store in [Store::filesystem(), Store::swift_v1()] {
        let content = random(SENT);
        let old = store.registry_2();
        let place = old.client().post("/v2/died/blobs/uploads/").await.expect(202).location();
        let pieces =
            (0..SENT).step_by(1 << 20).map(|at| content.slice(at..at + (1 << 20))).collect::<Vec<_>>();
        let endless = streamed(stream::iter(pieces).chain(stream::pending::<Bytes>()));
        let (client, to) = (old.client(), place.clone());
        let sending = tokio::spawn(async move {
            let headers = [("content-type", "application/octet-stream")];
            client.try_request(Method::PATCH, &to, &headers, endless).await.map_err(|error| error.to_string())
        });
        until_stored(&store).await;
        old.kill();
        sending.await.unwrap().unwrap_err();

        let apus = store.apus();
        let client = apus.client();
        let blob = format!("/v2/died/blobs/{}", digest(&content));
        assert_eq!(ask(client, "/v2/_catalog").await, Said::Names(Vec::new()));
        assert_eq!(ask(client, &blob).await, Said::unknown("BLOB_UNKNOWN"));
        let late = client.patch(&place, "late").await.expect(404);
        assert!(late.code().starts_with("BLOB_UPLOAD_"), "{late:?}");

        let mut stock = Stock::default();
        stock.blob(client, "died", &content, Way::Stream).await;
        let answers = stock.answers(client).await;
        assert!(answers[&blob].is_content());
        assert_eq!(stock.answers(store.registry_2().client()).await, answers);
    }
}

/// Waits until registry:2 has stored some of the upload.
async fn until_stored(store: &Store) {
    let begun = Instant::now();
    loop {
        let stored = match (store.backend.directory(), store.backend.container()) {
            (Some(directory), _) => {
                bytes_of_uploads(&directory.join("docker/registry/v2/repositories/died/_uploads")) > 0
            }
            (_, Some(container)) => {
                object_names(container).await.iter().any(|name| name.starts_with("segments/"))
            }
            _ => unreachable!("registry:2 stores in a directory or a container here"),
        };
        if stored {
            return;
        }
        assert!(begun.elapsed() < STORED, "registry:2 stores nothing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn bytes_of_uploads(uploads: &Path) -> u64 {
    let Ok(uploads) = uploads.read_dir() else { return 0 };
    uploads.filter_map(|upload| Some(upload.ok()?.path().join("data").metadata().ok()?.len())).sum()
}
