//! `/info`: what the store can do, and its limits.

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Handled, Refusal};
use crate::bulk::MAX_FAILED;
use crate::ceph;
use crate::json::dumps;
use crate::metadata;
use crate::object::MAX_NAME;
use crate::options::Feature;
use crate::request::Call;
use crate::slo::MAX_MANIFEST_SIZE;
use crate::tempurl::{self, Digest};

pub(crate) fn handle(call: &Call) -> Handled {
    let options = &call.fake.options;
    if !options.info {
        return Err(Refusal::standard(StatusCode::FORBIDDEN));
    }
    if options.is_ceph() {
        return Ok(document(&ceph::info::document(options)));
    }
    let mut parts = Map::new();
    let mut tell = |name: &str, part| parts.insert(name.to_owned(), part);
    tell(
        "swift",
        json!({
                "version": options.version,
                "account_autocreate": true,
                "account_listing_limit": options.container_listing_limit,
                "allow_account_management": false,
                "container_listing_limit": options.container_listing_limit,
                "extra_header_count": 0,
                "max_account_name_length": 256,
                "max_container_name_length": crate::container::MAX_NAME,
                "max_file_size": options.max_file_size,
                "max_header_size": metadata::MAX_HEADER,
                "max_meta_count": metadata::MAX_COUNT,
                "max_meta_name_length": metadata::MAX_NAME,
                "max_meta_overall_size": metadata::MAX_OVERALL,
                "max_meta_value_length": metadata::MAX_VALUE,
                "max_object_name_length": MAX_NAME,
                "policies": [{"name": "Policy-0", "aliases": "Policy-0", "default": true}],
                "strict_cors_mode": true,
        }),
    );
    tell("tempauth", json!({"account_acls": true}));
    if options.has(Feature::StaticLargeObjects) {
        tell(
            "slo",
            json!({
                "allow_async_delete": false,
                "max_manifest_segments": options.max_manifest_segments,
                "max_manifest_size": MAX_MANIFEST_SIZE,
                "min_segment_size": options.min_segment_size,
                "yield_frequency": 10,
            }),
        );
    }
    if options.has(Feature::BulkDelete) {
        tell(
            "bulk_delete",
            json!({
                "max_deletes_per_request": options.max_deletes_per_request,
                "max_failed_deletes": MAX_FAILED,
            }),
        );
    }
    if options.has(Feature::TemporaryUrls) {
        let mut digests = options.tempurl_digests.clone();
        digests.sort_unstable();
        let mut part = json!({
            "methods": options.tempurl_methods.iter().map(Method::as_str).collect::<Vec<_>>(),
            "incoming_remove_headers": [tempurl::INCOMING_REMOVE],
            "incoming_allow_headers": [],
            "outgoing_remove_headers": [tempurl::OUTGOING_REMOVE],
            "outgoing_allow_headers": [tempurl::OUTGOING_ALLOW],
            "allowed_digests": digests.iter().map(|digest| digest.name()).collect::<Vec<_>>(),
        });
        if digests.contains(&Digest::Sha1)
            && let Some(part) = part.as_object_mut()
        {
            part.insert("deprecated_digests".to_owned(), json!([Digest::Sha1.name()]));
        }
        tell("tempurl", part);
    }
    Ok(document(&parts))
}

fn document(parts: &Map<String, Value>) -> Answer {
    Answer::new(StatusCode::OK, HeaderValue::from_static("application/json; charset=UTF-8"), dumps(parts))
}
