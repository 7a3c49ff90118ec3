//! Manifests that name many others, or are named by many.

use std::collections::BTreeSet;

use apus_fake_swift::FakeSwift;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::protocol::lists::next_page;
use crate::protocol::manifests::{OCI_IMAGE, OCI_INDEX, put};
use crate::protocol::{Site, over_every_backend};
use crate::support::content::digest;
use crate::support::{Answer, Apus, Client};

/// An index of these; the note makes it another one than those of the same content.
fn index(children: &[String], note: &str) -> Bytes {
    let children: Vec<Value> = children
        .iter()
        .map(|digest| json!({ "mediaType": OCI_INDEX, "digest": digest, "size": 1 }))
        .collect();
    let annotations = json!({ "note": note });
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, "annotations": annotations })
        .to_string()
        .into()
}

async fn put_index(client: Client, index: &Bytes) -> Answer {
    put(client, &format!("/v2/a/manifests/{}", digest(index)), OCI_INDEX, index).await
}

/// Indexes may name indexes, and those others, but not without end.
async fn a14_indexes_are_not_nested_without_end(site: &Site) {
    let client = site.client();
    let mut child = index(&[], "the end");
    put_index(client, &child).await.expect(201);
    let mut depth = 1;
    let refused = loop {
        let parent = index(&[digest(&child)], "");
        let answer = put_index(client, &parent).await;
        if answer.status != 201 {
            client.head(&format!("/v2/a/manifests/{}", digest(&parent))).await.expect(404);
            break answer;
        }
        child = parent;
        depth += 1;
        assert!(depth < 100, "indexes nested {depth} deep are taken");
    };
    site.refused(refused, 400, "MANIFEST_INVALID");
    assert!(depth >= 4, "only {depth} levels are taken");
    client.get(&format!("/v2/a/manifests/{}", digest(&child))).await.expect(200);
}

/// Indexes that each name all those of the level below make 20 to the power of 5 ways down. Nobody walks them all: the last
/// one, at an Apus that has seen none of them, costs a few requests for each index, and not for each way.
async fn a14_a_bomb_of_indexes_is_walked_once(site: &Site) {
    const WIDTH: usize = 20;
    const LEVELS: usize = 6;
    let client = site.client();
    let mut level: Vec<String> = Vec::new();
    for depth in 0..LEVELS {
        let indexes: Vec<_> = (0..WIDTH).map(|number| index(&level, &format!("{depth}, {number}"))).collect();
        for index in &indexes {
            put_index(client, index).await.expect(201);
        }
        level = indexes.iter().map(|index| digest(index)).collect();
    }
    let fresh = site.holds().await.map(|_| site.another_apus(""));
    let client = fresh.as_ref().map_or(client, Apus::client);
    if let Some(fake) = &site.fake {
        let _ = fake.take_requests();
    }
    let bomb = index(&level, "the bomb");
    put_index(client, &bomb).await.expect(201);
    let asked = site.fake.as_ref().map_or(0, asked);
    assert!(asked < 4 * WIDTH * LEVELS, "{asked} requests");
    client.get(&format!("/v2/a/manifests/{}", digest(&bomb))).await.expect(200);
}

/// How many requests came to storage.
fn asked(fake: &FakeSwift) -> usize {
    fake.count(|request| request.kind.is_storage())
}

/// An index that names one thing as often as 4 MiB can costs what it costs to look for it once; one that names as many things
/// as it can is refused before anything is looked for, or bounded.
async fn a14_an_index_of_very_many_is_bounded(site: &Site) {
    let client = site.client();
    let child = index(&[], "the child");
    put_index(client, &child).await.expect(201);
    if let Some(fake) = &site.fake {
        let _ = fake.take_requests();
    }
    let the_same = index(&vec![digest(&child); 20_000], "the same");
    put_index(client, &the_same).await.expect(201);
    let asked_for_one = site.fake.as_ref().map_or(0, asked);
    assert!(asked_for_one < 10, "{asked_for_one} requests for one thing");

    let others: Vec<_> = (0..20_000_u32).map(|number| digest(&number.to_be_bytes())).collect();
    let answer = put_index(client, &index(&others, "others")).await;
    assert_eq!(answer.status, 400);
    let asked_for_many = site.fake.as_ref().map_or(0, asked) - asked_for_one;
    assert!(asked_for_many <= 10_000, "{asked_for_many} requests for what is refused");
}

/// A subject that very many manifests with long annotations refer to has a list of pages, each of them bounded, and memory
/// does not grow with their number.
async fn a15_a_flood_of_referrers_comes_in_pages(site: &Site) {
    const REFERRERS: usize = 500;
    const LONGEST_PAGE: usize = 5 << 20;
    let client = site.client();
    let config = client.push("a", "{}").await;
    let subject = digest(b"the subject");
    let note = "x".repeat(100_000);
    let pushed: BTreeSet<String> = stream::iter(0..REFERRERS)
        .map(|number| {
            let manifest = Bytes::from(
                json!({
                    "schemaVersion": 2,
                    "mediaType": OCI_IMAGE,
                    "artifactType": format!("a/type-{}", number % 2),
                    "config": { "mediaType": "a/config", "digest": config, "size": 2 },
                    "layers": [],
                    "subject": { "mediaType": OCI_IMAGE, "digest": subject, "size": 7 },
                    "annotations": { "number": number.to_string(), "note": note },
                })
                .to_string(),
            );
            async move {
                let path = format!("/v2/a/manifests/{}", digest(&manifest));
                put(client, &path, OCI_IMAGE, &manifest).await.expect(201);
                digest(&manifest)
            }
        })
        .buffer_unordered(8)
        .collect()
        .await;
    assert_eq!(pushed.len(), REFERRERS);

    // The allocator keeps what the first list took; another one takes little more.
    let (mut start, mut bound) = (site.apus.peak_memory(), 128 << 10);
    for (query, expected) in [("", REFERRERS), ("", REFERRERS), ("?artifactType=a%2Ftype-1", REFERRERS / 2)] {
        let (mut met, mut pages) = (BTreeSet::new(), 0);
        let mut next = Some(format!("/v2/a/referrers/{subject}{query}"));
        while let Some(path) = next {
            let answer = client.get(&path).await.expect(200);
            assert!(answer.body.len() < LONGEST_PAGE, "a page of {} bytes", answer.body.len());
            let list: Value = serde_json::from_slice(&answer.body).unwrap();
            for descriptor in list["manifests"].as_array().unwrap() {
                assert_eq!(descriptor["annotations"]["note"], note);
                assert!(met.insert(descriptor["digest"].as_str().unwrap().to_owned()), "met twice");
            }
            pages += 1;
            assert!(pages <= 2 * REFERRERS, "pages without end");
            next = next_page(&answer);
        }
        assert!(met.is_subset(&pushed));
        assert_eq!(met.len(), expected, "{query}");
        assert!(pages > 1);
        let grown = site.apus.peak_memory().saturating_sub(start);
        assert!(grown < bound, "the list took {grown} KiB");
        (start, bound) = (start + grown, 64 << 10);
    }
}

over_every_backend!(
    a14_indexes_are_not_nested_without_end,
    a14_a_bomb_of_indexes_is_walked_once,
    a14_an_index_of_very_many_is_bounded,
    a15_a_flood_of_referrers_comes_in_pages,
);
