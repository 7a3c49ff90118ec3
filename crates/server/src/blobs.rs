//! Blobs: whether there is one, and its bytes (OCI distribution specification, "Pulling blobs").

use apus_registry::{Digest, RepositoryName};
use http::request::Parts;
use http::{Response, StatusCode, header};

use crate::App;
use crate::answer::{Answer, AnswerBody, CONTENT_DIGEST, WithHeader, status};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::{none_match, range};

impl App {
    pub(crate) async fn head_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        let info = self.registry().blob_info(name, digest).await?;
        if none_match(&head.headers, &digest.to_string()) {
            return Ok(described(status(StatusCode::NOT_MODIFIED), digest));
        }
        let answer = described(status(StatusCode::OK), digest);
        Ok(answer
            .with_header(header::CONTENT_TYPE, "application/octet-stream")
            .with_header(header::CONTENT_LENGTH, info.size.to_string()))
    }

    pub(crate) async fn get_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        head: &Parts,
    ) -> Result<Answer, Failure> {
        if none_match(&head.headers, &digest.to_string()) {
            self.registry().blob_info(name, digest).await?;
            return Ok(described(status(StatusCode::NOT_MODIFIED), digest));
        }
        let wanted = range(&head.headers);
        let partial = wanted != apus_storage::ByteRange::Full;
        let blob = self.registry().open_blob(name, digest, wanted).await?;
        if partial && blob.range.is_empty() {
            let message = format!("the blob has {} bytes; the range selects none of them", blob.size);
            let failure = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::SizeInvalid, message);
            return Ok(failure.answer().with_header(header::CONTENT_RANGE, format!("bytes */{}", blob.size)));
        }
        let length = blob.range.end - blob.range.start;
        let mut answer = Response::new(AnswerBody::stream(length, blob.stream));
        if partial {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            let (first, last) = (blob.range.start, blob.range.end - 1);
            answer = answer.with_header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", blob.size));
        }
        Ok(described(answer, digest)
            .with_header(header::CONTENT_TYPE, "application/octet-stream")
            .with_header(header::CONTENT_LENGTH, length.to_string()))
    }
}

fn described(answer: Answer, digest: &Digest) -> Answer {
    let digest = digest.to_string();
    answer
        .with_header(header::ACCEPT_RANGES, "bytes")
        .with_header(header::CACHE_CONTROL, "max-age=31536000")
        .with_header(header::ETAG, format!("\"{digest}\""))
        .with_header(CONTENT_DIGEST, digest)
}
