//! The token server of the distribution project, whose tokens registry:2 was made for. `scripts/lib/token-server` builds it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::clients::programs::{last_line, script};
use crate::support::apus::free_port;

/// How long it may take to answer.
const LIMIT: Duration = Duration::from_mins(1);

const ISSUER: &str = "distribution";

/// A running token server with the users of [`super::USERS`]; it ends with the test. It grants everything to who has signed in, in the
/// repositories that begin with their name.
pub(crate) struct Distribution {
    child: Child,
    address: String,
    directory: TempDir,
}

impl Distribution {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&pair).unwrap();
        std::fs::write(path("bundle.pem"), certificate.pem()).unwrap();
        std::fs::write(path("key.pem"), elliptic(&pair)).unwrap();
        std::fs::write(path("htpasswd"), super::USERS).unwrap();
        // It cannot choose a port by itself.
        let address = format!("127.0.0.1:{}", free_port());
        let mut command =
            Command::new(last_line(Command::new(script("lib/token-server")).arg("--no-install")));
        command.args(["-addr", &address, "-issuer", ISSUER, "-realm", "tokens"]);
        command.arg("-key").arg(path("key.pem")).arg("-passwd").arg(path("htpasswd"));
        let log = std::fs::File::create(path("log")).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut started = Self { child, address, directory };
        started.wait();
        started
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while std::net::TcpStream::connect(&self.address).is_err() {
            let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap();
            assert!(self.child.try_wait().unwrap().is_none() && begun.elapsed() < LIMIT, "{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The section `auth` of a registry:2 that sends its clients there.
    pub(crate) fn auth(&self) -> String {
        format!(
            "auth:\n  token: {{realm: 'http://{}/token/', service: registry, issuer: {ISSUER}, rootcertbundle: {}}}\n",
            self.address,
            self.directory.path().join("bundle.pem").display()
        )
    }
}

impl Drop for Distribution {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key in the form that the server reads (SEC 1), by openssl.
fn elliptic(pair: &KeyPair) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, pair.serialize_pem()).unwrap();
    let output = Command::new("openssl").args(["ec", "-in"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
