use super::*;

const KIB: usize = 1024;

fn piece(number: u8) -> Bytes {
    Bytes::from(vec![number; 64 * KIB])
}

/// A window that holds eight pieces.
fn window() -> Arc<Window> {
    Window::new(0, Memory::new(0))
}

async fn read(reader: &mut Reader) -> Bytes {
    match reader.next(u64::MAX).await {
        Next::Piece(piece) => piece,
        other => panic!("no piece: {other:?}"),
    }
}

#[tokio::test]
async fn all_follow_from_where_they_joined() {
    let window = window();
    let mut first = window.join(0).unwrap();
    window.push(piece(1)).await;
    let mut second = window.join(0).unwrap();
    let mut later = window.join(64 * KIB as u64 + 10).unwrap();
    window.push(piece(2)).await;
    window.end(Ok(()));
    for reader in [&mut first, &mut second] {
        assert_eq!((read(reader).await, read(reader).await), (piece(1), piece(2)));
        assert!(matches!(reader.next(1).await, Next::End));
    }
    assert!(matches!(later.next(3).await, Next::Piece(bytes) if bytes == vec![2; 3]));
    assert_eq!(read(&mut later).await.len(), 64 * KIB - 13);
}

#[tokio::test]
async fn the_beginning_is_kept_as_long_as_there_is_room() {
    let window = window();
    for number in 0..8 {
        window.push(piece(number)).await;
    }
    assert!(window.join(0).is_some());
    window.push(piece(8)).await;
    assert!(window.join(0).is_none() && window.join(64 * KIB as u64).is_some());
    assert!(window.state().kept <= Memory::LEAST);
}

#[tokio::test(start_paused = true)]
async fn the_writer_waits_for_the_slowest_while_nobody_else_is_held_up() {
    let window = window();
    let mut slow = window.join(0).unwrap();
    let writer = tokio::spawn({
        let window = Arc::clone(&window);
        async move {
            for number in 0..32 {
                window.push(piece(number)).await;
            }
            window.end(Ok(()));
        }
    });
    for number in 0..32 {
        // More than the patience with one who holds up others.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(window.state().kept <= Memory::LEAST);
        assert_eq!(read(&mut slow).await, piece(number));
    }
    writer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_holds_up_others_is_left_behind() {
    let window = window();
    let mut slow = window.join(0).unwrap();
    let mut fast = window.join(0).unwrap();
    let writer = tokio::spawn({
        let window = Arc::clone(&window);
        async move {
            for number in 0..32 {
                window.push(piece(number)).await;
            }
        }
    });
    assert_eq!(read(&mut slow).await, piece(0));
    let begun = Instant::now();
    for number in 0..32 {
        assert_eq!(read(&mut fast).await, piece(number));
    }
    assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < PATIENCE + STALL);
    assert!(matches!(slow.next(1).await, Next::LeftBehind));
    writer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_at_all_is_left_behind_by_itself() {
    let window = window();
    let mut dead = window.join(0).unwrap();
    for number in 0..16 {
        window.push(piece(number)).await;
    }
    assert!(matches!(dead.next(1).await, Next::LeftBehind));
    assert!(window.end_if_deserted());
    assert!(window.join(u64::MAX).is_none());
}

#[tokio::test]
async fn a_bad_end_comes_after_what_is_there() {
    let window = window();
    let mut reader = window.join(0).unwrap();
    window.push(piece(1)).await;
    let kind = UpstreamErrorKind::Wrong;
    window.end(Err(UpstreamError { upstream: String::new(), kind, message: "poison".to_owned() }));
    assert_eq!(read(&mut reader).await, piece(1));
    assert!(matches!(reader.next(1).await, Next::Broken(error) if error.kind == kind));
    assert!(window.join(0).is_none());
}
