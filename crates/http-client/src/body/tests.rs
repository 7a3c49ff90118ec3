use std::future::poll_fn;

use futures_util::stream;
use http_body::Body as _;

use super::*;

fn pieces(pieces: &[&'static [u8]]) -> ByteStream {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
    Box::pin(stream::iter(pieces))
}

async fn next(sending: &mut Sending) -> Option<Result<Bytes, BoxError>> {
    let frame = poll_fn(|context| Pin::new(&mut *sending).poll_frame(context)).await;
    frame.map(|frame| frame.map(|frame| frame.into_data().expect("data")))
}

#[tokio::test]
async fn a_body_of_known_length_ends_with_its_last_byte() {
    let (mut body, watch) =
        sending(RequestBody::stream(Some(5), pieces(&[b"abc", b"de"])), false, Traffic::sent("test"));
    assert_eq!(body.size_hint().exact(), Some(5));
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "abc");
    assert!(!body.is_end_stream());
    assert_eq!(watch.waiting().0, Stage::SendBody);
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "de");
    assert!(body.is_end_stream());
    assert_eq!(watch.waiting().0, Stage::Answer);
}

#[tokio::test]
async fn a_body_of_another_length_fails() {
    for stream in [pieces(&[b"abc"]), pieces(&[b"abc", b"def"])] {
        let (mut body, watch) = sending(RequestBody::stream(Some(5), stream), false, Traffic::sent("test"));
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "abc");
        next(&mut body).await.unwrap().unwrap_err();
        assert!(watch.take_failure().unwrap().is::<WrongLength>());
    }
}

#[tokio::test]
async fn bytes_go_out_in_pieces() {
    let whole = Bytes::from(vec![7; PIECE * 2 + 1]);
    let (mut body, _watch) = sending(whole.into(), false, Traffic::sent("test"));
    let mut lengths = Vec::new();
    while !body.is_end_stream() {
        lengths.push(next(&mut body).await.unwrap().unwrap().len());
    }
    assert_eq!(lengths, [PIECE, PIECE, 1]);
}

#[tokio::test]
async fn a_body_that_was_not_begun_can_be_taken_back_and_one_that_was_cannot() {
    let (mut body, watch) =
        sending(RequestBody::stream(None, pieces(&[b"abc"])), true, Traffic::sent("test"));
    assert_eq!(watch.waiting().0, Stage::Connect);
    assert!(!body.is_end_stream());
    assert_eq!(watch.waiting().0, Stage::Answer);
    let back = watch.take_unsent().unwrap();
    assert!(next(&mut body).await.unwrap().unwrap_err().is::<Abandoned>());

    let (mut body, watch) = sending(back, true, Traffic::sent("test"));
    watch.release();
    assert_eq!(next(&mut body).await.unwrap().unwrap(), "abc");
    assert!(watch.take_unsent().is_none());
    assert!(next(&mut body).await.is_none());
}
