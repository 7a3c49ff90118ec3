//! What is recorded of requests to Swift. Labels are of small and fixed sets.

use std::time::Duration;

use apus_http_client::{Error, Failure, Response, Stage};
use http::Method;
use metrics::{counter, histogram};

/// A request was answered, or was not, after this time. `path` is below the account, unescaped.
pub(super) fn sent(method: &Method, path: &str, outcome: &Result<Response, Failure>, took: Duration) {
    let (method, target) = (label(method), target(path));
    let status = match outcome {
        Ok(response) => {
            histogram!("apus_swift_answer_seconds", "method" => method, "target" => target).record(took);
            response.status.as_u16().to_string()
        }
        Err(failure) if is_callers(&failure.error) => "abandoned".to_owned(),
        Err(_) => "none".to_owned(),
    };
    if status == "401" {
        counter!("apus_swift_refused_tokens_total").increment(1);
    }
    counter!("apus_swift_requests_total", "method" => method, "target" => target, "status" => status)
        .increment(1);
}

/// Whether who gave the content has broken off, for which Swift can do nothing.
fn is_callers(error: &Error) -> bool {
    matches!(error, Error::Body { .. } | Error::Timeout { stage: Stage::CallerBody, .. })
}

/// A request is made once more after this pause.
pub(super) fn again(pause: Duration) {
    counter!("apus_swift_retries_total").increment(1);
    histogram!("apus_swift_retry_pause_seconds").record(pause);
}

/// The methods that Swift has.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::HEAD => "head",
        Method::PUT => "put",
        Method::POST => "post",
        Method::DELETE => "delete",
        _ if method.as_str() == "COPY" => "copy",
        _ => "other",
    }
}

/// What a path names. Many objects are deleted at once, and `/info` is asked, at the account.
fn target(path: &str) -> &'static str {
    match path.split_once('/') {
        _ if path.is_empty() => "account",
        None | Some((_, "")) => "container",
        Some(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_account_a_container_or_an_object() {
        for (path, named) in [
            ("", "account"),
            ("c", "container"),
            ("c/", "container"),
            ("c/o", "object"),
            ("c/a/b/", "object"),
        ] {
            assert_eq!(target(path), named, "{path}");
        }
    }

    #[test]
    fn a_client_that_breaks_off_is_no_failure_of_swift() {
        let timeout = |stage| Error::Timeout { stage, after: Duration::ZERO };
        assert!(is_callers(&Error::Body { source: "gone".into() }));
        assert!(is_callers(&timeout(Stage::CallerBody)));
        assert!(!is_callers(&timeout(Stage::Answer)));
        assert!(!is_callers(&Error::Broken { source: "reset".into() }));
    }

    #[test]
    fn methods_are_of_a_fixed_set() {
        let method = |name: &[u8]| label(&Method::from_bytes(name).unwrap());
        assert_eq!([method(b"GET"), method(b"COPY"), method(b"BREW")], ["get", "copy", "other"]);
    }
}
