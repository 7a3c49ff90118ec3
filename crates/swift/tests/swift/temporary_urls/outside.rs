//! Who is not Apus: an anonymous client with a URL, and the owner of an account who uses it by other means.

use std::net::{Ipv4Addr, SocketAddr};

use apus_http_client::{HttpClient, Options, RequestBody};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use tokio::net::TcpSocket;

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }
}

/// One request with no more than is said.
pub(crate) async fn send(method: Method, url: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let http = HttpClient::new(Options::default()).unwrap();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = http.send(request.body(RequestBody::from(body)).unwrap()).await.unwrap();
    let body = response.body.collect(64 << 20).await.unwrap();
    Answer { status: response.status, headers: response.headers, body }
}

/// What anyone gets who has the URL.
pub(crate) async fn get(url: &str) -> Answer {
    send(Method::GET, url, &[], Bytes::new()).await
}

/// An address at which nobody listens, and what reserves it.
pub(crate) fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// The owner of an account, signed in by version 1.
pub(crate) struct Owner {
    pub(crate) storage_url: String,
    token: String,
}

impl Owner {
    pub(crate) async fn sign_in(url: &str, user: &str, key: &str) -> Self {
        let answer =
            send(Method::GET, url, &[("x-auth-user", user), ("x-auth-key", key)], Bytes::new()).await;
        let header = |name| answer.header(name).unwrap().to_owned();
        Self { storage_url: header("x-storage-url"), token: header("x-auth-token") }
    }

    /// The owner of an account by another token.
    pub(crate) fn with_token(storage_url: &str, token: &str) -> Self {
        Self { storage_url: storage_url.to_owned(), token: token.to_owned() }
    }

    /// A request below the account.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("x-auth-token", &self.token));
        let url = format!("{}/{path}", self.storage_url);
        send(method, &url, &headers, body.into()).await
    }

    /// The same, which is to succeed.
    pub(crate) async fn must(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let answer = self.ask(method.clone(), path, headers, "").await;
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        answer
    }

    /// The keys of a container, the first and the second; empty where there is none.
    pub(crate) async fn keys(&self, container: &str) -> [String; 2] {
        let answer = self.must(Method::HEAD, container, &[]).await;
        ["x-container-meta-temp-url-key", "x-container-meta-temp-url-key-2"]
            .map(|name| answer.header(name).unwrap_or_default().to_owned())
    }

    /// Sets or, with an empty text, removes metadata of a container.
    pub(crate) async fn set(&self, container: &str, name: &str, value: &str) {
        self.must(Method::POST, container, &[(name, value)]).await;
    }

    /// Deletes a container with all that is in it.
    pub(crate) async fn remove(&self, container: &str) {
        let listing = self.must(Method::GET, container, &[]).await;
        for name in String::from_utf8(listing.body.to_vec()).unwrap().lines() {
            let escaped =
                name.replace('%', "%25").replace(' ', "%20").replace('?', "%3F").replace('#', "%23");
            self.must(Method::DELETE, &format!("{container}/{escaped}"), &[]).await;
        }
        self.must(Method::DELETE, container, &[]).await;
    }
}
