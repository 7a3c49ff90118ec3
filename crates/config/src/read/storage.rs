//! `storage`: the one driver, and what holds for every driver.

use std::path::PathBuf;
use std::time::Duration;

use super::common::{no_effect, number, spell_out};
use super::{maintenance, swift, without_effect};
use crate::section::{Field, Section};
use crate::{ConfigError, FilesystemConfig, RedirectConfig, StorageConfig, StorageDriver, Warning, quantity};

const DRIVERS: &str = "one of filesystem, inmemory, swift";

/// Drivers of registry:2 and 3 that Apus does not have.
const FOREIGN_DRIVERS: [&str; 6] = ["azure", "gcs", "oss", "s3", "s3aws", "testdriver"];

pub(super) fn read(root: &mut Section, warnings: &mut Vec<Warning>) -> Result<StorageConfig, ConfigError> {
    let storage = root.take("storage");
    let mut section = root.required("storage", DRIVERS, storage.map(spell_out))?.section()?;

    let mut delete = section.section("delete")?;
    let delete_enabled = delete.boolean("enabled")?.unwrap_or(false);
    delete.finish(warnings);

    let redirect = redirect(section.section("redirect")?, warnings)?;
    let (read_only, upload_purging) = maintenance::read(section.section("maintenance")?, warnings)?;
    without_effect::cache(section.section("cache")?, warnings)?;
    without_effect::tag(section.section("tag")?, warnings)?;
    let driver = driver(section, warnings)?;
    Ok(StorageConfig { driver, delete_enabled, redirect, read_only, upload_purging })
}

fn redirect(mut section: Section, warnings: &mut Vec<Warning>) -> Result<RedirectConfig, ConfigError> {
    // That clocks agree so far is proven before anyone is sent anywhere.
    const LEAST: Duration = Duration::from_mins(5);
    const MOST: Duration = Duration::from_hours(24);
    let default = RedirectConfig::default();
    let disabled = section.boolean("disable")?.unwrap_or(!default.enabled);
    let lifetime = section.parse("lifetime", "a time from 5m to 24h, such as 20m", |text| {
        quantity::duration(text).filter(|time| (LEAST..=MOST).contains(time))
    })?;
    section.finish(warnings);
    Ok(RedirectConfig { enabled: !disabled, lifetime: lifetime.unwrap_or(default.lifetime) })
}

/// Reads what is left of `storage`, which can only be drivers.
fn driver(mut section: Section, warnings: &mut Vec<Warning>) -> Result<StorageDriver, ConfigError> {
    let filesystem = section.take("filesystem");
    let in_memory = section.take("inmemory");
    let swift = section.take("swift");
    if let Some(stranger) = section.take_rest().first() {
        return Err(unknown_driver(stranger, &section));
    }

    let mut given: Vec<Field> = [filesystem, in_memory, swift].into_iter().flatten().collect();
    given.sort_by_key(|driver| (driver.key.place.line, driver.key.place.column));
    let mut given = given.into_iter();
    let first = section.required("<driver>", DRIVERS, given.next())?;
    if let Some(second) = given.next() {
        return Err(ConfigError::TwoDrivers {
            place: second.key.place,
            key: second.key.path,
            first: first.key.place,
            first_key: first.key.path,
        });
    }
    match first.key.name.as_str() {
        "filesystem" => filesystem_driver(first.section()?, warnings).map(StorageDriver::Filesystem),
        "swift" => swift::read(first, warnings).map(|swift| StorageDriver::Swift(Box::new(swift))),
        _inmemory => {
            first.section()?.finish(warnings);
            Ok(StorageDriver::InMemory)
        }
    }
}

fn unknown_driver(stranger: &Field, section: &Section) -> ConfigError {
    let reason = if FOREIGN_DRIVERS.contains(&stranger.key.name.as_str()) {
        format!("Apus has no such storage driver; expected {DRIVERS}")
    } else {
        format!(
            "no storage driver or key of storage; expected {DRIVERS}{}",
            section.suggestion(&stranger.key.name)
        )
    };
    stranger.key.unsupported(&reason)
}

fn filesystem_driver(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<FilesystemConfig, ConfigError> {
    let root_directory = section.text("rootdirectory")?.unwrap_or_else(|| "/var/lib/registry".to_owned());
    no_effect(&section, "maxthreads", "Apus bounds its work on files by itself", warnings);
    number(&mut section, "maxthreads")?;
    section.finish(warnings);
    Ok(FilesystemConfig { root_directory: PathBuf::from(root_directory) })
}

#[cfg(test)]
mod tests;
