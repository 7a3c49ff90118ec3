use futures_util::{StreamExt, stream};

use super::*;

fn source(lead: &'static [u8], pieces: &[&'static [u8]]) -> Source {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
    Source::new(Bytes::from_static(lead), Box::pin(stream::iter(pieces)))
}

/// What one segment takes, and the source that it leaves.
async fn taken(source: Source, left: u64) -> (Vec<u8>, Source) {
    let rest = Rest::default();
    let mut content = SegmentContent { source: Some(source), left, rest: rest.clone() };
    let mut bytes = Vec::new();
    while let Some(piece) = content.next().await {
        bytes.extend(piece.unwrap());
    }
    (bytes, rest.take().unwrap())
}

#[tokio::test]
async fn a_segment_takes_its_share_and_leaves_the_rest() {
    let (bytes, source) = taken(source(b"ab", &[b"cdef", b"ghi"]), 4).await;
    assert_eq!(bytes, b"abcd");
    assert_eq!(&source.lead[..], b"ef");
    let (bytes, source) = taken(source, 3).await;
    assert_eq!(bytes, b"efg");
    let (bytes, mut source) = taken(source, 2).await;
    assert_eq!(bytes, b"hi");
    source.read_ahead(1).await.unwrap();
    assert!(source.ended && source.lead.is_empty());
}

#[tokio::test]
async fn a_segment_may_end_with_the_stream() {
    let (bytes, source) = taken(source(b"", &[b"abc"]), 10).await;
    assert_eq!(bytes, b"abc");
    assert!(source.ended);
}

#[tokio::test]
async fn reading_ahead_stops_when_it_is_enough() {
    let mut source = source(b"a", &[b"b", b"c", b"d"]);
    source.read_ahead(3).await.unwrap();
    assert_eq!(&source.lead[..], b"abc");
    source.read_ahead(10).await.unwrap();
    assert_eq!(&source.lead[..], b"abcd");
    assert!(source.ended);
}
