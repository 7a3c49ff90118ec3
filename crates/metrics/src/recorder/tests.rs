use metrics::{counter, gauge, histogram, with_local_recorder};

use super::*;
use crate::list::Label;

const LIST: &[Metric] = &[
    Metric {
        name: "requests_total",
        kind: Kind::Counter,
        help: "Requests.",
        labels: &[Label { name: "code", values: &[] }, Label { name: "method", values: &[] }],
    },
    Metric {
        name: "cache_total",
        kind: Kind::Counter,
        help: "Asked.",
        labels: &[Label { name: "type", values: &["Hit", "Miss"] }],
    },
    Metric { name: "open", kind: Kind::Gauge, help: "Open.", labels: &[] },
    Metric {
        name: "seconds",
        kind: Kind::Histogram(&[0.5, 1.0]),
        help: "Time.",
        labels: &[Label { name: "what", values: &[] }],
    },
];

fn page(recorder: &Recorder) -> String {
    text::write(&recorder.0.families)
}

#[test]
fn everything_is_shown_from_the_start() {
    assert_eq!(
        page(&Recorder::of(LIST)),
        "# HELP requests_total Requests.\n# TYPE requests_total counter\n\
         # HELP cache_total Asked.\n# TYPE cache_total counter\n\
         cache_total{type=\"Hit\"} 0\ncache_total{type=\"Miss\"} 0\n\
         # HELP open Open.\n# TYPE open gauge\nopen 0\n\
         # HELP seconds Time.\n# TYPE seconds histogram\n"
    );
}

#[test]
fn what_is_recorded_is_shown() {
    let recorder = Recorder::of(LIST);
    with_local_recorder(&recorder, || {
        counter!("requests_total", "method" => "get", "code" => "200").increment(2);
        counter!("requests_total", "code" => "200", "method" => "get").increment(1);
        counter!("requests_total", "code" => "\"\\\n", "method" => "put").increment(1);
        gauge!("open").increment(2.5);
        gauge!("open").decrement(1.0);
        for value in [0.25, 0.5, 7.0] {
            histogram!("seconds", "what" => "read").record(value);
        }
    });
    let page = page(&recorder);
    for line in [
        "open 1.5",
        "requests_total{code=\"200\",method=\"get\"} 3",
        "requests_total{code=\"\\\"\\\\\\n\",method=\"put\"} 1",
        "seconds_bucket{what=\"read\",le=\"0.5\"} 2",
        "seconds_bucket{what=\"read\",le=\"1\"} 2",
        "seconds_bucket{what=\"read\",le=\"+Inf\"} 3",
        "seconds_sum{what=\"read\"} 7.75",
        "seconds_count{what=\"read\"} 3",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line}\n{page}");
    }
}

#[test]
fn what_is_not_in_the_list_is_not_recorded() {
    let recorder = Recorder::of(LIST);
    let before = page(&recorder);
    with_local_recorder(&recorder, || {
        counter!("unheard_of_total").increment(1);
        counter!("open").increment(1);
        counter!("requests_total").increment(1);
        counter!("requests_total", "code" => "200", "who" => "me").increment(1);
        histogram!("seconds", "what" => "read", "more" => "x").record(1.0);
    });
    assert_eq!(page(&recorder), before);
}

#[test]
fn labels_without_end_take_no_memory_without_end() {
    let recorder = Recorder::of(LIST);
    with_local_recorder(&recorder, || {
        for number in 0..MOST_SERIES + 10 {
            counter!("requests_total", "code" => number.to_string(), "method" => "get").increment(1);
        }
        counter!("requests_total", "code" => "0", "method" => "get").increment(1);
    });
    let page = page(&recorder);
    assert_eq!(page.lines().filter(|line| line.starts_with("requests_total{")).count(), MOST_SERIES);
    assert!(page.contains("requests_total{code=\"0\",method=\"get\"} 2\n"));
}

#[test]
fn a_limit_that_is_none_is_infinite() {
    let recorder = Recorder::of(LIST);
    with_local_recorder(&recorder, || gauge!("open").set(f64::INFINITY));
    assert!(page(&recorder).contains("\nopen +Inf\n"));
}

/// One after the other, and many threads at once: nothing is lost.
#[test]
fn threads_record_together() {
    let recorder = Recorder::of(LIST);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                with_local_recorder(&recorder, || {
                    for _ in 0..1000 {
                        counter!("cache_total", "type" => "Hit").increment(1);
                        histogram!("seconds", "what" => "x").record(1.0);
                    }
                });
            });
        }
    });
    let page = page(&recorder);
    assert!(page.contains("cache_total{type=\"Hit\"} 4000\n"), "{page}");
    assert!(page.contains("seconds_sum{what=\"x\"} 4000\n"), "{page}");
}
