//! A running registry:2, as Debian packages it: on a free port, ended with the test whatever becomes of it. And its collector.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::Client;

/// The program; `scripts/install-tools` installs it.
const PROGRAM: &str = "docker-registry";

/// How long it may take to begin to listen: it signs in to Swift before.
const START: Duration = Duration::from_mins(1);

/// A running registry:2.
pub(crate) struct Registry2 {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    _directory: TempDir,
}

impl Registry2 {
    /// Starts one with `storage`, the lines below `storage:` in the configuration, and `more` at its end.
    pub(crate) fn start(storage: &str, more: &str) -> Self {
        let (directory, file) = configuration(storage, more);
        let mut child = program()
            .arg("serve")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{PROGRAM}: {error}; scripts/install-tools installs it"));
        let log = Arc::default();
        keep(child.stdout.take().unwrap(), &log);
        keep(child.stderr.take().unwrap(), &log);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut started = Self { child, address, log, _directory: directory };
        started.address = started.wait_for_address();
        started
    }

    fn wait_for_address(&mut self) -> SocketAddr {
        let begun = Instant::now();
        while begun.elapsed() < START {
            let said = self.log.lock().unwrap().iter().find_map(|line| address_in(line));
            if let Some(address) = said {
                return address;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("registry:2 ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("registry:2 did not listen within {START:?}");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// SIGKILL, and nothing of it is left.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Registry2 {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of registry:2:\n{}", self.log.lock().unwrap().join("\n"));
        }
    }
}

/// Runs its collector to the end, which must be a good one. Answers what it printed.
pub(super) fn collect_garbage(storage: &str, more: &str, flags: &[&str]) -> String {
    let (succeeded, printed) = try_to_collect_garbage(storage, more, flags);
    assert!(succeeded, "the collector of registry:2 failed: {printed}");
    printed
}

/// Runs its collector. Answers whether it succeeded, and what it printed.
pub(super) fn try_to_collect_garbage(storage: &str, more: &str, flags: &[&str]) -> (bool, String) {
    let (_directory, file) = configuration(storage, more);
    let output = program().arg("garbage-collect").args(flags).arg(file).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

fn program() -> Command {
    Command::new(PROGRAM)
}

/// Writes the file, and says where.
fn configuration(storage: &str, more: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: info, formatter: json}}\nstorage:\n{storage}\nhttp:\n  addr: 127.0.0.1:0\n  relativeurls: true\n{more}\n"
    );
    std::fs::write(&file, text).unwrap();
    (directory, file)
}

fn keep(pipe: impl Read + Send + 'static, log: &Arc<Mutex<Vec<String>>>) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            log.lock().unwrap().push(line);
        }
    });
}

/// The address in the line that says where it listens.
fn address_in(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    line["msg"].as_str()?.strip_prefix("listening on ")?.parse().ok()
}
