//! The record of a stage, version 1: a JSON object with `version`, `revision`, `offset` in bytes, and `checkpoint` in base64
//! (RFC 4648 section 4). A record of a later version is left alone.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::filesystem::paths::Paths;
use crate::filesystem::subject::{Subject, absent_as_none};
use crate::{BoxError, ErrorKind, Result, StageId, StageRevision, StageState};

const VERSION: u32 = 1;
/// A record with the longest checkpoint has less than half of this.
const MAX_BYTES: u64 = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    revision: String,
    offset: u64,
    checkpoint: String,
}

/// The part that every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// What the record of a stage says; `None` when there is none.
pub(super) fn read_record(stage: &StageId, subject: &Subject) -> Result<Option<StageState>> {
    let mut text = Vec::new();
    let opened = absent_as_none(File::open(subject.paths().stage_record(stage)));
    let Some(file) = opened.map_err(|error| subject.io(error))? else { return Ok(None) };
    file.take(MAX_BYTES).read_to_end(&mut text).map_err(|error| subject.io(error))?;

    let damaged = |error: BoxError| {
        subject
            .error(ErrorKind::Damaged)
            .with_source(error)
            .with_advice("the record of this upload cannot be read; the client must begin anew")
    };
    let Versioned { version } = serde_json::from_slice(&text).map_err(|error| damaged(error.into()))?;
    if version > VERSION {
        return Err(subject.error(ErrorKind::UnknownVersion).with_advice(format!(
            "its record has version {version}, this Apus knows {VERSION}: use the newer one"
        )));
    }
    let record: Record = serde_json::from_slice(&text).map_err(|error| damaged(error.into()))?;
    let checkpoint = BASE64.decode(record.checkpoint.as_bytes()).map_err(|error| damaged(error.into()))?;
    Ok(Some(StageState {
        revision: StageRevision::from_text(record.revision),
        offset: record.offset,
        checkpoint: checkpoint.into(),
    }))
}

/// Writes a record under a temporary name and flushes it. To rename it is the commit.
pub(super) fn prepare(state: &StageState, paths: &Paths) -> io::Result<PathBuf> {
    let text = serde_json::to_vec(&Record {
        version: VERSION,
        revision: state.revision.as_str().to_owned(),
        offset: state.offset,
        checkpoint: BASE64.encode(&state.checkpoint),
    })?;
    let path = paths.temporary();
    let mut file = File::create_new(&path)?;
    match file.write_all(&text).and_then(|()| file.sync_all()) {
        Ok(()) => Ok(path),
        Err(error) => {
            // The first error is the one to tell; what stays is removed a day later.
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}
