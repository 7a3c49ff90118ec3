//! Answers that no Swift should give, and dialects that some give.

use apus_storage::{ByteRange, ErrorKind, Freshness, StagePosition, Storage, WriteMode};

use crate::odd::Odd;
use crate::support::{MEBIBYTE, append, name, random, stage, staged, storage, streamed_body};

#[tokio::test]
async fn bytes_that_changed_on_the_way_are_not_kept() {
    let odd = Odd::start(|method, _| match method {
        "PUT" => ("201 Created\r\nEtag: 00000000000000000000000000000000", ""),
        _ => ("204 No Content", ""),
    })
    .await;
    let storage = storage(&odd.config);
    let body = streamed_body(&random(2 * MEBIBYTE));
    let error = storage.write(&name("o"), body, WriteMode::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{}", error.report());
    assert_eq!(odd.asked(), ["PUT /v1/a/registry/files/o", "DELETE /v1/a/registry/files/o"]);

    let bytes = random(2 * MEBIBYTE);
    let error = append(&storage, &stage("s"), StagePosition::Start, &bytes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{}", error.report());
    assert!(
        odd.asked()[3].starts_with("DELETE /v1/a/registry/segments/apus/s/00000000-"),
        "{:?}",
        odd.asked()
    );
}

/// The manifest of a large object, stored as an object of its own, must not be taken for a blob.
#[tokio::test]
async fn a_cluster_without_large_objects_is_found_out() {
    let odd = Odd::start(|method, _| match method {
        "PUT" => ("201 Created", ""),
        "HEAD" => ("200 OK\r\nEtag: 123", "xyz"),
        _ => ("204 No Content", ""),
    })
    .await;
    let storage = storage(&odd.config);
    let (stage, state) = staged(&storage, "s", &random(2 * MEBIBYTE)).await;
    let published = storage.stage_publish(&stage, &state.revision, &name("o"), WriteMode::IfAbsent).await;
    let error = published.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected, "{}", error.report());
    assert!(error.to_string().contains("slo"), "{error}");
    assert!(odd.asked().contains(&"DELETE /v1/a/registry/files/o".to_owned()), "{:?}", odd.asked());
}

#[tokio::test]
async fn tags_may_come_with_quotes_and_times_not_at_all() {
    let odd =
        Odd::start(|_, _| ("200 OK\r\nEtag: \"0123\"\r\nX-Object-Meta-Static-Large-Object: True", "abc"))
            .await;
    let storage = storage(&odd.config);
    let info = storage.stat(&name("o"), Freshness::Any).await.unwrap().unwrap();
    assert_eq!((info.size, info.entity_tag.as_deref()), (3, Some("0123")));
}

#[tokio::test]
async fn a_range_that_is_not_kept_to_is_no_content() {
    let odd = Odd::start(|_, _| ("200 OK", "abcdef")).await;
    let storage = storage(&odd.config);
    let range = ByteRange::FromTo { first: 1, last: 2 };
    let error = storage.read(&name("o"), range, Freshness::Any).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected, "{}", error.report());
}

#[tokio::test]
async fn a_quota_is_told_from_a_limit() {
    let odd = Odd::start(|_, path| match path {
        "/v1/a/registry/files/quota" => ("413 Request Entity Too Large", "Upload exceeds quota."),
        _ => ("413 Request Entity Too Large", "<html><h1>Request Entity Too Large</h1></html>"),
    })
    .await;
    let storage = storage(&odd.config);
    for (object, kind) in [("quota", ErrorKind::Full), ("limit", ErrorKind::TooLarge)] {
        let error = storage.write(&name(object), random(10).into(), WriteMode::IfAbsent).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{}", error.report());
    }
}
