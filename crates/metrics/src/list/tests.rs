use std::collections::BTreeSet;

use super::*;

#[test]
fn every_name_is_there_once_and_well_formed() {
    let mut names = BTreeSet::new();
    for metric in METRICS {
        let Metric { name, kind, help, labels } = metric;
        assert!(names.insert(name), "{name} twice");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        assert!(["registry_", "apus_", "process_"].iter().any(|prefix| name.starts_with(prefix)), "{name}");
        let is_total =
            matches!(kind, Kind::Counter | Kind::Reading) || *name == "registry_notifications_pending_total";
        assert_eq!(name.ends_with("_total"), is_total, "{name}");
        assert!(help.ends_with('.'), "{name}: {help}");
        for label in *labels {
            assert!(label.name != "le" && label.name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        }
        if let Kind::Histogram(bounds) = kind {
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        }
    }
}

/// As the documentation of registry:2 has them.
#[test]
fn the_names_of_registry_2_keep_their_labels_and_kinds() {
    let shape = |name: &str| {
        let metric = METRICS.iter().find(|metric| metric.name == name).unwrap();
        let kind = match metric.kind {
            Kind::Counter | Kind::Reading => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: BTreeSet<&str> = metric.labels.iter().map(|label| label.name).collect();
        (kind, labels.into_iter().collect::<Vec<_>>().join(","))
    };
    for (name, kind, labels) in [
        ("registry_http_in_flight_requests", "gauge", "handler"),
        ("registry_http_request_duration_seconds", "histogram", "handler,method"),
        ("registry_http_requests_total", "counter", "code,handler,method"),
        ("registry_http_request_size_bytes", "histogram", "handler"),
        ("registry_http_response_size_bytes", "histogram", "handler"),
        ("registry_storage_action_seconds", "histogram", "action,driver"),
        ("registry_storage_cache_total", "counter", "type"),
        ("registry_proxy_requests_total", "counter", "type"),
        ("registry_proxy_hits_total", "counter", "type"),
        ("registry_proxy_misses_total", "counter", "type"),
        ("registry_proxy_pulled_bytes_total", "counter", "type"),
        ("registry_proxy_pushed_bytes_total", "counter", "type"),
        ("registry_notifications_events_total", "counter", "endpoint,type"),
        ("registry_notifications_pending_total", "gauge", "endpoint"),
        ("registry_notifications_status_total", "counter", "code,endpoint"),
    ] {
        assert_eq!(shape(name), (kind, labels.to_owned()), "{name}");
    }
}
