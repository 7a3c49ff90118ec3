//! The log and the access log: their forms, the names in them, the one identifier that follows a request from its client to Swift,
//! and that no secret is in any of them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options};
use hyper::Method;
use serde_json::Value;

use crate::command::Running;
use crate::support::backend::variable;
use crate::support::content::random;
use crate::support::{Apus, Backend, Client};

/// How long a line may take to be written.
const PATIENCE: Duration = Duration::from_mins(1);

/// A registry whose log is of this form, with more lines below `log` and `http`.
fn start(form: &str, log: &str, storage: &str, http: &str) -> Running {
    let config = format!(
        "version: 0.1\nlog:\n  formatter: {form}\n  fields: {{service: registry, environment: staging}}\n{log}\
         storage:\n{storage}\nhttp:\n  addr: 127.0.0.1:0\n  debug: {{addr: '127.0.0.1:0'}}\n{http}"
    );
    Running::start(&["serve", "config.yml"], Some(&config))
}

/// A line of the text form, taken apart.
fn names_and_values(line: &str) -> Vec<(String, String)> {
    let (mut pairs, mut rest) = (Vec::new(), line);
    while let Some((name, value)) = rest.split_once('=') {
        let (value, after) = if value.starts_with('"') {
            let end =
                value.match_indices('"').skip(1).find(|(at, _)| !value[..*at].ends_with('\\')).unwrap().0;
            (value[1..end].to_owned(), &value[end + 1..])
        } else {
            let (value, after) = value.split_once(' ').unwrap_or((value, ""));
            (value.to_owned(), after)
        };
        pairs.push((name.trim_start().to_owned(), value));
        rest = after;
    }
    pairs
}

/// A line of any form, with one name for time and message.
fn read(form: &str, line: &str) -> Value {
    let mut object = match form {
        "text" => Value::from_iter(names_and_values(line)),
        _ => serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")),
    };
    if form == "logstash" {
        assert_eq!(object["@version"], "1", "{line}");
        object["time"] = object["@timestamp"].take();
        object["msg"] = object["message"].take();
    }
    object
}

/// Waits until there is a line with all these parts.
fn line_with(text: impl Fn() -> String, parts: &[&str]) -> String {
    let begun = Instant::now();
    loop {
        let text = text();
        // The last may be half written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if let Some(line) = whole.lines().find(|line| parts.iter().all(|part| line.contains(part))) {
            return line.to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "no line has {parts:?}:\n{text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Promise: in each form, a line tells of each request by registry:2's names when it is over, and every line has the fields
/// that the operator chose; the access log has it in Apache's combined form.
#[tokio::test]
async fn the_names_of_registry_2() {
    for form in ["text", "json", "logstash"] {
        let running = start(form, "", Backend::memory().storage(), "");
        let client = Client::new(running.address());
        client.push("a/b", "content").await;
        let asked = [("user-agent", "ag \"x\""), ("referer", "http://ref/")];
        let unknown =
            client.request(Method::GET, "/v2/a/b/manifests/latest?sesame", &asked, "").await.expect(404);
        let id = unknown.header("x-request-id");

        let line = read(form, &line_with(|| running.stderr(), &[id, "response completed"]));
        let written = unknown.body.len().to_string();
        for (name, value) in [
            ("level", "info"),
            ("msg", "response completed with error"),
            ("http.request.method", "GET"),
            ("http.request.host", &*running.address().to_string()),
            ("http.request.uri", "/v2/a/b/manifests/latest?..."),
            ("http.request.referer", "http://ref/"),
            ("http.response.contenttype", "application/json"),
            ("vars.name", "a/b"),
            ("vars.reference", "latest"),
            ("err.code", "manifest unknown"),
        ] {
            assert_eq!(line[name], value, "{form}: {name}: {line}");
        }
        for (name, value) in [("http.response.status", "404"), ("http.response.written", &*written)] {
            assert_eq!(line[name].to_string().trim_matches('"'), value, "{form}: {name}: {line}");
        }
        assert!(line["http.request.remoteaddr"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
        assert!(line["http.request.useragent"].as_str().unwrap().starts_with("ag "), "{line}");
        assert!(line["http.response.duration"].as_str().unwrap().ends_with('s'), "{line}");
        assert!(line["err.message"].as_str().is_some_and(|message| !message.is_empty()), "{line}");
        assert!(line.get("auth.user.name").is_none(), "{line}");

        let log = running.stderr();
        let lines: Vec<_> = log.lines().map(|line| read(form, line)).collect();
        assert!(lines.len() > 4, "{log}");
        for line in &lines {
            assert_eq!(
                (&line["service"], &line["environment"]),
                (&"registry".into(), &"staging".into()),
                "{line}"
            );
            assert_eq!(line["instance.id"].as_str().unwrap().len(), 36, "{line}");
            assert_eq!(line["instance.id"], lines[0]["instance.id"], "{line}");
            assert_eq!(line["version"], env!("CARGO_PKG_VERSION"), "{line}");
            assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        }

        let access = line_with(|| running.stdout(), &["GET /v2/a/b/manifests/latest"]);
        assert!(access.starts_with("127.0.0.1 - - ["), "{access}");
        let end = format!(
            " +0000] \"GET /v2/a/b/manifests/latest?... HTTP/1.1\" 404 {written} \"http://ref/\" \"ag \\\"x\\\"\""
        );
        assert!(access.ends_with(&end), "{access}\n{end}");
    }
}

/// Promise: whoever wants no access log has none, and at `error` the log holds only what someone must look at, with all that is
/// known of its request.
#[tokio::test]
async fn less_of_it() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let log = "  level: error\n  accesslog: {disabled: true}\n";
    let apus = Apus::start(Backend::memory().storage());
    let address = apus.address();
    drop(apus);
    // Nobody listens there any more.
    let storage = Backend::fake_v1(&fake)
        .storage()
        .replace(&fake.auth_url_v1(), &format!("http://{address}/auth/v1.0"));
    let config = format!(
        "version: 0.1\nlog:\n  formatter: json\n{log}storage:\n{storage}\nhttp:\n  addr: unix.sock\n  net: unix\n"
    );
    let running = Running::start(&["serve", "config.yml"], Some(&config));
    let socket = running.work().join("unix.sock");
    let begun = Instant::now();
    let answer = loop {
        assert!(begun.elapsed() < PATIENCE, "{}", running.stderr());
        let asked = ["--silent", "--unix-socket", socket.to_str().unwrap(), "-i", "http://a/v2/a/tags/list"];
        let asked = std::process::Command::new("curl").args(asked).output().unwrap();
        if asked.status.success() {
            break String::from_utf8(asked.stdout).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let line =
        line_with(|| running.stderr(), &["response completed with error", "\"http.response.status\":503"]);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["vars.name"], &line["level"]), (&"a".into(), &"error".into()), "{line}");
    assert_eq!(line["http.request.remoteaddr"], "unix", "{line}");
    for line in running.stderr().lines() {
        assert!(line.contains("\"level\":\"error\""), "{line}");
    }
    assert_eq!(running.stdout(), "");
}

/// Promise: one identifier is in the answer, in the log and in Swift's own log; a proxy that is trusted may choose it, and nobody
/// else.
#[tokio::test]
async fn one_identifier_from_client_to_swift() {
    let file = variable("SWIFT_ACCESS_LOG");
    let end = std::fs::metadata(&file).unwrap().len();
    let swift_log = || {
        let mut log = File::open(&file).unwrap();
        log.seek(SeekFrom::Start(end)).unwrap();
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    };
    let chosen = format!("of-the-proxy-{:08x}", rand::random::<u32>());
    for (trusted, taken) in [
        ("", false),
        ("  trustedproxies: [10.0.0.0/8]\n", false),
        ("  trustedproxies: [127.0.0.0/8]\n", true),
    ] {
        let backend = Backend::swift_v1();
        let running = start("json", "", backend.storage(), trusted);
        let client = Client::new(running.address());
        let sent = [("x-request-id", &*chosen)];
        let answer = client.request(Method::GET, "/v2/a/manifests/latest", &sent, "").await.expect(404);
        let id = answer.header("x-request-id");
        assert_eq!(id == chosen, taken, "{trusted}: {id}");
        line_with(|| running.stderr(), &[&format!("\"http.request.id\":\"{id}\""), "response completed"]);
        // Behind Swift's own transaction identifier, in a line about this registry's container.
        line_with(swift_log, &[&format!("-{id} "), backend.container().unwrap()]);
        // Until its end: what is read while the answer is sent belongs to the request too.
        let blob = client.push("a", random(100_000)).await;
        let pulled = client.get_here(&format!("/v2/a/blobs/{blob}"), &[]).await;
        line_with(swift_log, &[&format!("-{} ", pulled.header("x-request-id"))]);
    }
}

/// Promise (T: secrets): the logs show no secret, in no form, however talkative they are: no password, no token of Swift, no
/// header that signs in, nothing that continues an upload, nothing of an unknown query; neither while all is well nor while it fails.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_shows_no_secret() {
    for (form, backend) in [
        ("json", Backend::fake_v1 as fn(&FakeSwift) -> Backend),
        ("text", Backend::fake_v3),
        ("logstash", Backend::fake_v3),
    ] {
        let options = Options { password: "sesame-7d1f".into(), ..Options::default() };
        let fake = FakeSwift::start(options).await.unwrap();
        let storage = backend(&fake)
            .storage()
            .replace("password: testing", "password: sesame-7d1f\n    secretkey: sesame-key");
        let hidden = "  secret: pepper-22a0\n\
                      notifications: {endpoints: [{name: a, url: 'http://u:events-11d0@127.0.0.1:9/', headers: {Authorization: [Bearer events-77aa]}}]}\n";
        let running = start(form, "  level: debug\n", &storage, hidden);
        let client = Client::new(running.address());
        let location = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
        let location = client.patch(&location, random(2_000_000)).await.expect(202).location();
        fake.expire_tokens();
        let blob = client.push_by_patch("a", random(1000)).await;
        client.push_manifest("a", "latest", &[blob]).await;
        // "user:basic-51d2" in Base64.
        let basic = "dXNlcjpiYXNpYy01MWQy";
        for sent in [
            ("authorization", &*format!("Basic {basic}")),
            ("authorization", "Bearer bearer-9f04"),
            ("cookie", "session=cookie-0b1d"),
            ("proxy-authorization", "Basic proxy-8c2e"),
            ("x-auth-token", "token-6f6f"),
        ] {
            client.request(Method::GET, "/v2/a/tags/list?account=query-3a3a&n=10", &[sent], "").await;
        }
        let answer = client.request(Method::POST, "/v2/a/blobs/uploads/x?_state=state-4e4e", &[], "").await;
        let last = answer.header("x-request-id").to_owned();
        line_with(|| running.stderr(), &[&last]);

        // One that wants to know who asks: of "alice:open sesame", as the tests of sign-in have it.
        let users = tempfile::NamedTempFile::new().unwrap();
        let hash = "$2b$04$CGgP1l6BL0EQDw/zdJBIXOBNpi2cGBcIqS5NordDENgfPZ8ltX/6K";
        std::fs::write(users.path(), format!("alice:{hash}\n")).unwrap();
        let sign_in = format!("auth: {{htpasswd: {{realm: r, path: {}}}}}\n", users.path().display());
        let closed = start(form, "  level: debug\n", Backend::memory().storage(), &sign_in);
        let right = data_encoding::BASE64.encode(b"alice:open sesame");
        for (sent, status) in [(&*right, 404), (basic, 401), ("bm8gY29sb24=", 401), ("$$$-none", 401)] {
            let sent = [("authorization", &*format!("Basic {sent}"))];
            let answer =
                Client::new(closed.address()).request(Method::GET, "/v2/a/manifests/x", &sent, "").await;
            let id = answer.expect(status).header("x-request-id").to_owned();
            line_with(|| closed.stderr(), &[&id, "response completed"]);
        }
        line_with(|| closed.stdout(), &["127.0.0.1 - alice ["]);

        let logs = running.stderr() + &running.stdout() + &closed.stderr() + &closed.stdout();
        assert!(running.stderr().contains("debug") && running.stderr().contains("put manifest"), "{logs}");
        assert!(running.stdout().contains("POST /v2/a/blobs/uploads/"), "{logs}");
        let state = location.split_once("_state=").unwrap().1.to_owned();
        let known = [
            "sesame-7d1f",
            "sesame-key",
            "pepper-22a0",
            &right,
            "open sesame",
            hash,
            "bm8gY29sb24=",
            "$$$-none",
            "events-11d0",
            "events-77aa",
            basic,
            "basic-51d2",
            "bearer-9f04",
            "cookie-0b1d",
            "proxy-8c2e",
            "token-6f6f",
            "query-3a3a",
            "state-4e4e",
        ];
        let mut secrets: Vec<_> = known.map(str::to_owned).into();
        secrets.push(state);
        for request in fake.requests() {
            let token = request.headers.get("x-auth-token").map(|token| token.to_str().unwrap().to_owned());
            secrets.extend(token);
        }
        assert!(secrets.len() > 25);
        for secret in secrets {
            assert!(!logs.contains(&secret), "{secret} is in the log:\n{logs}");
        }
    }
}
