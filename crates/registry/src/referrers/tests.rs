use std::collections::BTreeSet;

use super::*;
use crate::testing::{TestStorage, name, put};
use crate::{Algorithm, KeptTags};

fn subject() -> Digest {
    Digest::of(Algorithm::Sha256, b"subject")
}

async fn put_referrer(registry: &Registry, note: &str) -> Digest {
    let content = format!(
        r#"{{"schemaVersion":2,"layers":[],"annotations":{{"note":"{note}"}},"subject":{{"digest":"{}"}}}}"#,
        subject()
    );
    let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
    put(registry, "a", &digest.to_string(), content).await.unwrap().digest
}

async fn referrers(registry: &Registry) -> BTreeSet<String> {
    let (mut seen, mut last) = (BTreeSet::new(), None);
    loop {
        let page = registry.referrers(&name("a"), &subject(), None, last.as_ref()).await.unwrap();
        let before = seen.len();
        seen.extend(page.referrers.iter().map(|referrer| referrer.digest.clone()));
        assert_eq!(seen.len(), before + page.referrers.len(), "a referrer is on two pages");
        last = page.next;
        if last.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn a_replica_shows_its_own_referrers_though_listings_lag() {
    let storage = TestStorage::new();
    let (here, there) = (storage.replica(), storage.replica());
    let mut expected = BTreeSet::new();
    let mut stale = BTreeSet::new();
    for number in 0..120 {
        let digest = put_referrer(&there, &format!("before {number}")).await;
        stale.insert(digest.to_string());
        expected.insert(digest);
    }
    storage.freeze_listings().await;
    for number in 0..120 {
        expected.insert(put_referrer(&here, &format!("since {number}")).await);
    }
    for digest in expected.iter().step_by(3).cloned().collect::<Vec<_>>() {
        here.delete_manifest(&name("a"), &digest, KeptTags::NONE).await.unwrap();
        expected.remove(&digest);
    }
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(referrers(&here).await, expected);
    assert_eq!(referrers(&there).await, stale);
    storage.catch_up();
    assert_eq!(referrers(&there).await, expected);
}
