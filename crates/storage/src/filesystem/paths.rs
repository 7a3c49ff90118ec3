//! Which file is which. Only here are names turned into paths.
//!
//! ```text
//! <root>/<name of an object>      its content
//! <root>/.apus/tmp/<random>       what is being written
//! <root>/.apus/stages/<id>.data   the bytes of a stage; past the committed offset, leftovers
//! <root>/.apus/stages/<id>.json   the record of a stage
//! <root>/.apus/stages/<id>.link   the data's second name, while it is put in the place of another object
//! ```

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{ObjectName, StageId};

const OWN: &str = ".apus";
const DATA: &str = "data";
const RECORD: &str = "json";
const LINK: &str = "link";

/// Whether a name, or a prefix with its closing slash, begins with the component that is ours.
pub(super) fn is_reserved(name: &str) -> bool {
    name.split('/').next() == Some(OWN)
}

/// The stage that a file of the stages' directory belongs to.
pub(super) fn stage_of(file_name: &OsStr) -> Option<StageId> {
    let (id, extension) = file_name.to_str()?.split_once('.')?;
    if extension == DATA || extension == RECORD { StageId::parse(id).ok() } else { None }
}

fn identity(root: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(root).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The paths under one root.
#[derive(Debug)]
pub(super) struct Paths {
    root: PathBuf,
    /// Device and number of the root of one who only reads, and so has no directory of its own there.
    identity: Option<(u64, u64)>,
    temporary: PathBuf,
    stages: PathBuf,
}

impl Paths {
    pub(super) fn new(root: PathBuf) -> Self {
        let own = root.join(OWN);
        Self { root, identity: None, temporary: own.join("tmp"), stages: own.join("stages") }
    }

    /// Those of one who only reads.
    pub(super) fn of_what_is_there(root: PathBuf) -> io::Result<Self> {
        let identity = Some(identity(&root)?);
        Ok(Self { identity, ..Self::new(root) })
    }

    /// Whether the root is still the one that was opened: an empty mount point is not.
    pub(super) fn see_that_root_is_there(&self) -> io::Result<()> {
        match self.identity {
            None => fs::metadata(&self.temporary).map(drop),
            Some(opened) if identity(&self.root)? == opened => Ok(()),
            Some(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn temporary_directory(&self) -> &Path {
        &self.temporary
    }

    pub(super) fn stages_directory(&self) -> &Path {
        &self.stages
    }

    /// Where an object lies; `None` when the name is reserved.
    pub(super) fn object(&self, name: &ObjectName) -> Option<PathBuf> {
        (!is_reserved(name.as_str())).then(|| self.root.join(name.as_str()))
    }

    /// A name that no file has had.
    pub(super) fn temporary(&self) -> PathBuf {
        self.temporary.join(data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>()))
    }

    pub(super) fn stage_data(&self, stage: &StageId) -> PathBuf {
        self.stages.join(format!("{stage}.{DATA}"))
    }

    pub(super) fn stage_link(&self, stage: &StageId) -> PathBuf {
        self.stages.join(format!("{stage}.{LINK}"))
    }

    pub(super) fn stage_record(&self, stage: &StageId) -> PathBuf {
        self.stages.join(format!("{stage}.{RECORD}"))
    }
}
