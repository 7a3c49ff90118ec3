//! A Prometheus of the test's own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::Client;

/// How long it may take to begin, or to come to see something.
const PATIENCE: Duration = Duration::from_mins(1);

/// A Prometheus that runs.
pub(super) struct Prometheus {
    child: Child,
    directory: TempDir,
}

impl Prometheus {
    /// Starts one with this configuration.
    pub(super) fn start(config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("prometheus.yml"), config).unwrap();
        let log = std::fs::File::create(path("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("prometheus: {error}; scripts/install-tools installs what the tests need")
            });
        Self { child, directory }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// A client of it, once it can be asked.
    pub(super) async fn client(&mut self) -> Client {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("\"Listening on\""));
            if let Some(line) = line {
                let line: Value = serde_json::from_str(line).unwrap();
                let client = Client::new(line["address"].as_str().unwrap().parse().unwrap());
                if client.get("/-/ready").await.status == StatusCode::OK {
                    return client;
                }
            }
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended:\n{log}");
            assert!(begun.elapsed() < PATIENCE, "it is never ready:\n{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it answers to a question of its interface.
    pub(super) async fn ask(&mut self, path: &str) -> Value {
        let answer = self.client().await.get(path).await;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// What an expression gives now.
    pub(super) async fn query(&mut self, expression: &str) -> Vec<Value> {
        let query = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        self.ask(&format!("/api/v1/query?query={query}")).await["result"].as_array().unwrap().clone()
    }

    /// Waits until an expression gives something.
    pub(super) async fn comes_to(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.query(expression).await.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "never: {expression}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
