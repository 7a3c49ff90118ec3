//! SIGKILL in the middle: whatever is listed afterwards can be read, and the next run does the rest.

use apus_fake_swift::{Action, FakeSwift, Fault, Options};

use super::*;
use crate::support::backend::FAKE_CONTAINER;

/// All objects but the records of segments: one whose object was just deleted may be left, some hundred bytes that name what is
/// gone.
fn objects(fake: &FakeSwift) -> Vec<String> {
    let names = fake.object_names(FAKE_CONTAINER).into_iter();
    names.filter(|name| !name.starts_with("apus/records/")).collect()
}

/// Promise: killed at any point, it leaves a registry in which all that is listed can be pulled, and the next run ends where an
/// undisturbed one would have.
#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_leaves_nothing_broken() {
    let mut kills = 0;
    for deletes in 1.. {
        let fake =
            FakeSwift::start(Options { containers: vec![FAKE_CONTAINER.into()], ..Options::default() }).await;
        let fake = fake.unwrap();
        let backend = Backend::fake_v1(&fake);
        let collector = Collector::of(&backend);
        let apus = serve(&backend);
        let client = apus.client();
        let kept = Image::push(client, "a", Some("v1"), 2 << 20).await;
        let clean = objects(&fake);
        let untagged = Image::push(client, "a", None, 2 << 20).await;
        let remark = put(client, "a", None, MANIFEST, &referrer(&untagged.digest, "remark")).await;
        client.push("a", random(100)).await;
        apus.kill();
        std::thread::sleep(Duration::from_millis(1100));
        fake.take_requests().clear();
        let slow = Fault {
            method: Some(Method::DELETE),
            ..Fault::always(Action::DelayAnswer(Duration::from_millis(100)))
        };
        fake.fault(Fault { path_contains: "bulk-delete".into(), method: Some(Method::POST), ..slow.clone() });
        fake.fault(slow);

        let mut child = collector.begin(&["-m", "--json"]);
        let begun = Instant::now();
        let is_killed = loop {
            let asked = fake
                .count(|request| request.method == Method::DELETE || request.query.contains("bulk-delete"));
            if asked >= deletes {
                child.kill().unwrap();
                break child.wait().unwrap().code().is_none();
            }
            if child.try_wait().unwrap().is_some() {
                break false;
            }
            assert!(begun.elapsed() < LIMIT, "it neither ends nor deletes");
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        fake.clear_faults();
        // What it had asked for last is done by then.
        tokio::time::sleep(Duration::from_millis(300)).await;

        let apus = serve(&backend);
        let client = apus.client();
        kept.is_whole(client).await;
        let path = format!("/v2/a/manifests/{}", untagged.digest);
        if client.head(&path).await.status == 200 {
            untagged.is_whole(client).await;
        }
        let referrers = client.get(&format!("/v2/a/referrers/{}", untagged.digest)).await.expect(200);
        if String::from_utf8_lossy(&referrers.body).contains(&remark) {
            client.get(&format!("/v2/a/manifests/{remark}")).await.expect(200);
        }
        if client.head(&format!("/v2/a/blobs/{}", untagged.layer_digest)).await.status == 200 {
            let blob = client.get(&format!("/v2/a/blobs/{}", untagged.layer_digest)).await.expect(200);
            assert_eq!(blob.body, untagged.layer);
        }
        apus.kill();

        collector.collect(&["-m"]);
        assert_eq!(objects(&fake), clean, "killed after {deletes} deletes");
        if !is_killed {
            break;
        }
        kills += 1;
    }
    assert!(kills > 3, "killed {kills} times only");
    println!("killed at {kills} points");
}
