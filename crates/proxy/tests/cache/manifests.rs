use std::sync::Mutex;

use apus_registry::{Error as RegistryError, TagPage};
use http::Method;

use super::*;
use crate::upstream::{Answer, Asked, digest, image, manifest, status, with};

/// A registry with one image, under the tag `latest`.
async fn serving(image: &str) -> (Upstream, Arc<Mutex<String>>) {
    let latest = Arc::new(Mutex::new(image.to_owned()));
    let shown = Arc::clone(&latest);
    (Upstream::start(move |asked| serve(asked, &shown.lock().unwrap())).await, latest)
}

fn serve(asked: &Asked, image: &str) -> Answer {
    let by_digest = format!("/manifests/{}", digest(image.as_bytes()));
    if asked.path.ends_with("/manifests/latest") || asked.path.ends_with(&by_digest) {
        manifest(image)
    } else {
        status(404)
    }
}

fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Registry(error) if matches!(**error, RegistryError::ManifestUnknown { .. }))
}

/// Promise: a tag is asked for each time by HEAD; its content is fetched once, and by digest nobody is asked.
#[tokio::test]
async fn tags_are_asked_for_and_digests_are_not() {
    let (first, second) = (image(1), image(2));
    let (upstream, latest) = serving(&first).await;
    let (here, repository) = (here(&upstream), name("library/a"));
    let pull = async |by: &str| here.cache.manifest(&repository, &reference(by)).await.unwrap();
    let by_digest = |image: &str| format!("/v2/library/a/manifests/{}", digest(image.as_bytes()));
    let head = "HEAD /v2/library/a/manifests/latest".to_owned();

    assert_eq!(pull("latest").await.content, first);
    assert_eq!(upstream.take(), [head.clone(), format!("GET {}", by_digest(&first))]);
    assert_eq!(pull("latest").await.content, first);
    assert_eq!(upstream.take(), std::slice::from_ref(&head));
    assert_eq!(pull(&digest(first.as_bytes()).to_string()).await.content, first);
    assert_eq!(upstream.take(), Vec::<String>::new());

    *latest.lock().unwrap() = second.clone();
    assert_eq!(pull("latest").await.content, second);
    assert_eq!(upstream.take(), [head, format!("GET {}", by_digest(&second))]);
    assert_eq!(here.registry.manifest(&repository, &reference("latest")).await.unwrap().content, second);
    let tags = here.registry.tags(&repository, None, 10).await.unwrap();
    assert_eq!(tags.tags.len(), 1);
}

/// Promise: while the upstream is down, overloaded or limits us, what is here is served; what is not, is not "not found".
#[tokio::test]
async fn what_is_here_is_served_while_the_upstream_cannot_be_asked() {
    let image = image(1);
    let (upstream, _) = serving(&image).await;
    let (here, repository) = (here(&upstream), name("a"));
    here.cache.manifest(&repository, &reference("latest")).await.unwrap();
    for code in [429, 500, 502, 503] {
        upstream.now_plays(move |_| status(code));
        assert_eq!(here.cache.manifest(&repository, &reference("latest")).await.unwrap().content, image);
        let error = here.cache.manifest(&repository, &reference("other")).await.unwrap_err();
        assert!(kind(&error).leaves_it_open(), "{code}: {error}");
    }
    drop(upstream);
    assert_eq!(here.cache.manifest(&repository, &reference("latest")).await.unwrap().content, image);
    let error = here.cache.manifest(&repository, &reference("other")).await.unwrap_err();
    assert_eq!(kind(&error), UpstreamErrorKind::Unavailable);
}

/// Promise: what the upstream says is believed: what is gone there is not found, what it refuses is refused.
#[tokio::test]
async fn the_upstreams_word_counts() {
    let (upstream, _) = serving(&image(1)).await;
    let (here, repository) = (here(&upstream), name("a"));
    here.cache.manifest(&repository, &reference("latest")).await.unwrap();
    upstream.now_plays(|_| status(404));
    assert!(is_unknown(&here.cache.manifest(&repository, &reference("latest")).await.unwrap_err()));
    for code in [401, 403] {
        upstream.now_plays(move |_| status(code));
        let error = here.cache.manifest(&repository, &reference("latest")).await.unwrap_err();
        assert_eq!(kind(&error), UpstreamErrorKind::Denied);
    }
}

/// Promise (A11): a manifest that is not what its digest says is neither served nor kept.
#[tokio::test]
async fn a11_a_poisoned_manifest_is_neither_served_nor_kept() {
    let (good, bad) = (image(1), image(2));
    let wanted = digest(good.as_bytes()).to_string();
    let lying = wanted.clone();
    let upstream =
        Upstream::start(move |_| with(200, &[("docker-content-digest", &lying)], bad.clone())).await;
    let (here, repository) = (here(&upstream), name("a"));
    for by in ["latest", &*wanted] {
        let error = here.cache.manifest(&repository, &reference(by)).await.unwrap_err();
        assert_eq!(kind(&error), UpstreamErrorKind::Wrong, "{by}");
    }
    assert_eq!(here.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_upstream_that_says_no_digest_beforehand() {
    let image = image(1);
    let script = image.clone();
    let upstream = Upstream::start(move |asked| {
        if asked.method == Method::HEAD { status(405) } else { with(200, &[], script.clone()) }
    })
    .await;
    let here = here(&upstream);
    let found = here.cache.manifest(&name("a"), &reference("latest")).await.unwrap();
    assert_eq!((found.content, found.digest), (image.clone().into(), digest(image.as_bytes())));
}

#[tokio::test]
async fn a_tag_is_believed_while_it_is_fresh() {
    let (upstream, _) = serving(&image(1)).await;
    let options = UpstreamOptions { freshness: Duration::from_hours(1), ..options(&upstream.url()) };
    let here = here_with(vec![options], Arc::new(MemoryStorage::new()), RegistryOptions::default());
    for _ in 0..3 {
        here.cache.manifest(&name("a"), &reference("latest")).await.unwrap();
    }
    assert_eq!(upstream.take().len(), 2);
}

/// Promise: many who ask for one tag at the same time cause one question.
#[tokio::test]
async fn one_question_for_all_who_ask() {
    let (upstream, _) = serving(&image(1)).await;
    let here = here(&upstream);
    let (repository, latest) = (name("a"), reference("latest"));
    let found =
        futures_util::future::join_all((0..50).map(|_| here.cache.manifest(&repository, &latest))).await;
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(upstream.take().len(), 2);
}

/// Promise (A11): an upstream that takes another's place in the configuration does not speak for what that one gave.
#[tokio::test]
async fn a11_what_came_from_another_upstream_is_not_served_as_this_ones() {
    let (first, _) = serving(&image(1)).await;
    let storage = Arc::new(MemoryStorage::new());
    let over = |upstream: &Upstream| {
        here_with(vec![options(&upstream.url())], Arc::clone(&storage), RegistryOptions::default())
    };
    over(&first).cache.manifest(&name("a"), &reference("latest")).await.unwrap();
    let second = Upstream::start(|_| status(503)).await;
    assert!(over(&second).cache.manifest(&name("a"), &reference("latest")).await.is_err());
    first.now_plays(|_| status(503));
    assert!(over(&first).cache.manifest(&name("a"), &reference("latest")).await.is_ok());
}

#[tokio::test]
async fn lists_of_tags_are_the_upstreams_or_ours_while_it_is_down() {
    let (upstream, _) = serving(&image(1)).await;
    let (here, repository) = (here(&upstream), name("a"));
    here.cache.manifest(&repository, &reference("latest")).await.unwrap();
    let list = r#"{"name":"a","tags":["c","latest","a","b","no/tag"]}"#;
    upstream.now_plays(
        move |asked| if asked.path.contains("/tags/list?n=") { with(200, &[], list) } else { status(404) },
    );
    let texts = |page: TagPage| (page.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), page.more);
    let tags = async |last, limit| here.cache.tags(&repository, last, limit).await.map(texts);
    assert_eq!(
        tags(None, 10).await.unwrap(),
        (vec!["a".into(), "b".into(), "c".into(), "latest".into()], false)
    );
    assert_eq!(tags(Some("a"), 2).await.unwrap(), (vec!["b".into(), "c".into()], true));
    upstream.now_plays(|_| status(503));
    assert_eq!(tags(None, 10).await.unwrap(), (vec!["latest".into()], false));
    upstream.now_plays(|_| status(404));
    assert!(tags(None, 10).await.is_err());
}

/// Promise: what signs an image, or says something else of it, is listed through the cache: by the upstream's list, page after page,
/// or by the tag that stands for one.
#[tokio::test]
async fn referrers_are_the_upstreams() {
    let subject = digest(b"an image");
    let described = |text: &str, kind: &str| {
        let digest = digest(text.as_bytes());
        format!(r#"{{"mediaType":"m/m","digest":"{digest}","size":1,"artifactType":"{kind}"}}"#)
    };
    let index = |of: &[String]| {
        let media_type = "application/vnd.oci.image.index.v1+json";
        format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{}]}}"#, of.join(","))
    };
    let (first, second) = (described("1", "t/a"), described("2", "t/b"));
    let pages = [index(std::slice::from_ref(&first)), index(std::slice::from_ref(&second))];
    let upstream = Upstream::start(move |asked| match asked.path.rsplit_once('?') {
        None => with(200, &[("link", &format!("<{}?page=2>; rel=\"next\"", asked.path))], pages[0].clone()),
        Some(_) => with(200, &[], pages[1].clone()),
    })
    .await;
    let (here, repository) = (here(&upstream), name("a"));
    let listed = async |kind| {
        here.cache.referrers(&repository, &subject, kind, None).await.map(|page| page.referrers.len())
    };
    assert_eq!(listed(None).await.unwrap(), 2);
    assert_eq!(listed(Some("t/b")).await.unwrap(), 1);

    let tagged = index(&[first, second]);
    let tag = format!("/manifests/{}", subject.to_string().replace(':', "-"));
    upstream.now_plays(
        move |asked| if asked.path.ends_with(&tag) { with(200, &[], tagged.clone()) } else { status(404) },
    );
    assert_eq!(listed(None).await.unwrap(), 2);
    upstream.now_plays(|_| status(503));
    assert_eq!(listed(None).await.unwrap(), 2, "the tag's index is here");
    upstream.now_plays(|_| status(403));
    assert!(listed(None).await.is_err());
}
