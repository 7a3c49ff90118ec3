use std::time::Duration;

use super::*;
use crate::answer::AnswerBody;

/// The status, the code, the seconds to wait, and the whole body.
async fn told(failure: Failure) -> (u16, String, Option<u64>, String) {
    let answer = failure.answer();
    let retry_after =
        answer.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().parse().unwrap());
    let status = answer.status().as_u16();
    let body: AnswerBody = answer.into_body();
    let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    let told: Value = serde_json::from_slice(&body).unwrap();
    (
        status,
        told["errors"][0]["code"].as_str().unwrap().into(),
        retry_after,
        String::from_utf8(body.into()).unwrap(),
    )
}

#[tokio::test]
async fn a_failure_of_storage_tells_nothing_of_storage() {
    let unavailable = |seconds| ErrorKind::Unavailable { retry_after: Some(Duration::from_secs(seconds)) };
    for (kind, status, code, retry_after) in [
        (unavailable(17), 503, "UNAVAILABLE", Some(17)),
        (unavailable(0), 503, "UNAVAILABLE", Some(1)),
        (ErrorKind::UNAVAILABLE, 503, "UNAVAILABLE", Some(5)),
        (ErrorKind::Denied, 503, "UNAVAILABLE", Some(60)),
        (ErrorKind::Full, 507, "UNAVAILABLE", Some(60)),
        (ErrorKind::TooLarge, 413, "SIZE_INVALID", None),
        (ErrorKind::InvalidName, 400, "NAME_INVALID", None),
        (ErrorKind::StageMoved, 409, "BLOB_UPLOAD_INVALID", None),
        (ErrorKind::Damaged, 500, "UNKNOWN", None),
        (ErrorKind::UnknownVersion, 500, "UNKNOWN", None),
        (ErrorKind::Unexpected, 500, "UNKNOWN", None),
    ] {
        let error = StorageError::new(kind, "PUT", "docker/registry/v2/secret-name")
            .with_source("https://swift.internal/v1/AUTH_secret: 500, X-Trans-Id: tx-secret")
            .with_advice("look into secret");
        let (told_status, told_code, told_retry_after, body) = told(Error::Storage(error).into()).await;
        assert_eq!(
            (told_status, told_code.as_str(), told_retry_after),
            (status, code, retry_after),
            "{body}"
        );
        for internal in ["secret", "docker/", "swift", "AUTH", "X-Trans", "PUT"] {
            assert!(!body.contains(internal), "{internal}: {body}");
        }
    }
}

#[tokio::test]
async fn who_is_to_come_again_is_told_when() {
    for (status, seconds) in [
        (StatusCode::TOO_MANY_REQUESTS, Some(5)),
        (StatusCode::SERVICE_UNAVAILABLE, Some(5)),
        (StatusCode::INSUFFICIENT_STORAGE, Some(60)),
        (StatusCode::NOT_FOUND, None),
    ] {
        let (.., retry_after, _) = told(Failure::new(status, ErrorCode::TooManyRequests, "x")).await;
        assert_eq!(retry_after, seconds, "{status}");
    }
    let (_, code, ..) =
        told(Failure::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, "x")).await;
    assert_eq!(code, "TOOMANYREQUESTS", "as the specification writes it");
}
