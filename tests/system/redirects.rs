//! Redirects: a client is sent to Swift itself for the content of a blob, as long as that is known to work; where it does not
//! work, or is not wanted, the content comes through Apus, and no pull notices.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use apus_fake_swift::{Action, FakeSwift, Fault, Feature, Interface, Options};
use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode, Uri};

use crate::support::backend::{FAKE_CONTAINER, PROVEN, REDIRECTS};
use crate::support::client::{follow, with_digest};
use crate::support::content::{digest, random};
use crate::support::{Answer, Apus, Backend, Client};

const MIB: usize = 1 << 20;
/// What an Apus logs that has found no way to send clients anywhere.
const UNPROVEN: &str = "temporary URLs do not work";
/// The object that Apus fetches to know whether temporary URLs work.
const PROBE: &str = "apus/probes/temporary-url";
/// How long a change may take to be noticed: a proof is believed for a minute.
const NOTICED: Duration = Duration::from_mins(5);

/// An Apus that sends its clients to Swift, with these lines more for the driver.
async fn redirecting(backend: &Backend, lines: &[&str]) -> Apus {
    let apus = Apus::start(&configured(backend, lines));
    apus.until_it_logs(PROVEN).await;
    apus
}

/// One that wants to, and cannot.
async fn hindered(backend: &Backend, lines: &[&str]) -> Apus {
    let apus = Apus::start(&configured(backend, lines));
    apus.until_it_logs(UNPROVEN).await;
    apus
}

fn configured(backend: &Backend, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("\n    {line}")).collect();
    format!("{}{}{REDIRECTS}", backend.storage(), lines.concat())
}

/// A blob of one segment and one of three; each with its path.
async fn push_two(client: Client) -> [(String, Bytes); 2] {
    let (small, large) = (random(1000), random(3 * MIB));
    let mut location = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
    for chunk in large.chunks(MIB) {
        location = client.patch(&location, Bytes::copy_from_slice(chunk)).await.expect(202).location();
    }
    client.put(&with_digest(&location, &digest(&large)), "").await.expect(201);
    client.push("a", small.clone()).await;
    [small, large].map(|content| (blob(&content), content))
}

fn blob(content: &[u8]) -> String {
    format!("/v2/a/blobs/{}", digest(content))
}

/// The answer sends to Swift, and nobody may keep it.
#[track_caller]
fn assert_sends(answer: &Answer, path: &str) -> Uri {
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{answer:?}");
    assert_eq!((answer.header("cache-control"), answer.body.len()), ("no-store", 0));
    assert!(path.ends_with(answer.header("docker-content-digest")), "{answer:?}");
    let url: Uri = answer.location().parse().unwrap();
    assert!(url.path().ends_with("/data") && url.query().unwrap().contains("temp_url_sig="), "{url}");
    url
}

/// The content comes through Apus.
async fn assert_streams(client: Client, path: &str, content: &Bytes) {
    let answer = client.get_here(path, &[]).await.expect(200);
    assert!(answer.body == *content, "{path}");
    let part = client.get_here(path, &[("range", "bytes=10-19")]).await.expect(206);
    assert_eq!(part.body, content[10..20]);
}

/// A client that goes where it is sent gets the bytes, or the part that it wants; it is sent nowhere for anything else.
#[tokio::test]
async fn clients_get_blobs_from_the_real_swift() {
    for backend in [Backend::swift_v1(), Backend::swift_v3()] {
        let apus = redirecting(&backend, &["chunksize: 1M"]).await;
        let client = apus.client();
        let [small, large] = push_two(client).await;
        let manifest = client.push_manifest("a", "latest", &[digest(&small.1), digest(&large.1)]).await;
        for (path, content) in [&small, &large] {
            let whole = client.get_here(path, &[]).await;
            assert_sends(&whole, path);
            let fetched = follow(&whole, &[]).await.expect(200);
            assert!(fetched.body == *content, "{path}");

            let last = content.len() - 1;
            for (range, wanted) in [
                (format!("bytes=5-{last}"), 5..content.len()),
                (format!("bytes={}-{}", last - 9, last), last - 9..content.len()),
                ("bytes=-7".to_owned(), content.len() - 7..content.len()),
            ] {
                let headers = [("range", &*range)];
                let part = client.get_here(path, &headers).await;
                assert_sends(&part, path);
                let fetched = follow(&part, &headers).await.expect(206);
                assert!(fetched.body == content[wanted], "{path} {range}");
            }

            let head = client.head(path).await.expect(200);
            assert_eq!(head.header("content-length"), content.len().to_string());
            assert_eq!(head.location(), "");
            let known = [("if-none-match", &*format!("\"{}\"", digest(content)))];
            client.get_here(path, &known).await.expect(304);
        }
        for reference in ["latest", &manifest] {
            client.get_here(&format!("/v2/a/manifests/{reference}"), &[]).await.expect(200);
        }
        // To know a digest is not to have the blob.
        let foreign = small.0.replace("/a/", "/b/");
        assert_eq!(client.get_here(&foreign, &[]).await.expect(404).code(), "BLOB_UNKNOWN");
    }
}

/// A URL ends when it is said to, and opens its object for reading only.
#[tokio::test]
async fn a_url_is_good_for_one_thing_and_for_a_while() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    for (redirect, seconds) in [("{}", 20 * 60), ("{lifetime: 2h}", 2 * 60 * 60)] {
        let storage = format!("{}\n  redirect: {redirect}", Backend::fake_v3(&fake).storage());
        let apus = Apus::start(&storage);
        apus.until_it_logs(PROVEN).await;
        apus.client().push("a", "content").await;
        let path = blob(b"content");
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let before = now();
        let answer = apus.client().get_here(&path, &[]).await;
        let url = assert_sends(&answer, &path);
        let (_, expires) = url.query().unwrap().split_once("temp_url_expires=").unwrap();
        let expires: u64 = expires.parse().unwrap();
        assert!((before + seconds..=now() + seconds).contains(&expires), "{expires}");
        let swift = Client::new(url.authority().unwrap().as_str().parse().unwrap());
        for method in [Method::PUT, Method::DELETE, Method::POST] {
            let target = url.path_and_query().unwrap().as_str();
            let refused = swift.request(method, target, &[], "").await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(follow(&answer, &[]).await.expect(200).body, "content");
    }
}

/// Who does not want it gets all bytes through Apus, and nothing is changed in Swift for it.
#[tokio::test]
async fn redirects_can_be_switched_off() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let apus = Apus::start(&format!("{}\n  redirect: {{disable: true}}", Backend::fake_v3(&fake).storage()));
    let content = random(1000);
    apus.client().push("a", content.clone()).await;
    for _ in 0..3 {
        assert_streams(apus.client(), &blob(&content), &content).await;
    }
    assert_eq!(fake.count(|request| request.query.contains("temp_url")), 0);
    assert_eq!(keys(&fake, Level::Container).await, ["", ""]);
    assert!(fake.object(FAKE_CONTAINER, PROBE).is_none());
    let said = |words| apus.log().iter().any(|line| line.contains(words));
    assert!(!said(PROVEN) && !said(UNPROVEN), "{:#?}", apus.log());
}

/// Where it cannot work the log says why, once, and what to do; all bytes come through Apus.
#[tokio::test]
async fn where_redirects_cannot_work_blobs_are_streamed() {
    let without = |feature: Option<Feature>| Options {
        containers: vec![FAKE_CONTAINER.into()],
        without: feature.into_iter().collect(),
        ..Options::default()
    };
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nowhere = format!("tempurlhost: http://{}", nobody.local_addr().unwrap());
    for (options, lines, reason, advice) in [
        (without(Some(Feature::TemporaryUrls)), &[][..], "does not list tempurl", "middleware tempurl"),
        // The operator says that there are some, and there are none.
        (
            without(Some(Feature::TemporaryUrls)),
            &["tempurlmethods: [GET]", "secretkey: sesame"],
            "refuses what is signed",
            "secretkey",
        ),
        (without(None), &["tempurlmethods: [PUT]"], "GET is not among them", "middleware tempurl"),
        // What clients may reach, and Apus does not.
        (without(None), &[&*nowhere], "cannot be reached", "tempurlhost"),
        (without(None), &["endpointtype: internal"], "internal endpoint", "tempurlhost"),
    ] {
        let fake = FakeSwift::start(options).await.unwrap();
        let apus = hindered(&Backend::fake_v3(&fake), lines).await;
        let content = random(1000);
        apus.client().push("a", content.clone()).await;
        for _ in 0..3 {
            assert_streams(apus.client(), &blob(&content), &content).await;
        }
        let lines: Vec<_> = apus.log().into_iter().filter(|line| line.contains(UNPROVEN)).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        for part in [reason, advice, "\"warning\"", "content is streamed"] {
            assert!(lines[0].contains(part), "{part}: {lines:#?}");
        }
    }
}

/// Clients are sent to the host that is theirs, while Apus itself goes another way.
#[tokio::test]
async fn clients_are_sent_to_their_own_host() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let public: Uri = fake.storage_url(Interface::Public).parse().unwrap();
    let port = public.port().unwrap();
    let host = format!("tempurlhost: http://localhost:{port}/");
    let apus = redirecting(&Backend::fake_v3(&fake), &["endpointtype: internal", &host]).await;
    let content = random(1000);
    apus.client().push("a", content.clone()).await;
    let answer = apus.client().get_here(&blob(&content), &[]).await;
    let url = assert_sends(&answer, &blob(&content));
    assert_eq!(url.authority().unwrap().as_str(), format!("localhost:{port}"));
    assert!(follow(&answer, &[]).await.expect(200).body == content);
    let own = fake.count(|request| {
        request.interface == Interface::Public
            && request.kind.is_storage()
            && !request.query.contains("temp_url")
    });
    assert_eq!(own, 0, "Apus itself uses the internal endpoint");
}

#[derive(Clone, Copy)]
enum Level {
    Container,
    Account,
}

impl Level {
    fn headers(self) -> [String; 2] {
        let level = match self {
            Self::Container => "container",
            Self::Account => "account",
        };
        ["", "-2"].map(|end| format!("x-{level}-meta-temp-url-key{end}"))
    }

    async fn ask(self, fake: &FakeSwift, method: Method, headers: &[(&str, &str)]) -> Answer {
        let url: Uri = fake.storage_url(Interface::Public).parse().unwrap();
        let path = match self {
            Self::Container => format!("{}/{FAKE_CONTAINER}", url.path()),
            Self::Account => url.path().to_owned(),
        };
        let token = fake.give_token(true);
        let headers: Vec<_> = headers.iter().copied().chain([("x-auth-token", &*token)]).collect();
        Client::new(url.authority().unwrap().as_str().parse().unwrap())
            .request(method, &path, &headers, "")
            .await
    }
}

/// The two keys of a container or an account; empty where there is none.
async fn keys(fake: &FakeSwift, level: Level) -> [String; 2] {
    let answer = level.ask(fake, Method::HEAD, &[]).await.expect(204);
    level.headers().map(|header| answer.header(&header).to_owned())
}

async fn set_keys(fake: &FakeSwift, level: Level, keys: [&str; 2]) {
    let headers = level.headers();
    let headers: Vec<_> = headers.iter().map(|header| &**header).zip(keys).collect();
    level.ask(fake, Method::POST, &headers).await.expect(204);
}

/// Keys that someone else has set are used, and stay as they are, whatever the operator calls his.
#[tokio::test]
async fn the_keys_of_others_stay() {
    let refused = |path: &str| Fault {
        method: Some(Method::POST),
        path_contains: path.to_owned(),
        ..Fault::always(Action::Status(StatusCode::FORBIDDEN, HeaderMap::new()))
    };
    for level in [Level::Container, Level::Account] {
        for lines in [&[][..], &["secretkey: ours"]] {
            let options = Options { containers: vec![FAKE_CONTAINER.into()], ..Options::default() };
            let fake = FakeSwift::start(options).await.unwrap();
            set_keys(&fake, level, ["theirs", "theirs too"]).await;
            if let Level::Account = level {
                fake.fault(refused(FAKE_CONTAINER));
            }
            let apus = redirecting(&Backend::fake_v3(&fake), lines).await;
            apus.client().push("a", "content").await;
            let path = blob(b"content");
            let answer = apus.client().get_here(&path, &[]).await;
            assert_sends(&answer, &path);
            assert_eq!(follow(&answer, &[]).await.expect(200).body, "content");
            assert_eq!(keys(&fake, level).await, ["theirs", "theirs too"]);
            let warned = apus.log().iter().any(|line| line.contains("secretkey is none of the keys"));
            assert_eq!(warned, !lines.is_empty(), "{:#?}", apus.log());
        }
    }
}

/// A key that is replaced under way costs a minute of URLs at most; then those of the new key are given out, and the old one
/// does not come back.
#[tokio::test]
async fn a_key_that_is_replaced() {
    let options = Options { containers: vec![FAKE_CONTAINER.into()], ..Options::default() };
    let fake = FakeSwift::start(options).await.unwrap();
    set_keys(&fake, Level::Container, ["old", ""]).await;
    let apus = redirecting(&Backend::fake_v3(&fake), &[]).await;
    apus.client().push("a", "content").await;
    let path = blob(b"content");
    let fetch = async || {
        let answer = apus.client().get_here(&path, &[]).await;
        assert_sends(&answer, &path);
        follow(&answer, &[]).await
    };
    assert_eq!(fetch().await.expect(200).body, "content");
    set_keys(&fake, Level::Container, ["new", ""]).await;
    fetch().await.expect(401);
    let begun = Instant::now();
    while fetch().await.status != StatusCode::OK {
        assert!(begun.elapsed() < NOTICED, "it is never noticed");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(keys(&fake, Level::Container).await, ["new", ""]);
    assert!(!apus.log().iter().any(|line| line.contains(UNPROVEN)), "{:#?}", apus.log());
}

/// Who reads the log, at its most talkative, can fetch nothing.
#[tokio::test]
async fn no_log_holds_a_signature_or_a_key() {
    let backend = Backend::swift_v3();
    let apus = Apus::start_at("debug", &configured(&backend, &["secretkey: sesame-0815"]), "");
    apus.until_it_logs(PROVEN).await;
    let client = apus.client();
    client.push("a", "content").await;
    let path = blob(b"content");
    let answer = client.get_here(&path, &[]).await;
    let url = assert_sends(&answer, &path);
    let (_, signature) = url.query().unwrap().split_once("temp_url_sig=").unwrap();
    let signature = signature.split('&').next().unwrap();
    assert!(signature.len() >= 40, "{signature}");
    follow(&answer, &[]).await.expect(200);
    apus.until_it_logs(&path).await;
    let log = apus.log().join("\n");
    assert!(log.contains("\"debug\"") && log.contains("307"), "{log}");
    for secret in ["temp_url_sig", "sesame-0815", signature] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

/// What a redirect costs: the link, and the blob itself if it was not seen lately.
#[tokio::test]
async fn requests_to_swift_of_a_redirect() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let backend = Backend::fake_v3(&fake);
    let [small, large] = push_two(redirecting(&backend, &[]).await.client()).await;
    for (path, _) in [small, large] {
        let apus = redirecting(&backend, &[]).await;
        for (range, most, state) in
            [(None, 2, "cold"), (None, 1, "warm"), (Some(("range", "bytes=0-9")), 1, "warm")]
        {
            drop(fake.take_requests());
            let headers: Vec<_> = range.into_iter().collect();
            assert_sends(&apus.client().get_here(&path, &headers).await, &path);
            let asked: Vec<_> =
                fake.take_requests().into_iter().filter(|request| request.kind.is_storage()).collect();
            // A proof that falls due in between is none of its requests.
            let asked: Vec<_> = asked.iter().filter(|request| !request.path.ends_with(PROBE)).collect();
            assert!((1..=most).contains(&asked.len()), "{state}: {asked:#?}");
        }
    }
}
