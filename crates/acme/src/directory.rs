//! What is kept over restarts, in a directory that nobody else may read: `certificate.pem`, the key and the certificates behind one
//! another, and `account.json`, as whom the authority knows us. Each file is replaced whole. Reading and writing block.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use serde::{Deserialize, Serialize};

use crate::BoxError;

/// The most that is read of a file, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be {verb}", file.display())]
pub struct DirectoryError {
    verb: &'static str,
    file: PathBuf,
    source: BoxError,
}

/// As whom an authority knows us.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptAccount {
    /// Which authority: the URL of its directory.
    pub(crate) authority: String,
    pub(crate) credentials: AccountCredentials,
}

#[derive(Debug, Clone)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Makes it, if it is not there.
    pub(crate) fn open(path: PathBuf) -> Result<Self, DirectoryError> {
        let failed = |source: BoxError| DirectoryError { verb: "made", file: path.clone(), source };
        if path.is_file() {
            return Err(failed("it is a file; name a directory of Apus's own".into()));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|error| failed(error.into()))?;
        Ok(Self(path))
    }

    /// Where the certificate is, with its key.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    fn account(&self) -> PathBuf {
        self.0.join("account.json")
    }

    /// `None` if there is none yet.
    pub(crate) fn read_certificate(&self) -> Result<Option<Vec<u8>>, DirectoryError> {
        read(&self.certificate())
    }

    pub(crate) fn keep_certificate(&self, pem: &str) -> Result<(), DirectoryError> {
        replace(&self.certificate(), pem.as_bytes())
    }

    /// The account at this authority; `None` if there is none yet.
    pub(crate) fn read_account(&self, authority: &str) -> Result<Option<KeptAccount>, DirectoryError> {
        let Some(content) = read(&self.account())? else { return Ok(None) };
        let kept: KeptAccount = serde_json::from_slice(&content).map_err(|error| DirectoryError {
            verb: "understood",
            file: self.account(),
            source: error.into(),
        })?;
        Ok(Some(kept).filter(|kept| kept.authority == authority))
    }

    pub(crate) fn keep_account(&self, account: &KeptAccount) -> Result<(), DirectoryError> {
        let failed = |error: serde_json::Error| DirectoryError {
            verb: "written",
            file: self.account(),
            source: error.into(),
        };
        replace(&self.account(), &serde_json::to_vec(account).map_err(failed)?)
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, DirectoryError> {
    let mut content = Vec::new();
    match File::open(file).and_then(|file| file.take(LARGEST).read_to_end(&mut content)) {
        Ok(_) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DirectoryError { verb: "read", file: file.to_owned(), source: error.into() }),
    }
}

fn replace(file: &Path, content: &[u8]) -> Result<(), DirectoryError> {
    let new = file.with_extension("new");
    let written = || {
        let mut options = OpenOptions::new();
        let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        written.write_all(content)?;
        written.sync_all()?;
        std::fs::rename(&new, file)
    };
    written().map_err(|error| DirectoryError { verb: "written", file: file.to_owned(), source: error.into() })
}
