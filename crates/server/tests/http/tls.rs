//! HTTPS, with clients of all sorts.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apus_server::{
    AppOptions, CipherSuite, ClientAuth, ClientAuthMode, Locations, ServeOptions, Tls, TlsOptions, TlsVersion,
};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::authority::{Authority, Identity, replace};
use crate::support::{LIMIT, Site, Socket, app, content, header, push};

const SHORT: Duration = Duration::from_millis(300);
const GET: &str = "GET /v2/ HTTP/1.1\r\nhost: localhost\r\n\r\n";
const NAME: &str = "localhost";

/// A site with a certificate of this authority.
async fn site(authority: &Authority, change: impl FnOnce(&mut TlsOptions)) -> Site {
    site_with(authority, change, ServeOptions::default()).await
}

async fn site_with(
    authority: &Authority,
    change: impl FnOnce(&mut TlsOptions),
    options: ServeOptions,
) -> Site {
    let files = authority.files();
    authority.sign(NAME).write(&files);
    let mut tls = TlsOptions { handshake_timeout: LIMIT, ..TlsOptions::new(files.0, files.1) };
    change(&mut tls);
    let app = app(AppOptions { locations: Locations::AsAsked, ..AppOptions::default() });
    Site::serving(app, ServeOptions { tls: Some(Tls::open(tls).unwrap()), ..options }).await
}

/// What a client speaks who believes this authority.
fn client(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    identity: Option<&Identity>,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(authority.roots());
    match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            builder.with_client_auth_cert(vec![identity.certificate()], identity.key()).unwrap()
        }
    }
}

fn any_version(authority: &Authority) -> ClientConfig {
    client(authority, &[&TLS13, &TLS12], None)
}

async fn connect(site: &Site, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(site.address).await?;
    let connecting =
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(NAME).unwrap(), stream);
    tokio::time::timeout(LIMIT, connecting).await.expect("no handshake")
}

/// Whether a client is answered. One that shows a certificate hears only after its handshake what became of it.
async fn is_answered(site: &Site, config: ClientConfig) -> bool {
    let Ok(mut stream) = connect(site, config).await else { return false };
    let mut answer = [0; 15];
    let asked = async {
        stream.write_all(GET.as_bytes()).await?;
        stream.read_exact(&mut answer).await
    };
    let answered = tokio::time::timeout(LIMIT, asked).await.expect("no answer").is_ok();
    answered && &answer == b"HTTP/1.1 200 OK"
}

/// The certificate that the site shows now.
async fn shown(site: &Site, authority: &Authority) -> CertificateDer<'static> {
    let stream = connect(site, any_version(authority)).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_blob_comes_by_https_and_urls_say_so() {
    let authority = Authority::new();
    let site = site(&authority, |_| ()).await;
    let blob = content(3 << 20);
    let digest = push(&site.app, "a", blob.clone()).await;
    for versions in [&[&TLS12], &[&TLS13]] {
        let mut stream = connect(&site, client(&authority, versions, None)).await.unwrap();
        let mut socket = Socket::new(&mut stream);
        let begun = socket
            .ask("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: r.example\r\ncontent-length: 0\r\n\r\n")
            .await;
        assert!(header(&begun, "location").starts_with("https://r.example/v2/a/"), "{begun:?}");
        let pulled = socket.ask(format!("GET /v2/a/blobs/{digest} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert!(pulled.body() == &blob);
        socket.send("GET /v2/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert_eq!(socket.answer().await.status(), 200);
        let end = tokio::time::timeout(LIMIT, stream.read_to_end(&mut Vec::new())).await.unwrap();
        assert_eq!(end.unwrap(), 0, "it ends as TLS ends");
    }
}

#[tokio::test]
async fn the_protocol_is_chosen_in_the_handshake() {
    let authority = Authority::new();
    for (http2, offered, chosen) in [
        (true, &["h2", "http/1.1"][..], Some("h2")),
        (true, &["http/1.1", "h2"], Some("h2")),
        (true, &["http/1.1"], Some("http/1.1")),
        (true, &[], None),
        (false, &["h2", "http/1.1"], Some("http/1.1")),
    ] {
        let site = site(&authority, |tls| tls.http2 = http2).await;
        let mut config = any_version(&authority);
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = connect(&site, config).await.unwrap();
        let agreed =
            stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        assert_eq!(agreed.as_deref(), chosen, "{offered:?}");
        if chosen == Some("h2") {
            let (mut client, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let request = Request::get("https://localhost/v2/").body(Empty::<bytes::Bytes>::new()).unwrap();
            let answer = client.send_request(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "{}");
        } else {
            assert_eq!(Socket::new(stream).ask(GET).await.status(), 200, "{offered:?}");
        }
    }
}

#[tokio::test]
async fn certificates_of_clients() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (ours, theirs) = (authority.sign("client.example"), stranger.sign("client.example"));
    // A certificate whose key its client does not have.
    let stolen = || {
        let mut config = client(&authority, &[&TLS13, &TLS12], None);
        let provider = aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(theirs.key()).unwrap();
        let forged = rustls::sign::CertifiedKey::new(vec![ours.certificate()], key);
        config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(forged));
        config
    };
    for (mode, of_none, of_theirs) in [
        (ClientAuthMode::Request, true, true),
        (ClientAuthMode::RequireAny, false, true),
        (ClientAuthMode::VerifyIfGiven, true, false),
        (ClientAuthMode::RequireAndVerify, false, false),
    ] {
        let site = site(&authority, |tls| {
            tls.client_auth = Some(ClientAuth { authorities: vec![stranger.file(), authority.file()], mode });
        })
        .await;
        for versions in [&[&TLS12], &[&TLS13]] {
            let with = |identity| client(&authority, versions, identity);
            assert!(is_answered(&site, with(Some(&ours))).await, "{mode:?}");
            assert!(
                is_answered(&site, with(Some(&theirs))).await,
                "{mode:?}: all authorities of the list count"
            );
            assert_eq!(is_answered(&site, with(None)).await, of_none, "{mode:?}");
        }
        assert!(!is_answered(&site, stolen()).await, "{mode:?}");

        let own_only = self::site(&authority, |tls| {
            tls.client_auth = Some(ClientAuth { authorities: vec![authority.file()], mode });
        })
        .await;
        for versions in [&[&TLS12], &[&TLS13]] {
            // One that shows its certificate to anybody, whichever authorities were named.
            let answered = is_answered(&own_only, client(&authority, versions, Some(&theirs))).await;
            assert_eq!(answered, of_theirs, "{mode:?}");
        }
    }
}

/// Also with what it has sent in the belief that all is well, unread.
#[tokio::test]
async fn a_client_hears_why_it_is_refused() {
    let authority = Authority::new();
    let site = site(&authority, |tls| {
        let authorities = vec![authority.file()];
        tls.client_auth = Some(ClientAuth { authorities, mode: ClientAuthMode::RequireAndVerify });
    })
    .await;
    let mut stream = connect(&site, client(&authority, &[&TLS13], None)).await.unwrap();
    stream.write_all(&content(100 << 10)).await.unwrap();
    let error = tokio::time::timeout(LIMIT, stream.read_u8()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
}

#[tokio::test]
async fn old_versions_are_refused_where_they_must_be() {
    let authority = Authority::new();
    for (minimum_version, of_1_2) in [(TlsVersion::V1_2, true), (TlsVersion::V1_3, false)] {
        let site = site(&authority, |tls| tls.minimum_version = minimum_version).await;
        assert_eq!(is_answered(&site, client(&authority, &[&TLS12], None)).await, of_1_2);
        assert!(is_answered(&site, client(&authority, &[&TLS13], None)).await);
    }
}

#[tokio::test]
async fn only_the_suites_that_were_named() {
    let authority = Authority::new();
    let (old, new) = (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    );
    for (named, of_1_2, of_1_3) in [
        (vec![old, new], Some(old), Some(new)),
        // A list of suites that TLS 1.3 does not know says nothing of it.
        (vec![old], Some(old), Some(CipherSuite::TLS13_AES_256_GCM_SHA384)),
        (vec![new], None, Some(new)),
        // Of no use with this certificate.
        (vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, new], None, Some(new)),
    ] {
        let site = site(&authority, |tls| tls.cipher_suites.clone_from(&named)).await;
        for (version, expected) in [(&TLS12, of_1_2), (&TLS13, of_1_3)] {
            let spoken = connect(&site, client(&authority, &[version], None)).await.ok();
            let spoken = spoken.map(|stream| stream.get_ref().1.negotiated_cipher_suite().unwrap().suite());
            assert_eq!(spoken, expected, "{named:?}");
        }
    }
}

/// New files are in force soon; bad ones change nothing, and do not end the looking. Connections go on as they began.
#[tokio::test]
async fn files_that_change() {
    let authority = Authority::new();
    let interval = Duration::from_millis(20);
    let site = site(&authority, |tls| tls.reload_interval = interval).await;
    let files = authority.files();
    let first = shown(&site, &authority).await;
    let mut old_connection = Socket::new(connect(&site, any_version(&authority)).await.unwrap());

    let second = authority.sign(NAME);
    for bad in ["a certificate without its key", "nonsense", "nothing"] {
        match bad {
            "nonsense" => replace(&files.0, "nonsense"),
            "nothing" => fs::remove_file(&files.0).unwrap(),
            _ => replace(&files.0, &second.pem()),
        }
        tokio::time::sleep(interval * 10).await;
        assert!(shown(&site, &authority).await == first, "{bad}");
    }

    second.write(&files);
    let begun = Instant::now();
    while shown(&site, &authority).await != second.certificate() {
        assert!(begun.elapsed() < LIMIT, "the new certificate does not come");
        tokio::time::sleep(interval).await;
    }
    assert_eq!(old_connection.ask(GET).await.status(), 200);
}

#[tokio::test]
async fn authorities_that_change() {
    let (authority, new) = (Authority::new(), Authority::new());
    let interval = Duration::from_millis(20);
    let believed = authority.file().with_file_name("clients.pem");
    fs::copy(authority.file(), &believed).unwrap();
    let site = site(&authority, |tls| {
        tls.reload_interval = interval;
        tls.client_auth =
            Some(ClientAuth { authorities: vec![believed.clone()], mode: ClientAuthMode::RequireAndVerify });
    })
    .await;
    let (theirs, ours) = (new.sign("a"), authority.sign("a"));
    let with = |identity| client(&authority, &[&TLS13], Some(identity));
    assert!(is_answered(&site, with(&ours)).await && !is_answered(&site, with(&theirs)).await);
    replace(&believed, &fs::read_to_string(new.file()).unwrap());
    let begun = Instant::now();
    while !is_answered(&site, with(&theirs)).await {
        assert!(begun.elapsed() < LIMIT, "the new authority does not come");
        tokio::time::sleep(interval).await;
    }
    assert!(!is_answered(&site, with(&ours)).await, "the old one is not believed any more");
}

/// A handshake that does not come to its end is waited for, and then its place is free.
#[tokio::test]
async fn a19_a_handshake_is_waited_for() {
    let authority = Authority::new();
    let one_place = ServeOptions { connections: 1, head_timeout: LIMIT, ..ServeOptions::default() };
    let site = site_with(&authority, |tls| tls.handshake_timeout = SHORT, one_place).await;
    // Nothing; a record that is announced; half of one.
    for begin in [&[][..], &[22], &[22, 3, 1, 2, 0, 1, 0]] {
        let begun = Instant::now();
        let mut socket = site.connect().await;
        socket.send(begin).await;
        // Its own handshake waits for its place.
        while !is_answered(&site, any_version(&authority)).await {
            assert!(begun.elapsed() < LIMIT, "{begin:?}");
        }
        assert!(begun.elapsed() >= SHORT, "{begin:?}");
        assert_eq!(socket.rest().await, b"");
    }
}

/// However many handshakes are held up, and however long they might be: who comes is served.
#[tokio::test]
async fn a19_handshakes_that_are_held_up_make_room() {
    let authority = Authority::new();
    let few_places = ServeOptions { connections: 4, ..ServeOptions::default() };
    let site = site_with(&authority, |tls| tls.handshakes = 2, few_places).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut socket = site.connect().await;
        socket.send([22]).await;
        held.push(socket);
    }
    assert!(is_answered(&site, any_version(&authority)).await);
    for mut socket in held.drain(..18) {
        assert_eq!(socket.rest().await, b"", "it made room");
    }
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told() {
    let authority = Authority::new();
    let site = site(&authority, |_| ()).await;
    for begin in [GET, "PUT /v2/a/manifests/x HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{}"] {
        let mut socket = site.connect().await;
        let answer = socket.ask(begin).await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.body(), "Client sent an HTTP request to an HTTPS server.\n");
        assert_eq!(header(&answer, "connection"), "close");
        assert_eq!(socket.rest().await, b"");
    }
    for nonsense in [&b"\x00\x01"[..], b"ssh", b"\xff"] {
        let mut socket = site.connect().await;
        socket.send(nonsense).await;
        assert_eq!(socket.rest().await, b"");
    }
}

#[tokio::test]
async fn a_drain_does_not_wait_for_handshakes() {
    let authority = Authority::new();
    let options = ServeOptions { drain_timeout: LIMIT, ..ServeOptions::default() };
    let mut site = site_with(&authority, |_| (), options).await;
    let mut socket = site.connect().await;
    socket.send([22]).await;
    // The first is accepted before the second.
    assert!(is_answered(&site, any_version(&authority)).await);
    site.stop();
    assert!(site.drained().await);
}
