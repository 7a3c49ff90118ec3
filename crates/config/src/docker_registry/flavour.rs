//! What the environment said to the old server itself: which part of the file counts, and where to listen.

use super::{Entry, is_old_flavour, text, typing, wrong};
use crate::environment::Environment;
use crate::tree::{Node, Value};
use crate::{ConfigError, Place, Source};

const VARIABLE: &str = "SETTINGS_FLAVOR";
const DEFAULT: &str = "dev";

/// The variables that said where to listen. registry:2 gives other variables such names; these are no keys.
pub(crate) const HOST: &str = "REGISTRY_HOST";
pub(crate) const PORT: &str = "REGISTRY_PORT";

/// The flavour and its part of the file; the whole file where the variable is there and empty. Where there is no variable, a file
/// without flavours counts as a whole too; the original could not be started with it.
pub(super) fn choose(file: Node, environment: &Environment) -> Result<(Option<String>, Node), ConfigError> {
    let said = environment.value(VARIABLE)?;
    let name = said.unwrap_or(DEFAULT);
    if name.is_empty() || (said.is_none() && is_old_flavour(&file)) {
        return Ok((None, file));
    }
    let Value::Mapping(entries) = file.value else {
        return Err(wrong(&file.place, "the file", "something else", "a mapping of flavours"));
    };
    let names: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    let chosen = entries.into_iter().find(|entry| entry.key == name);
    let chosen = chosen.ok_or_else(|| ConfigError::Unsupported {
        place: match said {
            Some(_) => Place::beginning(Source::Variable(VARIABLE.into())),
            None => file.place,
        },
        key: name.to_owned(),
        reason: format!("the file has no such flavour; choose one by {VARIABLE} of: {}", names.join(", ")),
    })?;
    Ok((Some(name.to_owned()), chosen.node))
}

/// Where to listen: every address, port 5000, where no variable says anything else. What Kubernetes makes for a Service that is
/// named `registry`, `tcp://...`, is none.
pub(super) fn address(environment: &Environment) -> Result<Entry, ConfigError> {
    let said = |name: &str| -> Result<Option<&str>, ConfigError> {
        Ok(environment.value(name)?.filter(|value| !value.is_empty()))
    };
    let host = said(HOST)?;
    let port = said(PORT)?.filter(|value| !value.contains("://"));
    let source = match (host, port) {
        (Some(_), _) => Source::Variable(HOST.into()),
        (None, Some(_)) => Source::Variable(PORT.into()),
        (None, None) => Source::Default,
    };
    let port = match port {
        None => 5000,
        Some(port) => {
            let number = typing::integer(port).and_then(|number| u16::try_from(number).ok());
            let place = Place::beginning(Source::Variable(PORT.into()));
            number.ok_or_else(|| wrong(&place, "the variable", &format!("{port:?}"), "a port"))?
        }
    };
    let host = host.unwrap_or("0.0.0.0");
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Ok(text("addr", &format!("{host}:{port}"), &Place::beginning(source)))
}
