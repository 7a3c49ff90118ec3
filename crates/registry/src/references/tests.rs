use super::*;
use crate::testing::{TestStorage, put, put_bare};
use crate::{Algorithm, RegistryOptions};

fn absent() -> Digest {
    Digest::of(Algorithm::Sha256, b"nobody has pushed this")
}

fn replica(platforms: IndexPlatforms, enabled: bool) -> Registry {
    let references = ReferenceChecks { enabled, platforms, ..ReferenceChecks::default() };
    TestStorage::new().replica_with(RegistryOptions { references, ..RegistryOptions::default() })
}

fn child(digest: &Digest, platform: Option<(&str, &str)>) -> String {
    let platform = platform.map_or(String::new(), |(os, architecture)| {
        format!(r#","platform":{{"os":"{os}","architecture":"{architecture}","variant":"v8"}}"#)
    });
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":1{platform}}}"#
    )
}

fn index(children: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, children.join(","))
}

fn image_of(layer: &Digest) -> String {
    format!(r#"{{"schemaVersion":2,"layers":[{{"digest":"{layer}"}}]}}"#)
}

fn lacks(result: Result<crate::StoredManifest>, expected: &[Digest]) {
    match result {
        Err(Error::ManifestReferencesUnknown { missing }) => assert_eq!(missing, expected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn by_default_everything_must_be_there() {
    let registry = TestStorage::new().replica();
    let there = put_bare(&registry, "a", "there").await;
    let sparse = index(&[child(&absent(), None), child(&there, None), child(&absent(), None)]);
    lacks(put(&registry, "a", "t", sparse).await, &[absent()]);
    lacks(put(&registry, "a", "t", image_of(&absent())).await, &[absent()]);
    // Of another repository, it is not there.
    lacks(put(&registry, "b", "t", index(&[child(&there, None)])).await, std::slice::from_ref(&there));
    put(&registry, "a", "t", index(&[child(&there, None)])).await.unwrap();
}

#[tokio::test]
async fn an_index_may_be_sparse_where_no_platform_is_asked_for() {
    let registry = replica(IndexPlatforms::None, true);
    put(&registry, "a", "t", index(&[child(&absent(), Some(("linux", "amd64")))])).await.unwrap();
    // Images are whole all the same.
    lacks(put(&registry, "a", "t", image_of(&absent())).await, &[absent()]);
}

#[tokio::test]
async fn of_listed_platforms_the_manifests_must_be_there() {
    let platform =
        |os: &str, architecture: &str| Platform { os: os.to_owned(), architecture: architecture.to_owned() };
    let registry =
        replica(IndexPlatforms::Listed(vec![platform("linux", "amd64"), platform("linux", "arm64")]), true);
    let there = put_bare(&registry, "a", "there").await;
    let there = child(&there, Some(("linux", "amd64")));
    for sparse in [("linux", "s390x"), ("windows", "amd64")] {
        put(&registry, "a", "t", index(&[there.clone(), child(&absent(), Some(sparse))])).await.unwrap();
    }
    put(&registry, "a", "t", index(&[there.clone(), child(&absent(), None)])).await.unwrap();
    lacks(
        put(&registry, "a", "t", index(&[there, child(&absent(), Some(("linux", "arm64")))])).await,
        &[absent()],
    );
    // Named for two platforms, it must be there if it must for one.
    let twice = index(&[child(&absent(), None), child(&absent(), Some(("linux", "arm64")))]);
    lacks(put(&registry, "a", "t", twice).await, &[absent()]);

    let all = replica(IndexPlatforms::Listed(Vec::new()), true);
    lacks(put(&all, "a", "t", index(&[child(&absent(), None)])).await, &[absent()]);
}

#[tokio::test]
async fn without_checks_nothing_is_looked_for() {
    let storage = TestStorage::new();
    let references = ReferenceChecks { enabled: false, ..ReferenceChecks::default() };
    let registry = storage.replica_with(RegistryOptions { references, ..RegistryOptions::default() });
    for content in [index(&[child(&absent(), None)]), image_of(&absent())] {
        put(&registry, "a", "t", content).await.unwrap();
        let requests = storage.take_requests();
        assert!(requests.iter().all(|(operation, _)| *operation == "write"), "{requests:?}");
    }
}

#[tokio::test]
async fn what_is_named_again_and_again_is_looked_for_once() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let layer = format!(r#"{{"digest":"{}"}}"#, absent());
    let content = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, vec![layer; 20_000].join(","));
    lacks(put(&registry, "a", "t", content).await, &[absent()]);
    assert_eq!(storage.take_requests().len(), 1);
}

fn elsewhere(urls: &[&str]) -> String {
    let urls = serde_json::to_string(urls).unwrap();
    format!(
        r#"{{"schemaVersion":2,"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{}","urls":{urls}}}]}}"#,
        absent()
    )
}

fn where_urls_are(allowed: Option<&[&str]>, denied: &[&str]) -> Registry {
    let patterns =
        |patterns: &[&str]| patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect::<Vec<_>>();
    let urls = LayerUrls { allowed: allowed.map(patterns), denied: patterns(denied) };
    let references = ReferenceChecks { urls, ..ReferenceChecks::default() };
    TestStorage::new().replica_with(RegistryOptions { references, ..RegistryOptions::default() })
}

/// As registry:2 judges them: what a list allows, unless the other denies it; each URL of a layer, not any.
#[tokio::test]
async fn layers_lie_elsewhere_where_that_is_allowed() {
    let of_example: &[&str] = &[r"^https?://([^/]+\.)*example\.com/", "^https://other/"];
    for (allowed, denied, urls, taken) in [
        (None, &[][..], &["ftp://anything#at all"][..], true),
        (Some(of_example), &[], &["https://a.example.com/layer", "HTTP://example.com/"], false),
        (Some(of_example), &[], &["https://a.example.com/layer", "https://other/"], true),
        (Some(of_example), &[], &["https://a.example.com/layer", "https://evil/?https://other/"], false),
        (Some(of_example), &["www"], &["https://www.example.com/layer"], false),
        (Some(of_example), &["www"], &["https://a.example.com/layer"], true),
        (Some(&[]), &[], &["https://a.example.com/layer"], false),
        (None, &["^http:"], &["http://a/"], false),
        (None, &["^http:"], &["https://a/"], true),
        (Some(&[""]), &[], &["https://a/#fragment"], false),
        (Some(&[""]), &[], &["ftp://a/"], false),
        (Some(&[""]), &[], &["https:///a"], false),
        (Some(&[""]), &[], &["https://a/\nb"], false),
        (Some(&[""]), &[], &["HTTPS://a/b"], true),
        (Some(&[]), &[], &[], true),
    ] {
        let put = put(&where_urls_are(allowed, denied), "a", "t", elsewhere(urls)).await;
        match put {
            Ok(_) => assert!(taken, "{urls:?} {allowed:?} {denied:?}"),
            Err(Error::ManifestInvalid { reason }) => {
                assert!(
                    !taken && reason.contains("which this registry does not allow"),
                    "{urls:?}: {reason}"
                );
            }
            Err(error) => panic!("{urls:?}: {error}"),
        }
    }
}
