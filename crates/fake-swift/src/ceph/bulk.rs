//! Many deletes in one request, as the gateway reads and answers it: without a limit, but a line that is too long
//! ends the list, silently.

use percent_encoding::percent_decode;
use serde::Serialize;

use crate::answer::{Answer, Refusal};
use crate::bulk::{Doomed, Outcome, as_text, delete_all};
use crate::json::compact;
use crate::listing::Format;
use crate::request::Call;
use http::{HeaderValue, StatusCode};

/// A line that is as long as this, or longer, is the end.
const MAX_LINE: usize = 2047;
/// The gateway has no bound on the whole; this one keeps the memory of a test in bounds.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// As Swift's, in the order of the gateway.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(rename = "Number Deleted")]
    deleted: usize,
    #[serde(rename = "Number Not Found")]
    not_found: usize,
    #[serde(rename = "Response Body")]
    body: &'a str,
    #[serde(rename = "Response Status")]
    status: &'a str,
    #[serde(rename = "Errors")]
    errors: &'a [(String, String)],
}

/// `POST ?bulk-delete` or `DELETE ?bulk-delete`: a path a line, percent-encoded.
pub(crate) async fn handle(call: &mut Call, account: &str) -> Answer {
    let body = match call.body.collect(MAX_BODY).await {
        Ok(body) => body,
        Err(error) => return Refusal::from(error).into(),
    };
    let lines = body.split(|byte| *byte == b'\n').take_while(|line| line.len() < MAX_LINE);
    let doomed = lines
        .map(<[u8]>::trim_ascii)
        .filter(|line| line.iter().any(|byte| *byte != b'/'))
        .map(|line| Doomed::new(percent_decode(line).collect::<Vec<_>>()));
    let outcome = delete_all(call, account, doomed.collect());
    answer(call, outcome)
}

/// 200, with what came of it inside.
pub(crate) fn answer(call: &Call, mut outcome: Outcome) -> Answer {
    const TOLERATED: &str = "403 ";
    let format = match Format::choose(&call.query, &call.headers) {
        Ok(format) => format,
        Err(refusal) => return refusal.into(),
    };
    for (path, _) in &mut outcome.errors {
        *path = percent_decode(path.trim_start_matches('/').as_bytes()).decode_utf8_lossy().into_owned();
    }
    if let Some((_, last)) = outcome.errors.iter().rfind(|(_, status)| !status.starts_with(TOLERATED)) {
        outcome.status.clone_from(last);
    }
    let (content_type, body) = match format {
        Format::Json => {
            let Outcome { status, body, deleted, not_found, errors } = &outcome;
            let told = Told { deleted: *deleted, not_found: *not_found, body, status, errors };
            ("application/json; charset=utf-8", compact(&told))
        }
        Format::Text => ("text/plain; charset=utf-8", as_text(&outcome).into_bytes()),
    };
    Answer::chunked(StatusCode::OK, HeaderValue::from_static(content_type), body)
}
