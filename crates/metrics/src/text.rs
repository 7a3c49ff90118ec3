//! Prometheus's text format, version 0.0.4 (prometheus.io, "Exposition formats"), which every version of it reads.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use metrics::Key;

use crate::list::Kind;
use crate::recorder::{Family, Value};

/// The media type of what [`Recorder::render`](crate::Recorder::render) writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The labels of a series in the order of their names: `code="200",method="get"`.
pub(crate) fn labels(key: &Key) -> String {
    let mut labels: Vec<String> =
        key.labels().map(|label| format!("{}=\"{}\"", label.key(), escaped(label.value()))).collect();
    labels.sort();
    labels.join(",")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A number as the format has it.
fn number(value: f64) -> String {
    if value == f64::INFINITY { "+Inf".to_owned() } else { value.to_string() }
}

/// All metrics. Those without a series are described all the same.
pub(crate) fn write(families: &[Family]) -> String {
    let mut page = String::new();
    for family in families {
        // Writing to a string does not fail.
        let _ = write_family(&mut page, family);
    }
    page
}

fn write_family(page: &mut String, family: &Family) -> std::fmt::Result {
    let name = family.metric.name;
    let kind = match family.metric.kind {
        Kind::Counter | Kind::Reading => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    };
    writeln!(page, "# HELP {name} {}", family.metric.help)?;
    writeln!(page, "# TYPE {name} {kind}")?;
    for (labels, value) in family.series() {
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        match value {
            Value::Counter(number) => writeln!(page, "{name}{braced} {}", number.load(Ordering::Relaxed))?,
            Value::Gauge(bits) => {
                let value = number(f64::from_bits(bits.load(Ordering::Relaxed)));
                writeln!(page, "{name}{braced} {value}")?;
            }
            Value::Histogram(histogram) => {
                let comma = if labels.is_empty() { "" } else { "," };
                let mut count = 0;
                for (bound, below) in histogram.cumulative() {
                    let bound = number(bound);
                    writeln!(page, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}")?;
                    count = below;
                }
                writeln!(page, "{name}_sum{braced} {}", histogram.sum())?;
                writeln!(page, "{name}_count{braced} {count}")?;
            }
        }
    }
    Ok(())
}
