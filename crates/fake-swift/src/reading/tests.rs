use super::*;

fn sent(pieces: &[Piece], range: Range<u64>) -> Answer {
    send(Answer::standard(StatusCode::OK), pieces, &[Part::bare(range)], Bytes::new())
}

#[test]
fn a_missing_first_piece_is_a_conflict_a_later_one_a_break() {
    let present = |length: usize| Piece::present(Bytes::from(vec![b'x'; length]));
    let gone = || Piece { length: 2, content: None };
    let small = [present(3), gone(), present(4)];
    assert_eq!(sent(&small, 5..9).status, StatusCode::OK);
    assert_eq!(sent(&small, 4..9).status, StatusCode::CONFLICT);
    assert_eq!(sent(&small, 0..9).status, StatusCode::INTERNAL_SERVER_ERROR);

    let answer = sent(&[present(HELD_BACK), gone()], 0..HELD_BACK as u64 + 1);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.payload.broken);
}
