//! The dashboard and the rules in `contrib`, and the page for operators: what they ask, and that all they name is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use apus_metrics::{Kind, METRICS, Metric};
use serde_json::Value;

use super::promql;

/// What Prometheus adds to everything that it scrapes.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// A file of the project.
pub(super) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name).canonicalize().unwrap()
}

/// A query of the dashboard.
pub(super) struct Query {
    pub(super) panel: String,
    /// With variables, as it stands there.
    pub(super) expression: String,
    pub(super) legend: String,
}

impl Query {
    /// As Grafana sends it, with everything selected.
    pub(super) fn filled_in(&self) -> String {
        let expression = self.expression.replace("$__rate_interval", "1m");
        let expression = expression.replace("$job", ".*").replace("$instance", ".*");
        assert!(!expression.contains('$'), "{}: an unknown variable: {expression}", self.panel);
        expression
    }
}

/// All queries of the dashboard.
pub(super) fn dashboard() -> Vec<Query> {
    let text = std::fs::read_to_string(file("contrib/grafana/apus.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let identifiers: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(identifiers.len(), panels.len(), "each panel has its own identifier");
    let mut queries = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} shows nothing");
        queries.extend(targets.iter().map(|target| Query {
            panel: title.to_owned(),
            expression: target["expr"].as_str().unwrap().to_owned(),
            legend: target["legendFormat"].as_str().unwrap().to_owned(),
        }));
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(query) = variable["definition"].as_str() {
            // label_values(metric, label)
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
            let (selector, label) = inner.rsplit_once(", ").unwrap();
            assert!(OF_PROMETHEUS.contains(&label), "{query}");
            check_expression("a variable", selector);
        }
    }
    queries
}

/// Fails unless all that an expression names exists, and so does all that its words name.
#[track_caller]
pub(super) fn check(place: &str, expression: &str, words: &str) {
    let known = check_expression(place, expression);
    for label in labels_in(words) {
        assert!(known.contains(label.as_str()), "{place}: {words:?} names {label}, of {expression}");
    }
}

/// Answers the labels that there are.
#[track_caller]
fn check_expression(place: &str, expression: &str) -> BTreeSet<&'static str> {
    let names = promql::read(expression);
    assert!(!names.metrics.is_empty(), "{place}: no metric is found in {expression}");
    let mut known: BTreeSet<&str> = OF_PROMETHEUS.into();
    for promql::Selected { metric: name, matchers } in &names.metrics {
        let (metric, is_bucket) =
            listed(name).unwrap_or_else(|| panic!("{place}: there is no {name}: {expression}"));
        let mut labels: BTreeSet<&str> = metric.labels.iter().map(|label| label.name).collect();
        labels.extend(is_bucket.then_some("le"));
        labels.extend(OF_PROMETHEUS);
        for [label, operator, value] in matchers {
            assert!(labels.contains(label.as_str()), "{place}: {name} has no {label}: {expression}");
            let listed = metric.labels.iter().find(|known| known.name == label);
            let Some(listed) = listed.filter(|known| !known.values.is_empty()) else { continue };
            assert!(
                !operator.contains('~') && listed.values.contains(&value.as_str()),
                "{place}: {label} of {name} is one of {:?}: {expression}",
                listed.values
            );
        }
        known.extend(labels);
    }
    for label in &names.groups {
        assert!(known.contains(label.as_str()), "{place}: nothing has {label}: {expression}");
    }
    known
}

/// The metric of a name in PromQL, and whether that is the name of its buckets.
fn listed(name: &str) -> Option<(&'static Metric, bool)> {
    let is_histogram = |metric: &Metric| matches!(metric.kind, Kind::Histogram(_));
    let of = |name: &str, histogram| {
        METRICS.iter().find(|metric| metric.name == name && is_histogram(metric) == histogram)
    };
    let histogram =
        ["_bucket", "_sum", "_count"].iter().find_map(|suffix| of(name.strip_suffix(suffix)?, true));
    histogram.map(|metric| (metric, name.ends_with("_bucket"))).or_else(|| Some((of(name, false)?, false)))
}

/// `{{label}}` of Grafana and `{{ $labels.label }}` of Prometheus.
fn labels_in(words: &str) -> Vec<String> {
    let inner = words.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim());
    let label = |inner: &str| match inner.strip_prefix('$') {
        None => Some(inner.to_owned()),
        Some(variable) => variable.strip_prefix("labels.").map(str::to_owned),
    };
    inner.filter_map(label).collect()
}

#[test]
fn the_dashboard_names_what_there_is() {
    let queries = dashboard();
    assert!(queries.len() > 30, "only {} queries", queries.len());
    for query in queries {
        check(&query.panel, &query.filled_in(), &query.legend);
    }
}

/// Each metric in back ticks in the documentation.
#[test]
fn the_documentation_names_what_there_is() {
    let mut found = 0;
    for page in ["docs/operate.md", "docs/migrate-from-registry-2.md"] {
        let text = std::fs::read_to_string(file(page)).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let name = word.split(['{', '[', '(', ' ']).next().unwrap();
            let is_name = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            if is_name && ["registry_", "apus_", "process_"].iter().any(|prefix| name.starts_with(prefix)) {
                let listed = listed(name).is_some() || METRICS.iter().any(|metric| metric.name == name);
                assert!(listed || name.ends_with('_'), "{page}: there is no {name}");
                found += 1;
            }
        }
    }
    assert!(found > 20, "only {found} were found");
}

#[test]
fn what_does_not_exist_is_found() {
    for expression in [
        "registry_unheard_of_total",
        "sum(rate(registry_http_requests_total{who=\"x\"}[5m]))",
        "sum by (who) (apus_connections)",
        "registry_http_request_duration_seconds",
        "apus_connections_bucket",
        "rate(apus_swift_sign_ins_total{outcome=\"well\"}[1m])",
    ] {
        std::panic::catch_unwind(|| check("here", expression, "")).expect_err(expression);
    }
    std::panic::catch_unwind(|| check("here", "apus_connections", "{{who}}")).expect_err("a legend");
    check(
        "here",
        "sum by (code) (rate(registry_http_requests_total{code=~\"5..\"}[5m]))",
        "{{code}} {{ $value }}",
    );
}
