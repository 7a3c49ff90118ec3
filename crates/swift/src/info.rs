//! What a cluster says of itself at `/info` (Swift, "Discoverability"). Every member is optional; some clouds hide all.

use serde::Deserialize;

/// What is known of a cluster's abilities and limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Whether the cluster told anything; if not, the rest are guesses.
    pub told: bool,
    /// Its version of Swift.
    pub version: Option<String>,
    /// Bytes in the largest plain object.
    pub max_file_size: Option<u64>,
    /// Most entries in one page of a container's listing.
    pub container_listing_limit: Option<usize>,
    /// Most segments in a static large object; `None` when it has no such objects, or does not say.
    pub max_segments: Option<usize>,
}

impl Capabilities {
    /// What a stock Swift allows, and Ceph RGW too.
    const USUAL_FILE_SIZE: u64 = 5 << 30;
    const USUAL_SEGMENTS: usize = 1000;

    /// Bytes in the largest object that is to be written in one piece: 5 GiB, or less where the cluster says so.
    #[must_use]
    pub fn largest_piece(&self) -> u64 {
        self.max_file_size.map_or(Self::USUAL_FILE_SIZE, |size| size.min(Self::USUAL_FILE_SIZE))
    }

    /// Most segments that a large object is to have.
    #[must_use]
    pub fn most_segments(&self) -> usize {
        self.max_segments.unwrap_or(Self::USUAL_SEGMENTS)
    }

    /// The cluster said what it can, and static large objects are not in it.
    #[must_use]
    pub fn lacks_large_objects(&self) -> bool {
        self.told && self.max_segments.is_none()
    }

    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(body).ok()?;
        let swift = document.swift.unwrap_or_default();
        Some(Self {
            told: true,
            version: swift.version,
            max_file_size: swift.max_file_size,
            container_listing_limit: swift.container_listing_limit,
            max_segments: document.slo.map(|slo| slo.max_manifest_segments.unwrap_or(Self::USUAL_SEGMENTS)),
        })
    }
}

#[derive(Deserialize)]
struct Document {
    swift: Option<SwiftSection>,
    slo: Option<SloSection>,
}

#[derive(Deserialize, Default)]
struct SwiftSection {
    version: Option<String>,
    max_file_size: Option<u64>,
    container_listing_limit: Option<usize>,
}

#[derive(Deserialize)]
struct SloSection {
    max_manifest_segments: Option<usize>,
}

/// Where `/info` may be, for an account's URL: beside the version, which may lie below a path of a proxy or of Ceph RGW,
/// and at the root of the host.
pub(crate) fn addresses(storage_url: &str) -> Vec<String> {
    let Some((scheme, rest)) = storage_url.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut above = String::new();
    for segment in path.split('/').take_while(|segment| !matches!(*segment, "v1" | "v1.0")) {
        if !segment.is_empty() {
            above.push('/');
            above.push_str(segment);
        }
    }
    let root = format!("{scheme}://{authority}/info");
    let beside = format!("{scheme}://{authority}{above}/info");
    if beside == root { vec![root] } else { vec![beside, root] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_lies_beside_the_version() {
        let cases: [(&str, &[&str]); 4] = [
            ("http://h:8080/v1/AUTH_test", &["http://h:8080/info"]),
            ("https://h/swift/v1", &["https://h/swift/info", "https://h/info"]),
            ("https://h/store/v1/AUTH_x", &["https://h/store/info", "https://h/info"]),
            ("https://h", &["https://h/info"]),
        ];
        for (url, expected) in cases {
            assert_eq!(addresses(url), expected, "{url}");
        }
    }

    #[test]
    fn every_member_is_optional() {
        let rgw = br#"{"bulk_delete":{},"slo":{"max_manifest_segments":1000},"swift":{"max_file_size":5368709120}}"#;
        let rgw = Capabilities::parse(rgw).unwrap();
        assert_eq!((rgw.max_file_size, rgw.max_segments), (Some(5_368_709_120), Some(1000)));
        assert_eq!(rgw.container_listing_limit, None);
        assert!(Capabilities::parse(b"{}").unwrap().lacks_large_objects());
        assert_eq!(Capabilities::parse(b"<html>"), None);
        assert!(!Capabilities::default().lacks_large_objects());
    }
}
