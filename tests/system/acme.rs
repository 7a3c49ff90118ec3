//! A certificate from an authority, as Let's Encrypt's own test server plays it: pebble.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::apus::{self, free_port};
use crate::support::authority::Authority;
use crate::support::{Apus, Backend};

/// How long anything here may take.
const LIMIT: Duration = Duration::from_mins(1);

/// An authority that looks for its proofs on one port of this machine.
struct Pebble {
    child: Child,
    /// Of the certificate that it speaks HTTPS with itself.
    authority: Authority,
    directory: TempDir,
    port: u16,
    management: u16,
}

impl Pebble {
    fn start(looks_at: u16) -> Self {
        let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
        let (port, management) = (free_port(), free_port());
        let config = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": authority.path("server.crt"),
            "privateKey": authority.path("server.key"),
            "httpPort": 1,
            "tlsPort": looks_at,
        }});
        fs::write(directory.path().join("pebble.json"), config.to_string()).unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let child = Command::new("pebble")
            .arg("-strict")
            .arg("-config")
            .arg(directory.path().join("pebble.json"))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("pebble: {error}; scripts/install-tools installs what the tests need")
            });
        let pebble = Self { child, authority, directory, port, management };
        let begun = Instant::now();
        while pebble.ask(port, "dir").is_none() {
            assert!(begun.elapsed() < LIMIT, "{}", pebble.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        pebble
    }

    fn ask(&self, port: u16, path: &str) -> Option<String> {
        said(self.authority.curl(false).arg("--fail").arg(format!("https://127.0.0.1:{port}/{path}")))
    }

    /// The certificate by which those are believed that it signs.
    fn root(&self) -> PathBuf {
        let root = self.directory.path().join("root.crt");
        fs::write(&root, self.ask(self.management, "roots/0").unwrap()).unwrap();
        root
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program says, if it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// A registry that asks this authority, and believes it by its certificate.
fn start(pebble: &Pebble, port: u16, cache: &Path, more: &str) -> Apus {
    let mut command = apus::command();
    command.env("SSL_CERT_FILE", pebble.authority.directory(false).join("ca.crt"));
    let acme = pebble.port;
    let config = format!(
        "version: 0.1\nlog: {{formatter: json}}\nstorage:\n{}\nhttp:\n  addr: 127.0.0.1:{port}\n  tls:\n    letsencrypt:\n      \
         cachefile: {}\n      hosts: [localhost]\n      email: me@example.org\n      directoryurl: https://127.0.0.1:{acme}/dir\n{more}",
        Backend::memory().storage(),
        cache.display()
    );
    Apus::start_file(command, &config)
}

fn curl(port: u16, believes: &Path, more: &[&str]) -> Option<String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--cacert"])
        .arg(believes)
        .args(["--resolve", &format!("localhost:{port}:127.0.0.1")]);
    said(curl.args(more).arg(format!("https://localhost:{port}/v2/")))
}

/// Promise: a certificate is fetched from an authority that finds its proof here, and kept over a restart; before it was there
/// nobody believed the registry, and who must show a certificate must show it all the while.
#[tokio::test]
async fn a_certificate_is_fetched_and_kept() {
    let port = free_port();
    let pebble = Pebble::start(port);
    let cache = pebble.directory.path().join("cache");
    let known = pebble.authority.path("known");
    let clientcas = format!("    clientcas: [{}]\n", known.join("ca.crt").display());
    let apus = start(&pebble, port, &cache, &clientcas);
    apus.until_it_logs("there is a new certificate").await;

    let root = pebble.root();
    let (certificate, key) = (known.join("client.cert"), known.join("client.key"));
    let shown = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    assert_eq!(curl(port, &root, &shown).as_deref(), Some("{}"), "{}", pebble.log());
    assert_eq!(curl(port, &root, &[]), None, "a client without a certificate");
    assert_eq!(curl(port, &known.join("ca.crt"), &shown), None, "another authority is believed");

    let kept = fs::read(cache.join("certificate.pem")).unwrap();
    drop(apus);
    let apus = start(&pebble, port, &cache, "");
    assert_eq!(curl(port, &root, &[]).as_deref(), Some("{}"));
    assert!(fs::read(cache.join("certificate.pem")).unwrap() == kept, "it was fetched again");
    assert!(!apus.log().iter().any(|line| line.contains("certificate")), "{:?}", apus.log());
}

/// Promise: where the authority finds no proof it gives nothing, and the operator is told why.
#[tokio::test]
async fn who_is_not_found_gets_none() {
    let (port, elsewhere) = (free_port(), free_port());
    let pebble = Pebble::start(elsewhere);
    let apus = start(&pebble, port, &pebble.directory.path().join("cache"), "");
    apus.until_it_logs("for the tls-alpn-01 challenge").await;
    assert_eq!(curl(port, &pebble.root(), &[]), None);
    assert_eq!(curl(port, &pebble.root(), &["--insecure"]).as_deref(), Some("{}"));
}
