//! Temporary URLs. Those of the real Swift are fetched as anyone would; the fake one stands for clusters that are not as
//! they should be.

pub(crate) mod outside;
mod proof;
pub(crate) mod real;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use apus_storage::conformance::{Fetched, Testbed, run, urls};
use apus_storage::{BoxError, Storage, UrlMethod};
use apus_swift::{SwiftConfig, SwiftStorage};
use bytes::Bytes;
use futures_util::FutureExt;
use http::Method;

use crate::support::{self, name};

const MINUTE: Duration = Duration::from_mins(1);
/// For what must come in the end, on a slow machine too.
const PATIENCE: Duration = Duration::from_mins(1);

/// A URL to an object, which is made without a wait.
fn try_url(storage: &SwiftStorage, object: &str, method: UrlMethod) -> Option<String> {
    let name = name(object);
    let url = storage.temporary_url(&name, method, MINUTE).now_or_never();
    url.expect("it does not wait").unwrap()
}

fn url(storage: &SwiftStorage, object: &str) -> String {
    try_url(storage, object, UrlMethod::Get).expect("there are temporary URLs")
}

/// Asks for URLs until one is as it is to be.
async fn until(storage: &SwiftStorage, what: &str, holds: impl AsyncFn(Option<String>) -> bool) {
    let begun = Instant::now();
    while !holds(try_url(storage, "o", UrlMethod::Get)).await {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Storage that has proven its temporary URLs, and counts how often one is fetched.
async fn bed(config: &SwiftConfig, fetches: &Arc<AtomicUsize>) -> Testbed {
    let storage = support::storage(config);
    storage.prove_temporary_urls().await.unwrap();
    let fetches = Arc::clone(fetches);
    Testbed::new(storage).fetching_by(move |method, url| {
        fetches.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let method = match method {
                UrlMethod::Get => Method::GET,
                UrlMethod::Head => Method::HEAD,
            };
            let answer = outside::send(method, &url, &[], Bytes::new()).await;
            let content_length = answer.header("content-length").and_then(|length| length.parse().ok());
            let status = answer.status.as_u16();
            Ok::<_, BoxError>(Fetched { status, content_length, body: answer.body })
        })
    })
}

/// The cases of the conformance suite that are about URLs, with a client that fetches them.
fn conform(make: &impl AsyncFn(&Arc<AtomicUsize>) -> Testbed) {
    let fetches = Arc::default();
    run(make(&fetches), |case| Box::pin(urls::a_temporary_url_gives_the_object(case)));
    assert_eq!(fetches.load(Ordering::Relaxed), 2, "GET and HEAD");
    run(make(&fetches), |case| Box::pin(urls::a_temporary_url_does_not_ask_for_the_object(case)));
}

#[test]
fn conformance_on_the_real_swift_by_version_1() {
    conform(&async |fetches| bed(&support::real_v1("apus-temporary-urls"), fetches).await);
}

#[test]
fn conformance_on_the_real_swift_by_version_3() {
    conform(&async |fetches| bed(&support::real_v3("apus-temporary-urls"), fetches).await);
}

#[test]
fn conformance_on_the_fake() {
    conform(&async |fetches| {
        let fake = support::fake(|_| ()).await;
        bed(&support::fake_config(&fake), fetches).await.keeping(fake)
    });
}
