//! Many deletes in one request. The answer is 200 whatever comes of them: what did come is in its body.

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use serde::Serialize;

use crate::accept::{self, FORMATS};
use crate::answer::{Answer, Refusal, status_line};
use crate::ceph;
use crate::container;
use crate::json::dumps;
use crate::object;
use crate::request::Call;

/// After so many failures Swift gives up.
pub(crate) const MAX_FAILED: usize = 1000;
/// Longest line, percent-encoded, with room for the slashes.
const MAX_LINE: usize = 2 * (object::MAX_NAME + container::MAX_NAME + 2);
const UNQUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// Percent-encodes a path for an error message.
pub(crate) fn quote(path: &[u8]) -> String {
    percent_encode(path, UNQUOTED).to_string()
}

/// Something to be deleted.
#[derive(Debug)]
pub(crate) struct Doomed {
    /// `/container/object` or `/container`, decoded; not always UTF-8.
    path: Vec<u8>,
    /// Why it cannot be, if that is known already.
    error: Option<(StatusCode, String)>,
}

impl Doomed {
    pub(crate) fn new(path: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), error: None }
    }

    /// What cannot be deleted, and why.
    pub(crate) fn spared(path: impl Into<Vec<u8>>, status: StatusCode, text: String) -> Self {
        Self { path: path.into(), error: Some((status, text)) }
    }

    fn is_object(&self) -> bool {
        let text = String::from_utf8_lossy(&self.path);
        text.trim_matches('/').contains('/')
    }
}

/// What came of the deletes, in the order in which Swift tells it.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    #[serde(rename = "Response Status")]
    pub(crate) status: String,
    #[serde(rename = "Response Body")]
    pub(crate) body: String,
    #[serde(rename = "Number Deleted")]
    pub(crate) deleted: usize,
    #[serde(rename = "Number Not Found")]
    pub(crate) not_found: usize,
    #[serde(rename = "Errors")]
    pub(crate) errors: Vec<(String, String)>,
}

/// `POST ?bulk-delete` or `DELETE ?bulk-delete`: a path a line, percent-encoded.
pub(crate) async fn handle(call: &mut Call, account: &str) -> Answer {
    if call.fake.options.is_ceph() {
        return ceph::bulk::handle(call, account).await;
    }
    let most = call.fake.options.max_deletes_per_request;
    let has_length =
        call.headers.contains_key(CONTENT_LENGTH) || call.headers.contains_key(TRANSFER_ENCODING);
    let body = if has_length {
        // One line more than allowed is enough to know that there are too many.
        let limit = (most as u64 + 1).saturating_mul(MAX_LINE as u64);
        call.body.collect(limit).await.map_err(|error| {
            let status = Refusal::from(error).status;
            (status, String::new())
        })
    } else {
        Err((StatusCode::LENGTH_REQUIRED, String::new()))
    };
    let content_type = call.header(CONTENT_TYPE).map(str::to_owned);
    answer(call, account, content_type.as_deref(), || body.and_then(|body| read_lines(&body, most)))
}

/// Blank lines name nothing, but all that end in a newline count.
fn read_lines(body: &[u8], most: usize) -> Result<Vec<Doomed>, (StatusCode, String)> {
    let lines: Vec<_> = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n').collect();
    if lines.iter().any(|line| line.len() > MAX_LINE) {
        return Err((StatusCode::BAD_REQUEST, "Invalid File Name".into()));
    }
    if lines.len() > most {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("Maximum Bulk Deletes: {most} per request")));
    }
    let named = lines.into_iter().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    Ok(named.map(|line| Doomed::new(percent_decode(line).collect::<Vec<_>>())).collect())
}

/// Deletes what `doomed` names, and tells what came of it in the form that the client accepts.
pub(crate) fn answer(
    call: &Call,
    account: &str,
    content_type: Option<&str>,
    doomed: impl FnOnce() -> Result<Vec<Doomed>, (StatusCode, String)>,
) -> Answer {
    let format = accept::choose(call.header(ACCEPT), FORMATS);
    if format.is_some_and(|format| format.ends_with("/xml")) {
        return Refusal::not_modelled("answers in XML").into();
    }
    let readable = content_type.is_none_or(|content_type| content_type.starts_with("text/plain"));
    let doomed = if format.is_some() && readable {
        doomed()
    } else {
        Err((StatusCode::NOT_ACCEPTABLE, String::new()))
    };
    let outcome = match doomed {
        Ok(doomed) => delete_all(call, account, doomed),
        Err((status, body)) => {
            Outcome { status: status_line(status), body, deleted: 0, not_found: 0, errors: Vec::new() }
        }
    };
    let body =
        if format == Some("application/json") { dumps(&outcome) } else { as_text(&outcome).into_bytes() };
    let content_type = HeaderValue::from_static(format.unwrap_or("text/html; charset=UTF-8"));
    Answer::chunked(StatusCode::OK, content_type, body)
}

pub(crate) fn as_text(outcome: &Outcome) -> String {
    format!(
        "Number Deleted: {}\nNumber Not Found: {}\nResponse Body: {}\nResponse Status: {}\n{}",
        outcome.deleted,
        outcome.not_found,
        outcome.body,
        outcome.status,
        errors_as_text(&outcome.errors)
    )
}

/// Paths and what is wrong with each, a line each.
pub(crate) fn errors_as_text(errors: &[(String, String)]) -> String {
    let mut lines = vec!["Errors:".to_owned()];
    lines.extend(errors.iter().map(|(path, text)| format!("{path}, {text}")));
    lines.join("\n") + "\n"
}

/// Objects go before containers, so that a container may be deleted with all that is in it.
pub(crate) fn delete_all(call: &Call, account: &str, doomed: Vec<Doomed>) -> Outcome {
    let (objects, containers): (Vec<_>, Vec<_>) = doomed.into_iter().partition(Doomed::is_object);
    let (mut deleted, mut not_found, mut errors) = (0, 0, Vec::new());
    let mut status = StatusCode::BAD_REQUEST;
    for doomed in objects.into_iter().chain(containers) {
        let name = quote(&doomed.path);
        let (found, text) = doomed.error.unwrap_or_else(|| {
            let status = delete(call, account, &doomed.path);
            (status, status_line(status))
        });
        match found {
            StatusCode::NOT_FOUND => not_found += 1,
            found if found.is_success() => deleted += 1,
            found => {
                if found.is_server_error() {
                    status = StatusCode::BAD_GATEWAY;
                }
                errors.push((name, text));
            }
        }
        if errors.len() >= MAX_FAILED {
            let (status, body) =
                (status_line(StatusCode::BAD_REQUEST), "Max delete failures exceeded".into());
            return Outcome { status, body, deleted, not_found, errors };
        }
    }
    let nothing = deleted == 0 && not_found == 0 && errors.is_empty();
    let status = if errors.is_empty() && !nothing { StatusCode::OK } else { status };
    let body = if nothing { "Invalid bulk delete.".into() } else { String::new() };
    Outcome { status: status_line(status), body, deleted, not_found, errors }
}

/// The status of one delete. Each asks on its own whether the caller may.
fn delete(call: &Call, account: &str, path: &[u8]) -> StatusCode {
    let Ok(path) = std::str::from_utf8(path) else { return StatusCode::PRECONDITION_FAILED };
    let path = path.trim_start_matches('/');
    let full = format!("{}/{}", call.fake.options.storage_path(account), quote(path.as_bytes()));
    if let Some(status) = call.fake.faults.strike_inner(&Method::DELETE, &full) {
        return status;
    }
    if let Err(refusal) = call.authorize(account) {
        return refusal.status;
    }
    match path.split_once('/').filter(|(_, object)| !object.is_empty()) {
        None => container::delete(call, path.trim_end_matches('/')),
        Some((container, object)) => call.fake.state().delete_object(container, object).status(),
    }
}
