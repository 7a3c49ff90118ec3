//! One look: what is looked at, and what can be wrong with it. The words are those of registry:2 as far as it has some, with
//! the cause behind them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use apus_http_client::{Failure, HttpClient, RequestBody};
use apus_storage::{ListRequest, Storage, StorageError};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use tokio::net::TcpStream;

/// How long a look may take where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is looked at.
#[derive(Debug)]
pub enum Probe {
    /// A file by which a person says that something is wrong: well while it is not there.
    File(PathBuf),
    /// A service that is well while it answers `HEAD` with this status. Redirects are not followed.
    Http {
        /// Sends the request.
        client: Box<HttpClient>,
        /// What is asked.
        uri: Uri,
        /// Sent along. Not shown by `Debug` where they are marked as sensitive.
        headers: HeaderMap,
        /// What is expected.
        status: StatusCode,
        /// From the wish to ask to the head of the answer; `None` for 30 s.
        timeout: Option<Duration>,
    },
    /// A service that is well while it takes connections.
    Tcp {
        /// `host:port`
        address: String,
        /// To resolve the name and connect; `None` for 30 s.
        timeout: Option<Duration>,
    },
    /// A storage that is well while it gives the first entry of its list, within 30 s.
    Storage(Arc<dyn Storage>),
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The file is there.
    #[error("file exists")]
    FileExists,
    /// Nobody knows whether the file is there.
    #[error("cannot look for the file: {0}")]
    File(#[source] io::Error),
    /// The service has not answered.
    #[error("no answer: {}", report(_0))]
    NoAnswer(#[source] Failure),
    /// The service has answered otherwise.
    #[error("downstream service returned unexpected status: {}", _0.as_u16())]
    Status(StatusCode),
    /// Nobody takes connections.
    #[error("connection to {address} failed: {source}")]
    Connection {
        /// `host:port`
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The storage does not answer, or not as it should.
    #[error("{}", _0.report())]
    Storage(#[source] StorageError),
    /// It took too long.
    #[error("nothing came of it within {} s", _0.as_secs_f32())]
    TooSlow(Duration),
}

impl Probe {
    /// Looks once, whatever comes of it, within its time.
    pub async fn look(&self) -> Result<(), Trouble> {
        let patience = match self {
            Self::Http { timeout, .. } | Self::Tcp { timeout, .. } => timeout.unwrap_or(PATIENCE),
            Self::File(_) | Self::Storage(_) => PATIENCE,
        };
        tokio::time::timeout(patience, self.look_patiently()).await.unwrap_or(Err(Trouble::TooSlow(patience)))
    }

    async fn look_patiently(&self) -> Result<(), Trouble> {
        match self {
            Self::File(path) => match tokio::fs::metadata(path).await {
                Ok(_) => Err(Trouble::FileExists),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(Trouble::File(error)),
            },
            Self::Http { client, uri, headers, status, .. } => {
                let mut request = Request::new(RequestBody::empty());
                *request.method_mut() = Method::HEAD;
                request.uri_mut().clone_from(uri);
                request.headers_mut().clone_from(headers);
                let answer = client.send(request).await.map_err(Trouble::NoAnswer)?;
                if answer.status == *status { Ok(()) } else { Err(Trouble::Status(answer.status)) }
            }
            Self::Tcp { address, .. } => match TcpStream::connect(address).await {
                Ok(_) => Ok(()),
                Err(source) => Err(Trouble::Connection { address: address.clone(), source }),
            },
            Self::Storage(storage) => {
                let first = ListRequest::everything().limit(1);
                storage.list(&first).await.map(|_| ()).map_err(Trouble::Storage)
            }
        }
    }
}

/// A failure and its causes on one line.
fn report(failure: &Failure) -> String {
    let mut text = failure.error.to_string();
    let mut cause = std::error::Error::source(&failure.error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
