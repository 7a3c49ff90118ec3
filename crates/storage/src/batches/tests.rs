use futures_util::stream;

use super::*;

/// The lengths of the batches that come of pieces of these lengths; `None` is an error.
async fn batched(pieces: Vec<Option<usize>>) -> (Vec<usize>, Option<BoxError>) {
    let pieces = pieces.into_iter().map(|length| match length {
        Some(length) => Ok(Bytes::from(vec![7; length])),
        None => Err("cut".into()),
    });
    let mut batches = Batches::new(Box::pin(stream::iter(pieces)));
    let mut lengths = Vec::new();
    loop {
        match batches.next().await {
            Ok(Some(batch)) => lengths.push(batch.len()),
            Ok(None) => return (lengths, None),
            Err(error) => return (lengths, Some(error)),
        }
    }
}

#[tokio::test]
async fn small_pieces_are_gathered_and_nothing_is_lost() {
    let (lengths, error) = batched(vec![Some(1000); 5000]).await;
    assert!(error.is_none());
    assert_eq!(lengths.iter().sum::<usize>(), 5_000_000);
    assert_eq!(lengths.len(), 5);
    assert!(lengths.iter().all(|length| *length < 2 * Batches::SIZE));
}

#[tokio::test]
async fn a_big_piece_passes_as_it_is_and_empty_ones_vanish() {
    let (lengths, _) = batched(vec![Some(0), Some(3 * Batches::SIZE), Some(0), Some(1)]).await;
    assert_eq!(lengths, [3 * Batches::SIZE, 1]);
    assert_eq!(batched(vec![]).await.0, [0; 0]);
}

#[tokio::test]
async fn an_error_comes_in_place_of_what_was_gathered() {
    let (lengths, error) = batched(vec![Some(10), None]).await;
    assert!(lengths.is_empty());
    assert_eq!(error.unwrap().to_string(), "cut");
}
