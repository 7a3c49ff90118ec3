use super::*;

/// How long a pause is at least; it is a quarter more at most.
fn least(failures: u32, threshold: u32, backoff: u64) -> u128 {
    let pauses = (0..50).map(|_| pause(failures, threshold, Duration::from_millis(backoff)));
    let (least, most) = pauses
        .fold((Duration::MAX, Duration::ZERO), |(least, most), pause| (least.min(pause), most.max(pause)));
    let base = match failures.checked_sub(threshold) {
        None => (100_u128 << (failures - 1)).min(u128::from(backoff)),
        Some(beyond) => (u128::from(backoff) << beyond.min(30)).min(60_000.max(u128::from(backoff))),
    };
    assert!(
        least.as_millis() >= base && most.as_millis() <= base + base / 4,
        "{least:?} to {most:?}, not {base}"
    );
    base
}

#[test]
fn pauses_grow_and_are_bounded() {
    let pauses: Vec<u128> =
        [1, 2, 4, 5, 9, 10, 11, 12, 15, 16, 100].map(|failures| least(failures, 10, 1000)).into();
    assert_eq!(pauses, [100, 200, 800, 1000, 1000, 1000, 2000, 4000, 32_000, 60_000, 60_000]);
    assert_eq!([1, 2, 3].map(|failures| least(failures, 1, 50)), [50, 100, 200]);
    // Who configures a longer pause than the longest has it.
    assert_eq!([1, 5, u32::MAX].map(|failures| least(failures, 1, 300_000)), [300_000; 3]);
}
