//! A unit file of systemd, and its service, run as systemd would run it (systemd.service(5), sd_notify(3)): with nothing in its
//! environment but what the unit says, ready when it says so. It runs as the user of the test, below another root.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::clients::programs::run;
use crate::support::Client;

/// How long anything may take that the service says of itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// The settings of a unit file, in their order.
pub(super) struct Unit {
    settings: Vec<(String, String)>,
}

impl Unit {
    pub(super) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
        let split = |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self { settings: lines.map(|line| split(line).unwrap_or_else(|| panic!("{line}"))).collect() }
    }

    /// The value of a setting that is there once.
    #[track_caller]
    pub(super) fn one(&self, key: &str) -> &str {
        let mut values = self.settings.iter().filter(|(name, _)| name == key);
        let (_, value) = values.next().unwrap_or_else(|| panic!("the unit has no {key}"));
        assert!(values.next().is_none(), "the unit has several {key}");
        value
    }

    /// A setting that is a time in whole seconds.
    #[track_caller]
    pub(super) fn seconds(&self, key: &str) -> Duration {
        Duration::from_secs(self.one(key).strip_suffix('s').unwrap().parse().unwrap())
    }
}

/// A running service.
pub(super) struct Service {
    unit: Unit,
    child: Child,
    notifications: UnixDatagram,
    log: Arc<Mutex<Vec<String>>>,
    _directory: TempDir,
}

impl Service {
    /// Starts the service of the unit `name`, installed below `root`, and waits until it says that it is ready.
    pub(super) fn start(root: &Path, name: &str) -> Self {
        let unit = Unit::read(&root.join("usr/lib/systemd/system").join(name));
        assert_eq!(unit.one("Type"), "notify");
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("notify");
        let notifications = UnixDatagram::bind(&socket).unwrap();
        notifications.set_read_timeout(Some(Duration::from_millis(100))).unwrap();

        let mut words = unit.one("ExecStart").split(' ').map(|word| below(root, word));
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .env_clear()
            .env("NOTIFY_SOCKET", &socket)
            .envs(variables(&below(root, unit.one("EnvironmentFile").trim_start_matches('-'))))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || lines.map_while(Result::ok).for_each(|line| log.lock().unwrap().push(line))
        });
        let mut started = Self { unit, child, notifications, log, _directory: directory };
        started.until_it_says("READY=1");
        started
    }

    /// Waits for a notification with this line, and lets others pass.
    pub(super) fn until_it_says(&mut self, words: &str) {
        let begun = Instant::now();
        let mut buffer = [0; 4096];
        while begun.elapsed() < PATIENCE {
            if let Ok(length) = self.notifications.recv(&mut buffer)
                && String::from_utf8_lossy(&buffer[..length]).lines().any(|line| line == words)
            {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it ended with {status} and never said {words}");
            }
        }
        panic!("it never said {words}");
    }

    /// What its log says it listens on. It says so before it is ready, but the log comes another way.
    pub(super) fn address(&self) -> SocketAddr {
        let begun = Instant::now();
        loop {
            let log = self.log.lock().unwrap().clone();
            if let Some(line) = log.iter().find(|line| line.contains("\"listening\"")) {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                return line["address"].as_str().unwrap().parse().unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not say where it listens: {log:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// As `systemctl reload` does: runs what the unit names for it. Answers when the service is ready again.
    pub(super) fn reload(&mut self) {
        let main = self.child.id().to_string();
        let mut words = self.unit.one("ExecReload").split(' ');
        let mut reload = Command::new(words.next().unwrap());
        run(reload.args(words.map(|word| word.replace("$MAINPID", &main))));
        self.until_it_says("RELOADING=1");
        self.until_it_says("READY=1");
    }

    /// The first half of `systemctl stop`: SIGTERM, which is sent where the unit says nothing else.
    pub(super) fn begin_to_stop(&mut self) {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        self.until_it_says("STOPPING=1");
    }

    /// The second half: systemd waits for so long.
    pub(super) fn wait(mut self) -> ExitStatus {
        let (begun, limit) = (Instant::now(), self.unit.seconds("TimeoutStopSec"));
        while begun.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not end within {limit:?}");
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of the service:\n{}", self.log.lock().unwrap().join("\n"));
        }
    }
}

/// An absolute path as it is below another root; any other word as it is.
fn below(root: &Path, word: &str) -> PathBuf {
    word.strip_prefix('/').map_or_else(|| word.into(), |path| root.join(path))
}

/// The variables of an `EnvironmentFile`.
fn variables(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
