//! The list of metrics against the code: what is recorded anywhere is in the list, with that kind and those labels, and what is in
//! the list is recorded somewhere. Found in the sources, so that no line has to run for it; `tests/system/metrics` looks at a
//! registry that runs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use apus_metrics::{Kind, METRICS, Metric};

/// A place where something is recorded.
#[derive(Debug)]
struct Call {
    place: String,
    kind: &'static str,
    name: String,
    /// Names, and the values where they are written out.
    labels: BTreeMap<String, Option<String>>,
}

#[test]
fn what_is_recorded_is_in_the_list() {
    for call in calls() {
        let Call { place, kind, name, labels } = &call;
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("{place}: {name} is not in the list of metrics"));
        assert_eq!(*kind, macro_of(metric), "{place}: {name}");
        let listed: BTreeSet<&str> = metric.labels.iter().map(|label| label.name).collect();
        let given: BTreeSet<&str> = labels.keys().map(String::as_str).collect();
        assert_eq!(given, listed, "{place}: the labels of {name}");
        for label in metric.labels.iter().filter(|label| !label.values.is_empty()) {
            if let Some(Some(value)) = labels.get(label.name) {
                assert!(
                    label.values.contains(&value.as_str()),
                    "{place}: {name} has no {}={value}",
                    label.name
                );
            }
        }
    }
}

#[test]
fn what_is_in_the_list_is_recorded() {
    let calls = calls();
    for metric in METRICS {
        assert!(calls.iter().any(|call| call.name == metric.name), "{} is recorded nowhere", metric.name);
    }
}

fn macro_of(metric: &Metric) -> &'static str {
    match metric.kind {
        Kind::Counter => "counter!",
        Kind::Gauge | Kind::Reading => "gauge!",
        Kind::Histogram(_) => "histogram!",
    }
}

/// All places in the sources of all crates, without their tests.
fn calls() -> Vec<Call> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for room in std::fs::read_dir(crates).unwrap() {
        collect(&room.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 100, "only {} sources are there", files.len());
    let calls: Vec<Call> = files.iter().flat_map(|file| calls_in(file, &shipped(file))).collect();
    assert!(calls.len() >= METRICS.len(), "only {} calls were found", calls.len());
    calls
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "tests" {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

/// A source without its comments, and without the tests at its end.
fn shipped(file: &Path) -> String {
    let source = std::fs::read_to_string(file).unwrap();
    let source = source.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let without_comment =
        |line: &str| if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() };
    source.lines().map(without_comment).collect::<Vec<_>>().join("\n")
}

fn calls_in(file: &Path, source: &str) -> Vec<Call> {
    // Ways to record that this test would not see.
    if !file.components().any(|part| part.as_os_str() == "metrics") {
        for unseen in [
            "register_counter",
            "register_gauge",
            "register_histogram",
            "describe_",
            "counter as",
            "gauge as",
            "histogram as",
        ] {
            assert!(!source.contains(unseen), "{}: {unseen}: use the macros by their names", file.display());
        }
    }
    let mut calls = Vec::new();
    for kind in ["counter!", "gauge!", "histogram!"] {
        for (at, _) in source.match_indices(kind) {
            let place = format!("{}:{}", file.display(), source[..at].lines().count());
            let rest = &source[at + kind.len()..];
            let rest = rest.strip_prefix('(').unwrap_or_else(|| panic!("{place}: write {kind}(...)"));
            calls.push(call(place, kind, rest));
        }
    }
    calls
}

/// Reads what stands between the parentheses; `rest` begins behind the first.
fn call(place: String, kind: &'static str, rest: &str) -> Call {
    let mut arguments = arguments(rest).into_iter();
    let name = arguments.next().as_deref().and_then(literal);
    let name = name.unwrap_or_else(|| panic!("{place}: the name is to be written out, so that it is found"));
    let label = |argument: String| {
        let (label, value) = argument.split_once("=>").unwrap_or_else(|| panic!("{place}: {argument}"));
        let label = literal(label.trim()).unwrap_or_else(|| panic!("{place}: {label} is to be written out"));
        (label, literal(value.trim()))
    };
    let labels = arguments.filter(|argument| !argument.is_empty()).map(label).collect();
    Call { place, kind, name, labels }
}

/// What stands between commas, up to the parenthesis that closes.
fn arguments(rest: &str) -> Vec<String> {
    let (mut arguments, mut depth, mut quoted, mut escaped) = (vec![String::new()], 0, false, false);
    for letter in rest.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            ')' if depth == 0 => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(letter);
    }
    arguments.iter().map(|argument| argument.trim().to_owned()).collect()
}

fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('"')).then(|| inner.to_owned())
}

/// That the check sees what it is meant to see.
mod itself {
    use super::*;

    #[test]
    fn calls_are_read() {
        let source = "
            metrics::counter!(\"a_total\").increment(1);
            let x = histogram!(
                \"b\",
                \"c\" => f(x, \")\"), \"d\" => \"v\",
            ).record(1.0);";
        let calls = calls_in(Path::new("x.rs"), source);
        let read: Vec<_> = calls.iter().map(|call| (call.kind, &*call.name, call.labels.len())).collect();
        assert_eq!(read, [("counter!", "a_total", 0), ("histogram!", "b", 2)]);
        assert_eq!(calls.last().unwrap().labels["d"].as_deref(), Some("v"));
        assert_eq!(calls.last().unwrap().labels["c"], None);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for source in
            ["counter!(NAME)", "gauge! {\"a\"}", "counter!(\"a\", labels)", "describe_counter!(\"a\", \"b\")"]
        {
            std::panic::catch_unwind(|| calls_in(Path::new("x.rs"), source)).expect_err(source);
        }
    }
}
