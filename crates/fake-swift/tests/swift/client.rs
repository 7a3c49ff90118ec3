//! A client without a mind of its own: one connection a request, no retries, and a raw socket where even that is
//! too polite.

use std::time::Duration;

use apus_fake_swift::{FakeSwift, Interface, Options, RequestRecord};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The container that every store of these tests has.
pub(crate) const CONTAINER: &str = "box";

/// A store, and a client that is signed in to it.
pub(crate) struct Bench {
    pub(crate) fake: FakeSwift,
    pub(crate) client: Client,
}

pub(crate) async fn bench() -> Bench {
    bench_with(Options::default()).await
}

pub(crate) async fn bench_with(options: Options) -> Bench {
    let fake = FakeSwift::start(Options { containers: vec![CONTAINER.into()], ..options }).await.unwrap();
    let client = Client::signed_in(&fake).await;
    let _ = fake.take_requests();
    Bench { fake, client }
}

impl Bench {
    /// The record of the only request since the log was last taken, once it is complete.
    pub(crate) async fn only_request(&self) -> RequestRecord {
        for _ in 0..100 {
            if let [record] = self.fake.requests().as_slice()
                && record.status.is_some()
            {
                return record.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not one complete request: {:?}", self.fake.requests());
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// `host:port`.
    pub(crate) address: String,
    /// The account's path.
    pub(crate) account: String,
    pub(crate) token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The connection broke before the body was complete.
    pub(crate) broken: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Splits `http://host:port/path`.
pub(crate) fn split(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let slash = rest.find('/').unwrap();
    (rest[..slash].to_owned(), rest[slash..].to_owned())
}

impl Client {
    /// A client that knows where the store is, but has no token.
    pub(crate) fn stranger(fake: &FakeSwift) -> Self {
        let (address, account) = split(&fake.storage_url(Interface::Public));
        Self { address, account, token: None }
    }

    pub(crate) async fn signed_in(fake: &FakeSwift) -> Self {
        let mut client = Self::stranger(fake);
        let user = [("x-auth-user", "test:tester"), ("x-auth-key", "testing")];
        let reply = client.ask(Method::GET, "/auth/v1.0", &user, "").await;
        assert!([200, 204].contains(&reply.status), "{}", reply.status);
        client.token = Some(reply.header("x-auth-token").to_owned());
        client
    }

    /// Path of an object in [`CONTAINER`].
    pub(crate) fn path(&self, object: &str) -> String {
        format!("{}/{CONTAINER}/{object}", self.account)
    }

    /// Sends a request to any path; an error where the connection closes without an answer.
    pub(crate) async fn try_ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, String> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().uri(path).header("host", &self.address);
        if let Some(token) = &self.token {
            request = request.header("x-auth-token", token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.into();
        if body.is_empty() && (method == Method::PUT || method == Method::POST) {
            // Hyper announces no length of an empty body, and Swift asks for one.
            request = request.header("content-length", "0");
        }
        let request = request.method(method).body(Full::new(body)).unwrap();
        let reply = match sender.send_request(request).await {
            Err(error) => Err(error.to_string()),
            Ok(answer) => {
                let (head, mut incoming) = answer.into_parts();
                let (mut body, mut broken) = (Vec::new(), false);
                while let Some(frame) = incoming.frame().await {
                    match frame {
                        Ok(frame) => body.extend_from_slice(&frame.into_data().unwrap_or_default()),
                        Err(_) => broken = true,
                    }
                }
                Ok(Reply { status: head.status.as_u16(), headers: head.headers, body, broken })
            }
        };
        connection.abort();
        reply
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        self.try_ask(method, path, headers, body).await.unwrap()
    }

    /// GET of an object in [`CONTAINER`], or `object?query`.
    pub(crate) async fn get(&self, object: &str) -> Reply {
        self.get_with(object, &[]).await
    }

    pub(crate) async fn get_with(&self, object: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask(Method::GET, &self.path(object), headers, "").await
    }

    pub(crate) async fn head(&self, object: &str) -> Reply {
        self.ask(Method::HEAD, &self.path(object), &[], "").await
    }

    pub(crate) async fn put(&self, object: &str, body: impl Into<Bytes>) -> Reply {
        self.put_with(object, &[], body).await
    }

    pub(crate) async fn put_with(
        &self,
        object: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        self.ask(Method::PUT, &self.path(object), headers, body).await
    }

    pub(crate) async fn post(&self, object: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask(Method::POST, &self.path(object), headers, "").await
    }

    pub(crate) async fn delete(&self, object: &str) -> Reply {
        self.delete_with(object, &[]).await
    }

    pub(crate) async fn delete_with(&self, object: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask(Method::DELETE, &self.path(object), headers, "").await
    }

    /// The listing of [`CONTAINER`] in JSON.
    pub(crate) async fn list(&self, query: &str) -> Reply {
        self.ask(Method::GET, &format!("{}/{CONTAINER}?format=json&{query}", self.account), &[], "").await
    }

    /// Names and subdirs of a listing.
    pub(crate) async fn names(&self, query: &str) -> Vec<String> {
        let reply = self.list(query).await;
        assert_eq!(reply.status, 200, "{query}");
        let name = |entry: &serde_json::Value| {
            entry.get("name").or(entry.get("subdir")).unwrap().as_str().unwrap().to_owned()
        };
        reply.json().as_array().unwrap().iter().map(name).collect()
    }

    /// Stores a static large object of these objects in [`CONTAINER`].
    pub(crate) async fn put_large(&self, object: &str, segments: &[&str]) -> Reply {
        let entries: Vec<_> =
            segments.iter().map(|name| serde_json::json!({"path": format!("/{CONTAINER}/{name}")})).collect();
        self.put_manifest(object, serde_json::Value::from(entries)).await
    }

    pub(crate) async fn put_manifest(&self, object: &str, manifest: serde_json::Value) -> Reply {
        self.put(&format!("{object}?multipart-manifest=put"), manifest.to_string()).await
    }

    /// Opens a connection and sends the beginning of a PUT by hand, with what follows the headers. `headers` are
    /// lines, each ending in `\r\n`.
    pub(crate) async fn begin_put(&self, object: &str, headers: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let token = self.token.as_deref().unwrap_or("none");
        let path = self.path(object);
        let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        stream
    }
}

/// Reads until `until` has come, or the connection closes.
pub(crate) async fn read_until(stream: &mut TcpStream, until: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(until) {
        let read =
            tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await.unwrap().unwrap();
        if read == 0 {
            break;
        }
        text += std::str::from_utf8(&buffer[..read]).unwrap();
    }
    text
}

/// The code of a status in a record.
pub(crate) fn code(record: &RequestRecord) -> Option<u16> {
    record.status.map(|status: StatusCode| status.as_u16())
}
