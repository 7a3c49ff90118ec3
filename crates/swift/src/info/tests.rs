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
fn all_that_a_swift_says_is_read() {
    let info = br#"{
        "swift": {"version": "2.30.1", "max_file_size": 5368709122, "container_listing_limit": 10000},
        "slo": {"max_manifest_segments": 1000, "min_segment_size": 1, "max_manifest_size": 8388608},
        "bulk_delete": {"max_deletes_per_request": 10000, "max_failed_deletes": 1000},
        "tempurl": {"methods": ["GET", "HEAD"], "allowed_digests": ["sha256", "sha512"]}}"#;
    let capabilities = Capabilities::parse(info).unwrap();
    assert_eq!(capabilities.max_segments, Some(1000));
    assert_eq!((capabilities.min_segment_size, capabilities.max_deletes), (Some(1), Some(10_000)));
    assert!(capabilities.conditional_writes && !capabilities.is_ceph());
    assert_eq!(capabilities.temporary_urls.as_ref().unwrap().digests, ["sha256", "sha512"]);
    assert_eq!(
        capabilities.to_string(),
        "Swift 2.30.1: objects to 5368709120 B, large ones of 1000 segments, 10000 names a page, \
         10000 deletes a request, temporary URLs for GET HEAD by sha256 sha512"
    );
}

#[test]
fn every_member_is_optional() {
    let rgw = br#"{"bulk_delete":{},"slo":{"max_manifest_segments":1000},"tempurl":{"methods":["GET"]},
                   "swift":{"max_file_size":5368709120,"version":17}}"#;
    let rgw = Capabilities::parse(rgw).unwrap();
    assert_eq!((rgw.max_file_size, rgw.max_segments), (Some(5_368_709_120), Some(1000)));
    assert_eq!((rgw.container_listing_limit, rgw.min_segment_size), (None, None));
    assert_eq!((rgw.max_deletes, &rgw.version, rgw.conditional_writes), (Some(1000), &None, false));
    assert!(rgw.is_ceph());
    assert_eq!(rgw.temporary_urls.unwrap().digests, [""; 0]);
    assert!(Capabilities::parse(b"{}").unwrap().lacks_large_objects());
    assert_eq!(Capabilities::parse(b"<html>"), None);
    assert_eq!(Capabilities::parse(b"[]"), None);
    assert!(!Capabilities::default().lacks_large_objects());
    assert_eq!(
        Capabilities::default().to_string(),
        "a Swift that does not say what it can: objects to 5368709120 B, large ones of 1000 segments, \
         no bulk deletes, no conditional writes, no temporary URLs"
    );
}

#[test]
fn an_operator_knows_better() {
    let told = Capabilities::parse(br#"{"slo":{},"bulk_delete":{},"swift":{"max_file_size":9}}"#).unwrap();
    let known = CapabilityOverrides {
        max_file_size: Some(5),
        container_listing_limit: Some(10),
        max_segments: Some(0),
        min_segment_size: Some(2),
        max_deletes: Some(0),
        conditional_writes: Some(true),
        temporary_urls: Some(TemporaryUrlSupport::default()),
    };
    let overridden = told.clone().overridden_by(&known);
    assert_eq!((overridden.largest_piece(), overridden.container_listing_limit), (5, Some(10)));
    assert!(overridden.lacks_large_objects());
    assert_eq!((overridden.min_segment_size, overridden.max_deletes), (Some(2), None));
    assert!(overridden.conditional_writes && !told.conditional_writes);
    assert_eq!(overridden.temporary_urls, Some(TemporaryUrlSupport::default()));
    assert_eq!(told.clone().overridden_by(&CapabilityOverrides::default()), told);
}
