use super::*;

#[test]
fn a_moment_is_written_in_three_ways() {
    let moment = Timestamp(1_795_464_000 * PER_SECOND + 1234);
    assert_eq!(moment.as_decimal(), "1795464000.01234");
    assert_eq!(moment.as_iso(), "2026-11-23T20:00:00.012340");
    assert_eq!(moment.as_iso_in_millis(), "2026-11-23T20:00:00.012Z");
    assert_eq!(moment.as_http_date(), "Mon, 23 Nov 2026 20:00:01 GMT");
    assert_eq!(moment.as_iso_rounded_up(), "2026-11-23T20:00:01.000000");
}

#[test]
fn no_two_writes_share_a_stamp() {
    let mut clock = Clock::new();
    let stamps: Vec<_> = (0..1000).map(|_| clock.tick()).collect();
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]));
}
