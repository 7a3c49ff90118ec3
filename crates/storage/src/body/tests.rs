use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;

use super::*;

fn pieces(pieces: &[&'static str]) -> ByteStream {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    Box::pin(stream::iter(pieces))
}

async fn drain(mut stream: ByteStream) -> (String, Option<BoxError>) {
    let mut text = String::new();
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => text.push_str(std::str::from_utf8(&piece).unwrap()),
            Err(error) => return (text, Some(error)),
        }
    }
    (text, None)
}

#[tokio::test]
async fn an_accepted_stream_passes_whole() {
    for given in [&["ab", "", "c"][..], &["abc"], &["a", "b", "c", ""]] {
        let (text, error) = drain(hold_back(pieces(given), 3, || Ok(()))).await;
        assert_eq!(text, "abc");
        assert!(error.is_none());
    }
}

#[tokio::test]
async fn a_refused_stream_is_never_handed_out_whole() {
    for given in [&["ab", "", "c"][..], &["abc"], &["a", "b", "c", ""]] {
        let (text, error) = drain(hold_back(pieces(given), 3, || Err("no".into()))).await;
        assert!(text.len() < 3, "{text}");
        assert_eq!(error.unwrap().to_string(), "no");
    }
}

#[tokio::test]
async fn an_empty_stream_is_judged() {
    let (_, error) = drain(hold_back(pieces(&[""]), 0, || Err("no".into()))).await;
    assert_eq!(error.unwrap().to_string(), "no");
    let (text, error) = drain(hold_back(pieces(&[]), 0, || Ok(()))).await;
    assert!(text.is_empty() && error.is_none());
}

#[tokio::test]
async fn another_length_is_an_error_before_the_last_byte_and_nobody_is_asked() {
    let asked = Arc::new(AtomicBool::new(false));
    for (given, expected) in [
        (&["ab"][..], LengthMismatch::Short { expected: 3, actual: 2 }),
        (&["ab", "cd"], LengthMismatch::Long { expected: 3 }),
        (&[], LengthMismatch::Short { expected: 3, actual: 0 }),
    ] {
        let asked = Arc::clone(&asked);
        let verdict = move || {
            asked.store(true, Ordering::Relaxed);
            Ok(())
        };
        let (text, error) = drain(hold_back(pieces(given), 3, verdict)).await;
        assert!(text.len() < 3);
        assert_eq!(error.unwrap().downcast_ref::<LengthMismatch>(), Some(&expected));
    }
    assert!(!asked.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_body_checks_its_promise() {
    let (text, error) = drain(Body::stream(4, pieces(&["ab", "cd"])).into_stream()).await;
    assert_eq!((text.as_str(), error.is_none()), ("abcd", true));
    let (_, error) = drain(Body::stream(5, pieces(&["ab", "cd"])).into_stream()).await;
    assert_eq!(error.unwrap().to_string(), "the content ended after 4 of 5 bytes");
    let (text, _) = drain(Body::from(Bytes::from_static(b"xy")).into_stream()).await;
    assert_eq!(text, "xy");
}

#[tokio::test]
async fn collecting_stops_at_the_limit() {
    assert_eq!(collect(pieces(&["ab", "c"]), 3).await.unwrap(), "abc");
    let error = collect(pieces(&["ab", "cd"]), 3).await.unwrap_err();
    assert_eq!(error.to_string(), "the content goes on past 3 bytes");
}
