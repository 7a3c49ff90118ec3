use apus_http_client::Options;
use apus_storage::{FilesystemStorage, MemoryStorage};
use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// An address at which nobody listens.
async fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn a_file_is_a_switch() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("down");
    let probe = Probe::File(path.clone());
    probe.look().await.unwrap();
    std::fs::write(&path, "").unwrap();
    assert_eq!(probe.look().await.unwrap_err().to_string(), "file exists");
    std::fs::remove_file(&path).unwrap();
    probe.look().await.unwrap();
    // Below a file there are none, which is not the same as not being there.
    std::fs::write(&path, "").unwrap();
    let unknown = Probe::File(path.join("below")).look().await.unwrap_err();
    assert!(unknown.to_string().starts_with("cannot look for the file: "), "{unknown}");
}

#[tokio::test]
async fn a_port_takes_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let probe = Probe::Tcp { address: address.clone(), timeout: None };
    probe.look().await.unwrap();
    drop(listener);
    let refused = probe.look().await.unwrap_err().to_string();
    assert!(refused.starts_with(&format!("connection to {address} failed: ")), "{refused}");
}

/// A service that answers so to every request, or never. Gives its URL.
async fn service(answer: Option<&'static str>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alive?key=1", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(socket.read_u8().await.unwrap());
        }
        match answer {
            Some(answer) => socket.write_all(answer.as_bytes()).await.unwrap(),
            None => drop(socket.read_u8().await),
        }
        String::from_utf8(asked).unwrap()
    });
    (url, asked)
}

fn http(url: &str, status: u16, timeout: Option<Duration>) -> Probe {
    let mut headers = HeaderMap::new();
    headers.insert("x-who", HeaderValue::from_static("me"));
    Probe::Http {
        client: Box::new(HttpClient::new(Options::default()).unwrap()),
        uri: url.parse().unwrap(),
        headers,
        status: StatusCode::from_u16(status).unwrap(),
        timeout,
    }
}

#[tokio::test]
async fn a_service_answers_as_expected() {
    for (answer, status, outcome) in [
        ("HTTP/1.1 204 Fine\r\n\r\n", 204, None),
        ("HTTP/1.1 204 Fine\r\n\r\n", 200, Some("downstream service returned unexpected status: 204")),
        (
            "HTTP/1.1 302 There\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            200,
            Some("downstream service returned unexpected status: 302"),
        ),
    ] {
        let (url, asked) = service(Some(answer)).await;
        let found = http(&url, status, None).look().await.map_err(|trouble| trouble.to_string());
        assert_eq!(found.err().as_deref(), outcome, "{answer}");
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("HEAD /alive?key=1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("\r\nx-who: me\r\n"), "{asked}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_or_says_nothing() {
    let url = format!("http://{}/", nobody().await);
    let trouble = http(&url, 200, None).look().await.unwrap_err().to_string();
    assert!(trouble.starts_with("no answer: cannot connect to 127.0.0.1:"), "{trouble}");
    assert!(trouble.contains("refused"), "{trouble}");

    let (url, _asked) = service(None).await;
    let trouble = http(&url, 200, Some(Duration::from_millis(500))).look().await.unwrap_err().to_string();
    assert_eq!(trouble, "nothing came of it within 0.5 s");
}

#[tokio::test]
async fn a_storage_gives_its_list() {
    Probe::Storage(Arc::new(MemoryStorage::new())).look().await.unwrap();

    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let storage = Arc::new(FilesystemStorage::open(root.clone()).unwrap());
    Probe::Storage(Arc::<FilesystemStorage>::clone(&storage)).look().await.unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    std::fs::write(&root, "no directory").unwrap();
    let trouble = Probe::Storage(storage).look().await.unwrap_err();
    assert!(matches!(trouble, Trouble::Storage(_)), "{trouble}");
}
