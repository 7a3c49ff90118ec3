//! `storage.maintenance`

use super::common::duration;
use crate::section::Section;
use crate::{ConfigError, UploadPurging, Warning};

/// Whether nothing may be written, and what becomes of uploads that nobody goes on with.
pub(super) fn read(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<(bool, Option<UploadPurging>), ConfigError> {
    let mut readonly = section.section("readonly")?;
    let read_only = readonly.boolean("enabled")?.unwrap_or(false);
    readonly.finish(warnings);
    let upload_purging = upload_purging(section.section("uploadpurging")?, warnings)?;
    section.finish(warnings);
    Ok((read_only, upload_purging))
}

/// registry:2 wants all keys where any is given; here each has its default.
fn upload_purging(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<UploadPurging>, ConfigError> {
    let default = UploadPurging::default();
    let enabled = section.boolean("enabled")?.unwrap_or(true);
    let purging = UploadPurging {
        age: duration(&mut section, "age", warnings)?.unwrap_or(default.age),
        interval: duration(&mut section, "interval", warnings)?.unwrap_or(default.interval),
        dry_run: section.boolean("dryrun")?.unwrap_or(default.dry_run),
    };
    section.finish(warnings);
    Ok(enabled.then_some(purging))
}
