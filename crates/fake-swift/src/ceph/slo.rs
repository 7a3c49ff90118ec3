//! Static large objects as the gateway has them: each segment must be there and of the size that is told, but an ETag
//! is taken as it is told, and never looked at again.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED, TRANSFER_ENCODING};
use serde::Deserialize;

use super::bulk;
use crate::answer::{Answer, Handled, Refusal, status_line, value};
use crate::bulk::{Doomed, Outcome, delete_all};
use crate::manifest::{Entry, Manifest, Segment};
use crate::object;
use crate::request::{Call, ObjectAddress};

/// So many bytes of a manifest are read for each entry that it may have.
const MAX_ENTRY: u64 = 1024 + 128;

/// An entry of a manifest as the client sends it; whatever else it says is not heard.
#[derive(Deserialize)]
struct Wanted {
    path: String,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    size_bytes: Option<u64>,
}

pub(crate) async fn put(call: &mut Call, at: &ObjectAddress) -> Handled {
    call.authorize(&at.account)?;
    if !call.headers.contains_key(CONTENT_LENGTH) && !call.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::standard(StatusCode::LENGTH_REQUIRED));
    }
    let most = call.fake.options.max_manifest_segments;
    let body = call.body.collect((most as u64).saturating_mul(MAX_ENTRY)).await?;
    let invalid = || Refusal::standard(StatusCode::BAD_REQUEST);
    let wanted: Vec<Wanted> = serde_json::from_slice(&body).map_err(|_| invalid())?;
    if wanted.len() > most {
        return Err(invalid());
    }
    let entries = wanted.into_iter().map(|wanted| look_at(call, wanted)).collect::<Result<_, _>>()?;
    let manifest = Manifest(entries);
    let etag = manifest.etag();
    let begun = object::begin(call, at, Some(body.len() as u64))?;
    let modified = object::store(call, at, begun, body, Some(manifest))?;
    Ok(Answer::standard(StatusCode::CREATED)
        .with(ETAG, value(format!("\"{etag}\"")))
        .with(LAST_MODIFIED, modified))
}

fn look_at(call: &Call, wanted: Wanted) -> Result<Entry, Refusal> {
    let invalid = || Refusal::standard(StatusCode::BAD_REQUEST);
    let path = wanted.path.trim_start_matches('/');
    let (container, name) = path.split_once('/').ok_or_else(invalid)?;
    let state = call.fake.state();
    let object = state.object(container, name).ok_or(Refusal::standard(StatusCode::NOT_FOUND))?;
    let bytes = object.data.len() as u64;
    // A size of 0 is no size.
    if wanted.size_bytes.is_some_and(|size| size != 0 && size != bytes) {
        return Err(invalid());
    }
    Ok(Entry::Segment(Segment {
        name: format!("/{path}"),
        bytes,
        hash: wanted.etag.unwrap_or_default(),
        content_type: object.content_type.clone(),
        last_modified: object.modified.as_iso_rounded_up(),
        range: None,
        sub_slo: false,
    }))
}

/// Deletes a static large object with its segments. 200 whatever comes of it.
pub(crate) fn delete(call: &Call, at: &ObjectAddress) -> Handled {
    call.authorize(&at.account)?;
    let path = format!("/{}/{}", at.container, at.object);
    let found = call.fake.state().object(&at.container, &at.object).cloned();
    let nothing = Outcome {
        status: status_line(StatusCode::OK),
        body: String::new(),
        deleted: 0,
        not_found: 0,
        errors: Vec::new(),
    };
    let outcome = match found.as_ref().map(|object| &object.manifest) {
        None => Outcome { not_found: 1, ..nothing },
        Some(None) => {
            let status = status_line(StatusCode::BAD_REQUEST);
            Outcome { errors: vec![(path, status.clone())], status, ..nothing }
        }
        Some(Some(manifest)) => {
            let doomed = manifest.names().into_iter().chain([path]).map(Doomed::new);
            delete_all(call, &at.account, doomed.collect())
        }
    };
    Ok(bulk::answer(call, outcome))
}
