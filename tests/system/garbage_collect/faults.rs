//! A Swift whose listings show what was, whose replicas disagree, or that fails in the middle.

use apus_fake_swift::{Action, FakeSwift, Fault, Options, Replica};
use hyper::{HeaderMap, StatusCode};

use super::*;
use crate::support::backend::FAKE_CONTAINER;

async fn fake(change: impl FnOnce(&mut Options)) -> FakeSwift {
    let mut options = Options { containers: vec![FAKE_CONTAINER.into()], ..Options::default() };
    change(&mut options);
    FakeSwift::start(options).await.unwrap()
}

/// Three images, one of which is deleted after `split`.
async fn three_images(backend: &Backend, split: impl FnOnce()) -> ([Image; 2], Image) {
    let apus = serve(backend);
    let client = apus.client();
    let one = Image::push(client, "a", Some("one"), 100).await;
    let two = Image::push(client, "a", Some("two"), 100).await;
    let gone = Image::push(client, "a", Some("gone"), 2 << 20).await;
    split();
    gone.delete(client).await;
    apus.kill();
    ([one, two], gone)
}

async fn are_whole(backend: &Backend, images: &[Image; 2]) {
    let apus = serve(backend);
    for image in images {
        image.is_whole(apus.client()).await;
    }
}

/// Promise: replicas of a listing that disagree, in whatever turn, never cost an image: either nothing is deleted, or only what
/// is not needed. registry:2.8 lost both images that were left.
#[tokio::test(flavor = "multi_thread")]
async fn listings_that_disagree_cost_no_image() {
    const TURNS: [&[Replica]; 4] = [
        &[Replica::Stale, Replica::Fresh],
        &[Replica::Fresh, Replica::Stale],
        &[Replica::Stale, Replica::Stale, Replica::Fresh],
        &[Replica::Stale],
    ];
    let runs = TURNS.map(|turns| async move {
        let fake = fake(|_| {}).await;
        let backend = Backend::fake_v1(&fake);
        let collector = Collector::of(&backend);
        let (kept, gone) = three_images(&backend, || fake.split_listings(turns)).await;
        let before = fake.object_names(FAKE_CONTAINER);
        let arguments: &[&str] = if turns.len() == 2 { &["-m"] } else { &[] };
        let told = tokio::task::block_in_place(|| collector.fail(arguments));
        assert!(told.contains("nothing was deleted"), "{turns:?}: {told}");
        assert_eq!(fake.object_names(FAKE_CONTAINER), before, "{turns:?}");
        are_whole(&backend, &kept).await;

        fake.join_listings();
        tokio::task::block_in_place(|| collector.collect(arguments));
        let names = fake.object_names(FAKE_CONTAINER);
        assert!(!names.iter().any(|name| gone.has(name) || name.contains("segments/")), "{names:#?}");
        are_whole(&backend, &kept).await;
    });
    // Each waits for listings to hold still, and so they wait together.
    for run in runs.map(tokio::spawn) {
        run.await.unwrap();
    }
}

/// Promise: a listing that catches up within seconds is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn listings_that_lag_are_waited_for() {
    let fake = fake(|options| options.listing_lag = Duration::from_secs(3)).await;
    let backend = Backend::fake_v1(&fake);
    let collector = Collector::of(&backend);
    let (kept, gone) = three_images(&backend, || std::thread::sleep(Duration::from_secs(4))).await;
    let summary = collector.collect(&[]);
    assert_eq!(summary["deleted_blobs"], 2, "{summary}");
    assert!(!fake.object_names(FAKE_CONTAINER).iter().any(|name| gone.has(name)));
    are_whole(&backend, &kept).await;
}

/// Promise: a listing that breaks off is not taken for whole, and one that fails for a moment is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_fails_deletes_nothing() {
    let fake = fake(|options| options.container_listing_limit = 4).await;
    let backend = Backend::fake_v1(&fake);
    let collector = Collector::of(&backend);
    let (kept, gone) = three_images(&backend, || {}).await;
    let before = fake.object_names(FAKE_CONTAINER);
    let unavailable = || Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    let listing = |action, skip| Fault {
        method: Some(Method::GET),
        path_contains: "prefix=files*repositories".into(),
        skip,
        ..Fault::always(action)
    };
    fake.fault(listing(unavailable(), 2));
    let told = collector.fail(&["-m"]);
    assert!(told.contains("storage could not be asked, so nothing was deleted"), "{told}");
    assert_eq!(fake.object_names(FAKE_CONTAINER), before);

    fake.clear_faults();
    fake.fault(Fault { times: 1, ..listing(unavailable(), 2) });
    fake.fault(Fault { times: 1, ..listing(Action::TruncateBody(50), 1) });
    fake.fault(Fault { times: 1, ..listing(Action::Reset, 1) });
    let summary = collector.collect(&[]);
    assert_eq!((&summary["deleted_blobs"], fake.faults_left()), (&2.into(), 0), "{summary}");
    assert!(!fake.object_names(FAKE_CONTAINER).iter().any(|name| gone.has(name)));
    are_whole(&backend, &kept).await;
}

/// Promise: what cannot be deleted is told of, what it points to stays, and the next run goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn deletes_that_fail_are_done_by_the_next_run() {
    let fake = fake(|_| {}).await;
    let backend = Backend::fake_v1(&fake);
    let collector = Collector::of(&backend);
    let (kept, gone) = three_images(&backend, || {}).await;
    for object in ["/_layers/", "/blobs/"] {
        let refused = Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
        let inner = Fault {
            method: Some(Method::DELETE),
            path_contains: format!("{object}*{}", &gone.layer_digest["sha256:".len()..]),
            ..Fault::always(refused)
        };
        fake.fault(inner);
        let told = collector.fail(&[]);
        assert!(told.contains("cannot delete") && told.contains("run it again"), "{told}");
        let names = fake.object_names(FAKE_CONTAINER);
        let blob = format!("/{}/data", &gone.layer_digest["sha256:".len()..]);
        assert!(names.iter().any(|name| name.ends_with(&blob)), "{names:#?}");
        fake.clear_faults();
        are_whole(&backend, &kept).await;
    }
    collector.collect(&[]);
    let names = fake.object_names(FAKE_CONTAINER);
    assert!(!names.iter().any(|name| gone.has(name) || name.contains("segments/")), "{names:#?}");
    are_whole(&backend, &kept).await;
}
