use std::sync::Arc;

use apus_storage::{Storage, WriteMode};
use futures_util::stream;

use super::*;
use crate::testing::{TestStorage, name, objects_under};
use crate::{Algorithm, RegistryOptions};

const WEEK: Duration = Duration::from_hours(168);
const UPLOADS: &str = "docker/registry/v2/repositories/a/b/_uploads";

fn options() -> PurgeOptions {
    PurgeOptions { age: WEEK, dry_run: false }
}

fn purged(purged: u64, kept: u64) -> PurgeSummary {
    PurgeSummary { purged, kept, failures: 0 }
}

async fn begun(registry: &Registry) -> (String, String) {
    let position = registry.begin_upload(&name("a/b"), Algorithm::Sha256);
    let token = registry.upload_token(&position).await.unwrap();
    let upload = registry.upload(&name("a/b"), position.id().as_str(), Some(&token)).await.unwrap();
    let chunk = Box::pin(stream::iter([Ok(bytes::Bytes::from_static(b"chunk"))]));
    let upload = registry.append(upload, None, chunk).await.unwrap();
    (upload.position().id().to_string(), registry.upload_token(upload.position()).await.unwrap())
}

async fn write(storage: &TestStorage, object: &str, content: &str) {
    let object = ObjectName::parse(object).unwrap();
    storage.objects.write(&object, content.to_owned().into_bytes().into(), WriteMode::Replace).await.unwrap();
}

/// In a week from now, and an hour.
fn later() -> SystemTime {
    SystemTime::now() + WEEK + Duration::from_hours(1)
}

#[tokio::test]
async fn old_uploads_go_and_young_ones_stay() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let (id, token) = begun(&registry).await;
    assert_eq!(registry.purge_uploads(&options()).await.unwrap(), purged(0, 1));
    registry.upload(&name("a/b"), &id, Some(&token)).await.unwrap();

    let dry = PurgeOptions { dry_run: true, ..options() };
    assert_eq!(registry.purge_uploads_at(&dry, later()).await.unwrap(), purged(1, 0));
    registry.upload(&name("a/b"), &id, Some(&token)).await.unwrap();

    // Two replicas at once: one of them does it, and neither fails.
    let (other, options) = (storage.replica(), options());
    let (one, two) =
        tokio::join!(registry.purge_uploads_at(&options, later()), other.purge_uploads_at(&options, later()));
    assert_eq!(one.unwrap().purged + two.unwrap().purged, 1);
    let gone = registry.upload(&name("a/b"), &id, Some(&token)).await;
    assert!(matches!(gone, Err(Error::UploadUnknown { .. })), "{gone:?}");
    assert!(storage.stage_list(None, 10).await.unwrap().is_empty());
    assert_eq!(registry.purge_uploads_at(&options, later()).await.unwrap(), purged(0, 0));
}

/// More than a page of them.
#[tokio::test]
async fn all_of_many_go() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    for _ in 0..PAGE + 10 {
        begun(&registry).await;
    }
    let summary = registry.purge_uploads_at(&options(), later()).await.unwrap();
    assert_eq!(summary, purged(PAGE as u64 + 10, 0));
}

#[tokio::test]
async fn what_registry_2_left_goes_when_it_is_old() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let started = |ago: Duration| {
        Timestamp::try_from(later() - ago).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let hour = Duration::from_hours(1);
    for (upload, startedat) in [
        ("old", Some(started(WEEK + hour))),
        ("young", Some(started(hour))),
        ("none", None),
        ("odd", Some("yesterday".to_owned())),
    ] {
        write(&storage, &format!("{UPLOADS}/{upload}/data"), "part").await;
        write(&storage, &format!("{UPLOADS}/{upload}/hashstates/sha256/0"), "state").await;
        if let Some(startedat) = startedat {
            write(&storage, &format!("{UPLOADS}/{upload}/startedat"), &startedat).await;
        }
    }
    write(&storage, "docker/registry/v2/repositories/a/b/_layers/sha256/aa/link", "sha256:aa").await;
    // What is there was written just now.
    assert_eq!(registry.purge_uploads(&options()).await.unwrap(), purged(0, 4));
    let before = objects_under(&storage, UPLOADS).await;
    let dry = PurgeOptions { dry_run: true, ..options() };
    assert_eq!(registry.purge_uploads_at(&dry, later()).await.unwrap(), purged(2, 2));
    assert_eq!(objects_under(&storage, UPLOADS).await, before);

    assert_eq!(registry.purge_uploads_at(&options(), later()).await.unwrap(), purged(2, 2));
    let left = objects_under(&storage, "docker/registry/v2/repositories").await;
    let of = |upload: &str| left.iter().filter(|name| name.contains(&format!("/{upload}/"))).count();
    assert_eq!((of("old"), of("none"), of("young"), of("odd"), of("_layers")), (0, 0, 3, 3, 1));
}

/// A listing that lags shows what is gone, or hides that an upload goes on: the object decides.
#[tokio::test]
async fn a_listing_is_not_believed() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    write(&storage, &format!("{UPLOADS}/u/startedat"), "2020-01-01T00:00:00Z").await;
    write(&storage, &format!("{UPLOADS}/u/data"), "part").await;
    storage.freeze_listings().await;
    let before = later();
    // Within the same week by the listing; then it went on.
    let object = ObjectName::parse(format!("{UPLOADS}/u/data")).unwrap();
    storage.objects.delete(&[object]).await.remove(0).unwrap();
    assert_eq!(registry.purge_uploads_at(&options(), before).await.unwrap(), purged(1, 0));
    assert!(objects_under(&storage, UPLOADS).await.is_empty());
    assert_eq!(registry.purge_uploads_at(&options(), before).await.unwrap(), purged(0, 0));
}

/// When storage does not answer, nothing is taken for old, and nothing for done.
#[tokio::test]
async fn what_cannot_be_told_stays() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    write(&storage, &format!("{UPLOADS}/u/startedat"), "2020-01-01T00:00:00Z").await;
    storage.set_out(true);
    let summary = registry.purge_uploads_at(&options(), later()).await.unwrap();
    assert_eq!(summary, PurgeSummary { failures: 1, ..purged(0, 0) });
    storage.set_out(false);
    assert_eq!(objects_under(&storage, UPLOADS).await.len(), 1);
}

#[tokio::test]
async fn a_registry_that_is_read_only_purges_nothing() {
    let storage = TestStorage::new();
    begun(&storage.replica()).await;
    let registry = storage.replica_with(RegistryOptions { read_only: true, ..RegistryOptions::default() });
    assert_eq!(registry.purge_uploads_at(&options(), later()).await.unwrap(), purged(0, 0));
    assert_eq!(Arc::clone(&storage).stage_list(None, 10).await.unwrap().len(), 1);
}
