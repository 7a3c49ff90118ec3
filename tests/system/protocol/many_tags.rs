//! A repository of a hundred thousand tags: its list is whole, exact and in order, in pages of any size, and costs memory for
//! one page only. The tags are put into Swift past Apus, as a hundred thousand pushes would leave them.

use super::Site;
use super::lists::next_page;

const TAGS: usize = 100_000;
/// KiB by which the memory may grow: what pages of ten thousand tags take, and Swift's listings of them. All tags at once would
/// take several times as much.
const LIMIT: u64 = 64 << 10;
const REPOSITORY: &str = "large/repository";

/// The names, in the order of their bytes. Many of them are the beginning of others.
fn tags() -> Vec<String> {
    let mut tags: Vec<_> = (0..TAGS).map(|number| number.to_string()).collect();
    tags.sort();
    tags
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_tags_are_listed() {
    let site = &Site::fake_swift().await;
    let (fake, container) = (site.fake.as_ref().unwrap(), site.backend.container().unwrap());
    let tags = tags();
    // One tag that is pushed shows what the others are in storage.
    site.client().push_manifest(REPOSITORY, &tags[0], &[]).await;
    let place = format!("/tags/{}/", tags[0]);
    let link = fake.object_names(container).into_iter().find(|name| name.contains(&place)).unwrap();
    let content = fake.object(container, &link).unwrap().data;
    for tag in &tags[1..] {
        fake.put_object(container, &link.replace(&place, &format!("/tags/{tag}/")), content.clone());
    }
    let start = site.apus.peak_memory();
    for size in ["", "?n=7000"] {
        let mut met = Vec::new();
        let mut next = Some(size.to_owned());
        while let Some(query) = next {
            let (page, after) = page(site, &query).await;
            assert!(!page.is_empty() && page.len() <= 10_000);
            met.extend(page);
            assert!(met.len() <= TAGS, "pages without end");
            next = after;
        }
        assert!(met == tags, "{} tags were listed, or others, with {size}", met.len());
    }
    for place in [0, 1, 33_333, TAGS / 2, TAGS - 8, TAGS - 2, TAGS - 1] {
        for size in [1, 7] {
            let (page, after) = page(site, &format!("?n={size}&last={}", tags[place])).await;
            let end = (place + 1 + size).min(TAGS);
            assert_eq!(page, tags[place + 1..end]);
            assert_eq!(after.is_some(), end < TAGS, "after {place}");
        }
    }
    let grown = site.apus.peak_memory().saturating_sub(start);
    let _ = fake.take_requests();
    page(site, "?n=1000").await;
    let asked = fake.count(|request| request.kind.is_storage());
    println!("{TAGS} tags: VmHWM {start} KiB at the start, {grown} KiB more in the end");
    assert!(grown < LIMIT, "the list took {grown} KiB");
    assert_eq!(asked, 1, "requests at Swift for a page of a thousand");
}

/// A page of the list, and the query for the next one.
async fn page(site: &Site, query: &str) -> (Vec<String>, Option<String>) {
    let path = format!("/v2/{REPOSITORY}/tags/list");
    let answer = site.client().get(&format!("{path}{query}")).await.expect(200);
    let next = next_page(&answer).map(|next| next.strip_prefix(&path).unwrap().to_owned());
    let list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    (serde_json::from_value(list["tags"].clone()).unwrap(), next)
}
