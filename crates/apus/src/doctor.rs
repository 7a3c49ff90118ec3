//! `apus swift check`: shows what the doctor of the Swift crate finds, for people or for programs.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use apus_config::{ConfigError, StorageDriver};
use apus_swift::doctor::{Doctor, Finding, Verdict};
use clap::Subcommand;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{backend, configuration, logging};

/// As a shell has it of a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// `apus swift ...`
#[derive(Debug, Subcommand)]
pub(crate) enum SwiftCommand {
    /// Try everything that a registry needs of its Swift, and say what to change
    ///
    /// Signs in and looks at the token, at what the cluster can, at the container and its quota; then
    /// writes objects of its own, reads and lists them, makes a large one, reads a range of it, fetches
    /// one by a temporary URL, deletes them and looks that nothing is left. No other object is touched.
    /// A container that is missing is made and removed again. A key for temporary URLs that is missing
    /// is set, as `apus serve` would do, and stays. With storage.redirect.disable no temporary URL is
    /// tried, and no key set.
    ///
    /// Prints a line for each step. The verdicts: works; warning, Apus can do without; failed, with
    /// what to do; skipped, for what it needs has failed.
    ///
    /// With --json each line is an object with these members: step, verdict, text, advice (null where
    /// nothing is to be done) and seconds. The last line is another one: usable (true or false), and
    /// how many works, warnings, failed and skipped there were.
    ///
    /// Exit status: 0 all that Apus needs works; 1 something of it does not, or the configuration
    /// cannot be used; 2 wrong usage; 130 interrupted.
    #[command(verbatim_doc_comment)]
    Check {
        /// The configuration file that `apus serve` is given.
        file: Option<PathBuf>,
        /// Print JSON, a line for each step.
        #[arg(long)]
        json: bool,
    },
}

/// Why nothing could be examined.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    /// What the operator wrote.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing to examine.
    #[error("{0}, so there is no Swift to check: give a configuration file with storage.swift")]
    NoSwift(String),
    /// What the operator wrote of Swift, and only Swift can judge.
    #[error("storage.swift: {0}")]
    Swift(#[from] apus_swift::ConfigError),
    /// The system itself.
    #[error("cannot begin to check")]
    System(#[from] std::io::Error),
}

/// Runs the command to its end.
pub(crate) fn run(command: &SwiftCommand) -> ExitCode {
    let SwiftCommand::Check { file, json } = command;
    match check(file.as_deref(), *json) {
        Ok(status) => status,
        Err(error) => {
            logging::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn check(file: Option<&Path>, json: bool) -> Result<ExitCode, CheckError> {
    let loaded = configuration::load(file)?;
    configuration::warn(&loaded);
    let StorageDriver::Swift(swift) = &loaded.config.storage.driver else {
        return Err(CheckError::NoSwift(match &loaded.file {
            Some(file) => format!("the storage of {} is not swift", file.display()),
            None => "without a file Apus keeps its images in a directory".to_owned(),
        }));
    };
    let mut doctor = Doctor::new(&backend::swift::config(swift)?)?;
    if !loaded.config.storage.redirect.enabled {
        doctor = doctor.without_temporary_urls();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(examine(doctor, Printer::new(json)))
}

async fn examine(mut doctor: Doctor, mut printer: Printer) -> Result<ExitCode, CheckError> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let whole = tokio::select! {
        () = doctor.examine(|finding| printer.print(finding)) => true,
        () = either(&mut interrupt, &mut terminate) => false,
    };
    // Whoever does not want to wait for this either is let go.
    tokio::select! {
        finding = doctor.clear_away() => printer.print(finding),
        () = either(&mut interrupt, &mut terminate) => return Ok(INTERRUPTED.into()),
    }
    if !whole {
        return Ok(INTERRUPTED.into());
    }
    printer.summarize();
    Ok(if printer.count(Verdict::Failed) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// Prints findings on standard output, and counts them.
struct Printer {
    json: bool,
    colours: bool,
    verdicts: Vec<Verdict>,
    /// Steps that were skipped, one after the other: they share a line.
    skipped: Vec<Finding>,
}

/// A finding as JSON.
#[derive(Serialize)]
struct Line<'a> {
    step: &'a str,
    verdict: &'a str,
    text: &'a str,
    advice: Option<&'a str>,
    seconds: f64,
}

/// The last line of JSON.
#[derive(Serialize)]
struct Summary {
    usable: bool,
    works: usize,
    warnings: usize,
    failed: usize,
    skipped: usize,
}

impl Printer {
    fn new(json: bool) -> Self {
        let colours = std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, colours, verdicts: Vec::new(), skipped: Vec::new() }
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.iter().filter(|counted| **counted == verdict).count()
    }

    fn print(&mut self, finding: Finding) {
        self.verdicts.push(finding.verdict);
        if self.json {
            put_json(&Line {
                step: finding.step.as_str(),
                verdict: finding.verdict.as_str(),
                text: &finding.text,
                advice: finding.advice.as_deref(),
                seconds: (finding.took.as_secs_f64() * 1000.0).round() / 1000.0,
            });
            return;
        }
        if finding.verdict == Verdict::Skipped {
            self.skipped.push(finding);
            return;
        }
        self.print_skipped();
        let Finding { step, verdict, text, advice, took } = finding;
        let word = self.painted(verdict);
        put(&format!("{word}  {step:<13}  {text} ({:.2} s)", took.as_secs_f64()));
        if let Some(advice) = advice {
            put(&format!("{:24}to do: {advice}", ""));
        }
    }

    fn print_skipped(&mut self) {
        let word = self.painted(Verdict::Skipped);
        match &*std::mem::take(&mut self.skipped) {
            [] => {}
            [Finding { step, text, .. }] => put(&format!("{word}  {step:<13}  {text}")),
            several => {
                let names: Vec<&str> = several.iter().map(|finding| finding.step.as_str()).collect();
                put(&format!("{word}  {}", names.join(", ")));
            }
        }
    }

    fn summarize(&mut self) {
        let [works, warnings, failed, skipped] =
            [Verdict::Works, Verdict::Warning, Verdict::Failed, Verdict::Skipped]
                .map(|verdict| self.count(verdict));
        if self.json {
            put_json(&Summary { usable: failed == 0, works, warnings, failed, skipped });
            return;
        }
        self.print_skipped();
        put(&match (failed, warnings) {
            (0, 0) => "All that Apus needs works.".to_owned(),
            (0, _) => format!("All that Apus needs works; warnings: {warnings}."),
            _ => format!("Apus cannot use this Swift yet; failed: {failed}, not tried: {skipped}."),
        });
    }

    /// The word for it, as wide as the longest.
    fn painted(&self, verdict: Verdict) -> String {
        let word = format!("{:<7}", verdict.as_str());
        if !self.colours {
            return word;
        }
        let colour = match verdict {
            Verdict::Works => 32,
            Verdict::Warning => 33,
            Verdict::Failed => 31,
            Verdict::Skipped => 2,
        };
        format!("\x1b[{colour}m{word}\x1b[0m")
    }
}

/// A line. A reader that went away has read enough; what was begun is ended all the same.
fn put(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn put_json(line: &impl Serialize) {
    // Texts and numbers always become JSON.
    put(&serde_json::to_string(line).unwrap_or_default());
}
