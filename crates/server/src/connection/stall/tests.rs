use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_breaks_the_connection() {
    let (_client, server) = tokio::io::duplex(10);
    let begun = Instant::now();
    let error = Stalling::new(server, PATIENCE).write_all(&[0; 11]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "the client has taken nothing for 60 seconds");
    assert!(begun.elapsed() >= PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_however_slowly_is_served() {
    let (mut client, server) = tokio::io::duplex(10);
    let mut server = Stalling::new(server, PATIENCE);
    let reading = async {
        for _ in 0..100 {
            sleep(PATIENCE * 9 / 10).await;
            client.read_u8().await.unwrap();
        }
    };
    let (written, ()) = tokio::join!(server.write_all(&[0; 110]), reading);
    written.unwrap();
    // Time in which there is nothing to write does not count.
    sleep(2 * PATIENCE).await;
    let (written, read) = tokio::join!(server.write_all(&[0; 10]), async {
        sleep(PATIENCE / 2).await;
        client.read_exact(&mut [0; 10]).await
    });
    written.unwrap();
    read.unwrap();
}
