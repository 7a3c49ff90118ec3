//! A running Apus: the real binary on a free port, its log at hand, ended with the test whatever becomes of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Client;

/// How long it may take to begin to listen.
const START: Duration = Duration::from_secs(20);
/// How long it may take to say something in its log.
const WORDS: Duration = Duration::from_mins(1);

/// The command that is tested.
pub(crate) fn command() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_apus")))
}

/// The command without those variables of this environment that would have a say in a configuration: whoever runs the tests
/// may have those of a cloud.
pub(crate) fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if ["OS_", "REGISTRY_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// A running Apus.
pub(crate) struct Apus {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    directory: tempfile::TempDir,
}

impl Apus {
    /// Starts one with `storage`, the lines below `storage:` in the configuration, each indented by two spaces or more.
    pub(crate) fn start(storage: &str) -> Self {
        Self::start_with(storage, "")
    }

    /// The same, with more sections at the end of the file.
    pub(crate) fn start_with(storage: &str, more: &str) -> Self {
        Self::start_at("info", storage, more)
    }

    /// The same, with a level of its log.
    ///
    /// Blobs come through it, where most tests look at them, unless `storage` says something of redirects.
    pub(crate) fn start_at(level: &str, storage: &str, more: &str) -> Self {
        Self::run(command(), level, storage, more)
    }

    /// Starts another program than the one that is tested.
    pub(crate) fn start_program(program: &str, storage: &str) -> Self {
        Self::run(without_settings(Command::new(program)), "info", storage, "")
    }

    /// The same, by any command to which `serve` and a file can be given.
    pub(crate) fn run(command: Command, level: &str, storage: &str, more: &str) -> Self {
        let redirect = if storage.contains("\n  redirect:") { "" } else { "\n  redirect: {disable: true}" };
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: {level}, formatter: json}}\nstorage:\n{storage}{redirect}\nhttp:\n  addr: 127.0.0.1:0\n{more}\n"
        );
        std::fs::write(&file, &text).unwrap();
        Self::serve(command, &file, directory, &text)
    }

    /// Starts one with an environment, and a file as it is; both together have to say that it logs JSON and listens on a free port.
    pub(crate) fn start_file(command: Command, config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        Self::serve(command, &file, directory, config)
    }

    /// Starts one by a command that says all of this itself.
    pub(crate) fn start_by(command: Command) -> Self {
        Self::spawn(command, tempfile::tempdir().unwrap(), "")
    }

    fn serve(mut command: Command, file: &Path, directory: tempfile::TempDir, text: &str) -> Self {
        command.arg("serve").arg(file);
        Self::spawn(command, directory, text)
    }

    fn spawn(mut command: Command, directory: tempfile::TempDir, text: &str) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let reader = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in reader.lines().map_while(Result::ok) {
                    log.lock().unwrap().push(line);
                }
            }
        });
        let mut started = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log, directory };
        started.address = started.wait_for_address(text);
        started
    }

    fn wait_for_address(&mut self, config: &str) -> SocketAddr {
        let begun = Instant::now();
        while begun.elapsed() < START {
            let lines = self.log();
            let listening = lines.iter().find(|line| line.contains("\"listening\""));
            if let Some(line) = listening {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                return line["address"].as_str().unwrap().parse().unwrap();
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("apus ended with {status}:\n{}\n{config}", self.log().join("\n"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("apus did not listen within {START:?}:\n{}", self.log().join("\n"));
    }

    /// Waits until its log holds these words.
    pub(crate) async fn until_it_logs(&self, words: &str) {
        let begun = Instant::now();
        while !self.log().iter().any(|line| line.contains(words)) {
            assert!(begun.elapsed() < WORDS, "it never says {words:?}:\n{}", self.log().join("\n"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of its debug address, which must be configured.
    pub(crate) fn debug(&self) -> Client {
        let log = self.log();
        let line = log.iter().find(|line| line.contains("\"the debug address\"")).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        Client::new(line["address"].as_str().unwrap().parse().unwrap())
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The lines that it has logged until now.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Its process identifier.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its peak memory until now, in KiB (`VmHWM` of proc(5)).
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The pages of its own file that are in memory, in KiB (`RssFile` of proc(5)). A program that is built for tests has many times
    /// those of a release.
    pub(crate) fn program_memory(&self) -> u64 {
        self.status("RssFile:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Writes something else in its configuration file, and SIGHUP.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let file = self.directory.path().join("config.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from:?} is not in {text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let status = Command::new("kill").args(["-HUP", &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// SIGKILL, and nothing of it is left.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end, at most so long.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.signal(), None, "apus was killed by a signal");
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("apus did not end within {limit:?}:\n{}", self.log().join("\n"));
    }
}

impl Drop for Apus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of apus:\n{}", self.log().join("\n"));
        }
    }
}

/// A port that nobody listens on, for a program that has to be told which.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
