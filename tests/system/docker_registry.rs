//! docker-registry 0.x: its configuration starts Apus, and its images come over.
//!
//! | file | what it shows |
//! |---|---|
//! | `configuration` | the example of docker-registry-driver-swift's README on the real Keystone; `apus config` on such files |
//! | `import` | what comes over is what was there: manifests, reports, exit statuses |
//! | `files` | the files of what came over, by umoci, and by hand out of the layers |
//! | `stopped` | an import that is stopped, and taken up |
//! | `old` | old registries: the sample that the original wrote, and others made here |

mod configuration;
pub(crate) mod files;
mod import;
pub(crate) mod old;
mod stopped;

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{Backend, apus};

/// The configuration of a registry over a backend, in a directory.
pub(crate) fn written(backend: &Backend, directory: &Path) -> std::path::PathBuf {
    let file = directory.join("new.yml");
    let text = format!("version: 0.1\nstorage:\n{}\n  redirect: {{disable: true}}\n", backend.storage());
    std::fs::write(&file, text).unwrap();
    file
}

/// `apus import docker-registry` to its end.
pub(crate) fn import(from: &Path, to: &Path, more: &[&str]) -> Imported {
    let mut command = apus::command();
    command.args(["import", "docker-registry"]).arg(from).arg(to).args(more);
    Imported::of(command.stdin(Stdio::null()).output().unwrap())
}

/// How an import ended.
pub(crate) struct Imported {
    status: Option<i32>,
    lines: Vec<Value>,
    complaint: String,
}

impl Imported {
    fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap_or(Value::Null)).collect();
        let complaint = String::from_utf8(output.stderr).unwrap();
        Self { status: output.status.code(), lines, complaint }
    }

    pub(crate) fn events(&self, event: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == event).collect()
    }

    #[track_caller]
    fn summary(&self) -> &Value {
        let last = self.lines.last().unwrap_or_else(|| panic!("it printed nothing: {}", self.complaint));
        assert_eq!(last["event"], "summary", "{}", self.complaint);
        last
    }

    /// Fails the test unless it ended so, and with these numbers.
    #[track_caller]
    fn expect(&self, status: i32, numbers: &[(&str, u64)]) -> &Self {
        assert_eq!(self.status, Some(status), "{:#?}\n{}", self.lines, self.complaint);
        for (name, number) in numbers {
            assert_eq!(self.summary()[name], *number, "{name}: {:#}", self.summary());
        }
        self
    }
}
