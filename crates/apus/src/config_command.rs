//! `apus config`: whether a configuration can be used, and what it comes to.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use apus_config::{Converted, Environment, Loaded, Place, Source, StorageDriver, Warning};
use clap::Subcommand;
use serde::Serialize;

use crate::{authorization, backend, configuration, logging};

/// `apus config ...`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether `apus serve` could start with a configuration, and what it would warn of
    ///
    /// Reads the file and the environment as `apus serve` does, and asks nothing of any network. Whether
    /// OpenStack Swift can be used is for `apus swift check` to say.
    ///
    /// Prints a line for each error, warning and note, with its place. With --json prints one object with
    /// these members: usable (true or false), errors and warnings (lists of objects with source, line,
    /// column, key and message) and notes (a list of texts).
    ///
    /// Exit status: 0 it can be used, perhaps with warnings; 1 it cannot; 2 wrong usage.
    #[command(verbatim_doc_comment)]
    Check {
        /// A configuration file of registry:2 or of docker-registry 0.x; else the one that
        /// REGISTRY_CONFIGURATION_PATH or DOCKER_REGISTRY_CONFIG names.
        file: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the configuration that holds: of file, environment and defaults, with the source of each value
    ///
    /// Prints YAML in the form of the file; behind each value stands a comment: file, line and column, the
    /// name of a variable, or default. Secrets are hidden. What has no default and is not set is left out.
    ///
    /// With --json prints an object for each setting, one to a line, with these members: key, value, and
    /// source (kind: file, variable or default; name, line and column where there are such).
    ///
    /// Exit status: 0; 1 the configuration cannot be used; 2 wrong usage.
    #[command(verbatim_doc_comment)]
    Show {
        /// A configuration file of registry:2 or of docker-registry 0.x; else the one that
        /// REGISTRY_CONFIGURATION_PATH or DOCKER_REGISTRY_CONFIG names.
        file: Option<PathBuf>,
        /// Print JSON, a line for each setting.
        #[arg(long)]
        json: bool,
    },
    /// Print a file of docker-registry 0.x in the form of today, which means the same
    ///
    /// SETTINGS_FLAVOR and the variables that the file names have their say as they had; the values that
    /// they have now are written down, with the variable's name in a comment. A password that a variable
    /// holds is not: a comment says in which variable Apus takes it. What has no counterpart is told in
    /// comments too, and on standard error.
    ///
    /// Exit status: 0; 1 the file cannot be used, or is none of docker-registry 0.x; 2 wrong usage.
    #[command(verbatim_doc_comment)]
    Convert {
        /// A configuration file of docker-registry 0.x.
        file: PathBuf,
    },
}

/// Runs the command to its end.
pub(crate) fn run(command: &ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Check { file, json } => check(file.as_deref(), *json),
        ConfigCommand::Show { file, json } => show(file.as_deref(), *json),
        ConfigCommand::Convert { file } => convert(file),
    }
}

fn convert(file: &Path) -> ExitCode {
    match Converted::load(file, &Environment::of_process()) {
        Ok(Some(converted)) => {
            for warning in &converted.warnings {
                // Where standard error is gone there is nobody left to tell.
                let _ = writeln!(std::io::stderr(), "apus: warning: {warning}");
            }
            put(&converted.yaml);
            ExitCode::SUCCESS
        }
        Ok(None) => {
            let text =
                format!("{} is no file of docker-registry 0.x, and needs no converting", file.display());
            logging::complain(&std::io::Error::other(text));
            ExitCode::FAILURE
        }
        Err(error) => {
            logging::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn show(file: Option<&Path>, json: bool) -> ExitCode {
    let loaded = match configuration::load(file) {
        Ok(loaded) => loaded,
        Err(error) => {
            logging::complain(&error);
            return ExitCode::FAILURE;
        }
    };
    configuration::warn(&loaded);
    if json {
        for setting in loaded.effective.settings() {
            let source = SourceLine::of(&setting.source);
            put_json(&SettingLine { key: &setting.key, value: &setting.value, source });
        }
    } else {
        put(&loaded.effective.to_yaml());
    }
    ExitCode::SUCCESS
}

fn check(file: Option<&Path>, json: bool) -> ExitCode {
    let report = match configuration::load(file) {
        Ok(loaded) => Report::of(loaded),
        Err(error) => {
            let remark = Remark::at(error.place(), None, error.to_string());
            Report { errors: vec![remark], ..Report::default() }
        }
    };
    if json {
        put_json(&JsonReport {
            usable: report.is_usable(),
            errors: report.errors.iter().map(RemarkLine::of).collect(),
            warnings: report.warnings.iter().map(RemarkLine::of).collect(),
            notes: &report.notes,
        });
    } else {
        report.print();
    }
    if report.is_usable() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What there is to say of a configuration.
#[derive(Default)]
struct Report {
    errors: Vec<Remark>,
    warnings: Vec<Remark>,
    notes: Vec<String>,
}

struct Remark {
    place: Option<Place>,
    key: Option<String>,
    /// Whole, with place and key.
    message: String,
}

impl Remark {
    fn at(place: Option<&Place>, key: Option<String>, message: String) -> Self {
        Self { place: place.cloned(), key, message }
    }

    fn of(warning: &Warning) -> Self {
        Self::at(Some(&warning.place), Some(warning.key.clone()), warning.to_string())
    }
}

impl Report {
    fn of(loaded: Loaded) -> Self {
        let mut errors: Vec<Remark> = loaded.hindrances.iter().map(Remark::of).collect();
        // What only the crate that reaches a Swift can judge without asking it.
        if let StorageDriver::Swift(swift) = &loaded.config.storage.driver
            && let Err(error) = backend::swift_config(swift)
        {
            errors.push(Remark::at(
                None,
                Some("storage.swift".to_owned()),
                format!("storage.swift: {error}"),
            ));
        }
        if let Err(error) = authorization::policy(&loaded) {
            errors.push(Remark::at(error.place(), None, error.to_string()));
        }
        let warnings = loaded.warnings.iter().map(Remark::of).collect();
        Self { errors, warnings, notes: loaded.notes }
    }

    fn is_usable(&self) -> bool {
        self.errors.is_empty()
    }

    fn print(&self) {
        let errors = self.errors.iter().map(|error| format!("error: {}", error.message));
        let warnings = self.warnings.iter().map(|warning| format!("warning: {}", warning.message));
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        let verdict = match (self.is_usable(), self.warnings.is_empty()) {
            (true, true) => "The configuration can be used.",
            (true, false) => "The configuration can be used, with warnings.",
            (false, _) => "The configuration cannot be used.",
        };
        for line in errors.chain(warnings).chain(notes).chain([verdict.to_owned()]) {
            put(&format!("{line}\n"));
        }
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    usable: bool,
    errors: Vec<RemarkLine<'a>>,
    warnings: Vec<RemarkLine<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct RemarkLine<'a> {
    source: Option<SourceLine<'a>>,
    key: Option<&'a str>,
    message: &'a str,
}

impl<'a> RemarkLine<'a> {
    fn of(remark: &'a Remark) -> Self {
        Self {
            source: remark.place.as_ref().map(SourceLine::of),
            key: remark.key.as_deref(),
            message: &remark.message,
        }
    }
}

#[derive(Serialize)]
struct SettingLine<'a> {
    key: &'a str,
    value: &'a str,
    source: SourceLine<'a>,
}

#[derive(Serialize)]
struct SourceLine<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
}

impl<'a> SourceLine<'a> {
    fn of(place: &'a Place) -> Self {
        let Place { source, line, column } = place;
        match source {
            Source::File(name) => {
                Self { kind: "file", name: Some(name), line: Some(*line), column: Some(*column) }
            }
            Source::Variable(name) => {
                Self { kind: "variable", name: Some(name), line: Some(*line), column: Some(*column) }
            }
            _ => Self { kind: "default", name: None, line: None, column: None },
        }
    }
}

/// Prints it. A reader that went away has read enough.
fn put(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn put_json(line: &impl Serialize) {
    // Texts and numbers always become JSON.
    put(&format!("{}\n", serde_json::to_string(line).unwrap_or_default()));
}
