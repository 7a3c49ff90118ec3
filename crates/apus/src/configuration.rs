//! Where every command has its configuration from: the file that it is given, or that `REGISTRY_CONFIGURATION_PATH` names, or
//! none; and the environment.

use std::io::Write as _;
use std::path::Path;

use apus_config::{Config, ConfigError, Environment, Loaded};

/// Reads the configuration.
pub(crate) fn load(file: Option<&Path>) -> Result<Loaded, ConfigError> {
    Config::load_with(file, &Environment::of_process())
}

/// Tells the log what there is to know of the configuration.
pub(crate) fn log(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    for note in &loaded.notes {
        tracing::info!("{note}");
    }
    for name in &loaded.passed_over {
        tracing::debug!("{name}: passed over: it is empty, or not meant for a registry");
    }
}

/// Tells whoever typed a command, on standard error.
pub(crate) fn warn(loaded: &Loaded) {
    let warnings = loaded.hindrances.iter().chain(&loaded.warnings);
    let warnings = warnings.map(|warning| format!("apus: warning: {warning}"));
    for line in warnings.chain(loaded.notes.iter().map(|note| format!("apus: note: {note}"))) {
        // Where standard error is gone there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
