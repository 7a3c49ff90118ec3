//! `storage`: the one driver, and what holds for every driver.

use std::path::PathBuf;

use super::swift;
use crate::section::{Field, Section};
use crate::tree::{Entry, Node, Value};
use crate::{ConfigError, FilesystemConfig, StorageConfig, StorageDriver, Warning};

const DRIVERS: &str = "one of filesystem, inmemory, swift";

/// Drivers of registry:2 and 3 that Apus does not have.
const FOREIGN_DRIVERS: [&str; 6] = ["azure", "gcs", "oss", "s3", "s3aws", "testdriver"];

pub(super) fn read(root: &mut Section, warnings: &mut Vec<Warning>) -> Result<StorageConfig, ConfigError> {
    let storage = root.take("storage");
    let mut section = root.required("storage", DRIVERS, storage.map(spell_out))?.section()?;

    let mut delete = section.section("delete")?;
    let delete_enabled = delete.boolean("enabled")?.unwrap_or(false);
    delete.finish(warnings);

    maintenance(section.section("maintenance")?, warnings)?;
    for (name, reason) in [
        ("cache", "what is cached is not to be chosen"),
        ("redirect", "every byte is streamed through the registry, no client is redirected"),
        ("tag", "how tags are looked up is not to be chosen"),
    ] {
        section.not_obeyed(name, reason, warnings);
    }
    Ok(StorageConfig { driver: driver(section, warnings)?, delete_enabled })
}

/// `storage: inmemory` is short for `storage: {inmemory: }`.
fn spell_out(mut storage: Field) -> Field {
    if let Value::Scalar(driver) = &storage.node.value
        && driver.is_set()
    {
        let place = storage.node.place.clone();
        let entry = Entry { key: driver.text.clone(), key_place: place.clone(), node: Node::null(place) };
        storage.node.value = Value::Mapping(vec![entry]);
    }
    storage
}

fn maintenance(mut section: Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    section.not_obeyed("uploadpurging", "old uploads are not purged by these rules", warnings);
    let mut readonly = section.section("readonly")?;
    if let Some(enabled) = readonly.take("enabled") {
        let unsupported = enabled.key.unsupported(
            "refusing to start: this version cannot refuse writes; remove this key if writes may be taken",
        );
        if enabled.boolean()? == Some(true) {
            return Err(unsupported);
        }
    }
    readonly.finish(warnings);
    section.finish(warnings);
    Ok(())
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
        "swift" => {
            let swift = swift::read(first.section()?.ignore_case()?, warnings)?;
            Ok(StorageDriver::Swift(Box::new(swift)))
        }
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
    section.not_obeyed("maxthreads", "it has no effect, threads are not limited this way", warnings);
    section.finish(warnings);
    Ok(FilesystemConfig { root_directory: PathBuf::from(root_directory) })
}
