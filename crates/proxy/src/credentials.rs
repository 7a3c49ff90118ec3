//! As whom to come: a user and a password from the configuration, or from a Docker credential helper, whose word is kept for
//! as long as it is good.

use std::process::Stdio;
use std::time::Duration;

use apus_http_client::BoxError;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::Credentials;

/// How long a helper may take.
const HELPER_TIME: Duration = Duration::from_secs(30);
/// The longest word of a helper, in bytes.
const HELPER_LIMIT: u64 = 64 * 1024;

/// A user and a password.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    username: String,
    password: SecretString,
}

impl Login {
    /// For `Authorization` (RFC 7617). It is shown by no `Debug`.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        let pair = format!("{}:{}", self.username, self.password.expose_secret());
        let mut value =
            HeaderValue::try_from(format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Where a login comes from.
#[derive(Debug)]
pub(crate) struct Logins {
    credentials: Option<Credentials>,
    /// What a helper is asked for: host and port of the upstream.
    server: String,
    helped: Mutex<Option<(Instant, Login)>>,
}

impl Logins {
    pub(crate) fn new(credentials: Option<Credentials>, server: String) -> Self {
        Self { credentials, server, helped: Mutex::default() }
    }

    /// Whether there is something that could be stolen.
    pub(crate) fn is_anyone(&self) -> bool {
        self.credentials.is_none()
    }

    /// The login of this moment; `None` to come as anyone.
    pub(crate) async fn login(&self) -> Result<Option<Login>, BoxError> {
        match &self.credentials {
            None => Ok(None),
            Some(Credentials::Password { username, password }) => {
                Ok(Some(Login { username: username.clone(), password: password.clone() }))
            }
            Some(Credentials::Helper { command, lifetime }) => {
                let mut helped = self.helped.lock().await;
                if let Some((asked, login)) = &*helped
                    && lifetime.is_none_or(|lifetime| asked.elapsed() < lifetime)
                {
                    return Ok(Some(login.clone()));
                }
                let login = timeout(HELPER_TIME, ask(command, &self.server)).await??;
                *helped = Some((Instant::now(), login.clone()));
                Ok(Some(login))
            }
        }
    }

    /// The last word of a helper was not believed: it is asked again next time.
    pub(crate) async fn distrust(&self) {
        *self.helped.lock().await = None;
    }
}

/// Asks a helper by the protocol of docker-credential-helpers: `get`, the server on standard input, JSON on standard output.
async fn ask(command: &str, server: &str) -> Result<Login, BoxError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Word {
        username: String,
        secret: String,
    }
    let mut child = Command::new(command)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(server.as_bytes()).await?;
    }
    let mut word = Vec::new();
    if let Some(output) = child.stdout.take() {
        output.take(HELPER_LIMIT).read_to_end(&mut word).await?;
    }
    let status = child.wait().await?;
    if !status.success() {
        return Err(format!("it ended with {status}").into());
    }
    // The parser's own words could show what it was given.
    let Word { username, secret } =
        serde_json::from_slice(&word).map_err(|_| "it gave no Username and Secret in JSON")?;
    Ok(Login { username, password: secret.into() })
}

#[cfg(test)]
mod tests;
