use std::path::Path;

use apus_storage::{FilesystemStorage, MemoryStorage};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use super::*;

/// How long a thing may take that takes no time.
const SOON: Duration = Duration::from_secs(20);

fn check(name: &str, probe: Probe, threshold: u32) -> Check {
    let pace = Pace { interval: Duration::ZERO, threshold: NonZeroU32::new(threshold).unwrap() };
    Check { name: name.to_owned(), probe, pace }
}

fn switch(path: &Path) -> Check {
    check(path.to_str().unwrap(), Probe::File(path.to_owned()), 1)
}

/// Waits until it is so.
async fn comes(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < SOON, "never: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// `f` for a look that found trouble, `.` for one that found none: whether the check fails after each of them.
fn judged(threshold: u32, looks: &str) -> String {
    let watched = Watched::new(check("a", Probe::File("/none".into()), threshold));
    let mut fails = String::new();
    for look in looks.chars() {
        watched.judge(if look == 'f' { Err(Trouble::FileExists) } else { Ok(()) });
        fails.push(if watched.standing().trouble.is_some() { 'f' } else { '.' });
    }
    fails
}

#[test]
fn failures_in_a_row_count_and_one_success_ends_them() {
    assert_eq!(judged(1, "f.ff."), "f.ff.");
    assert_eq!(judged(3, "ff.fffff.ff"), ".....fff...");
}

#[tokio::test]
async fn each_check_is_known_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (directory.path().join("one"), directory.path().join("other"));
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let tcp = Probe::Tcp { address: nobody.clone(), timeout: None };
    let health = Health::new(vec![switch(&one), switch(&other), check(&nobody, tcp, 3)]);
    assert!(health.failing().is_empty(), "nobody has looked yet");

    let following = tokio::spawn(health.clone().follow());
    comes("the port", || health.failing().contains_key(nobody.as_str())).await;
    std::fs::write(&one, "").unwrap();
    comes("the file", || health.failing().len() == 2).await;
    assert_eq!(health.failing()[one.to_str().unwrap()], "file exists");
    std::fs::remove_file(&one).unwrap();
    comes("well again", || health.failing().len() == 1).await;
    following.abort();
}

#[tokio::test]
async fn a_replica_is_ready_once_its_storage_was_reached_until_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let down = directory.path().join("down");
    let health = Health::new(vec![switch(&down)]);
    assert_eq!(health.ready(), Err(NotReady::StorageNotReached));
    timeout(SOON, health.clone().reach(Arc::new(MemoryStorage::new()))).await.unwrap();
    assert_eq!(health.ready(), Ok(()));

    let following = tokio::spawn(health.clone().follow());
    std::fs::write(&down, "").unwrap();
    comes("a person's word", || health.ready() == Err(NotReady::File(down.display().to_string()))).await;
    std::fs::remove_file(&down).unwrap();
    comes("ready again", || health.ready() == Ok(())).await;
    following.abort();

    health.stops();
    assert_eq!(health.ready(), Err(NotReady::Stopping));
}

/// What all replicas share takes none of them out.
#[tokio::test]
async fn a_storage_that_fails_later_leaves_the_replica_ready() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let storage: Arc<dyn Storage> = Arc::new(FilesystemStorage::open(root.clone()).unwrap());
    let health =
        Health::new(vec![check("storagedriver_filesystem", Probe::Storage(Arc::clone(&storage)), 1)]);
    timeout(SOON, health.clone().reach(storage)).await.unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    std::fs::write(&root, "no directory").unwrap();
    let following = tokio::spawn(health.clone().follow());
    comes("it fails", || health.failing().contains_key("storagedriver_filesystem")).await;
    assert_eq!(health.ready(), Ok(()));
    following.abort();
}

#[tokio::test]
async fn a_storage_is_asked_until_it_answers() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let storage: Arc<dyn Storage> = Arc::new(FilesystemStorage::open(root.clone()).unwrap());
    let aside = directory.path().join("aside");
    std::fs::rename(&root, &aside).unwrap();
    std::fs::write(&root, "no directory").unwrap();
    let health = Health::new(Vec::new());
    let reaching = tokio::spawn(health.clone().reach(storage));
    sleep(Duration::from_millis(200)).await;
    assert_eq!(health.ready(), Err(NotReady::StorageNotReached));
    std::fs::remove_file(&root).unwrap();
    std::fs::rename(&aside, &root).unwrap();
    timeout(SOON, reaching).await.unwrap().unwrap();
    assert_eq!(health.ready(), Ok(()));
}
