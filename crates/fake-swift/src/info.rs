//! `/info`: what the store can do, and its limits.

use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::answer::{Answer, Handled, Refusal};
use crate::json::dumps;
use crate::metadata;
use crate::object::MAX_NAME;
use crate::request::Call;
use crate::slo::MAX_MANIFEST_SIZE;

pub(crate) fn handle(call: &Call) -> Handled {
    let options = &call.fake.options;
    if !options.info {
        return Err(Refusal::standard(StatusCode::FORBIDDEN));
    }
    let document = json!({
        "swift": {
            "version": "2.30.1",
            "account_autocreate": true,
            "account_listing_limit": options.container_listing_limit,
            "allow_account_management": true,
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
        },
        "slo": {
            "allow_async_delete": false,
            "max_manifest_segments": options.max_manifest_segments,
            "max_manifest_size": MAX_MANIFEST_SIZE,
            "min_segment_size": options.min_segment_size,
            "yield_frequency": 10,
        },
        "bulk_delete": {
            "max_deletes_per_request": options.max_deletes_per_request,
            "max_failed_deletes": crate::bulk::MAX_FAILED,
        },
        "tempauth": {"account_acls": true},
    });
    Ok(Answer::new(
        StatusCode::OK,
        HeaderValue::from_static("application/json; charset=UTF-8"),
        dumps(&document),
    ))
}
