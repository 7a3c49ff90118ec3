use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use super::*;

/// What is found out when `sent` comes, and no more for now.
async fn told(sent: &[u8]) -> Option<(Protocol, Bytes)> {
    let (mut client, mut server) = tokio::io::duplex(1024);
    client.write_all(sent).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(1), read(&mut server)).await.ok().map(Result::unwrap)
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_that_differs_decides() {
    for (sent, read) in
        [("GET / HTTP/1.1\r\n", 16), ("PUT", 3), ("PR", 0), ("PRI * HTTP/1.1\r\n\r\n", 18), ("G", 1), ("", 0)]
    {
        match told(sent.as_bytes()).await {
            Some((protocol, bytes)) => {
                assert_eq!(protocol, Protocol::Http1, "{sent}");
                assert_eq!(bytes, sent.as_bytes()[..read], "{sent}");
            }
            None => assert_eq!(read, 0, "{sent}: not clear yet"),
        }
    }
    assert_eq!(told(PREFACE).await, Some((Protocol::Http2, Bytes::from_static(PREFACE))));
    let more = [&PREFACE[..], b"\0\0\0"].concat();
    assert_eq!(
        told(&more).await,
        Some((Protocol::Http2, Bytes::from_static(PREFACE))),
        "what follows is left"
    );
}

#[tokio::test]
async fn a_preface_may_come_byte_by_byte() {
    let (mut client, mut server) = tokio::io::duplex(1);
    let sending = async {
        for byte in PREFACE {
            client.write_all(&[*byte]).await.unwrap();
        }
    };
    let (told, ()) = tokio::join!(read(&mut server), sending);
    assert_eq!(told.unwrap(), (Protocol::Http2, Bytes::from_static(PREFACE)));
}

#[tokio::test]
async fn a_client_that_goes_away_speaks_no_http2() {
    for sent in [&b""[..], b"PRI * HT"] {
        let (mut client, mut server) = tokio::io::duplex(64);
        client.write_all(sent).await.unwrap();
        drop(client);
        assert_eq!(read(&mut server).await.unwrap(), (Protocol::Http1, Bytes::copy_from_slice(sent)));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost(sent in prop::collection::vec(any::<u8>(), 24..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (protocol, bytes) = runtime.block_on(async { read(&mut &*sent).await.unwrap() });
        prop_assert_eq!(protocol == Protocol::Http2, sent.starts_with(PREFACE));
        prop_assert!(sent.starts_with(&bytes));
    }
}
