//! What `scripts/package` makes of the binary that is tested: the Debian package and its service, the image, and the example for
//! Kubernetes, which runs that image. Neither systemd nor Kubernetes is needed: their part is played here, by what the files say.
//!
//! | file | what it shows |
//! |---|---|
//! | `bare` | the binary runs where there is nothing else |
//! | `debian` | the packaged service starts, reloads, stops, is killed and starts again, and loses nothing |
//! | `image` | the image goes into Apus and comes out again, and is what its users expect |
//! | `kubernetes` | configuration, probes and ports of the example are those of the binary |
//!
//! `unit` reads a unit file and acts on it; `yaml` reads YAML.

use std::process::Command;

use tempfile::TempDir;

use crate::clients::programs::{run, script};

mod bare;
mod debian;
mod image;
mod kubernetes;
mod unit;
mod yaml;

/// What `scripts/package --only KIND` makes.
fn packaged(kind: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut package = Command::new(script("package"));
    package.args(["--fast", "--only", kind, "--binary", env!("CARGO_BIN_EXE_apus"), "--output"]);
    run(package.arg(directory.path()));
    directory
}
