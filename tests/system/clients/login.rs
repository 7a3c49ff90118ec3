//! skopeo, podman and docker log in, push and pull by HTTPS: with names and passwords that the registry knows itself, and with
//! tokens. The tests run in several threads, for the token server answers while a client is waited for.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::docker::{Docker, LOADED};
use super::engine::Engine;
use super::programs::{complaint, last_line, run};
use super::source::{Small, Source};
use crate::auth::distribution::Distribution;
use crate::auth::token_server::TokenServer;
use crate::auth::{ALICE, USERS};
use crate::support::authority::Authority;
use crate::support::{Apus, Backend};

/// A registry that speaks HTTPS and knows its users.
pub(super) struct Registry {
    apus: Apus,
    authority: Authority,
    /// Of the users, where the registry has them itself.
    _directory: tempfile::TempDir,
}

impl Registry {
    /// With these sections behind `auth`.
    pub(super) fn with_passwords(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("htpasswd");
        std::fs::write(&users, USERS).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: Apus, path: {}}}}}{more}", users.display());
        Self::start(&auth, directory)
    }

    fn with_tokens(auth: &str) -> Self {
        Self::start(auth, tempfile::tempdir().unwrap())
    }

    fn start(auth: &str, directory: tempfile::TempDir) -> Self {
        let authority = Authority::new();
        let apus = Apus::start_with(Backend::memory().storage(), &authority.http(auth));
        Self { apus, authority, _directory: directory }
    }

    pub(super) fn host(&self) -> String {
        self.apus.address().to_string()
    }

    fn image(&self) -> String {
        self.image_in("alice/app")
    }

    pub(super) fn image_in(&self, repository: &str) -> String {
        format!("{}/{repository}:latest", self.host())
    }

    /// The lines of its log about requests of a kind.
    pub(super) fn requests(&self, action: &str) -> Vec<String> {
        let action = format!("\"action\":\"{action}\"");
        self.apus.log().into_iter().filter(|line| line.contains(&action)).collect()
    }

    pub(super) async fn until_it_logs(&self, words: &str) {
        self.apus.until_it_logs(words).await;
    }

    pub(super) fn certificates(&self) -> String {
        self.authority.directory(false).display().to_string()
    }
}

/// One for each way to sign in: passwords, the tests' own token server, the distribution project's.
fn registries(server: &TokenServer, distribution: &Distribution) -> [Registry; 3] {
    let (server, distribution) = (server.auth(), distribution.auth());
    [Registry::with_passwords(""), Registry::with_tokens(&server), Registry::with_tokens(&distribution)]
}

/// Runs `login` with a password on standard input. Answers whether it let the user in, and what it said.
fn login(command: &mut Command, password: &str) -> (bool, String) {
    command.args(["--username", "alice", "--password-stdin"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Tries it with a wrong password and then with the right one. `make` makes the command anew.
pub(super) fn sign_in(make: impl Fn() -> Command) {
    let (_, password) = ALICE.split_once(':').unwrap();
    let (is_in, said) = login(&mut make(), "wrong");
    assert!(!is_in, "a wrong password is taken: {said}");
    let (is_in, said) = login(&mut make(), password);
    assert!(is_in, "{said}");
}

pub(super) fn is_refusal(said: &str) -> bool {
    let said = said.to_lowercase();
    ["unauthorized", "authentication required", "denied", "no basic auth credentials"]
        .iter()
        .any(|word| said.contains(word))
}

/// Promise: skopeo is refused without a login and with a wrong password, and with the right one pushes and pulls.
#[tokio::test(flavor = "multi_thread")]
async fn skopeo_logs_in() {
    let small = Small::make();
    let (server, distribution) = (TokenServer::start().await, Distribution::start());
    for registry in registries(&server, &distribution) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("auth.json");
        let skopeo = |verb: &str| {
            let mut command = Command::new("skopeo");
            command.arg("--insecure-policy").arg(verb).arg("--authfile").arg(&file);
            command
        };
        let there = format!("docker://{}", registry.image());
        let push = || {
            let mut command = skopeo("copy");
            command.arg(format!("--dest-cert-dir={}", registry.certificates()));
            command.args(["--quiet", &small.image("amd64").name(), &there]);
            command
        };
        let said = complaint(&mut push());
        assert!(is_refusal(&said), "{said}");
        sign_in(|| {
            let mut command = skopeo("login");
            command.arg(format!("--cert-dir={}", registry.certificates())).arg(registry.host());
            command
        });
        run(&mut push());
        let back = directory.path().join("back");
        let mut pull = skopeo("copy");
        pull.arg(format!("--src-cert-dir={}", registry.certificates())).args(["--quiet", &there]);
        run(pull.arg(format!("dir:{}", back.display())));
        assert_eq!(config_of(&back), small.image("amd64").image().await.id());
        run(skopeo("logout").arg(registry.host()));
        let mut inspect = skopeo("inspect");
        inspect.arg(format!("--cert-dir={}", registry.certificates()));
        let said = complaint(inspect.arg(&there));
        assert!(is_refusal(&said), "{said}");
    }
    let asked = server.asked();
    assert!(
        asked.iter().any(|query| query.contains("scope=repository%3Aalice%2Fapp%3Apull%2Cpush")),
        "{asked:?}"
    );
}

/// The identifier of the image in a directory that skopeo wrote.
pub(super) fn config_of(directory: &Path) -> String {
    let manifest = std::fs::read(directory.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    manifest["config"]["digest"].as_str().unwrap().to_owned()
}

/// Promise: so does podman.
#[tokio::test(flavor = "multi_thread")]
async fn podman_logs_in() {
    let small = Small::make();
    let (server, distribution) = (TokenServer::start().await, Distribution::start());
    let podman = Engine::podman();
    for registry in registries(&server, &distribution) {
        let directory = tempfile::tempdir().unwrap();
        // It wants one that is there.
        std::fs::write(directory.path().join("auth.json"), "{}").unwrap();
        let id = podman.pull(&small.image("amd64").name());
        let command = |verb: &str| {
            let mut command = podman.command();
            command.arg(verb).arg("--authfile").arg(directory.path().join("auth.json"));
            command.arg(format!("--cert-dir={}", registry.certificates()));
            command
        };
        let there = format!("docker://{}", registry.image());
        let said = complaint(command("push").args(["--quiet", &id, &there]));
        assert!(is_refusal(&said), "{said}");
        sign_in(|| {
            let mut login = command("login");
            login.arg(registry.host());
            login
        });
        run(command("push").args(["--quiet", &id, &there]));
        podman.remove(&id);
        assert_eq!(format!("sha256:{}", last_line(command("pull").args(["--quiet", &there]))), id);
        podman.remove(&id);
    }
}

/// Promise: so does docker. It takes a registry on loopback by HTTPS without looking at its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn docker_logs_in() {
    let small = Small::make();
    let (server, distribution) = (TokenServer::start().await, Distribution::start());
    let docker = Docker::start();
    let source: Source = small.image("amd64");
    let id = source.image().await.id();
    for registry in registries(&server, &distribution) {
        docker.load(&source);
        let image = registry.image();
        run(docker.command().args(["tag", LOADED, &image]));
        // What it says is of its second try, without TLS.
        complaint(docker.command().args(["push", "--quiet", &image]));
        registry.apus.until_it_logs("authentication required").await;
        sign_in(|| {
            let mut login = docker.command();
            login.arg("login").arg(registry.host());
            login
        });
        run(docker.command().args(["push", "--quiet", &image]));
        docker.remove(&id);
        run(docker.command().args(["pull", "--quiet", &image]));
        assert_eq!(docker.id(&image), id);
        docker.remove(&id);
        run(docker.command().args(["logout", &registry.host()]));
        complaint(docker.command().args(["pull", "--quiet", &image]));
    }
}
