//! The account: its containers, its metadata. The user may neither create nor delete it.

use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde::Serialize;

use crate::answer::{Answer, Handled, Refusal, value};
use crate::ceph;
use crate::clock::Timestamp;
use crate::json::dumps;
use crate::listing::{self, Entry, Format, Page};
use crate::metadata;
use crate::request::Call;
use crate::state::State;

pub(crate) const X_TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");
const METADATA: &str = "x-account-meta-";

pub(crate) fn handle(call: &Call, account: &str) -> Handled {
    match call.method {
        Method::GET | Method::HEAD => get(call, account),
        Method::POST => {
            call.authorize(account)?;
            metadata::check(&call.headers, METADATA)?;
            metadata::merge(&mut call.fake.state().metadata, &call.headers, METADATA);
            Ok(Answer::standard(StatusCode::NO_CONTENT))
        }
        // No one may create or delete an account: Swift's `allow_account_management` is off.
        _ => Err(Refusal::method("POST, HEAD, OPTIONS, GET")),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Container { name: &'a str, count: u64, bytes: u64, last_modified: String },
    Subdir { subdir: &'a str },
}

fn get(call: &Call, account: &str) -> Handled {
    let format = Format::choose(&call.query, &call.headers)?;
    let page = Page::from_query(&call.query, call.fake.options.container_listing_limit)?;
    call.authorize(account)?;
    let state = call.fake.state();
    let at = state.next_listing(call.replica);
    let entries = page.of(state.listed(), at);
    let rows = entries.iter().map(|entry| match entry {
        Entry::Name(name, created) => {
            let (count, bytes) = state.usage(name, at);
            Row::Container { name, count, bytes, last_modified: created.as_iso() }
        }
        Entry::Subdir(subdir) => Row::Subdir { subdir },
    });
    let body = match format {
        Format::Json if call.fake.options.is_ceph() => {
            ceph::listing::containers(&entries, |name| state.usage(name, at))
        }
        Format::Json => dumps(&rows.collect::<Vec<_>>()),
        Format::Text => listing::text(&entries),
    };
    Ok(listing::answer(call, format, body, headers(&state, at)))
}

fn headers(state: &State, at: Timestamp) -> HeaderMap {
    let (mut containers, mut objects, mut bytes) = (0, 0, 0);
    for (name, _) in state.listed().at(at) {
        let used = state.usage(name, at);
        containers += 1;
        objects += used.0;
        bytes += used.1;
    }
    let mut headers = state.metadata.clone();
    headers.insert(X_TIMESTAMP, value(state.created.as_decimal()));
    for (name, count) in [
        ("x-account-container-count", containers),
        ("x-account-object-count", objects),
        ("x-account-bytes-used", bytes),
        ("x-account-storage-policy-policy-0-container-count", containers),
        ("x-account-storage-policy-policy-0-object-count", objects),
        ("x-account-storage-policy-policy-0-bytes-used", bytes),
    ] {
        headers.insert(HeaderName::from_static(name), count.into());
    }
    headers
}
