//! Lists, page after page.

use std::collections::BTreeSet;

use apus_server::{App, AppOptions};
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{app, ask, header, push, push_manifest};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// All entries of `key` that following the links from `path` meets, and the sizes of the pages.
async fn follow(app: &App, path: &str, key: &str) -> (Vec<String>, Vec<usize>) {
    let (mut met, mut sizes, mut next) = (Vec::new(), Vec::new(), path.to_owned());
    while !next.is_empty() {
        let answer = ask(app, Method::GET, &next, &[], "").await;
        assert_eq!(answer.status(), 200, "{next}");
        let page: Value = serde_json::from_slice(answer.body()).unwrap();
        let page: Vec<String> = serde_json::from_value(page[key].clone()).unwrap();
        sizes.push(page.len());
        met.extend(page);
        let link = header(&answer, "link");
        let url = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        url.unwrap_or_default().clone_into(&mut next);
        assert!(url.is_some() || link.is_empty(), "{link}");
        assert!(sizes.len() < 100, "it goes round in circles");
    }
    (met, sizes)
}

async fn with_tags(options: AppOptions, tags: impl IntoIterator<Item = &String>) -> App {
    let app = app(options);
    let image = json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "layers": [] }).to_string();
    for tag in tags {
        push_manifest(&app, &format!("/v2/a/manifests/{tag}"), OCI_IMAGE, image.clone()).await;
    }
    app
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Following the links meets every tag once, in the order of their bytes, in pages of the size that was asked for.
    #[test]
    fn every_tag_is_met_once(
        tags in prop::collection::btree_set("[A-Za-z0-9_][A-Za-z0-9_.-]{0,3}|(a|1\\.0)([-._]?[a0]){0,3}", 1..20),
        size in 1_usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = with_tags(AppOptions::default(), &tags).await;
            let (met, pages) = follow(&app, &format!("/v2/a/tags/list?n={size}"), "tags").await;
            assert_eq!(met, tags.iter().cloned().collect::<Vec<_>>());
            assert!(pages.iter().all(|page| *page <= size) && pages.len() == tags.len().div_ceil(size), "{pages:?}");
            // From any place, there or not, what follows is all that is behind it.
            for last in ["", "1.0", "a", "zz"] {
                let path = format!("/v2/a/tags/list?n={size}&last={last}");
                let behind: Vec<_> = tags.iter().filter(|tag| tag.as_str() > last).cloned().collect();
                assert_eq!(follow(&app, &path, "tags").await.0, behind, "after {last:?}");
            }
        });
    }
}

/// A page without entries says nothing of what follows.
#[tokio::test]
async fn no_entries_are_no_entries() {
    let app = with_tags(AppOptions::default(), &["x".to_owned(), "y".to_owned()]).await;
    for (path, expected) in [
        ("/v2/a/tags/list?n=0", json!({ "name": "a", "tags": [] })),
        ("/v2/a/tags/list?n=0&last=x", json!({ "name": "a", "tags": [] })),
        ("/v2/_catalog?n=0", json!({ "repositories": [] })),
    ] {
        let answer = ask(&app, Method::GET, path, &[], "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(serde_json::from_slice::<Value>(answer.body()).unwrap(), expected, "{path}");
        assert_eq!(header(&answer, "link"), "", "{path}");
    }
    assert_eq!(ask(&app, Method::GET, "/v2/none/tags/list?n=0", &[], "").await.status(), 404);
}

/// A page is never longer than the operator allows, whatever is asked for; who asked for more is told.
#[tokio::test]
async fn pages_have_a_longest() {
    let tags: BTreeSet<String> = (0..7).map(|number| format!("t{number}")).collect();
    let options = AppOptions { longest_tags: 3, longest_catalog: 2, ..AppOptions::default() };
    let app = with_tags(options, &tags).await;
    for name in ["b", "c", "d", "e"] {
        push(&app, name, "x").await;
    }
    let huge = "9".repeat(40);
    for (path, key, pages, cut) in [
        ("/v2/a/tags/list".to_owned(), "tags", &[3, 3, 1][..], false),
        ("/v2/a/tags/list?n=3".into(), "tags", &[3, 3, 1], false),
        ("/v2/a/tags/list?n=2".into(), "tags", &[2, 2, 2, 1], false),
        (format!("/v2/a/tags/list?n={huge}"), "tags", &[3, 3, 1], true),
        ("/v2/a/tags/list?n=4".into(), "tags", &[3, 3, 1], true),
        ("/v2/_catalog".into(), "repositories", &[2, 2, 1], false),
        ("/v2/_catalog?n=1".into(), "repositories", &[1, 1, 1, 1, 1], false),
        (format!("/v2/_catalog?n={huge}"), "repositories", &[2, 2, 1], true),
    ] {
        assert_eq!(follow(&app, &path, key).await.1, pages, "{path}");
        let warning = header(&ask(&app, Method::GET, &path, &[], "").await, "warning").to_owned();
        assert_eq!(warning.contains("no more than"), cut, "{path}: {warning}");
    }
    // Where all of it is on one page, nothing was cut.
    let all = ask(&app, Method::GET, "/v2/a/tags/list?n=100&last=t5", &[], "").await;
    assert_eq!(header(&all, "warning"), "");
}
