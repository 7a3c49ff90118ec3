//! Which part of the file counts: the flavour that the environment names.

use crate::environment::Environment;
use crate::tree::{Node, Value};
use crate::{ConfigError, Place, Source};

const VARIABLE: &str = "SETTINGS_FLAVOR";
const DEFAULT: &str = "dev";

/// The flavour and its part of the file; the whole file where the variable is there and empty.
pub(super) fn choose(file: Node, environment: &Environment) -> Result<(Option<String>, Node), ConfigError> {
    let said = environment.value(VARIABLE)?;
    let name = said.unwrap_or(DEFAULT);
    if name.is_empty() {
        return Ok((None, file));
    }
    let Value::Mapping(entries) = file.value else {
        return Err(super::wrong(&file.place, "the file", "a mapping of flavours"));
    };
    let names: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    if let Some(entry) = entries.into_iter().find(|entry| entry.key == name) {
        return Ok((Some(name.to_owned()), entry.node));
    }
    let place = match said {
        Some(_) => Place::beginning(Source::Variable(VARIABLE.into())),
        None => file.place,
    };
    let reason = format!("the file has no such flavour; choose one by {VARIABLE} of: {}", names.join(", "));
    Err(ConfigError::Unsupported { place, key: name.to_owned(), reason })
}
