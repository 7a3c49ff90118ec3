//! Secrets: in memory, or in a file that somebody else may change.

use std::path::PathBuf;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;

/// More than any password, key or token has.
const LONGEST: u64 = 64 * 1024;

/// A password, a key or a token. No output shows it.
///
/// ```
/// use apus_swift::Secret;
///
/// let known = Secret::from("correct horse battery staple");
/// let mounted = Secret::file("/run/secrets/swift-password");
/// assert!(!format!("{known:?} {mounted:?}").contains("horse"));
/// ```
#[derive(Debug, Clone)]
pub enum Secret {
    /// Itself.
    Text(SecretString),
    /// The file that holds it, as UTF-8. It is read at each sign-in, so that a new secret is used without a restart. One
    /// line break at its end is not part of the secret.
    File(PathBuf),
}

impl Secret {
    /// The secret in this file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// The secret as it is now.
    pub(crate) async fn read(&self) -> Result<SecretString, UnreadableSecret> {
        let path = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let unreadable = |reason: String| UnreadableSecret { path: path.clone(), reason };
        let read = async {
            let mut text = String::new();
            tokio::fs::File::open(path).await?.take(LONGEST + 1).read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        let text = read.await.map_err(|error| unreadable(error.to_string()))?;
        let secret = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
        if secret.is_empty() {
            return Err(unreadable("it is empty".to_owned()));
        }
        if text.len() as u64 > LONGEST {
            return Err(unreadable(format!("it is longer than {LONGEST} bytes")));
        }
        Ok(secret.into())
    }
}

/// A file with a secret that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the secret in {} cannot be read: {reason}", path.display())]
pub(crate) struct UnreadableSecret {
    path: PathBuf,
    reason: String,
}

impl From<SecretString> for Secret {
    fn from(text: SecretString) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_each_time_and_one_line_break_is_not_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let secret = Secret::file(&path);
        for (content, expected) in [
            ("one", "one"),
            ("two\n", "two"),
            ("three\r\n", "three"),
            ("four\n\n", "four\n"),
            (" five ", " five "),
            ("s\u{e9}same", "s\u{e9}same"),
        ] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(secret.read().await.unwrap().expose_secret(), expected);
        }
    }

    #[tokio::test]
    async fn a_file_that_holds_no_secret_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let read = async || Secret::file(&path).read().await.unwrap_err().to_string();
        assert!(read().await.contains("password cannot be read: No such file"));
        let long = "x".repeat(70_000);
        for (content, reason) in
            [(&b""[..], "empty"), (b"\n", "empty"), (b"\xff", "utf-8"), (long.as_bytes(), "longer")]
        {
            std::fs::write(&path, content).unwrap();
            assert!(read().await.contains(reason), "{}", read().await);
        }
    }
}
