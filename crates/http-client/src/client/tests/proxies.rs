//! Through a proxy that leads every way to one server.

use std::net::SocketAddr;
use std::sync::Mutex;

use tokio_rustls::TlsAcceptor;

use super::tls::Authority;
use super::*;

/// What a proxy saw of each request: its head.
type Seen = Arc<Mutex<Vec<String>>>;

/// Answers every CONNECT with `answer`, and when that says 200 leads the tunnel to `server`; any other request it answers
/// itself.
async fn proxy(server: SocketAddr, answer: &'static str) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, server, answer, Arc::clone(&record)));
        }
    });
    (address, seen)
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    server: SocketAddr,
    answer: &str,
    seen: Seen,
) {
    loop {
        let head = read_until(&mut socket, "\r\n\r\n").await;
        if head.is_empty() {
            return;
        }
        let connect = head.starts_with("CONNECT ");
        seen.lock().unwrap().push(head);
        if !connect {
            socket.write_all(OK).await.unwrap();
            continue;
        }
        socket.write_all(answer.as_bytes()).await.unwrap();
        if answer.contains(" 200 ") {
            let mut server = TcpStream::connect(server).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut socket, &mut server).await;
        }
        return;
    }
}

/// A server that answers every request over TLS.
async fn tls_server(acceptor: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            if let Ok(mut socket) = acceptor.accept(socket).await {
                while !read_until(&mut socket, "\r\n\r\n").await.is_empty() {
                    socket.write_all(OK).await.unwrap();
                }
            }
        }
    });
    address
}

/// Where nobody needs to be.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

fn through(change: impl FnOnce(&mut Options)) -> HttpClient {
    client(|options| {
        options.max_requests = 1;
        change(options);
    })
}

async fn ask(client: &HttpClient, url: &str) -> Result<Bytes, Error> {
    client.send(get(url)).await.map_err(|failure| failure.error)?.body.collect(2).await
}

#[tokio::test]
async fn a_request_without_tls_is_given_to_the_proxy_whole() {
    let (address, seen) = proxy(NOWHERE, "").await;
    let client = through(|options| options.proxies.http = format!("http://user:s3cret@{address}"));
    for _ in 0..2 {
        assert_eq!(ask(&client, "http://swift.example:8080/v1/a?b=c").await.unwrap(), "ok");
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for head in &*seen {
        assert!(head.starts_with("GET http://swift.example:8080/v1/a?b=c HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("host: swift.example:8080\r\n"), "{head}");
        assert!(head.contains("proxy-authorization: Basic dXNlcjpzM2NyZXQ=\r\n"), "{head}");
    }
}

#[tokio::test]
async fn a_request_with_tls_goes_through_a_tunnel_in_which_the_proxy_sees_nothing() {
    let authority = Authority::new();
    let server = tls_server(authority.acceptor("swift.example", false)).await;
    let (address, seen) = proxy(server, "HTTP/1.1 200 Connection established\r\n\r\n").await;
    let client = through(|options| {
        options.tls.ca_file = Some(authority.ca_file());
        options.proxies.https = format!("user:s3cret@{address}");
    });
    for _ in 0..2 {
        assert_eq!(ask(&client, "https://swift.example/v1/a").await.unwrap(), "ok");
    }
    let seen = seen.lock().unwrap();
    // One tunnel for both: connections through it are kept too.
    let [head] = &seen[..] else { panic!("{seen:?}") };
    assert!(head.starts_with("CONNECT swift.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjpzM2NyZXQ=\r\n"), "{head}");
}

#[tokio::test]
async fn a_proxy_may_itself_be_reached_by_tls() {
    let authority = Authority::new();
    let server = tls_server(authority.acceptor("swift.example", false)).await;
    let acceptor = authority.acceptor("127.0.0.1", false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let socket = acceptor.accept(socket).await.unwrap();
        serve(socket, server, "HTTP/1.1 200 OK\r\n\r\n", Seen::default()).await;
    });
    let client = through(|options| {
        options.tls.ca_file = Some(authority.ca_file());
        options.proxies.https = format!("https://{address}");
    });
    assert_eq!(ask(&client, "https://swift.example/").await.unwrap(), "ok");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let (address, _seen) = proxy(NOWHERE, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let refused = through(|options| options.proxies.https = format!("http://user:s3cret@{address}"));
    let gone = through(|options| options.proxies.https = "http://user:s3cret@127.0.0.1:9".to_owned());
    for (client, proxy, reason) in [
        (refused, address.to_string(), "authorization required"),
        (gone, "127.0.0.1:9".to_owned(), "connect"),
    ] {
        let error = ask(&client, "https://swift.example/").await.unwrap_err();
        let Error::Connect { to, source } = &error else { panic!("{error:?}") };
        assert_eq!(*to, format!("swift.example through the proxy {proxy}"));
        assert!(format!("{source:?} {source}").to_lowercase().contains(reason), "{source:?} {source}");
        assert!(!format!("{error:?} {error} {client:?}").contains("s3cret"), "{error:?}");
    }
}

/// Promise: what the rule refuses is not connected to, be it an address or a name that resolves to one; a proxy is.
#[tokio::test]
async fn nobody_is_connected_to_whom_the_rule_refuses() {
    let (url, peer) = peer(1, |mut socket| async move {
        let request = read_until(&mut socket, "\r\n\r\n").await;
        socket.write_all(OK).await.unwrap();
        request
    })
    .await;
    let nowhere = || Reach::only(|_, _| false);
    for host in ["127.0.0.1", "localhost"] {
        let client = client(|options| options.reach = nowhere());
        let error = client.send(get(&url.replace("127.0.0.1", host))).await.unwrap_err().error;
        assert!(matches!(error, Error::OutOfReach { address, .. } if address.is_loopback()), "{error:?}");
    }
    let proxy = url.clone();
    let through = client(|options| {
        options.reach = nowhere();
        options.proxies = Proxies { http: proxy, ..Proxies::default() };
    });
    assert!(through.send(get("http://registry.invalid/")).await.is_ok());
    assert!(peer.await.unwrap().starts_with("GET http://registry.invalid/ "));
}
