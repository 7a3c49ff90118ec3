use http_body_util::BodyExt;
use tokio::time::sleep;

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

/// Seconds that a stream lasts in which `steps` happen: so many seconds of waiting for us, then so many of waiting for the client.
async fn lasts(steps: &[(u64, u64)]) -> u64 {
    let begun = Instant::now();
    let pieces: Vec<u64> = steps.iter().map(|(ours, _)| *ours).collect();
    let stream = async {
        let pieces = futures_util::stream::iter(pieces);
        let pieces = futures_util::StreamExt::then(pieces, |seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            Ok(Bytes::from_static(b"x"))
        });
        let mut body = Watched::new(AnswerBody::stream(steps.len() as u64, Box::pin(pieces)));
        for (_, clients) in steps {
            body.frame().await.unwrap().unwrap();
            sleep(Duration::from_secs(*clients)).await;
        }
    };
    Streams::new(PATIENCE).watch(stream).await;
    begun.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn only_a_client_is_waited_for_in_vain() {
    assert_eq!(lasts(&[(0, 0)]).await, 0);
    assert_eq!(lasts(&[(0, 59), (0, 59), (0, 59)]).await, 177, "it takes something now and then");
    assert_eq!(lasts(&[(1000, 1), (1000, 1)]).await, 2002, "it is storage that is slow");
    assert_eq!(lasts(&[(0, 1000)]).await, 60);
    assert_eq!(lasts(&[(100, 59), (100, 1000), (0, 0)]).await, 319);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_streams_is_noticed() {
    let streams = Streams::new(PATIENCE);
    let begun = Instant::now();
    for seconds in [50, 100] {
        hyper::rt::Executor::execute(&streams, sleep(Duration::from_secs(seconds)));
    }
    streams.none_for(Duration::from_secs(30)).await;
    assert_eq!(begun.elapsed().as_secs(), 130);
    let again = streams.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(20)).await;
        hyper::rt::Executor::execute(&again, sleep(Duration::from_secs(5)));
    });
    streams.none_for(Duration::from_secs(30)).await;
    assert_eq!(begun.elapsed().as_secs(), 130 + 20 + 5 + 30);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_panics_is_open_no_more() {
    let streams = Streams::new(PATIENCE);
    hyper::rt::Executor::execute(&streams, async { panic!("of this test") });
    tokio::time::timeout(PATIENCE, streams.none_for(Duration::from_secs(1))).await.unwrap();
}
