use super::*;

fn pieces() -> Vec<Piece> {
    let gone = Piece { length: 2, content: None };
    vec![Piece::present(Bytes::from_static(b"abc")), gone, Piece::present(Bytes::from_static(b"fghi"))]
}

/// What `range` of `abc??fghi` reads as.
fn cut_text(range: Range<u64>) -> String {
    cut(&pieces(), range)
        .into_iter()
        .map(|piece| match piece.content {
            Some(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            None => "?".repeat(usize::try_from(piece.length).unwrap()),
        })
        .collect()
}

#[test]
fn a_range_takes_its_part_of_each_piece() {
    assert_eq!(cut_text(0..9), "abc??fghi");
    assert_eq!(cut_text(1..4), "bc?");
    assert_eq!(cut_text(5..6), "f");
    assert_eq!(cut_text(4..100), "?fghi");
    assert_eq!(cut_text(3..3), "");
    assert_eq!(cut_text(50..60), "");
}
