use super::*;

fn limits(max_file_size: Option<u64>, segment_size: u64) -> Limits {
    Limits::new(&Capabilities { max_file_size, ..Capabilities::default() }, segment_size)
}

#[test]
fn segments_grow_so_that_a_thousand_of_them_hold_more_than_200_gb() {
    let limits = limits(None, 64 << 20);
    assert_eq!(limits.segment_after(0), 64 << 20);
    assert_eq!(limits.segment_after(249), 64 << 20);
    assert_eq!(limits.segment_after(250), 128 << 20);
    assert_eq!(limits.segment_after(999), 512 << 20);
    let whole: u64 = (0..1000).map(|segments| limits.segment_after(segments)).sum();
    assert!(whole > 200_000_000_000, "{whole}");
}

#[test]
fn no_segment_is_larger_than_the_cluster_allows() {
    for (max_file_size, segment_size) in [(1 << 20, 1 << 20), (100 << 20, 64 << 20), (5 << 30, 4 << 30)] {
        let limits = limits(Some(max_file_size), segment_size);
        assert!((0..100_000).step_by(97).all(|segments| limits.segment_after(segments) <= max_file_size));
        assert!(limits.small < limits.piece && limits.small <= limits.segment_after(0));
    }
    assert_eq!(limits(Some(u64::MAX), 1 << 20).piece, 5 << 30);
}
