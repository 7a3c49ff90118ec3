//! HTTPS and unix sockets, as skopeo and curl meet them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::authority::Authority;
use crate::support::content::digest;
use crate::support::image::image;
use crate::support::{Apus, Backend, apus};

/// How long anything here may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Whether a program succeeds, and all that it says.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; scripts/install-tools installs what the tests need")
    });
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let (success, said) = run(command);
    assert!(success, "{command:?}: {said}");
    said
}

fn skopeo(side: &str, authority: &Authority, known: bool) -> Command {
    let mut command = Command::new("skopeo");
    command.args(["--insecure-policy", "copy", "--quiet", "--preserve-digests"]);
    command.arg(format!("--{side}-cert-dir={}", authority.directory(known).display()));
    command
}

/// Promise: skopeo pushes and pulls by HTTPS, believes the registry by its authority, and nobody else does.
#[tokio::test]
async fn skopeo_by_https() {
    let authority = Authority::new();
    let apus = Apus::start_with(Backend::memory().storage(), &authority.http(""));
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let layer = image(from.path());
    let there = format!("docker://{}/a/b:latest", apus.address());
    let source = format!("dir:{}", from.path().display());
    succeeds(skopeo("dest", &authority, false).args([&source, &there]));
    succeeds(skopeo("src", &authority, false).args([&there, &format!("dir:{}", to.path().display())]));
    let pulled = fs::read(to.path().join(digest(&layer).trim_start_matches("sha256:"))).unwrap();
    assert!(pulled == layer, "another layer came back");

    let (success, said) = run(skopeo("dest", &Authority::new(), false).args([&source, &there]));
    assert!(!success && said.contains("certificate"), "{said}");
}

/// Promise: who shows no certificate where one must be shown gets nothing, by any client.
#[tokio::test]
async fn certificates_of_clients() {
    let authority = Authority::new();
    let clientcas = format!("    clientcas: [{}]", authority.path("known/ca.crt").display());
    let apus = Apus::start_with(Backend::memory().storage(), &authority.http(&clientcas));
    let from = tempfile::tempdir().unwrap();
    image(from.path());
    let (source, there) =
        (format!("dir:{}", from.path().display()), format!("docker://{}/a/b:latest", apus.address()));
    let url = format!("https://{}/v2/", apus.address());
    for known in [true, false] {
        let (pushed, said) = run(skopeo("dest", &authority, known).args([&source, &there]));
        assert_eq!(pushed, known, "{said}");
        let (answered, said) = run(authority.curl(known).arg(&url));
        assert_eq!(answered, known, "{said}");
    }
    apus.until_it_logs("peer sent no certificates").await;
}

/// Promise: what the configuration says of versions, HTTP/2, headers and URLs holds, and plain HTTP is told where it is.
#[tokio::test]
async fn curl_by_https() {
    let authority = Authority::new();
    let more = "    minimumtls: tls1.3\n  relativeurls: false\n  headers:\n    Strict-Transport-Security: [max-age=60]";
    let apus = Apus::start_with(Backend::memory().storage(), &authority.http(more));
    let address = apus.address();
    let ask = |options: &[&str]| {
        let url = format!("https://{address}/v2/a/blobs/uploads/");
        run(authority.curl(false).args(["--include", "--request", "POST"]).args(options).arg(url))
    };
    for (options, version) in [(&["--http2"][..], "HTTP/2 202"), (&["--http1.1"], "HTTP/1.1 202")] {
        let (_, answer) = ask(options);
        let lower = answer.to_ascii_lowercase();
        assert!(answer.starts_with(version), "{answer}");
        assert!(lower.contains(&format!("location: https://{address}/v2/a/blobs/uploads/")), "{answer}");
        assert!(lower.contains("strict-transport-security: max-age=60"), "{answer}");
    }
    let (success, said) = ask(&["--tls-max", "1.2"]);
    assert!(!success, "{said}");
    let told = succeeds(Command::new("curl").args(["--silent", &format!("http://{address}/v2/")]));
    assert_eq!(told, "Client sent an HTTP request to an HTTPS server.\n");
    drop(apus);

    let apus = Apus::start_with(Backend::memory().storage(), &authority.http("  http2: {disabled: true}"));
    let url = format!("https://{}/v2/", apus.address());
    let answer = succeeds(authority.curl(false).args(["--include", "--http2", &url]));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Promise: a new certificate is shown without a restart, and one that cannot be used is told.
#[tokio::test]
async fn a_certificate_that_is_renewed() {
    let authority = Authority::new();
    let apus = Apus::start_with(Backend::memory().storage(), &authority.http(""));
    fs::write(authority.path("server.crt"), "nonsense").unwrap();
    apus.until_it_logs("the old ones stay in force").await;
    let url = format!("https://{}/v2/", apus.address());
    assert_eq!(succeeds(authority.curl(false).arg(&url)), "{}");

    // Another authority: who believes the new one alone is answered as soon as it is in force.
    let new = Authority::new();
    fs::copy(new.path("server.key"), authority.path("server.key")).unwrap();
    fs::copy(new.path("server.crt"), authority.path("server.crt")).unwrap();
    apus.until_it_logs("the new ones are in force").await;
    assert_eq!(succeeds(new.curl(false).arg(&url)), "{}");
    assert!(!run(authority.curl(false).arg(&url)).0);
}

/// The binary with a configuration of its own, in a directory where it can put its socket.
struct Process {
    child: Child,
    directory: TempDir,
}

impl Process {
    /// Starts it with what stands behind `http:`.
    fn start(http: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!("version: 0.1\nstorage: inmemory\nhttp: {http}\n");
        fs::write(directory.path().join("config.yml"), config).unwrap();
        Self { child: Self::run(directory.path()), directory }
    }

    fn run(directory: &Path) -> Child {
        let log = fs::File::create(directory.join("log")).unwrap();
        let mut command = apus::command();
        command.args(["serve", "config.yml"]).current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn start_again(&mut self) {
        self.child = Self::run(self.directory.path());
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("apus.sock")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Waits until it answers on its socket.
    fn answers(&self) {
        let begun = Instant::now();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--unix-socket"]).arg(self.socket()).arg("http://apus/v2/");
        while run(&mut curl) != (true, "{}".to_owned()) {
            assert!(begun.elapsed() < LIMIT, "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until it has ended, and answers its exit status; none after SIGKILL.
    fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < LIMIT, "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Promise: a socket serves, goes with SIGTERM, and does not hinder the next start when it was left behind.
#[test]
fn curl_by_a_unix_socket() {
    let mut apus = Process::start("{net: unix, addr: apus.sock}");
    apus.answers();
    assert!(apus.log().contains("apus.sock"), "{}", apus.log());

    apus.child.kill().unwrap();
    assert_eq!(apus.ended(), None);
    assert!(apus.socket().exists(), "SIGKILL leaves it behind");
    apus.start_again();
    apus.answers();

    let pid = apus.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(apus.ended(), Some(0));
    assert!(!apus.socket().exists());

    fs::write(apus.socket(), "precious").unwrap();
    apus.start_again();
    assert_eq!(apus.ended(), Some(1));
    assert!(apus.log().contains("something else than a socket"), "{}", apus.log());
    assert_eq!(fs::read_to_string(apus.socket()).unwrap(), "precious");
}

/// Promise: without a certificate that can be used nobody is served, and the complaint names the file.
#[test]
fn no_certificate_no_registry() {
    let mut apus = Process::start("{addr: '127.0.0.1:0', tls: {certificate: none.crt, key: none.key}}");
    assert_eq!(apus.ended(), Some(1));
    let log = apus.log();
    assert!(log.contains("the certificate in none.crt cannot be used"), "{log}");
    assert!(log.contains("No such file") && !log.contains("listening"), "{log}");
}
