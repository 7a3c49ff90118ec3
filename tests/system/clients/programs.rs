//! Runs programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs a program to its end, and answers what it printed. Fails the test when the program fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{printed}\n{complained}", output.status);
    printed.into_owned()
}

/// The last line that a program prints: before it may come what it says about its progress.
#[track_caller]
pub(crate) fn last_line(command: &mut Command) -> String {
    run(command).lines().last().unwrap_or_default().trim().to_owned()
}

/// Runs a program that must fail, and answers its complaint.
#[track_caller]
pub(super) fn complaint(command: &mut Command) -> String {
    let output = output(command);
    assert!(!output.status.success(), "{command:?} should fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{}", missing(command, &error)))
}

/// Why a program could not be started.
pub(super) fn missing(command: &Command, error: &std::io::Error) -> String {
    format!("{command:?}: {error}; scripts/install-tools installs what the tests need")
}

/// A script of the project.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}
