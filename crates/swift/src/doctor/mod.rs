//! A doctor for the way from here to a Swift: tries everything that the storage backend needs, with objects of its own, and
//! says of each step what works, or what to change. What the steps are is in `step`, how each is done in `examine`, and
//! how nothing is left behind in `clear`. Nothing is printed here.

mod clear;
mod examine;
mod finding;
mod probes;
mod step;

use crate::client::{Container, SwiftClient};
use crate::config::{ConfigError, SwiftConfig};

pub use finding::{Finding, Verdict};
use probes::{Border, Probes};
pub use step::Step;

/// Examines a Swift.
///
/// ```no_run
/// # async fn run(config: apus_swift::SwiftConfig) -> Result<(), Box<dyn std::error::Error>> {
/// use apus_swift::doctor::{Doctor, Verdict};
///
/// let mut doctor = Doctor::new(&config)?;
/// let mut findings = Vec::new();
/// doctor.examine(|finding| findings.push(finding)).await;
/// findings.push(doctor.clear_away().await);
/// for finding in findings.iter().filter(|finding| finding.verdict == Verdict::Failed) {
///     println!("{}: {} {:?}", finding.step, finding.text, finding.advice);
/// }
/// # Ok(())
/// # }
/// ```
///
/// It writes objects under `<prefix>/apus/probes/check-<random>/` only, and touches no other. A container that is missing is
/// made, and removed again. A key for temporary URLs that is missing is set, as the storage backend would, and stays.
#[derive(Debug)]
pub struct Doctor {
    config: SwiftConfig,
    client: SwiftClient,
    container: Container,
    probes: Probes,
    examines_temporary_urls: bool,
    border: Option<Border>,
    /// There may be something to clear away.
    has_written: bool,
    /// There was no container, so that the one that is there now is ours.
    container_was_missing: bool,
    /// Steps that came to a good end.
    passed: Vec<Step>,
}

impl Doctor {
    /// A doctor for this configuration. Needs no network.
    pub fn new(config: &SwiftConfig) -> Result<Self, ConfigError> {
        let client = SwiftClient::new(config)?;
        Ok(Self {
            container: client.container(config.container.clone()),
            probes: Probes::new(config),
            config: config.clone(),
            client,
            examines_temporary_urls: true,
            border: None,
            has_written: false,
            container_was_missing: false,
            passed: Vec::new(),
        })
    }

    /// Leaves temporary URLs alone: nobody is to be given any, and so no key is set.
    #[must_use]
    pub fn without_temporary_urls(self) -> Self {
        Self { examines_temporary_urls: false, ..self }
    }
}
