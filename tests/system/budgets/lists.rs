//! Lists: tags, the catalog, referrers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Counted, counted_twice};
use crate::support::content::digest;
use crate::support::{Answer, Client};

const REPOSITORIES: &str = "files/docker/registry/v2/repositories";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn list(answer: Answer, of: &str) -> Vec<Value> {
    let list: Value = serde_json::from_slice(&answer.expect(200).body).unwrap();
    list[of].as_array().unwrap().clone()
}

fn tag(repository: &str, tag: usize) -> (String, String) {
    let link = format!("{REPOSITORIES}/{repository}/_manifests/tags/t{tag:05}/current/link");
    (link, digest(b"a manifest"))
}

/// A few hundred names, at either Swift.
async fn short_lists(mut counted: Counted) {
    counted.put_objects((0..200).map(|number| tag("many", number)).collect()).await;
    for (query, tags) in [("", 200), ("?n=100", 100), ("?last=t00050&n=100", 100)] {
        let answer = counted.client().get(&format!("/v2/many/tags/list{query}")).await;
        counted.charge(&format!("tags/list of 200 tags {query}"), 1).await;
        assert_eq!(list(answer, "tags").len(), tags);
    }
    let answer = counted.client().get("/v2/_catalog").await;
    counted.charge("catalog of 1 repository, 200 objects", 2).await;
    assert_eq!(list(answer, "repositories").len(), 1);

    let (subject, referrers) = push_referrers(counted.client()).await;
    let client = counted.cold().await;
    for (state, budget) in [("cold", 2 + referrers.len()), ("warm", 2)] {
        let answer = client.get(&format!("/v2/a/referrers/{subject}")).await;
        counted.charge(&format!("referrers, {} of them, {state}", referrers.len()), budget).await;
        let found = list(answer, "manifests");
        let found = found.iter().map(|referrer| referrer["digest"].as_str().unwrap().to_owned());
        assert_eq!(found.collect::<BTreeSet<_>>(), referrers);
    }
    counted.settle();
}

/// Pushes manifests with a subject. Answers its digest and theirs.
async fn push_referrers(client: Client) -> (String, BTreeSet<String>) {
    let subject = digest(b"the subject");
    let mut referrers = BTreeSet::new();
    for number in 0..5 {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [],
            "subject": { "mediaType": INDEX, "digest": subject, "size": 1 },
            "annotations": { "number": number.to_string() },
        })
        .to_string();
        let digest = digest(manifest.as_bytes());
        let path = format!("/v2/a/manifests/{digest}");
        client.request(hyper::Method::PUT, &path, &[("content-type", INDEX)], manifest).await.expect(201);
        referrers.insert(digest);
    }
    (subject, referrers)
}

counted_twice!(short_lists);

/// As many names as one page of a Swift's listing has, and more. Only the fake Swift gets so many in a moment.
#[tokio::test(flavor = "multi_thread")]
async fn long_lists() {
    let mut counted = Counted::at_fake_swift().await;
    counted.put_objects((0..9999).map(|number| tag("many", number)).collect()).await;
    for (query, tags, requests) in [("", 9999, 1), ("?n=100", 100, 1), ("?last=t05000&n=10000", 4998, 1)] {
        let answer = counted.client().get(&format!("/v2/many/tags/list{query}")).await;
        counted.charge(&format!("tags/list of 9,999 tags {query}"), requests).await;
        assert_eq!(list(answer, "tags").len(), tags);
    }
    let repositories = (0..100).flat_map(|number| (0..100).map(move |tag| (number, tag)));
    let tags = repositories.map(|(number, number_of_tag)| tag(&format!("team/{number:03}"), number_of_tag));
    counted.put_objects(tags.collect()).await;
    let answer = counted.client().get("/v2/_catalog?n=1000").await;
    counted.charge("catalog of 101 repositories, 19,999 objects", 2).await;
    assert_eq!(list(answer, "repositories").len(), 101);
    counted.settle();
}
