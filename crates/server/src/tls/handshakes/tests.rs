use futures_util::FutureExt;

use super::*;

#[test]
fn the_oldest_makes_room() {
    let handshakes = Handshakes::new(2);
    let mut first = handshakes.begin();
    let mut second = handshakes.begin();
    assert_eq!(first.room_needed().now_or_never(), None);
    let mut third = handshakes.begin();
    assert_eq!(first.room_needed().now_or_never(), Some(()));
    assert_eq!(second.room_needed().now_or_never(), None);
    drop(first);
    drop(second);
    let _fourth = handshakes.begin();
    assert_eq!(third.room_needed().now_or_never(), None, "there was room");
    assert_eq!(handshakes.lock().handshakes.len(), 2);
}

#[test]
fn there_is_always_room_for_one() {
    let handshakes = Handshakes::new(0);
    assert_eq!(handshakes.begin().room_needed().now_or_never(), None);
    assert!(handshakes.lock().handshakes.is_empty());
}
