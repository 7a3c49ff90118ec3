//! The recorder: the numbers behind the facade.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::{Counter, Gauge, Key, KeyName, Metadata, SharedString, Unit};

use crate::histogram::Histogram;
use crate::list::{Kind, METRICS, Metric};
use crate::process::Process;
use crate::text;

/// Series of one metric at most; more are not recorded. Labels take few values, so this is for a mistake, not for use.
const MOST_SERIES: usize = 2000;

/// Keeps what is recorded, for the metrics of [`METRICS`] alone. Its memory grows with the series that there can be, and
/// with nothing else. Clones share the numbers.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    /// In the order of the list.
    families: Vec<Family>,
    by_name: HashMap<&'static str, usize>,
    warned: AtomicBool,
}

/// All series of one metric.
pub(crate) struct Family {
    pub(crate) metric: &'static Metric,
    series: RwLock<Series>,
}

type Series = HashMap<Key, (Arc<str>, Value)>;

/// One series.
#[derive(Clone)]
pub(crate) enum Value {
    /// A whole number.
    Counter(Arc<AtomicU64>),
    /// The bits of a floating-point number.
    Gauge(Arc<AtomicU64>),
    /// Buckets.
    Histogram(Arc<Histogram>),
}

/// Something records to another recorder already.
#[derive(Debug, thiserror::Error)]
#[error("a recorder of metrics is there already: there can be one in a process")]
pub struct AlreadyInstalled;

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// A recorder with the series that are known from the start, all zero.
    #[must_use]
    pub fn new() -> Self {
        Self::of(METRICS)
    }

    fn of(list: &'static [Metric]) -> Self {
        let families: Vec<Family> = list.iter().map(Family::new).collect();
        let by_name = list.iter().enumerate().map(|(index, metric)| (metric.name, index)).collect();
        Self(Arc::new(Inner { families, by_name, warned: AtomicBool::new(false) }))
    }

    /// Makes it the recorder of this process. Fails if there is one.
    pub fn install(&self) -> Result<(), AlreadyInstalled> {
        metrics::set_global_recorder(self.clone()).map_err(|_| AlreadyInstalled)
    }

    /// All metrics in [Prometheus's text format](text::CONTENT_TYPE), with what the kernel says of this process now.
    #[must_use]
    pub fn render(&self) -> String {
        if let Some(process) = Process::read() {
            metrics::with_local_recorder(self, || process.record());
        }
        text::write(&self.0.families)
    }

    /// The series of this key; `None` for what the list does not have, or has otherwise.
    fn value(&self, key: &Key, wanted: fn(&Kind) -> bool) -> Option<Value> {
        let family = self.0.by_name.get(key.name()).and_then(|index| self.0.families.get(*index));
        let value = family.filter(|family| wanted(&family.metric.kind)).and_then(|family| family.value(key));
        if value.is_none() && !self.0.warned.swap(true, Ordering::Relaxed) {
            let labels: Vec<&str> = key.labels().map(metrics::Label::key).collect();
            tracing::warn!(
                name = key.name(),
                ?labels,
                "this is not recorded: it is not in the list of metrics"
            );
        }
        value
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorder").field("metrics", &self.0.families.len()).finish_non_exhaustive()
    }
}

impl Family {
    fn new(metric: &'static Metric) -> Self {
        let family = Self { metric, series: RwLock::default() };
        let mut known = vec![Vec::new()];
        for label in metric.labels {
            known = known
                .iter()
                .flat_map(|before: &Vec<_>| {
                    let with = |value: &&'static str| [&**before, &[(label.name, *value)]].concat();
                    label.values.iter().map(with)
                })
                .collect();
        }
        for labels in known {
            family.value(&Key::from_parts(metric.name, &labels));
        }
        family
    }

    /// The series of this key, which is made if need be; `None` when its labels are not those of the metric.
    fn value(&self, key: &Key) -> Option<Value> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = series.get(key) {
            return Some(value.clone());
        }
        drop(series);
        let listed =
            |label: &metrics::Label| self.metric.labels.iter().any(|known| known.name == label.key());
        if key.labels().len() != self.metric.labels.len() || !key.labels().all(listed) {
            return None;
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        if series.len() >= MOST_SERIES && !series.contains_key(key) {
            return None;
        }
        let (_, value) = series
            .entry(key.to_retained())
            .or_insert_with(|| (text::labels(key).into(), Value::new(self.metric.kind)));
        Some(value.clone())
    }

    /// All series, in the order of their labels.
    pub(crate) fn series(&self) -> Vec<(Arc<str>, Value)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let mut series: Vec<_> = series.values().cloned().collect();
        series.sort_by(|(one, _), (other, _)| one.cmp(other));
        series
    }
}

impl Value {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Arc::default()),
            Kind::Gauge | Kind::Reading => Self::Gauge(Arc::default()),
            Kind::Histogram(bounds) => Self::Histogram(Arc::new(Histogram::new(bounds))),
        }
    }
}

impl metrics::Recorder for Recorder {
    // What the list says stands.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.value(key, |kind| matches!(kind, Kind::Counter)) {
            Some(Value::Counter(counter)) => Counter::from_arc(counter),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.value(key, |kind| matches!(kind, Kind::Gauge | Kind::Reading)) {
            Some(Value::Gauge(gauge)) => Gauge::from_arc(gauge),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        match self.value(key, |kind| matches!(kind, Kind::Histogram(_))) {
            Some(Value::Histogram(histogram)) => metrics::Histogram::from_arc(histogram),
            _ => metrics::Histogram::noop(),
        }
    }
}

#[cfg(test)]
mod tests;
