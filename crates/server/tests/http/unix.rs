//! The server on a socket in the file system.

use apus_server::{AppOptions, Listener, Locations, ServeOptions, serve};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::support::{LIMIT, Socket, app, header};

#[tokio::test]
async fn it_serves_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("apus.sock");
    let listener = Listener::unix(&path).await.unwrap();
    // Whoever came by the socket counts as the machine itself.
    let app = app(AppOptions {
        locations: Locations::AsAsked,
        trusted_proxies: Some(vec!["127.0.0.0/8".parse().unwrap()]),
        ..AppOptions::default()
    });
    let (stop, stopped) = oneshot::channel();
    let served =
        tokio::spawn(serve(listener, app, ServeOptions::default(), async { stopped.await.unwrap_or(()) }));

    let mut socket = Socket::new(UnixStream::connect(&path).await.unwrap());
    let begin = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: inner\r\nx-forwarded-proto: https\r\n\
                 x-forwarded-host: r.example\r\ncontent-length: 0\r\n\r\n";
    let answer = socket.ask(begin).await;
    assert_eq!(answer.status(), 202);
    assert!(header(&answer, "location").starts_with("https://r.example/v2/a/"), "{answer:?}");

    stop.send(()).unwrap();
    assert!(tokio::time::timeout(LIMIT, served).await.unwrap().unwrap());
    assert!(!path.exists());
}
