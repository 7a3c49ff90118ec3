//! What Apus counts. Every room records what it knows through the facade `metrics`, as it logs through `tracing`; here is the
//! one list of the names, and the recorder that keeps the numbers and writes them down for Prometheus.
//!
//! | room | what lives there |
//! |---|---|
//! | [`METRICS`] | every metric: name, kind, help, labels. What is not in it is not recorded |
//! | [`Recorder`] | the numbers, in memory that is bounded by that list |
//! | `histogram` | a histogram of fixed buckets: a record is two atomic additions |
//! | `text` | Prometheus's text format |
//! | `process` | what the kernel knows of this process |
//!
//! The recorder is our own, because that of the facade's authors keeps each sample of a histogram until somebody asks, and
//! brings second versions of four libraries along.

mod histogram;
mod list;
mod process;
mod recorder;
mod text;

pub use list::{Kind, Label, METRICS, Metric};
pub use recorder::{AlreadyInstalled, Recorder};
pub use text::CONTENT_TYPE;
