//! The example for Kubernetes: three replicas over one Swift. What it configures can be used, and what it asks of a container the
//! binary has.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::yaml;
use crate::clients::programs::run;
use crate::support::Client;
use crate::support::apus::command;

/// How long it may take to answer for the first time.
const PATIENCE: Duration = Duration::from_mins(1);

/// Promise: the configuration can be used, without a warning; files are where it looks for them; the ports are those of the
/// probes, of the Service and of Prometheus; a pod lives longer than its requests.
#[test]
fn the_example_fits_together() {
    let example = Example::read();
    let mounted = Mounted::new(&example);
    assert_eq!(
        run(mounted.apus(&["config", "check"]).arg(&mounted.config)),
        "The configuration can be used.\n"
    );

    let shown = run(mounted.apus(&["config", "show", "--json"]).env_remove(HTPASSWD).arg(&mounted.config));
    let settings: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let setting = |key: &str| settings.iter().find(|setting| setting["key"] == key).unwrap()["value"].clone();
    let container = example.container();
    assert_eq!(container["args"], serde_json::json!([example.mounts("config") + "/config.yml"]));
    assert_eq!(setting("auth.htpasswd.path"), example.mounts("users") + "/htpasswd");

    assert_eq!(setting("http.addr"), format!(":{}", example.port("registry")));
    assert_eq!(setting("http.debug.addr"), format!(":{}", example.port("debug")));
    assert_eq!(example.object("Service")["spec"]["ports"][0]["targetPort"], "registry");
    let annotations = &example.pod()["metadata"]["annotations"];
    assert_eq!(annotations["prometheus.io/port"], example.port("debug").to_string());
    assert_eq!(annotations["prometheus.io/path"], setting("http.debug.prometheus.path"));

    let drain: u64 =
        setting("http.draintimeout").as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    let before = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let grace = example.pod()["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace > drain + before, "{grace} s are not more than {drain} s and {before} s");
}

/// Promise: all objects are about the same pods, of which a user who is not root runs more than one.
#[test]
fn the_example_selects_its_pods() {
    let example = Example::read();
    let labels = &example.pod()["metadata"]["labels"];
    let deployment = &example.object("Deployment")["spec"];
    assert_eq!(deployment["selector"]["matchLabels"], *labels);
    assert_eq!(example.object("Service")["spec"]["selector"], *labels);
    assert_eq!(example.object("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], *labels);
    assert!(deployment["replicas"].as_u64().unwrap() > 1);

    let monitors = yaml::documents(include_str!("../../../contrib/kubernetes/podmonitor.yaml"));
    let [monitor] = &monitors[..] else { panic!("{monitors:?}") };
    assert_eq!(monitor["spec"]["selector"]["matchLabels"], *labels);
    let scraped = &monitor["spec"]["podMetricsEndpoints"][0];
    named(&example.container()["ports"], scraped["port"].as_str().unwrap());
    assert_eq!(scraped["path"], example.pod()["metadata"]["annotations"]["prometheus.io/path"]);

    let image: Value = serde_json::from_str(include_str!("../../../packaging/image/config.json")).unwrap();
    let security = &example.pod()["spec"]["securityContext"];
    let user = format!("{}:{}", security["runAsUser"], security["runAsGroup"]);
    assert_eq!(image["config"]["User"], user);
}

/// Promise: as the container runs it, with a Swift that is away, the registry lives and is not ready, by the probes' paths; and
/// shows its metrics where Prometheus is told to look.
#[tokio::test]
async fn the_probes() {
    let example = Example::read();
    let mounted = Mounted::new(&example);
    let mut apus = mounted.apus(&[]);
    apus.arg(&mounted.config).envs([
        ("REGISTRY_HTTP_ADDR", "127.0.0.1:0"),
        ("REGISTRY_HTTP_DEBUG_ADDR", "127.0.0.1:0"),
        // Nobody listens there.
        ("REGISTRY_STORAGE_SWIFT_AUTHURL", "http://127.0.0.1:1/v3"),
    ]);
    let mut replica = Replica::start(apus);
    let debug = replica.debug_address();
    for probe in ["startupProbe", "livenessProbe"] {
        let path = example.probe(probe);
        assert_eq!(Client::new(debug).get(path).await.expect(200).status, 200);
    }
    let ready = example.probe("readinessProbe");
    Client::new(debug).get(ready).await.expect(503);
    let metrics = example.pod()["metadata"]["annotations"]["prometheus.io/path"].as_str().unwrap();
    Client::new(debug).get(metrics).await.expect(200);
}

/// The variable that moves the file of users to where the test has it.
const HTPASSWD: &str = "REGISTRY_AUTH_HTPASSWD_PATH";

/// What the example says.
struct Example(Vec<Value>);

impl Example {
    fn read() -> Self {
        Self(yaml::documents(include_str!("../../../contrib/kubernetes/apus.yaml")))
    }

    /// The only object of a kind.
    #[track_caller]
    fn object(&self, kind: &str) -> &Value {
        let objects: Vec<_> = self.0.iter().filter(|object| object["kind"] == kind).collect();
        let [object] = objects[..] else { panic!("{kind}: {objects:?}") };
        assert_eq!(object["metadata"]["name"], "apus");
        object
    }

    fn pod(&self) -> &Value {
        &self.object("Deployment")["spec"]["template"]
    }

    fn container(&self) -> &Value {
        &self.pod()["spec"]["containers"][0]
    }

    /// The number of a port by its name.
    #[track_caller]
    fn port(&self, name: &str) -> u64 {
        named(&self.container()["ports"], name)["containerPort"].as_u64().unwrap()
    }

    /// Where a volume is mounted.
    #[track_caller]
    fn mounts(&self, volume: &str) -> String {
        named(&self.container()["volumeMounts"], volume)["mountPath"].as_str().unwrap().to_owned()
    }

    /// The path of a probe, all of which ask the debug address.
    #[track_caller]
    fn probe(&self, name: &str) -> &str {
        let get = &self.container()[name]["httpGet"];
        assert_eq!(get["port"], "debug");
        get["path"].as_str().unwrap()
    }
}

/// The one of a list's objects that has this name.
#[track_caller]
fn named<'list>(list: &'list Value, name: &str) -> &'list Value {
    list.as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {list}"))
}

/// Files and variables as the container finds them.
struct Mounted {
    config: PathBuf,
    directory: TempDir,
    variables: Vec<(String, &'static str)>,
}

impl Mounted {
    fn new(example: &Example) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.yml");
        std::fs::write(&config, example.object("ConfigMap")["data"]["config.yml"].as_str().unwrap()).unwrap();
        let secrets = example.object("Secret")["stringData"].as_object().unwrap();
        assert!(secrets.values().all(|secret| secret == ""), "an example has no secrets");
        std::fs::write(directory.path().join("htpasswd"), secrets["htpasswd"].as_str().unwrap()).unwrap();
        let variable = |variable: &Value| {
            assert!(secrets.contains_key(variable["valueFrom"]["secretKeyRef"]["key"].as_str().unwrap()));
            (variable["name"].as_str().unwrap().to_owned(), "a secret")
        };
        let variables = example.container()["env"].as_array().unwrap().iter().map(variable).collect();
        Self { config, directory, variables }
    }

    fn apus(&self, arguments: &[&str]) -> Command {
        let mut command = command();
        command.args(arguments).envs(self.variables.clone());
        command.env(HTPASSWD, self.directory.path().join("htpasswd"));
        command
    }
}

/// A replica that runs.
struct Replica {
    child: Child,
    log: TempDir,
}

impl Replica {
    fn start(mut command: Command) -> Self {
        let log = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(log.path().join("log")).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self { child, log }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path().join("log")).unwrap()
    }

    /// Waits until it listens, and answers where its debug address is.
    fn debug_address(&mut self) -> std::net::SocketAddr {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let log = self.log();
            let told = log.lines().find(|line| line.contains("\"the debug address\""));
            if let Some(line) = told.filter(|_| log.contains("\"listening\"")) {
                let line: Value = serde_json::from_str(line).unwrap();
                return line["address"].as_str().unwrap().parse().unwrap();
            }
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended:\n{log}");
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it did not listen:\n{}", self.log());
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of the replica:\n{}", self.log());
        }
    }
}
