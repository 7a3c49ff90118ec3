//! Containers: created, listed, described, deleted when empty.

use http::header::LAST_MODIFIED;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;

use crate::account::X_TIMESTAMP;
use crate::answer::{Answer, Handled, Refusal, value};
use crate::ceph;
use crate::clock::Timestamp;
use crate::json::dumps;
use crate::listing::{self, Entry, Format, Page};
use crate::metadata;
use crate::request::{Call, ContainerAddress};
use crate::state;

/// Longest name of a container in bytes.
pub(crate) const MAX_NAME: usize = 256;
const METHODS: &str = "DELETE, PUT, OPTIONS, GET, HEAD, POST";
const METADATA: &str = "x-container-meta-";

pub(crate) fn handle(call: &Call, at: &ContainerAddress) -> Handled {
    match call.method {
        Method::GET | Method::HEAD => get(call, at),
        Method::PUT => put(call, at),
        Method::POST => post(call, at),
        Method::DELETE => {
            call.authorize(&at.account)?;
            match delete(call, &at.container) {
                StatusCode::NO_CONTENT => Ok(Answer::standard(StatusCode::NO_CONTENT)),
                status => Err(Refusal::standard(status)),
            }
        }
        _ => Err(Refusal::method(METHODS)),
    }
}

fn put(call: &Call, at: &ContainerAddress) -> Handled {
    metadata::check(&call.headers, METADATA)?;
    if at.container.len() > MAX_NAME {
        let text = format!("Container name length of {} longer than {MAX_NAME}", at.container.len());
        return Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    }
    call.authorize(&at.account)?;
    if !call.fake.options.may_create_containers {
        return Err(Refusal::standard(StatusCode::FORBIDDEN));
    }
    let mut state = call.fake.state();
    let status =
        if state.create_container(&at.container) { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    if let Some(container) = state.containers.get_mut(&at.container) {
        metadata::merge(&mut container.metadata, &call.headers, METADATA);
    }
    Ok(Answer::standard(status))
}

fn post(call: &Call, at: &ContainerAddress) -> Handled {
    metadata::check(&call.headers, METADATA)?;
    call.authorize(&at.account)?;
    let mut state = call.fake.state();
    let container =
        state.containers.get_mut(&at.container).ok_or(Refusal::standard(StatusCode::NOT_FOUND))?;
    metadata::merge(&mut container.metadata, &call.headers, METADATA);
    Ok(Answer::standard(StatusCode::NO_CONTENT))
}

/// Deletes a container if its listing is empty: 204, else 409, or 404.
pub(crate) fn delete(call: &Call, name: &str) -> StatusCode {
    let mut state = call.fake.state();
    let at = state.next_listing(call.replica);
    if state.usage(name, at).0 > 0 {
        StatusCode::CONFLICT
    } else if state.delete_container(name) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Object {
        bytes: u64,
        hash: &'a str,
        name: &'a str,
        content_type: &'a str,
        last_modified: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        slo_etag: Option<String>,
    },
    Subdir {
        subdir: &'a str,
    },
}

fn get(call: &Call, at: &ContainerAddress) -> Handled {
    let format = Format::choose(&call.query, &call.headers)?;
    let page = Page::from_query(&call.query, call.fake.options.container_listing_limit)?;
    call.authorize(&at.account)?;
    let state = call.fake.state();
    let container = state.containers.get(&at.container).ok_or(Refusal::standard(StatusCode::NOT_FOUND))?;
    let at = state.next_listing(call.replica);
    let entries = page.of(container.rows(), at);
    let rows = entries.iter().map(|entry| match entry {
        Entry::Name(name, row) => Row::Object {
            bytes: row.bytes,
            hash: &row.hash,
            name,
            content_type: &row.content_type,
            last_modified: row.modified.as_iso(),
            slo_etag: row.slo_etag.as_ref().map(|etag| format!("\"{etag}\"")),
        },
        Entry::Subdir(subdir) => Row::Subdir { subdir },
    });
    let body = match format {
        Format::Json if call.fake.options.is_ceph() => ceph::listing::objects(&entries),
        Format::Json => dumps(&rows.collect::<Vec<_>>()),
        Format::Text => listing::text(&entries),
    };
    Ok(listing::answer(call, format, body, headers(container, at)))
}

fn headers(container: &state::Container, at: Timestamp) -> HeaderMap {
    let (count, bytes) = container.usage(at);
    let mut headers = container.metadata.clone();
    headers.insert(X_TIMESTAMP, value(container.created.as_decimal()));
    headers.insert(LAST_MODIFIED, value(container.created.as_http_date()));
    headers.insert(HeaderName::from_static("x-container-object-count"), count.into());
    headers.insert(HeaderName::from_static("x-container-bytes-used"), bytes.into());
    headers.insert(HeaderName::from_static("x-storage-policy"), HeaderValue::from_static("Policy-0"));
    headers
}
