//! The command as whoever types it meets it: what it prints, how it ends, and what SIGTERM does.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::clients::programs::run;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Apus, Backend, Client, apus};

/// How long anything here may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Where `apus serve` listens without a configuration.
const DEFAULT_ADDRESS: &str = "127.0.0.1:5000";

/// The command, in a working directory of its own.
pub(crate) struct Running {
    child: Child,
    directory: tempfile::TempDir,
}

impl Running {
    /// Starts it with these arguments, and with a file `config.yml` in its directory, if there is to be one.
    pub(crate) fn start(arguments: &[&str], config: Option<&str>) -> Self {
        Self::start_as(apus::command(), arguments, config)
    }

    /// The same, by a command that has an environment, or another name.
    pub(crate) fn start_as(mut command: Command, arguments: &[&str], config: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let work = directory.path().join("work");
        std::fs::create_dir(&work).unwrap();
        if let Some(config) = config {
            std::fs::write(work.join("config.yml"), config).unwrap();
        }
        let child = command
            .args(arguments)
            .current_dir(work)
            .stdin(Stdio::null())
            .stdout(File::create(directory.path().join("stdout")).unwrap())
            .stderr(File::create(directory.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        Self { child, directory }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("stdout")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("stderr")).unwrap()
    }

    /// Where it listens, by its log in any form; waits until it does.
    pub(crate) fn address(&self) -> SocketAddr {
        let begun = Instant::now();
        loop {
            let log = self.stderr();
            let says = |line: &&str| line.contains("\"listening\"") || line.contains(" msg=listening ");
            if let Some(address) = log.lines().find(says).and_then(|line| line.split_once("address")) {
                let address = address.1.trim_start_matches(['"', ':', '=']).split('"').next();
                return address.unwrap().parse().unwrap();
            }
            assert!(begun.elapsed() < LIMIT, "it does not listen:\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
    }

    /// Its exit status, when it has ended.
    fn status(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().expect("it was killed by a signal"))
    }

    /// Waits until it has ended. Answers its exit status and what it printed.
    pub(crate) fn end(mut self) -> (i32, String, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.status() {
                return (status, self.stdout(), self.stderr());
            }
            assert!(begun.elapsed() < LIMIT, "it still runs:\n{}{}", self.stdout(), self.stderr());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Alone it says what it is and how to go on, and that nothing was done.
#[test]
fn alone_it_prints_its_help() {
    let (status, stdout, stderr) = Running::start(&[], None).end();
    assert_eq!(status, 2);
    let help = stdout + &stderr;
    for part in ["keeps its images in OpenStack Swift", "Usage: apus <COMMAND>", "serve", "127.0.0.1:5000"] {
        assert!(help.contains(part), "{help}");
    }
    let (status, stdout, _) = Running::start(&["serve", "--help"], None).end();
    assert_eq!(status, 0);
    assert!(stdout.contains("apus serve [FILE]") && stdout.contains("registry:2"), "{stdout}");
}

/// It says which version it is.
#[test]
fn it_knows_its_version() {
    let (status, stdout, stderr) = Running::start(&["--version"], None).end();
    assert_eq!((status, &*stdout, &*stderr), (0, concat!("apus ", env!("CARGO_PKG_VERSION"), "\n"), ""));
}

/// A link named `registry` does what the entry point of registry:2's image asks of it.
#[test]
fn by_the_name_of_registry_2() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("registry");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_apus"), &link).unwrap();
    let start = |arguments: &[&str], config: Option<&str>| {
        Running::start_as(apus::without_settings(Command::new(&link)), arguments, config)
    };
    for flag in ["--version", "-v"] {
        let (status, stdout, stderr) = start(&[flag], None).end();
        assert_eq!((status, &*stderr), (0, ""));
        let words: Vec<&str> = stdout.split_whitespace().collect();
        assert_eq!(words[..3], ["registry", "github.com/docker/distribution", "2.8.3"]);
        assert_eq!(words[3..], ["(Apus", concat!(env!("CARGO_PKG_VERSION"), ")")]);
    }
    let (status, stdout, _) = start(&["help"], None).end();
    assert!(status == 0 && stdout.contains("Usage: registry <COMMAND>"), "{stdout}");
    let (status, _, stderr) = start(&[], None).end();
    assert!(status == 2 && stderr.contains("Usage: registry <COMMAND>"), "{stderr}");

    let config = "version: 0.1\nlog: {formatter: json}\nstorage: inmemory\nhttp: {addr: '127.0.0.1:0'}\n";
    start(&["serve", "config.yml"], Some(config)).address();
}

/// The environment over the file, and `REGISTRY_CONFIGURATION_PATH` where no file is named: it serves as both say.
#[tokio::test]
async fn the_environment_has_its_say() {
    let config = "version: 0.1\nlog: {level: debug, formatter: text}\nstorage: {filesystem: {rootdirectory: ./data}}\n\
                  http: {addr: '127.0.0.1:1'}\n";
    let variables = [
        ("REGISTRY_CONFIGURATION_PATH", "config.yml"),
        ("REGISTRY_HTTP_ADDR", "127.0.0.1:0"),
        ("REGISTRY_HTTP_ADRR", "127.0.0.1:1"),
        ("REGISTRY_LOG_FORMATTER", "json"),
        ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
        ("REGISTRY_STORAGE", "inmemory"),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
    ];
    let mut command = apus::command();
    command.envs(variables);
    let running = Running::start_as(command, &["serve"], Some(config));
    let client = Client::new(running.address());
    let blob = client.push("a", random(1000)).await;
    client.delete(&format!("/v2/a/blobs/{blob}")).await.expect(202);
    assert!(!running.work().join("data").exists(), "it kept nothing in the directory of the file");

    let log = running.stderr();
    let said = |level: &str, part: &str| {
        log.lines().any(|line| line.contains(&format!("\"{level}\"")) && line.contains(part))
    };
    assert!(said("warning", "did you mean REGISTRY_HTTP_ADDR?"), "{log}");
    assert!(said("info", "config.yml:3:11: storage.filesystem is not used"), "{log}");
    assert!(said("debug", "REGISTRY_PORT: passed over"), "{log}");
    assert!(!said("warning", "REGISTRY_PORT"), "{log}");
}

/// Runs `apus config` with these arguments on a file.
fn config_command(arguments: &[&str], variables: &[(&str, &str)], config: &str) -> (i32, String, String) {
    let mut command = apus::command();
    command.envs(variables.iter().copied());
    Running::start_as(command, &[&["config"], arguments].concat(), Some(config)).end()
}

#[test]
fn config_check() {
    let good = "version: 0.1\nstorage: inmemory\n";
    let told = "version: 0.1\nstorage: inmemory\ncolour: blue\n";
    let closed = "version: 0.1\nstorage: inmemory\nhttp: {addr: everywhere}\n";
    for (config, expected_status, expected) in [
        (good, 0, "The configuration can be used.\n"),
        (
            told,
            0,
            "warning: config.yml:3:1: colour: unknown key, ignored\nThe configuration can be used, with warnings.\n",
        ),
        (
            closed,
            1,
            "error: config.yml:3:14: http.addr: found \"everywhere\", expected host:port, such as 127.0.0.1:5000, \
             :5000 or [::1]:5000\nThe configuration cannot be used.\n",
        ),
    ] {
        let (status, stdout, stderr) = config_command(&["check", "config.yml"], &[], config);
        assert_eq!((status, &*stdout, &*stderr), (expected_status, expected, ""));
    }

    let (status, stdout, _) = config_command(&["check", "--json", "config.yml"], &[], told);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((status, &report["usable"]), (0, &true.into()));
    assert_eq!(report["warnings"][0]["key"], "colour");
    assert_eq!(report["warnings"][0]["source"]["line"], 3);

    let variables =
        [("REGISTRY_STORAGE_SWIFT_CONTAINER", "c"), ("REGISTRY_CONFIGURATION_PATH", "config.yml")];
    let (status, stdout, _) = config_command(&["check", "--json"], &variables, good);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((status, &report["usable"]), (1, &false.into()));
    assert_eq!(report["errors"][0]["source"]["kind"], "variable");
    assert_eq!(report["errors"][0]["source"]["name"], "REGISTRY_STORAGE_SWIFT_CONTAINER");
}

#[test]
fn config_show() {
    let config = "version: 0.1\nstorage: inmemory\nhttp: {secret: hunter2}\ncolour: blue\n";
    let variables = [("REGISTRY_LOG_LEVEL", "debug")];
    let (status, stdout, stderr) = config_command(&["show", "config.yml"], &variables, config);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(stderr, "apus: warning: config.yml:4:1: colour: unknown key, ignored\n");
    for line in [
        "version: 0.1  # config.yml:1:10\n",
        "  level: debug  # REGISTRY_LOG_LEVEL\n",
        "  formatter: text  # default\n",
        "  inmemory: {}  # config.yml:2:10\n",
        "  secret: <hidden>  # config.yml:3:16\n",
    ] {
        assert!(stdout.contains(line), "{line}{stdout}");
    }
    assert!(!stdout.contains("hunter2") && !stdout.contains('\u{1b}'), "{stdout}");

    let (status, stdout, _) = config_command(&["show", "--json", "config.yml"], &variables, config);
    let lines = stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let level = lines.into_iter().find(|line| line["key"] == "log.level").unwrap();
    assert_eq!((status, &level["value"], &level["source"]["kind"]), (0, &"debug".into(), &"variable".into()));

    let (status, stdout, stderr) = config_command(&["show", "config.yml"], &[], "version: 0.1\n");
    assert_eq!((status, &*stdout), (1, ""));
    assert!(stderr.starts_with("apus: config.yml:1:1: storage: missing"), "{stderr}");
}

/// A configuration that cannot be used ends it at once, with one line that names the file, the line and the column, and what
/// is expected there.
#[test]
fn a_configuration_that_cannot_be_used() {
    let storage = "version: 0.1\nstorage: inmemory\n";
    let swift = "version: 0.1\nstorage:\n  swift:\n    authurl: https://keystone.example/v3\n    container: c\n    username: u\n";
    for (config, expected) in [
        (None, "apus: cannot read the configuration file config.yml: No such file or directory"),
        (
            Some(format!("{storage}http: {{addr: ]\n")),
            "apus: config.yml:3:7: not a valid YAML configuration: ",
        ),
        (
            Some(format!("{storage}http:\n  addr: everywhere\n")),
            "apus: config.yml:4:9: http.addr: found \"everywhere\", expected host:port",
        ),
        (
            Some(format!("{storage}log: {{level: loud}}\n")),
            "apus: config.yml:3:14: log.level: found \"loud\", expected error, warn, info or debug",
        ),
        (
            Some("version: 0.2\nstorage: inmemory\n".into()),
            "apus: config.yml:1:10: version: found \"0.2\", expected 0.1",
        ),
        (
            Some("version: 0.1\n".into()),
            "apus: config.yml:1:1: storage: missing, expected one of filesystem, inmemory, swift",
        ),
        (
            Some(swift.into()),
            "apus: config.yml:3:3: storage.swift.password: missing, expected the user's password",
        ),
        (
            Some(format!("{storage}auth: {{htpasswd: {{realm: r}}}}\n")),
            "apus: config.yml:3:8: auth.htpasswd.path: missing, expected a file",
        ),
        (
            Some("version: 0.1\nstorage: {s3: {bucket: b}}\n".into()),
            "apus: config.yml:2:11: storage.s3: Apus has no such storage driver",
        ),
    ] {
        let (status, stdout, stderr) = Running::start(&["serve", "config.yml"], config.as_deref()).end();
        assert_eq!(status, 1, "{stderr}");
        assert!(stderr.starts_with(expected), "{stderr}\n{expected}");
        assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 1), "{stderr}");
    }
}

/// A variable that cannot be used ends it in the same way, and is named.
#[test]
fn a_variable_that_cannot_be_used() {
    let storage = "version: 0.1\nstorage: inmemory\n";
    for (name, value, expected) in [
        (
            "REGISTRY_HTTP_ADDR",
            "everywhere",
            "REGISTRY_HTTP_ADDR: http.addr: found \"everywhere\", expected host:port",
        ),
        ("REGISTRY_LOG", "{level: [", "REGISTRY_LOG:1:9: not a valid YAML configuration: "),
        ("REGISTRY_STORAGE", "swfit", "REGISTRY_STORAGE: storage.swfit: no storage driver"),
        (
            "REGISTRY_CONFIGURATION_PATH",
            "absent.yml",
            "cannot read the configuration file absent.yml: No such file",
        ),
    ] {
        let mut command = apus::command();
        command.env(name, value);
        let file = if name == "REGISTRY_CONFIGURATION_PATH" { &[][..] } else { &["config.yml"] };
        let arguments = [&["serve"], file].concat();
        let (status, stdout, stderr) = Running::start_as(command, &arguments, Some(storage)).end();
        assert_eq!((status, &*stdout, stderr.lines().count()), (1, "", 1), "{stderr}");
        assert!(stderr.starts_with(&format!("apus: {expected}")), "{stderr}\n{expected}");
    }
}

/// A key that it does not know does not stop it, but is told with its place.
#[test]
fn an_unknown_key_is_told() {
    let apus = Apus::start_with(Backend::memory().storage(), "colour: blue");
    let told = apus.log().into_iter().find(|line| line.contains("\"warning\"")).unwrap_or_default();
    assert!(told.contains("config.yml:8:1: colour: "), "{told}");
}

/// With no configuration at all it listens on 127.0.0.1:5000, keeps its images in `./apus-data`, and prints the three lines
/// that a newcomer types next. Where somebody else has that port, it says so.
#[tokio::test]
async fn without_a_configuration() {
    let somebody_else = TcpListener::bind(DEFAULT_ADDRESS).is_err();
    let mut running = Running::start(&["serve"], None);
    if somebody_else {
        return is_taken(running.end(), DEFAULT_ADDRESS);
    }
    let begun = Instant::now();
    while running.stdout().lines().count() < 4 {
        assert_eq!(running.status(), None, "{}", running.stderr());
        assert!(begun.elapsed() < LIMIT, "{}", running.stderr());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        running.stdout(),
        "Apus serves http://127.0.0.1:5000 and keeps its images in ./apus-data. Try:\n  \
         docker pull alpine\n  \
         docker tag alpine 127.0.0.1:5000/alpine\n  \
         docker push 127.0.0.1:5000/alpine\n"
    );
    let blob = Client::new(DEFAULT_ADDRESS.parse().unwrap()).push("alpine", random(1000)).await;
    let hex = blob.trim_start_matches("sha256:");
    let stored = format!("apus-data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
    assert!(running.work().join(&stored).is_file(), "{stored}");
    assert!(running.stderr().contains("listening"), "{}", running.stderr());
}

/// It ended because somebody else listens on this address, and says so.
#[track_caller]
fn is_taken((status, stdout, stderr): (i32, String, String), address: &str) {
    assert_eq!((status, &*stdout), (1, ""), "{stderr}");
    let message =
        format!("apus: cannot listen on {address}: choose another http.addr, or stop what listens there\n");
    let reason = "  because: Address already in use";
    assert!(stderr.contains(&message) && stderr.contains(reason), "{stderr}");
}

/// A second one on the same address ends, and says why; the first goes on.
#[tokio::test]
async fn a_second_one_on_the_same_address() {
    let first = Apus::start(Backend::memory().storage());
    let address = first.address().to_string();
    let config = format!("version: 0.1\nstorage: inmemory\nhttp: {{addr: \"{address}\"}}\n");
    is_taken(Running::start(&["serve", "config.yml"], Some(&config)).end(), &address);
    first.client().get("/v2/").await.expect(200);
}

/// An upload under way: its head is taken and half of its content is sent.
pub(crate) struct HalfSent {
    stream: BufReader<TcpStream>,
    rest: Vec<u8>,
}

impl HalfSent {
    pub(crate) fn begin(address: SocketAddr, location: &str, content: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let (path, length) = (with_digest(location, &digest(content)), content.len());
        write!(
            stream,
            "PUT {path} HTTP/1.1\r\nhost: apus\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        )
        .unwrap();
        let (half, rest) = content.split_at(length / 2);
        let mut this = Self { stream: BufReader::new(stream), rest: rest.to_vec() };
        // It is being worked on: the content is asked for.
        assert_eq!(this.line(), "HTTP/1.1 100 Continue");
        assert_eq!(this.line(), "");
        this.stream.get_mut().write_all(half).unwrap();
        this
    }

    /// Sends the other half, and answers the first line of what comes back.
    pub(crate) fn finish(mut self) -> String {
        let rest = std::mem::take(&mut self.rest);
        self.stream.get_mut().write_all(&rest).unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

fn wait_for_log(apus: &Apus, part: &str) {
    let begun = Instant::now();
    while !apus.log().iter().any(|line| line.contains(part)) {
        assert!(begun.elapsed() < LIMIT, "{part} is not in the log: {:?}", apus.log());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// SIGTERM lets an upload under way come to its end, while new connections are refused and idle ones are closed; then it
/// ends with success. What was uploaded is there for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains() {
    let backend = Backend::filesystem();
    let mut apus = Apus::start(backend.storage());
    let location = apus.client().post("/v2/a/blobs/uploads/").await.expect(202).location();
    let content = random(3_000_000);
    let upload = HalfSent::begin(apus.address(), &location, &content);
    let mut idle = TcpStream::connect(apus.address()).unwrap();

    apus.terminate();
    wait_for_log(&apus, "draining");
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    drop(idle);
    let refused = TcpStream::connect(apus.address()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    assert_eq!(upload.finish(), "HTTP/1.1 201 Created");
    assert!(apus.wait(LIMIT).success());
    wait_for_log(&apus, "stopped");

    let next = Apus::start(backend.storage());
    let pulled = next.client().get(&format!("/v2/a/blobs/{}", digest(&content))).await.expect(200);
    assert!(pulled.body == content);
}

/// A request that does not end is cut off when `http.draintimeout` is over, and it ends all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends() {
    let mut apus = Apus::start_with(Backend::memory().storage(), "  draintimeout: 1s");
    let location = apus.client().post("/v2/a/blobs/uploads/").await.expect(202).location();
    let mut upload = HalfSent::begin(apus.address(), &location, &random(3_000_000));
    let begun = Instant::now();
    apus.terminate();
    assert!(apus.wait(LIMIT).success());
    let took = begun.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
    wait_for_log(&apus, "some requests did not end in time");
    // Cut off: an end or a reset, and no answer.
    let mut answer = Vec::new();
    let _ = upload.stream.read_to_end(&mut answer);
    assert_eq!(answer, b"");
}

/// Without requests it ends at once, by SIGINT as by SIGTERM.
#[test]
fn it_ends_at_once_when_idle() {
    for signal in ["-TERM", "-INT"] {
        let mut apus = Apus::start(Backend::memory().storage());
        let begun = Instant::now();
        let sent = Command::new("kill").args([signal, &apus.pid().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(apus.wait(LIMIT).success());
        assert!(begun.elapsed() < Duration::from_secs(2), "{signal}: {:?}", begun.elapsed());
    }
}
