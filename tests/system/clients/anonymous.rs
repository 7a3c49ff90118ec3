//! docker, podman, skopeo, ctr and oras over one configuration, by HTTPS: what is public everyone pulls, without a login; for the rest
//! users log in with a name and a password.

use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;

use super::containerd::Containerd;
use super::docker::{Docker, LOADED};
use super::engine::Engine;
use super::login::{Registry, config_of, is_refusal, sign_in};
use super::programs::{complaint, last_line, run, script};
use super::source::{Small, Source};
use crate::auth::{ALICE, USERS};
use crate::support::backend::variable;
use crate::support::{Apus, Backend};

/// Everyone pulls from `public/`, and alice does what she likes there and in `alice/`.
const POLICY: &str = "
access:
  rules:
    - {who: [everyone], may: [pull], repositories: ['public/**']}
    - {who: ['user:alice'], may: [pull, push, overwrite], repositories: ['public/**', 'alice/**']}
";

impl Registry {
    /// With an image in `public/app` and in `alice/app`.
    fn public(image: &Source) -> Self {
        let registry = Self::with_passwords(POLICY);
        for name in ["public/app", "alice/app"] {
            let mut push = Command::new("skopeo");
            push.args(["--insecure-policy", "copy", "--quiet", "--dest-creds", ALICE]);
            push.arg(format!("--dest-cert-dir={}", registry.certificates()));
            run(push.arg(image.name()).arg(format!("docker://{}", registry.image_in(name))));
        }
        registry
    }
}

/// Promise: skopeo.
#[tokio::test(flavor = "multi_thread")]
async fn skopeo_pulls_without_a_login() {
    let small = Small::make();
    let image = small.image("amd64");
    let registry = Registry::public(&image);
    let directory = tempfile::tempdir().unwrap();
    let skopeo = |verb: &str| {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", verb, "--authfile"]).arg(directory.path().join("auth.json"));
        command
    };
    let pull = |name: &str, to: &Path| {
        let mut command = skopeo("copy");
        command.arg(format!("--src-cert-dir={}", registry.certificates()));
        let from = format!("docker://{}", registry.image_in(name));
        command.args(["--quiet", &from]).arg(format!("dir:{}", to.display()));
        command
    };
    let push = |name: &str| {
        let mut command = skopeo("copy");
        command.arg(format!("--dest-cert-dir={}", registry.certificates()));
        command.args(["--quiet", &image.name(), &format!("docker://{}", registry.image_in(name))]);
        command
    };
    let id = image.image().await.id();
    let back = directory.path().join("public");
    run(&mut pull("public/app", &back));
    assert_eq!(config_of(&back), id);
    for refused in [&mut pull("alice/app", &directory.path().join("private")), &mut push("public/new")] {
        let said = complaint(refused);
        assert!(is_refusal(&said), "{said}");
    }
    sign_in(|| {
        let mut login = skopeo("login");
        login.arg(format!("--cert-dir={}", registry.certificates())).arg(registry.host());
        login
    });
    run(&mut push("alice/new"));
    let back = directory.path().join("private");
    run(&mut pull("alice/new", &back));
    assert_eq!(config_of(&back), id);
}

/// Promise: podman.
#[tokio::test(flavor = "multi_thread")]
async fn podman_pulls_without_a_login() {
    let small = Small::make();
    let image = small.image("amd64");
    let registry = Registry::public(&image);
    let podman = Engine::podman();
    let directory = tempfile::tempdir().unwrap();
    // It wants one that is there.
    fs::write(directory.path().join("auth.json"), "{}").unwrap();
    let command = |verb: &str| {
        let mut command = podman.command();
        command.arg(verb).arg("--authfile").arg(directory.path().join("auth.json"));
        command.arg(format!("--cert-dir={}", registry.certificates()));
        command
    };
    let there = |name: &str| format!("docker://{}", registry.image_in(name));
    let id = image.image().await.id();
    let pulled = last_line(command("pull").args(["--quiet", &there("public/app")]));
    assert_eq!(format!("sha256:{pulled}"), id);
    for (verb, arguments) in [
        ("pull", vec!["--quiet".to_owned(), there("alice/app")]),
        ("push", vec!["--quiet".to_owned(), id.clone(), there("public/new")]),
    ] {
        let said = complaint(command(verb).args(arguments));
        assert!(is_refusal(&said), "{said}");
    }
    sign_in(|| {
        let mut login = command("login");
        login.arg(registry.host());
        login
    });
    run(command("push").args(["--quiet", &id, &there("alice/new")]));
    podman.remove(&id);
    let pulled = last_line(command("pull").args(["--quiet", &there("alice/new")]));
    assert_eq!(format!("sha256:{pulled}"), id);
    podman.remove(&id);
}

/// Promise: docker, which does not pull without a login where a password is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn docker_pulls_without_a_login() {
    let small = Small::make();
    let image = small.image("amd64");
    let registry = Registry::public(&image);
    let docker = Docker::start();
    let id = image.image().await.id();
    let public = registry.image_in("public/app");
    run(docker.command().args(["pull", "--quiet", &public]));
    assert_eq!(docker.id(&public), id);
    complaint(docker.command().args(["pull", "--quiet", &registry.image_in("alice/app")]));
    let new = registry.image_in("public/new");
    docker.load(&image);
    run(docker.command().args(["tag", LOADED, &new]));
    complaint(docker.command().args(["push", "--quiet", &new]));
    // What docker says is of its second try, without TLS.
    registry.until_it_logs("the token does not grant what is needed").await;
    sign_in(|| {
        let mut login = docker.command();
        login.arg("login").arg(registry.host());
        login
    });
    let private = registry.image_in("alice/new");
    run(docker.command().args(["tag", LOADED, &private]));
    run(docker.command().args(["push", "--quiet", &private]));
    docker.remove(&id);
    run(docker.command().args(["pull", "--quiet", &private]));
    assert_eq!(docker.id(&private), id);
    docker.remove(&id);
    run(docker.command().args(["logout", &registry.host()]));
    complaint(docker.command().args(["pull", "--quiet", &private]));
    run(docker.command().args(["pull", "--quiet", &public]));
}

/// Promise: ctr, which asks for its tokens by POST where it has a password.
#[tokio::test(flavor = "multi_thread")]
async fn ctr_pulls_without_a_login() {
    let small = Small::make();
    let image = small.image("amd64");
    let registry = Registry::public(&image);
    let containerd = Containerd::start();
    // Unless it is told otherwise, it speaks plain HTTP to this machine.
    let hosts = tempfile::tempdir().unwrap();
    fs::create_dir(hosts.path().join(registry.host())).unwrap();
    let (url, ca) = (format!("https://{}", registry.host()), format!("{}/ca.crt", registry.certificates()));
    let host = format!("server = \"{url}\"\nca = \"{ca}\"\n[host.\"{url}\"]\nca = \"{ca}\"\n");
    fs::write(hosts.path().join(registry.host()).join("hosts.toml"), host).unwrap();
    let ctr = |verb: &str, user: Option<&str>, name: &str| {
        let mut command = containerd.command();
        command.args(["images", verb, "--hosts-dir"]).arg(hosts.path());
        if verb == "pull" {
            command.args(["--snapshotter", "native"]);
        }
        command.args(user.map(|user| format!("--user={user}"))).arg(registry.image_in(name));
        command
    };
    let expected = image.image().await;
    run(&mut ctr("pull", None, "public/app"));
    containerd.content(&expected.digest()).await.assert_same(&expected);
    let new = registry.image_in("alice/new");
    run(containerd.command().args(["images", "tag", &registry.image_in("public/app"), &new]));
    for refused in [
        &mut ctr("pull", None, "alice/app"),
        &mut ctr("push", None, "alice/new"),
        &mut ctr("push", Some("alice:wrong"), "alice/new"),
    ] {
        let said = complaint(refused);
        assert!(is_refusal(&said) || said.contains("authorization failed"), "{said}");
    }
    run(&mut ctr("push", Some(ALICE), "alice/new"));
    containerd.forget();
    run(&mut ctr("pull", Some(ALICE), "alice/new"));
    containerd.content(&expected.digest()).await.assert_same(&expected);
    let requests = registry.requests("give token");
    assert!(requests.iter().any(|line| line.contains("\"http.request.method\":\"POST\"")), "{requests:#?}");
}

/// Promise: oras, with what `docker login` leaves behind.
#[tokio::test(flavor = "multi_thread")]
async fn oras_pulls_without_a_login() {
    const CHART: &str = "application/vnd.test.chart";
    let small = Small::make();
    let registry = Registry::public(&small.image("amd64"));
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("chart"), "a chart\n").unwrap();
    let oras = |home: &Path, arguments: &[&str]| {
        let mut command = Command::new(variable("APUS_TEST_ORAS"));
        command.arg(script("../tests/system/clients/artifacts.py"));
        command.arg("--authority").arg(Path::new(&registry.certificates()).join("ca.crt"));
        command.env("HOME", home).current_dir(directory.path()).args(arguments);
        command
    };
    let [nobody, alice] = &["nobody", "alice"].map(|home| directory.path().join(home));
    fs::create_dir(nobody).unwrap();
    fs::create_dir_all(alice.join(".docker")).unwrap();
    let auth = BASE64.encode(ALICE.as_bytes());
    let auths = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.host());
    fs::write(alice.join(".docker/config.json"), auths).unwrap();
    let [public, private] = ["public/chart", "alice/chart"].map(|name| registry.image_in(name));
    // It tries a wrong password for two minutes.
    complaint(&mut oras(nobody, &["push", &public, CHART, "chart"]));
    for name in [&public, &private] {
        run(&mut oras(alice, &["push", name, CHART, "chart"]));
    }
    for (home, name, is_let_in) in
        [(alice, &private, true), (alice, &public, true), (nobody, &public, true), (nobody, &private, false)]
    {
        let to = tempfile::tempdir().unwrap();
        let mut pull = oras(home, &["pull", name, to.path().to_str().unwrap()]);
        if is_let_in {
            run(&mut pull);
            assert_eq!(fs::read_to_string(to.path().join("chart")).unwrap(), "a chart\n");
        } else {
            complaint(&mut pull);
        }
    }
}

/// Promise: a cache of a registry that gives tokens gets them as its user, and gives its own to its clients.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_gives_tokens_and_takes_them() {
    let small = Small::make();
    let image = small.image("amd64");
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("htpasswd");
    fs::write(&users, USERS).unwrap();
    let auth = format!("auth: {{htpasswd: {{realm: Apus, path: {}}}}}{POLICY}", users.display());
    let upstream = Apus::start_with(Backend::memory().storage(), &auth);
    let (user, password) = ALICE.split_once(':').unwrap();
    let url = format!("http://{}", upstream.address());
    let proxy = format!("proxy: {{remoteurl: '{url}', username: {user}, password: '{password}'}}\n{auth}");
    let cache = Apus::start_with(Backend::memory().storage(), &proxy);
    let skopeo = || {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--quiet"]);
        // Not the user's credentials.
        command.env("HOME", directory.path()).env("XDG_RUNTIME_DIR", directory.path());
        command
    };
    for name in ["public/app", "alice/app"] {
        let there = format!("docker://{}/{name}:latest", upstream.address());
        run(skopeo().args(["--dest-tls-verify=false", "--dest-creds", ALICE, &image.name(), &there]));
    }
    let pull = |credentials: &[&str], name: &str| {
        let back = format!("dir:{}", directory.path().join(name.replace('/', "-")).display());
        let mut command = skopeo();
        command.arg("--src-tls-verify=false").args(credentials);
        command.args([&format!("docker://{}/{name}:latest", cache.address()), &back]);
        command
    };
    run(&mut pull(&[], "public/app"));
    assert_eq!(config_of(&directory.path().join("public-app")), image.image().await.id());
    let said = complaint(&mut pull(&[], "alice/app"));
    assert!(is_refusal(&said), "{said}");
    run(&mut pull(&["--src-creds", ALICE], "alice/app"));
    assert_eq!(config_of(&directory.path().join("alice-app")), image.image().await.id());
    // The upstream was asked by tokens that it had given to the cache's user.
    let asked = upstream.log();
    let by_cache = |line: &&String| !line.contains("skopeo");
    let given: Vec<_> =
        asked.iter().filter(by_cache).filter(|line| line.contains("\"action\":\"give token\"")).collect();
    assert!(given.iter().any(|line| line.contains("\"auth.user.name\":\"alice\"")), "{asked:#?}");
}
