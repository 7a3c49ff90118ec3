use std::collections::BTreeSet;

/// The names of the functions in a source, after this line.
fn functions<'a>(source: &'a str, after: &str) -> BTreeSet<&'a str> {
    let (_, source) = source.split_once(after).unwrap();
    let lines = source.lines().map(str::trim_start);
    let functions = lines.filter_map(|line| line.strip_prefix("async fn ").or(line.strip_prefix("fn ")));
    functions.map(|function| function.split('(').next().unwrap()).collect()
}

/// What the contract does by itself where a backend does not must come from the backend that is measured.
#[test]
fn every_operation_is_passed_on() {
    let contract = functions(include_str!("../contract.rs"), "pub trait Storage");
    let passed_on = functions(include_str!("../measured.rs"), "impl Storage for MeasuredStorage");
    assert!(contract.contains("least_append") && contract.len() > 10, "{contract:?}");
    assert_eq!(passed_on, contract);
}
