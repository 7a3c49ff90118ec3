//! An index: the server that knew users and repositories, beside the registry that kept the images. It is asked at each request
//! whether the client's token is good; what cannot be asked is not known, and nobody is let in by it.

use apus_legacy::{ImageId, Repository};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use crate::outgoing::{Outgoing, OutgoingError};
use crate::replies::Failure;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 4 << 20;

/// An index.
#[derive(Debug)]
pub struct Index {
    outgoing: Outgoing,
    /// Without a slash at its end.
    endpoint: String,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Access {
    #[serde(default)]
    access: bool,
}

impl Index {
    /// The index at `index_endpoint`.
    #[must_use]
    pub fn new(outgoing: Outgoing, endpoint: &str) -> Self {
        Self { outgoing, endpoint: endpoint.trim_matches('/').to_owned() }
    }

    /// The images of a repository, if the token is good for it; `None` if the index refuses.
    pub(crate) async fn images(
        &self,
        repository: &Repository,
        authorization: &str,
    ) -> Result<Option<Vec<ImageId>>, Failure> {
        let named: Option<Vec<Named>> =
            self.ask(&format!("{}/images", path(repository)), authorization).await?;
        Ok(named.map(|named| named.iter().filter_map(|image| ImageId::parse(&image.id)).collect()))
    }

    /// Whether the owner of a token for a repository may use an image of any.
    pub(crate) async fn may_access(
        &self,
        repository: &Repository,
        id: &ImageId,
        authorization: &str,
    ) -> Result<bool, Failure> {
        let path = format!("{}/layer/{id}/access", path(repository));
        Ok(self.ask::<Access>(&path, authorization).await?.is_some_and(|answer| answer.access))
    }

    async fn ask<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        authorization: &str,
    ) -> Result<Option<T>, Failure> {
        match self.get(path, authorization).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                tracing::warn!(%error, endpoint = self.endpoint, "the index could not be asked");
                Err(Failure::no_index())
            }
        }
    }

    async fn get<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        authorization: &str,
    ) -> Result<Option<T>, OutgoingError> {
        let mut headers = HeaderMap::new();
        if let Ok(mut value) = HeaderValue::try_from(authorization) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let answer = self.outgoing.get(&format!("{}{path}", self.endpoint), headers).await?;
        match answer.status {
            StatusCode::OK => {
                let content = answer.body.collect(LONGEST).await?;
                serde_json::from_slice(&content).map(Some).map_err(OutgoingError::Content)
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(OutgoingError::Status(status))
            }
            _ => Ok(None),
        }
    }
}

fn path(repository: &Repository) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let (namespace, name) = (repository.namespace(), repository.name());
    format!(
        "/v1/repositories/{}/{}",
        utf8_percent_encode(namespace, ENCODED),
        utf8_percent_encode(name, ENCODED)
    )
}
