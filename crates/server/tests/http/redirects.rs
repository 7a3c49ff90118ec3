//! A storage that has URLs of its own for its objects: clients are sent there for the content of blobs, and for nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use apus_registry::{Digest, Registry, RegistryOptions, layout};
use apus_server::{App, AppOptions};
use apus_storage::{
    Body, ByteRange, ByteStream, Checkpoint, Freshness, ListPage, ListRequest, MemoryStorage, ObjectInfo,
    ObjectName, ObjectReader, Outcome, Publication, Result, StageEntry, StageId, StagePosition,
    StageRevision, StageState, Storage, UrlMethod, WriteMode,
};
use async_trait::async_trait;
use http::Method;

use crate::support::{ask, digest, header, push, push_manifest};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Memory with URLs, as long as they work. Counts what is asked of it.
#[derive(Debug, Default)]
struct Shop {
    objects: MemoryStorage,
    is_shut: AtomicBool,
    asked: AtomicUsize,
}

impl Shop {
    fn app(self: &Arc<Self>, blob_url_lifetime: Option<Duration>) -> App {
        let storage = Arc::clone(self) as Arc<dyn Storage>;
        let options = RegistryOptions { blob_url_lifetime, ..RegistryOptions::default() };
        App::new(Registry::new(storage, options), AppOptions::default())
    }

    /// What it was asked since the last time.
    fn take_asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    fn url(content: &str, seconds: u64) -> String {
        let name = layout::blob_data(&Digest::parse(&digest(content.as_bytes())).unwrap()).unwrap();
        format!("https://shop.example/GET/{name}?for={seconds}")
    }
}

#[async_trait]
impl Storage for Shop {
    fn backend(&self) -> &'static str {
        "shop"
    }

    async fn temporary_url(
        &self,
        name: &ObjectName,
        method: UrlMethod,
        lifetime: Duration,
    ) -> Result<Option<String>> {
        assert_eq!(method, UrlMethod::Get);
        let url = format!("https://shop.example/GET/{name}?for={}", lifetime.as_secs());
        Ok((!self.is_shut.load(Ordering::Relaxed)).then_some(url))
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.objects.stat(name, freshness).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.objects.read(name, range, freshness).await
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        self.objects.write(name, body, mode).await
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        self.objects.touch(name).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        self.objects.delete(names).await
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.objects.list(request).await
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        self.objects.stage_state(stage, known).await
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        self.objects.stage_append(stage, position, stream, checkpoint).await
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        self.objects.stage_read(stage, revision).await
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        self.objects.stage_publish(stage, revision, name, mode).await
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        self.objects.stage_drop(stage).await
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        self.objects.stage_modified(stage).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        self.objects.stage_list(after, limit).await
    }
}

/// The answer says where, for how long, and that nobody is to keep it.
#[tokio::test]
async fn a_get_of_a_blob_is_sent_to_storage() {
    let shop = Arc::new(Shop::default());
    let app = shop.app(Some(Duration::from_secs(90)));
    let blob = push(&app, "a", "content").await;
    let path = format!("/v2/a/blobs/{blob}");
    for headers in
        [&[][..], &[("range", "bytes=2-3")], &[("range", "bytes=0-0,2-3")], &[("if-none-match", "\"x\"")]]
    {
        let answer = ask(&app, Method::GET, &path, headers, "").await;
        assert_eq!(answer.status(), 307, "{headers:?}");
        assert_eq!(header(&answer, "location"), Shop::url("content", 90));
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "docker-content-digest"), blob);
        assert_eq!((header(&answer, "content-length"), answer.body().len()), ("0", 0));
        let shown = format!("{answer:?}");
        assert!(!shown.contains("shop.example"), "{shown}");
    }
}

/// What needs no content, and what is not to be had, is answered here.
#[tokio::test]
async fn all_else_is_answered_here() {
    let shop = Arc::new(Shop::default());
    let app = shop.app(Some(Duration::from_mins(1)));
    let blob = push(&app, "a", "content").await;
    let manifest =
        push_manifest(&app, "/v2/a/manifests/latest", OCI_IMAGE, r#"{"schemaVersion":2,"layers":[]}"#).await;
    let path = format!("/v2/a/blobs/{blob}");

    let head = ask(&app, Method::HEAD, &path, &[], "").await;
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "7"));
    let same = ask(&app, Method::GET, &path, &[("if-none-match", &format!("\"{blob}\""))], "").await;
    assert_eq!(same.status(), 304);
    for range in ["bytes=7-", "bytes=3-2", "bytes=7-8,9-"] {
        let answer = ask(&app, Method::GET, &path, &[("range", range)], "").await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-range")),
            (416, "bytes */7"),
            "{range}"
        );
    }
    for reference in ["latest", &manifest] {
        let answer = ask(&app, Method::GET, &format!("/v2/a/manifests/{reference}"), &[], "").await;
        assert_eq!(answer.status(), 200);
    }
    // Nobody is let in by the way to storage who has no right to the blob: neither to one of another repository, nor to one
    // that is gone.
    let unknown = digest(b"unknown");
    shop.objects
        .delete(&[layout::blob_data(&Digest::parse(&blob).unwrap()).unwrap()])
        .await
        .remove(0)
        .unwrap();
    let cold = shop.app(Some(Duration::from_mins(1)));
    for path in [format!("/v2/b/blobs/{blob}"), format!("/v2/a/blobs/{unknown}"), path] {
        let answer = ask(&cold, Method::GET, &path, &[], "").await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (404, ""), "{path}");
        assert!(String::from_utf8_lossy(answer.body()).contains("BLOB_UNKNOWN"), "{answer:?}");
    }
}

/// Where the URLs do not work, or are not wanted, the content comes through the registry.
#[tokio::test]
async fn without_urls_content_is_streamed() {
    let shop = Arc::new(Shop::default());
    let blob = push(&shop.app(None), "a", "content").await;
    let path = format!("/v2/a/blobs/{blob}");
    for (shut, lifetime) in [(true, Some(Duration::from_mins(1))), (false, None)] {
        shop.is_shut.store(shut, Ordering::Relaxed);
        let app = shop.app(lifetime);
        let whole = ask(&app, Method::GET, &path, &[], "").await;
        assert_eq!((whole.status().as_u16(), &whole.body()[..]), (200, &b"content"[..]));
        let part = ask(&app, Method::GET, &path, &[("range", "bytes=2-3")], "").await;
        assert_eq!((part.status().as_u16(), &part.body()[..]), (206, &b"nt"[..]));
    }
}

/// A redirect costs a look at the link, and at the blob if it was not seen lately; to stream costs no more than before.
#[tokio::test]
async fn what_a_redirect_asks_of_storage() {
    let shop = Arc::new(Shop::default());
    let blob = push(&shop.app(None), "a", "content").await;
    let path = format!("/v2/a/blobs/{blob}");
    let app = shop.app(Some(Duration::from_mins(1)));
    for (shut, status, asked) in [(false, 307, 2), (false, 307, 1), (true, 200, 2)] {
        shop.is_shut.store(shut, Ordering::Relaxed);
        shop.take_asked();
        assert_eq!(ask(&app, Method::GET, &path, &[], "").await.status(), status);
        assert_eq!(shop.take_asked(), asked, "{status}");
    }
}
