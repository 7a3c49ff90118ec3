//! The one list of metrics. A new metric is a line here and a `metrics::counter!`, `gauge!` or `histogram!` where it happens;
//! `tests/names.rs` holds the two against each other, and `tests/system/metrics` holds a running registry, the dashboard and the
//! alert rules in `contrib` against this list.
//!
//! The names of registry:2 and registry 3 stay as they are, labels and kinds included, for the dashboards that know them.
//! What those never had begins with `apus_`. Labels take few values: of a fixed set, or from the configuration; nothing that
//! a client sends.

/// A metric: all series of one name.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name. That of a counter ends in `_total` (and that of a gauge of registry 3), what has a unit ends in it.
    pub name: &'static str,
    /// What is recorded.
    pub kind: Kind,
    /// One sentence for the reader of a dashboard.
    pub help: &'static str,
    /// The labels that every series of it has.
    pub labels: &'static [Label],
}

/// What is recorded of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// What only grows.
    Counter,
    /// What only grows, and is read elsewhere as a whole: recorded as a gauge, shown as a counter.
    Reading,
    /// What goes up and down.
    Gauge,
    /// How many values there were up to each of these bounds, which ascend.
    Histogram(&'static [f64]),
}

/// A label of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// All values that it takes. If that is known of all labels of a metric, each of its series is shown from the start, as
    /// zero: a first event is then seen as growth. Empty if it is not known.
    pub values: &'static [&'static str],
}

/// Seconds: those of Prometheus's libraries, which registry:2 uses, and longer ones, for a push may last.
const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0];

/// Bytes: the powers of two from 1 KiB to 2 GiB, as registry:2 has them, and 16 GiB.
const BYTES: &[f64] = &[
    1024.0,
    2048.0,
    4096.0,
    8192.0,
    16_384.0,
    32_768.0,
    65_536.0,
    131_072.0,
    262_144.0,
    524_288.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    33_554_432.0,
    67_108_864.0,
    134_217_728.0,
    268_435_456.0,
    536_870_912.0,
    1_073_741_824.0,
    2_147_483_648.0,
    17_179_869_184.0,
];

/// What a request is about: the words of registry:2, and those that only Apus needs.
const HANDLERS: &[&str] = &[
    "base",
    "blob",
    "blob_upload",
    "blob_upload_chunk",
    "catalog",
    "manifest",
    "referrers",
    "root",
    "tags",
    "token",
    "unknown",
];

const fn counter(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help, labels }
}

const fn reading(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Reading, help, labels }
}

const fn gauge(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help, labels }
}

const fn histogram(
    name: &'static str,
    bounds: &'static [f64],
    labels: &'static [Label],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram(bounds), help, labels }
}

/// A label whose values are not listed.
const fn any(name: &'static str) -> Label {
    Label { name, values: &[] }
}

/// A label of which all values are known.
const fn one_of(name: &'static str, values: &'static [&'static str]) -> Label {
    Label { name, values }
}

/// All metrics, in the order in which they are shown.
pub const METRICS: &[Metric] = &[
    // HTTP: names of registry:2.
    gauge("registry_http_in_flight_requests", &[one_of("handler", HANDLERS)], "The in-flight HTTP requests."),
    histogram(
        "registry_http_request_duration_seconds",
        SECONDS,
        &[any("handler"), any("method")],
        "The HTTP request latencies in seconds, to the last byte of the answer.",
    ),
    counter(
        "registry_http_requests_total",
        &[any("code"), any("handler"), any("method")],
        "Total number of HTTP requests made.",
    ),
    histogram(
        "registry_http_request_size_bytes",
        BYTES,
        &[any("handler")],
        "The content of HTTP requests in bytes, as far as it was read.",
    ),
    histogram(
        "registry_http_response_size_bytes",
        BYTES,
        &[any("handler")],
        "The content of HTTP answers in bytes, as far as it was sent.",
    ),
    histogram(
        "apus_http_answer_seconds",
        SECONDS,
        &[any("handler"), any("method")],
        "The time to the head of the answer; of a push its content included.",
    ),
    // Storage: names of registry:2.
    histogram(
        "registry_storage_action_seconds",
        SECONDS,
        &[any("driver"), any("action")],
        "The number of seconds that the storage action takes; of a read, to its first byte.",
    ),
    counter(
        "registry_storage_cache_total",
        &[one_of("type", &["Request", "Hit", "Miss"])],
        "The number of cache requests received.",
    ),
    counter(
        "apus_manifest_cache_total",
        &[one_of("type", &["Hit", "Miss"])],
        "Manifests that were wanted, by whether they were at hand.",
    ),
    // Uploads of blobs. Any replica may end what another has begun.
    counter("apus_uploads_begun_total", &[], "Uploads of blobs that were begun."),
    counter(
        "apus_uploads_ended_total",
        &[one_of("outcome", &["finished", "mismatched", "cancelled"])],
        "Uploads of blobs that were ended: the blob is there, was not what its digest says, or was not wanted any more.",
    ),
    // The cache of other registries: names of registry 3.
    counter(
        "registry_proxy_requests_total",
        &[one_of("type", &["blob", "manifest"])],
        "Total number of requests to the cache of other registries.",
    ),
    counter(
        "registry_proxy_hits_total",
        &[one_of("type", &["blob", "manifest"])],
        "Requests to the cache that were answered by what is here.",
    ),
    counter(
        "registry_proxy_misses_total",
        &[one_of("type", &["blob", "manifest"])],
        "Requests to the cache for which something was fetched.",
    ),
    counter(
        "registry_proxy_pulled_bytes_total",
        &[one_of("type", &["blob", "manifest"])],
        "Bytes that came from other registries.",
    ),
    counter(
        "registry_proxy_pushed_bytes_total",
        &[one_of("type", &["blob", "manifest"])],
        "Bytes that the cache sent to clients.",
    ),
    counter(
        "apus_proxy_expired_total",
        &[one_of("type", &["blob", "manifest"])],
        "What the cache deleted because nobody had pulled it for its time to live.",
    ),
    // Events: names of registry 3.
    counter(
        "registry_notifications_events_total",
        &[any("type"), any("endpoint")],
        "The number of total events: Events that are to be sent, and what became of each try.",
    ),
    gauge(
        "registry_notifications_pending_total",
        &[any("endpoint")],
        "The gauge of pending events in queue.",
    ),
    counter(
        "registry_notifications_status_total",
        &[any("code"), any("endpoint")],
        "The number of status code.",
    ),
    counter(
        "apus_notifications_lost_total",
        &[any("endpoint")],
        "Events that will never be delivered: there was no room for them, or their file was damaged.",
    ),
    // The server.
    gauge("apus_connections", &[], "Connections of clients that are open."),
    counter("apus_connections_total", &[], "Connections of clients that were accepted."),
    counter(
        "apus_tls_handshake_failures_total",
        &[one_of("reason", &["plain", "slow", "crowded", "failed"])],
        "Connections that ended before TLS was agreed on.",
    ),
    // Connections that Apus makes.
    histogram(
        "apus_client_wait_seconds",
        SECONDS,
        &[any("client")],
        "The time that an outgoing request waited for its turn among those under way.",
    ),
    counter("apus_client_sent_bytes_total", &[any("client")], "Content of outgoing requests in bytes."),
    counter("apus_client_received_bytes_total", &[any("client")], "Content of answers to them in bytes."),
    // Swift.
    counter(
        "apus_swift_requests_total",
        &[any("method"), any("target"), any("status")],
        "Requests to Swift by what they were sent to and the status of the answer (none: there was none; abandoned: the client \
         broke off), each try counted.",
    ),
    histogram(
        "apus_swift_answer_seconds",
        SECONDS,
        &[any("method"), any("target")],
        "The time to the head of Swift's answer; of an upload its content included.",
    ),
    counter("apus_swift_retries_total", &[], "Requests to Swift that were made once more."),
    histogram(
        "apus_swift_retry_pause_seconds",
        SECONDS,
        &[],
        "The pauses that were made before a request to Swift was made once more.",
    ),
    counter(
        "apus_swift_refused_tokens_total",
        &[],
        "Requests that Swift answered 401: the token was no longer good.",
    ),
    counter(
        "apus_swift_sign_ins_total",
        &[one_of("outcome", &["signed_in", "refused", "failed"])],
        "Sign-ins at the identity service.",
    ),
    // Health.
    gauge(
        "apus_health_check_ok",
        &[any("check")],
        "Whether this check of the registry's health is well: 1, else 0.",
    ),
    // Traces.
    counter(
        "apus_trace_spans_dropped_total",
        &[one_of("reason", &["queue", "export"])],
        "Spans that were lost: the queue was full, or the collector did not take them.",
    ),
    // The process: names of Prometheus's libraries.
    reading("process_cpu_seconds_total", &[], "Total user and system CPU time spent in seconds."),
    gauge("process_open_fds", &[], "Number of open file descriptors."),
    gauge("process_max_fds", &[], "Maximum number of open file descriptors."),
    gauge("process_virtual_memory_bytes", &[], "Virtual memory size in bytes."),
    gauge("process_virtual_memory_max_bytes", &[], "Maximum amount of virtual memory available in bytes."),
    gauge("process_resident_memory_bytes", &[], "Resident memory size in bytes."),
    gauge("process_threads", &[], "Number of OS threads in the process."),
    gauge("process_start_time_seconds", &[], "Start time of the process since unix epoch in seconds."),
    gauge("apus_build_info", &[any("version")], "Always 1: the version that runs."),
];

#[cfg(test)]
mod tests;
