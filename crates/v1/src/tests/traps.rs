//! The traps of docker-registry 0.x, each by its name, and what becomes of them here. Those of its rules are tested where the
//! rules are (crates/legacy/src/registry/tests.rs), those of its configuration in crates/config, those of its mock and its driver
//! suite by the conformance suite of storage, on a real Swift.
//!
//! | trap | here |
//! |---|---|
//! | with the LRU a tag cannot be deleted, deleted repositories are served, a repeated push is not written | `legacy: what_was_deleted_is_gone_and_can_be_pushed_again` |
//! | `STANDALONE=1` is not true; numbers for passwords; empty variables | `config: docker_registry::tests` |
//! | `X-Signature` never works | `signing_in::the_privileged_key_lets_in` |
//! | HEAD with a token to read with is 401 | `signing_in::head_is_a_reading` |
//! | an outage of Swift is absence | `legacy: an_outage_is_never_absence` |
//! | the mock hides bugs; `remove_folder` and the stream of 7 bytes test little | `storage: conformance`, on a real Swift with `naming: docker-registry` |
//! | `_index_images` is no authority | `legacy: images_do_not_need_the_list_of_what_was_to_be_pushed` |
//! | repositories of one kind of object, unfinished images, stale marks, no checksum, short identifiers | `legacy: what_the_traps_left_behind_is_read`, `what_the_traps_left_behind_is_served` |
//! | `tag_` and `tag…_json` meet; tags are listed as they are encoded | `legacy: tags_are_what_clients_called_them`, `tags_have_the_names_that_clients_gave_them` |
//! | an interrupted upload is 200 | `legacy: a_layer_whose_upload_was_cut_is_not_there`, `an_upload_that_was_cut_is_told` |
//! | JSON in chunks or as a form is not read | `json_is_read_however_it_is_sent` |
//! | `/v2/` changes what clients do | `no_other_version_is_offered` |
//! | what its documentation said and was not so | `what_documentation_promised` |
//! | `X-Docker-Size` is not the image's `Size` | `the_size_is_that_of_the_layer_as_it_is_stored` |

use apus_storage::BoxError;
use bytes::Bytes;
use futures_util::stream;
use http::Method;

use super::support::*;
use crate::V1Options;

#[tokio::test]
async fn what_the_traps_left_behind_is_served() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    put(&storage, "images/0123456789abcdef/json", r#"{"id":"0123456789abcdef"}"#).await;
    put(&storage, "images/0123456789abcdef/layer", "cut").await;
    put(&storage, "images/0123456789abcdef/ancestry", r#"["0123456789abcdef"]"#).await;
    put(&storage, "repositories/a/b/tag_latest", "0123456789abcdef").await;
    let json = get(&v1, "/v1/images/0123456789abcdef/json").await;
    assert_eq!((json.status, json.header("x-docker-size")), (200, "3"));
    assert!(!json.headers.contains_key("x-docker-checksum-payload"));
    assert_eq!(get(&v1, "/v1/images/0123456789abcdef/layer").await.said(), (200, "cut"));
    put(&storage, "images/0123456789abcdef/_checksum", "tarsum+sha256:00").await;
    let json = get(&v1, "/v1/images/0123456789abcdef/json").await;
    assert_eq!(json.header("x-docker-checksum-payload"), "tarsum+sha256:00");
    put(&storage, "images/0123456789abcdef/_checksum", r#"["sha256:1", "tarsum+sha256:2"]"#).await;
    let json = get(&v1, "/v1/images/0123456789abcdef/json").await;
    assert_eq!(json.headers.get_all("x-docker-checksum-payload").iter().count(), 2);
    put(&storage, "images/0123456789abcdef/_inprogress", "true").await;
    assert_eq!(get(&v1, "/v1/images/0123456789abcdef/json").await.status, 400);
    assert_eq!(
        get(&v1, "/v1/repositories/a/b/tags").await.said(),
        (200, r#"{"latest": "0123456789abcdef"}"#)
    );
    put(&storage, "repositories/a/private/_private", "").await;
    assert_eq!(get(&v1, "/v1/repositories/a/private/tags").await.said(), (200, "{}"));
}

#[tokio::test]
async fn tags_have_the_names_that_clients_gave_them() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    put(&storage, "repositories/a/b/tag_a+b", TOP).await;
    put(&storage, "repositories/a/b/tag_x_json", r#"{"last_update": 1}"#).await;
    put(&storage, "repositories/a/b/tag__x", TOP).await;
    let expected = format!(r#"{{"_x": "{TOP}", "a b": "{TOP}"}}"#);
    assert_eq!(get(&v1, "/v1/repositories/a/b/tags").await.said(), (200, &*expected));
    assert_eq!(get(&v1, "/v1/repositories/a/b/tags/a%20b").await.said(), (200, &*format!("\"{TOP}\"")));
    assert_eq!(get(&v1, "/v1/repositories/a/b/tags/_x/json").await.said(), (200, r#"{"last_update": 1}"#));
}

#[tokio::test]
async fn an_upload_that_was_cut_is_told() {
    let storage = sample().await;
    let v1 = over(&storage, V1Options::default());
    let json = json_of(NEW, None);
    assert_eq!(put_to(&v1, &format!("/v1/images/{NEW}/json"), &[], json.clone()).await.status, 200);
    for length in [None, Some(9)] {
        let mut cut = call(Method::PUT, &format!("/v1/images/{NEW}/layer"), &[], "");
        let pieces: Vec<Result<Bytes, BoxError>> =
            vec![Ok("half".into()), Err("the client went away".into())];
        (cut.body, cut.length) = (Box::pin(stream::iter(pieces)), length);
        assert_eq!(answered(&v1, cut).await.error(), (400, "The upload was not complete".to_owned()));
        assert_eq!(content(&storage, &format!("images/{NEW}/layer")).await, None);
    }
    // The next attempt goes on from there.
    push(&v1, NEW, None, "whole", &[]).await;
}

#[tokio::test]
async fn json_is_read_however_it_is_sent() {
    let v1 = over(&sample().await, V1Options::default());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let told = put_to(&v1, &format!("/v1/images/{NEW}/json"), &form, json_of(NEW, None)).await;
    assert_eq!(told.said(), (200, "true"));
    let mut chunked = call(Method::PUT, "/v1/repositories/acme/webapp/tags/x", &[], format!("\"{TOP}\""));
    chunked.length = None;
    assert_eq!(answered(&v1, chunked).await.said(), (200, "true"));
}

#[tokio::test]
async fn no_other_version_is_offered() {
    let v1 = over(&sample().await, V1Options::default());
    let told = get(&v1, "/v2/").await;
    assert_eq!(told.status, 404);
    assert!(!told.headers.contains_key("docker-distribution-api-version"));
    assert!(!crate::V1::is_path("/v2/") && crate::V1::is_path("/_ping") && crate::V1::is_path("/v1/_ping"));
}

#[tokio::test]
async fn what_documentation_promised() {
    let v1 = over(&sample().await, V1Options::default());
    for path in ["/_status", "/v1/_status", "/_versions"] {
        assert_eq!(get(&v1, path).await.status, 404);
    }
    let ping = get(&v1, "/_ping").await;
    for header in ["x-docker-registry-version", "x-docker-registry-config", "set-cookie"] {
        assert!(!ping.headers.contains_key(header), "{header}");
    }
}

#[tokio::test]
async fn the_size_is_that_of_the_layer_as_it_is_stored() {
    let v1 = over(&sample().await, V1Options::default());
    let json = get(&v1, &format!("/v1/images/{TOP}/json")).await;
    let said: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    assert_eq!((json.header("x-docker-size"), said["Size"].as_u64()), ("98579", Some(98_304)));
}
