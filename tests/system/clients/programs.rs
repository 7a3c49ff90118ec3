//! Runs programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a program to its end, and answers what it printed. Fails the test when the program fails.
#[track_caller]
pub(super) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{command:?}: {error}; scripts/install-tools installs what the tests need")
    });
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{printed}\n{complained}", output.status);
    printed.into_owned()
}

/// The last line that a program prints: before it may come what it says about its progress.
#[track_caller]
pub(super) fn last_line(command: &mut Command) -> String {
    run(command).lines().last().unwrap_or_default().trim().to_owned()
}

/// A script of the project.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}
