//! `apus swift check` as an operator meets it: what it prints, its exit statuses, and that it leaves nothing behind.

use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Feature, Interface, Options};
use hyper::Method;
use serde_json::Value;

use crate::support::backend::FAKE_CONTAINER;
use crate::support::swift::{Container, object_names};
use crate::support::{Backend, apus};

/// How long anything here may take.
const LIMIT: Duration = Duration::from_mins(2);

const STEPS: [&str; 13] = [
    "sign-in",
    "token",
    "capabilities",
    "container",
    "quota",
    "write",
    "read",
    "head",
    "list",
    "large-object",
    "range",
    "temporary-url",
    "delete",
];

/// A configuration file in a directory of its own.
struct File {
    directory: tempfile::TempDir,
}

impl File {
    /// With these lines below `storage:`.
    fn new(storage: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.yml"), format!("version: 0.1\nstorage:\n{storage}\n"))
            .unwrap();
        Self { directory }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = apus::command();
        command.args(["swift", "check", "config.yml"]).args(arguments);
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end. Answers its exit status and what it printed.
    fn check(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = end(self.command(arguments).spawn().unwrap());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Runs it with `--json`. Answers its exit status, the findings and the summary.
    fn findings(&self) -> (i32, Vec<Value>, Value) {
        let (status, stdout, stderr) = self.check(&["--json"]);
        assert_eq!(stderr, "");
        let mut lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop().unwrap();
        let steps: Vec<&str> = lines.iter().map(|line| line["step"].as_str().unwrap()).collect();
        assert_eq!(steps, STEPS, "{stdout}");
        (status, lines, summary)
    }
}

/// Waits for its end; it prints less than a pipe holds.
fn end(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("it still runs: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

async fn fake(change: impl FnOnce(&mut Options)) -> FakeSwift {
    let mut options = Options { containers: vec![FAKE_CONTAINER.into()], ..Options::default() };
    change(&mut options);
    FakeSwift::start(options).await.unwrap()
}

/// That one step failed with this advice, by the text and by the JSON, and that the exit status says so.
#[track_caller]
fn assert_fails(storage: &str, step: &str, advice: &str) {
    let file = File::new(storage);
    let (status, findings, summary) = file.findings();
    assert_eq!(
        (status, &summary["usable"], &summary["failed"]),
        (1, &false.into(), &1.into()),
        "{findings:#?}"
    );
    let failed = findings.iter().find(|finding| finding["verdict"] == "failed").unwrap();
    assert_eq!(failed["step"], step, "{failed:#?}");
    assert!(failed["advice"].as_str().unwrap().contains(advice), "{failed:#?}");

    let (status, stdout, stderr) = file.check(&[]);
    assert_eq!((status, &*stderr), (1, ""));
    let line = stdout.lines().find(|line| line.starts_with("failed ")).unwrap();
    assert_eq!(line.split_whitespace().nth(1), Some(step), "{stdout}");
    assert!(stdout.contains("to do: ") && stdout.contains("Apus cannot use this Swift yet"), "{stdout}");
    assert!(!stdout.contains("testing\"") && !stdout.contains("temp_url_sig"), "{stdout}");
}

/// A real Swift that is well: each step works, the container is as it was before.
#[tokio::test]
async fn a_swift_that_is_well() {
    for backend in [Backend::swift_v1(), Backend::swift_v3()] {
        let file = File::new(backend.storage());
        let (status, stdout, stderr) = file.check(&[]);
        assert_eq!((status, &*stderr), (0, ""), "{}: {stdout}", backend.name);
        let lines: Vec<&str> = stdout.lines().collect();
        let steps: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("works ")).collect();
        let steps: Vec<_> = steps.iter().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(steps, STEPS, "{}: {stdout}", backend.name);
        assert_eq!(lines[13..], ["All that Apus needs works."], "{}: {stdout}", backend.name);
        assert!(!stdout.contains('\x1b'), "{stdout:?}");

        let (status, findings, summary) = file.findings();
        assert_eq!(status, 0);
        assert_eq!(summary.to_string(), r#"{"failed":0,"skipped":0,"usable":true,"warnings":0,"works":13}"#);
        assert!(findings.iter().all(|finding| finding["seconds"].is_f64() && finding["advice"].is_null()));
    }
    // The container of version 1 was missing, and is missing again.
    let backend = Backend::swift_v1();
    let container = backend.container().unwrap();
    assert_eq!(File::new(backend.storage()).check(&[]).0, 0);
    assert_eq!(Container::open(container).await.get("").await.status.as_u16(), 404);
}

/// What a registry has stored stays, and nothing is added to it.
#[tokio::test]
async fn a_container_in_use() {
    let backend = Backend::swift_v1();
    let apus = crate::support::Apus::start(backend.storage());
    apus.client().push("a", crate::support::content::random(1000)).await;
    let container = backend.container().unwrap();
    // The object that a registry itself fetches by temporary URLs may come in between.
    let own =
        |names: Vec<String>| names.into_iter().filter(|name| name.starts_with("files/")).collect::<Vec<_>>();
    let before = own(object_names(container).await);
    let (status, stdout, _) = File::new(backend.storage()).check(&[]);
    assert_eq!(status, 0, "{stdout}");
    let after = object_names(container).await;
    assert!(!after.iter().any(|name| name.contains("apus/probes/check-")), "{after:?}");
    assert_eq!(own(after), before);
    drop(apus);
    Container::open(container).await.remove().await;
}

/// What an operator gets wrong is told with the key to change.
#[tokio::test]
async fn a_configuration_that_is_wrong() {
    let real = Backend::swift_v3();
    let real = real.storage();
    assert_fails(&replaced(real, "password: ", "wrong"), "sign-in", "password");
    assert_fails(&replaced(real, "region: ", "Atlantis"), "sign-in", "region");
    assert_fails(&replaced(real, "tenant: ", "nowhere"), "sign-in", "tenant");
    let without_project: Vec<&str> = real.lines().filter(|line| !line.contains(" tenant:")).collect();
    assert_fails(&without_project.join("\n"), "sign-in", "tenant");
    let real = Backend::swift_v1();
    assert_fails(&replaced(real.storage(), "password: ", "wrong"), "sign-in", "password");
}

/// The lines with another value for one key.
fn replaced(storage: &str, key: &str, value: &str) -> String {
    let line = |line: &str| match line.split_once(key) {
        Some((before, _)) => format!("{before}{key}\"{value}\""),
        None => line.to_owned(),
    };
    storage.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What the cloud does not allow, or does not have.
#[tokio::test(flavor = "multi_thread")]
async fn a_swift_that_is_not_well() {
    let without_container = fake(|options| {
        options.containers.clear();
        options.may_create_containers = false;
    })
    .await;
    assert_fails(Backend::fake_v3(&without_container).storage(), "container", "have the container made");

    let without_slo = fake(|options| options.without.push(Feature::StaticLargeObjects)).await;
    assert_fails(Backend::fake_v1(&without_slo).storage(), "large-object", "middleware slo");
    assert!(without_slo.object_names(FAKE_CONTAINER).is_empty());

    let full = fake(|_| ()).await;
    let action = Action::Status(hyper::StatusCode::INSUFFICIENT_STORAGE, hyper::HeaderMap::new());
    full.fault(Fault { method: Some(Method::PUT), ..Fault::always(action) });
    assert_fails(Backend::fake_v3(&full).storage(), "write", "full");

    let mut down = fake(|_| ()).await;
    let storage = Backend::fake_v3(&down).storage().to_owned();
    down.go_away().await.unwrap();
    assert_fails(&storage, "sign-in", "authurl");
}

/// What Apus can do without is a warning, and no failure.
#[tokio::test(flavor = "multi_thread")]
async fn a_swift_that_lacks_what_is_not_needed() {
    let fake = fake(|options| options.without.extend([Feature::BulkDelete, Feature::TemporaryUrls])).await;
    let file = File::new(Backend::fake_v3(&fake).storage());
    let (status, findings, summary) = file.findings();
    assert_eq!(
        (status, &summary["usable"], &summary["warnings"]),
        (0, &true.into(), &2.into()),
        "{findings:#?}"
    );
    let (status, stdout, _) = file.check(&[]);
    assert_eq!(status, 0);
    assert!(stdout.ends_with("All that Apus needs works; warnings: 2.\n"), "{stdout}");
    assert!(fake.object_names(FAKE_CONTAINER).is_empty());
}

/// Redirects are tried as the configuration has them: with its host, or not at all, and then nothing is set for them.
#[tokio::test(flavor = "multi_thread")]
async fn redirects_as_configured() {
    let fake = fake(|_| ()).await;
    let storage = Backend::fake_v3(&fake).storage().to_owned();
    let public = fake.storage_url(Interface::Public);
    let host = public.split_once("/v1/").unwrap().0.replace("127.0.0.1", "localhost");
    let fetched = || fake.count(|request| request.query.contains("temp_url_sig"));
    for (lines, verdict, said) in [
        ("\n  redirect: {disable: true}".to_owned(), "skipped", "the configuration wants none"),
        ("\n    endpointtype: internal".to_owned(), "warning", "set tempurlhost"),
        (format!("\n    tempurlhost: {host}"), "works", "fetched from localhost:"),
        (
            format!("\n    endpointtype: internal\n    tempurlhost: {host}"),
            "works",
            "fetched from localhost:",
        ),
    ] {
        let (status, findings, summary) = File::new(&format!("{storage}{lines}")).findings();
        assert_eq!((status, &summary["usable"]), (0, &true.into()), "{findings:#?}");
        let step = findings.iter().find(|finding| finding["step"] == "temporary-url").unwrap();
        assert_eq!(step["verdict"], verdict, "{step:#?}");
        assert!(step.to_string().contains(said), "{step:#?}");
        assert_eq!(fetched() > 0, verdict == "works", "{lines}");
    }
}

/// There is nothing to check, or not by this file.
#[test]
fn a_configuration_without_a_swift() {
    for (storage, part) in [
        ("  inmemory: {}", "the storage of config.yml is not swift, so there is no Swift to check"),
        ("  swift: {container: c}", "config.yml:3:3: storage.swift."),
    ] {
        let (status, stdout, stderr) = File::new(storage).check(&[]);
        assert_eq!((status, &*stdout), (1, ""), "{stderr}");
        assert!(stderr.starts_with("apus: ") && stderr.contains(part), "{stderr}");
    }
    let alone = apus::command().args(["swift", "check"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(1));
    assert!(String::from_utf8(alone.stderr).unwrap().contains("give a configuration file"));
}

/// Whoever interrupts it is not left with its objects.
#[tokio::test(flavor = "multi_thread")]
async fn an_interruption() {
    for signal in ["-INT", "-TERM"] {
        let fake = fake(|options| options.containers.clear()).await;
        fake.fault(Fault {
            method: Some(Method::PUT),
            path_contains: "/segment-2".into(),
            ..Fault::once(Action::DelayAnswer(LIMIT * 2))
        });
        let file = File::new(Backend::fake_v3(&fake).storage());
        let child = file.command(&[]).spawn().unwrap();
        let begun = Instant::now();
        while fake.faults_left() > 0 {
            assert!(begun.elapsed() < LIMIT, "it does not come so far");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!fake.object_names(FAKE_CONTAINER).is_empty());
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = tokio::task::spawn_blocking(|| end(child)).await.unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stdout}");
        assert!(stdout.lines().last().unwrap().starts_with("works    delete"), "{stdout}");
        assert!(fake.object_names(FAKE_CONTAINER).is_empty());
        let removed =
            fake.requests().into_iter().rev().find(|request| request.method == Method::DELETE).unwrap();
        assert!(removed.path.ends_with(FAKE_CONTAINER), "{removed:?}");
    }
}

/// Colours are for terminals, and for those who want them.
#[tokio::test(flavor = "multi_thread")]
async fn colours() {
    let fake = fake(|_| ()).await;
    let file = File::new(Backend::fake_v3(&fake).storage());
    let on_a_terminal = |no_colour: &str| {
        let command = format!("{} swift check config.yml", env!("CARGO_BIN_EXE_apus"));
        let mut child = apus::without_settings(Command::new("script"))
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("NO_COLOR", no_colour)
            .current_dir(file.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success(), "{text}");
        text
    };
    assert!(on_a_terminal("").contains("\x1b[32mworks"));
    let plain = on_a_terminal("1");
    assert!(plain.contains("works") && !plain.contains('\x1b'), "{plain:?}");
}
