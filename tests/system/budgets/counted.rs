//! An Apus over a Swift that counts, and the table of what its operations have cost.

use std::fmt::Write;

use super::meter::Meter;
use crate::support::backend::{PROVEN, REDIRECTS};
use crate::support::{Apus, Backend, Client};

/// The objects by which an Apus finds out now and then whether clients can be sent to Swift.
const PROBES: &str = "/apus/probes/";

/// An Apus over a Swift that counts, and what its operations have cost until now.
pub(super) struct Counted {
    pub(super) apus: Apus,
    backend: Backend,
    meter: Meter,
    rows: Vec<Row>,
}

struct Row {
    operation: String,
    budget: usize,
    requests: Vec<String>,
}

impl Counted {
    pub(super) async fn at_fake_swift() -> Self {
        let (backend, meter) = Meter::fake().await;
        Self::over(backend, meter).await
    }

    pub(super) async fn at_real_swift() -> Self {
        let (backend, meter) = Meter::real().await;
        Self::over(backend, meter).await
    }

    async fn over(backend: Backend, mut meter: Meter) -> Self {
        let apus = ready(&backend).await;
        meter.forget().await;
        Self { apus, backend, meter, rows: Vec::new() }
    }

    /// The same, and clients are sent to Swift for blobs.
    pub(super) async fn redirecting(mut self) -> Self {
        self.backend = self.backend.redirecting();
        self.cold().await;
        self
    }

    pub(super) fn client(&self) -> Client {
        self.apus.client()
    }

    /// Another Apus in the place of the first: it remembers nothing.
    pub(super) async fn cold(&mut self) -> Client {
        self.apus = ready(&self.backend).await;
        self.meter.forget().await;
        self.apus.client()
    }

    /// Forgets what has been asked since the last time.
    pub(super) async fn forget(&mut self) {
        self.meter.forget().await;
    }

    /// Puts what has been asked since the last time down to an operation.
    pub(super) async fn charge(&mut self, operation: &str, budget: usize) {
        let mut requests = self.meter.take().await;
        requests.retain(|request| !request.contains(PROBES));
        self.rows.push(Row { operation: operation.to_owned(), budget, requests });
    }

    /// Puts small objects into storage, past Apus, and does not count that.
    pub(super) async fn put_objects(&mut self, objects: Vec<(String, String)>) {
        self.meter.put_objects(objects).await;
        self.meter.forget().await;
    }

    /// Prints the table, and fails the test if a budget was exceeded, or if nothing was counted.
    pub(super) fn settle(self) {
        let title = format!("requests to {}", self.backend.name);
        let mut table = format!("{title:<62} {:>6} {:>7}\n", "budget", "counted");
        let mut faults = String::new();
        for Row { operation, budget, requests } in &self.rows {
            writeln!(table, "{operation:<62} {budget:>6} {:>7}", requests.len()).unwrap();
            if requests.len() > *budget || requests.is_empty() {
                writeln!(faults, "{operation}: {} requests, budget {budget}", requests.len()).unwrap();
                for request in requests {
                    writeln!(faults, "  {request}").unwrap();
                }
            }
        }
        println!("{table}");
        assert!(faults.is_empty(), "{faults}");
    }
}

/// An Apus that has done what it does once.
async fn ready(backend: &Backend) -> Apus {
    let apus = Apus::start(&format!("{}\n  delete: {{enabled: true}}", backend.storage()));
    apus.until_it_logs("Swift is ready").await;
    if backend.storage().contains(REDIRECTS) {
        apus.until_it_logs(PROVEN).await;
    }
    apus.client().post("/v2/warm/up/blobs/uploads/").await.expect(202);
    apus
}
