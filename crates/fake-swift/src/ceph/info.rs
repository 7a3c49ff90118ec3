//! What the gateway tells of itself, which is less than Swift tells.

use http::Method;
use serde_json::{Map, Value, json};

use crate::container;
use crate::object::MAX_NAME;
use crate::options::{Feature, Options};

/// The document behind `/swift/info`, as Pacific has it. No digests of temporary URLs, no limit on bulk deletes, no
/// smallest segment, and a version that is not Swift's.
pub(crate) fn document(options: &Options) -> Map<String, Value> {
    let mut parts = Map::new();
    let mut tell = |name: &str, part| parts.insert(name.to_owned(), part);
    tell(
        "swift",
        json!({
            "container_listing_limit": options.container_listing_limit,
            "max_container_name_length": container::MAX_NAME,
            "max_file_size": options.max_file_size,
            "max_object_name_size": MAX_NAME,
            "policies": [{"default": true, "name": "default-placement"}],
            "strict_cors_mode": true,
            "version": "16.2.15",
        }),
    );
    for name in ["account_quotas", "container_quotas", "staticweb"] {
        tell(name, json!({}));
    }
    tell("tempauth", json!({"account_acls": true}));
    if options.has(Feature::BulkDelete) {
        tell("bulk_delete", json!({}));
    }
    if options.has(Feature::StaticLargeObjects) {
        tell("slo", json!({"max_manifest_segments": options.max_manifest_segments}));
    }
    if options.has(Feature::TemporaryUrls) {
        let methods: Vec<_> = options.tempurl_methods.iter().map(Method::as_str).collect();
        tell("tempurl", json!({"methods": methods}));
    }
    parts
}
