use proptest::prelude::*;

use super::*;
use crate::Algorithm;
use crate::testing::TestStorage;

fn object(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

fn under(prefix: &str) -> ListRequest {
    ListRequest::under(object(prefix))
}

fn somewhere() -> Digest {
    Digest::of(Algorithm::Sha256, b"")
}

/// A storage whose listings show these links and no other, and two replicas over it.
async fn frozen_with(links: &[&str]) -> (Arc<TestStorage>, Links, Links) {
    let storage = TestStorage::new();
    let [one, other] = [(); 2].map(|()| Links::new(Arc::clone(&storage) as Arc<dyn Storage>));
    for link in links {
        // As written long ago: nobody remembers it.
        storage.objects.write(&object(link), Bytes::new().into(), WriteMode::Replace).await.unwrap();
    }
    storage.freeze_listings().await;
    (storage, one, other)
}

async fn all(links: &Links, request: &ListRequest) -> Vec<String> {
    let mut request = request.clone();
    let mut keys = Vec::new();
    loop {
        let page = links.list(&request).await.unwrap();
        assert!(page.keys.len() <= request.limit, "{page:?}");
        assert!(page.next.is_none() || !page.keys.is_empty(), "{page:?}");
        keys.extend(page.keys);
        match page.next {
            Some(next) => request = request.after(next),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn what_this_replica_changed_shows_at_once_and_only_here() {
    let (storage, links, other) = frozen_with(&["r/a/link", "r/c/link"]).await;
    links.write(&object("r/b/link"), &somewhere()).await.unwrap();
    links.delete(&object("r/c/link")).await.unwrap();
    assert_eq!(all(&links, &under("r")).await, ["r/a/link", "r/b/link"]);
    assert_eq!(all(&links, &under("r").one_level()).await, ["r/a/", "r/b/"]);
    assert_eq!(all(&other, &under("r")).await, ["r/a/link", "r/c/link"]);
    storage.catch_up();
    for links in [&links, &other] {
        assert_eq!(all(links, &under("r").one_level()).await, ["r/a/", "r/b/"]);
    }
}

#[tokio::test]
async fn where_listing_and_memory_agree_nothing_is_asked() {
    let (storage, links, _) = frozen_with(&[]).await;
    for link in ["r/a/link", "r/b/link"] {
        links.write(&object(link), &somewhere()).await.unwrap();
    }
    links.delete(&object("r/b/link")).await.unwrap();
    storage.catch_up();
    storage.take_requests();
    assert_eq!(all(&links, &under("r")).await, ["r/a/link"]);
    assert_eq!(storage.take_requests(), [("list", "r/".to_owned())]);
}

#[tokio::test]
async fn what_another_replica_did_since_is_the_truth_and_is_asked_once() {
    let (storage, links, other) = frozen_with(&["r/deleted/link", "r/kept/link"]).await;
    links.write(&object("r/written/link"), &somewhere()).await.unwrap();
    links.delete(&object("r/deleted/link")).await.unwrap();
    other.delete(&object("r/written/link")).await.unwrap();
    other.write(&object("r/deleted/link"), &somewhere()).await.unwrap();
    storage.take_requests();
    assert_eq!(all(&links, &under("r")).await, ["r/deleted/link", "r/kept/link"]);
    assert_eq!(storage.take_requests().len(), 3);
    assert_eq!(all(&links, &under("r")).await, ["r/deleted/link", "r/kept/link"]);
    assert_eq!(storage.take_requests().len(), 1, "the memory agrees with the listing now");
}

#[tokio::test]
async fn a_folder_is_what_its_link_is() {
    let (_, links, _) = frozen_with(&["r/v1/current/link", "r/v1/index/x/link", "r/v2/index/y/link"]).await;
    links.delete(&object("r/v1/current/link")).await.unwrap();
    assert_eq!(all(&links, &under("r").one_level()).await, ["r/v2/"]);
    links.write(&object("r/v1/current/link"), &somewhere()).await.unwrap();
    assert_eq!(all(&links, &under("r").one_level()).await, ["r/v1/", "r/v2/"]);
    // Of two links in one folder, one suffices.
    links.write(&object("r/v3/a/link"), &somewhere()).await.unwrap();
    links.delete(&object("r/v3/b/link")).await.unwrap();
    links.delete(&object("r/v4/a/link")).await.unwrap();
    links.write(&object("r/v4/b/link"), &somewhere()).await.unwrap();
    assert_eq!(all(&links, &under("r").one_level()).await, ["r/v1/", "r/v2/", "r/v3/", "r/v4/"]);
}

#[tokio::test]
async fn pages_are_exact_around_what_is_added_at_their_borders() {
    let (_, links, _) = frozen_with(&["r/b", "r/d", "r/f", "r/h"]).await;
    for added in ["r/a", "r/c", "r/e", "r/i"] {
        links.write(&object(added), &somewhere()).await.unwrap();
    }
    links.delete(&object("r/d")).await.unwrap();
    let expected = ["r/a", "r/b", "r/c", "r/e", "r/f", "r/h", "r/i"];
    for limit in 1..=9 {
        assert_eq!(all(&links, &under("r").limit(limit)).await, expected, "{limit}");
    }
    let page = links.list(&under("r").limit(2)).await.unwrap();
    assert_eq!(page, LinkPage { keys: vec!["r/a".into(), "r/b".into()], next: Some("r/b".into()) });
    // It begins at what was added, before it, and behind all.
    for (after, rest) in [("r/c", 3), ("r/bb", 2), ("r/i", 7), ("r/z", 7), ("a", 0)] {
        assert_eq!(all(&links, &under("r").after(after).limit(2)).await, expected[rest..], "{after}");
    }
}

#[tokio::test]
async fn a_page_of_which_all_is_deleted_is_passed_over() {
    let stored: Vec<String> = (0..50).map(|number| format!("r/{number:02}/link")).collect();
    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
    let (storage, links, _) = frozen_with(&stored).await;
    for link in &stored[..49] {
        links.delete(&object(link)).await.unwrap();
    }
    storage.take_requests();
    let page = links.list(&under("r").limit(1)).await.unwrap();
    assert_eq!(page, LinkPage { keys: vec!["r/49/link".into()], next: None });
    let requests = storage.take_requests();
    assert_eq!(requests.iter().filter(|(operation, _)| *operation == "list").count(), 2, "{requests:?}");
}

#[tokio::test]
async fn no_page_asks_about_more_than_a_bound() {
    let (storage, links, _) = frozen_with(&[]).await;
    for number in 0..3 * MOST_QUESTIONS {
        links.write(&object(&format!("r/{number:04}")), &somewhere()).await.unwrap();
    }
    storage.take_requests();
    assert_eq!(all(&links, &under("r")).await.len(), 3 * MOST_QUESTIONS);
    assert_eq!(storage.take_requests().len(), 1 + MOST_QUESTIONS);
}

#[tokio::test]
async fn an_outage_is_not_an_answer() {
    let (storage, links, _) = frozen_with(&["r/a"]).await;
    storage.set_out(true);
    // What became of these cannot be told.
    assert!(links.write(&object("r/b"), &somewhere()).await.is_err());
    assert!(links.delete(&object("r/a")).await.is_err());
    assert!(links.read(&object("r/a")).await.is_err());
    assert!(matches!(links.list(&under("r")).await, Err(Error::Storage(_))));
    storage.set_out(false);
    assert_eq!(all(&links, &under("r")).await, ["r/a"]);
}

/// What one replica does, and what becomes of the listings meanwhile.
#[derive(Debug, Clone)]
enum Step {
    Write(String),
    Delete(String),
    Freeze,
    CatchUp,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let link = || "r/[ab0.-]{1,3}/l".prop_map(|link| link.replace("/./", "/x/").replace("/../", "/y/"));
    let step = prop_oneof![
        4 => link().prop_map(Step::Write),
        3 => link().prop_map(Step::Delete),
        1 => Just(Step::Freeze),
        1 => Just(Step::CatchUp),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    #[test]
    fn a_replica_lists_exactly_what_it_wrote_however_far_listings_lag(
        steps in steps(),
        limit in 1_usize..6,
        one_level in any::<bool>(),
        after in proptest::option::of("r/[ab0.-]{0,3}/?l?"),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let storage = TestStorage::new();
            let links = Links::new(Arc::clone(&storage) as Arc<dyn Storage>);
            for step in &steps {
                match step {
                    Step::Write(link) => links.write(&object(link), &somewhere()).await.unwrap(),
                    Step::Delete(link) => drop(links.delete(&object(link)).await.unwrap()),
                    Step::Freeze => storage.freeze_listings().await,
                    Step::CatchUp => storage.catch_up(),
                }
            }
            let mut request = under("r").limit(limit);
            request.one_level = one_level;
            request.after = after;
            let listed = all(&links, &request).await;
            storage.catch_up();
            let truth = storage.objects.list(&request.limit(1000)).await.unwrap();
            let truth: Vec<String> = truth.entries.iter().map(apus_storage::ListEntry::key).collect();
            prop_assert_eq!(listed, truth);
            Ok(())
        })?;
    }
}
