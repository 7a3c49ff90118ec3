use std::os::unix::net;

use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("apus.sock");
    (directory, path)
}

#[tokio::test]
async fn a_socket_lasts_as_long_as_its_listener() {
    let (_directory, path) = place();
    let listener = Listener::unix(&path).await.unwrap();
    let _client = UnixStream::connect(&path).await.unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(
        (peer, peer.ip().to_string(), peer.to_string()),
        (Peer::Machine, "127.0.0.1".into(), "unix".into())
    );
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced() {
    let (_directory, path) = place();
    drop(net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "the library does not remove it");
    let _listener = Listener::unix(&path).await.unwrap();
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn what_is_no_socket_stays() {
    let (directory, path) = place();
    fs::write(&path, "precious").unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [&path, &link, &directory.path().to_owned()] {
        let error = Listener::unix(path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{}: {error}", path.display());
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_socket_in_use_stays() {
    let (_directory, path) = place();
    let listener = Listener::unix(&path).await.unwrap();
    let error = Listener::unix(&path).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}");
    let _client = UnixStream::connect(&path).await.unwrap();
    listener.accept().await.unwrap();
}

#[tokio::test]
async fn the_socket_of_another_is_not_removed() {
    let (_directory, path) = place();
    let listener = Listener::unix(&path).await.unwrap();
    fs::rename(&path, path.with_extension("old")).unwrap();
    let _other = net::UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists());
}
