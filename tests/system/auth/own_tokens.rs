//! Tokens that the registry gives itself, request by request: where a policy lets somebody do something without a password.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::policy::POLICY;
use super::{ALICE, As, BOB, Closed, KINDS, RITA, USERS, basic};
use crate::support::authority::Authority;
use crate::support::{Answer, Apus, Backend};

/// A secret in the section `http`, long enough to do without one in storage.
const SECRET: &str = "  secret: that all replicas know and nobody else does\n";

/// Asks for a token as docker does, signed in by this header or not at all.
async fn get_token(apus: &Apus, header: Option<&str>) -> Answer {
    let path = "/v2/token?account=alice&client_id=docker&offline_token=true&service=Apus\
                &scope=repository%3Apublic%2Fapp%3Apull%2Cpush&scope=repository:team/app:pull";
    let headers: Vec<_> = header.iter().map(|header| ("authorization", *header)).collect();
    apus.client().get_here(path, &headers).await
}

/// Asks for one as containerd does.
async fn post_token(apus: &Apus, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    apus.client().request(Method::POST, "/v2/token", &headers, form.to_owned()).await
}

/// The token of a user, or of nobody.
async fn token_of(apus: &Apus, credentials: Option<&str>) -> String {
    let header = credentials.map(basic);
    told(&get_token(apus, header.as_deref()).await.expect(200))["token"].as_str().unwrap().to_owned()
}

fn told(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// What a client is asked for by this registry.
fn challenge(apus: &Apus, rest: &str) -> String {
    format!("Bearer realm=\"http://{}/v2/token\",service=\"Apus\"{rest}", apus.address())
}

/// Promise: whoever is asked to sign in is asked for a token, gets one there for a password or for none, and does by it what a
/// password does, which is taken everywhere as before.
#[tokio::test]
async fn a_token_is_asked_for_given_and_taken() {
    let closed = Closed::start(POLICY);
    let apus = &closed.apus;
    let layer = As::user(apus, RITA).push("public/app", "layer").await;
    As::user(apus, RITA).put("public/app", "latest", &layer).await.expect(201);

    let nobody = As::nobody(apus);
    let asked = nobody.ask("GET", "/v2/").await.expect(401);
    assert_eq!(asked.header("www-authenticate"), challenge(apus, ""));
    let answer = get_token(apus, None).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let given = told(&answer);
    assert_eq!(given["token"], given["access_token"]);
    assert_eq!(given["expires_in"], 300);
    assert_eq!(given["issued_at"].as_str().unwrap().len(), "2026-01-01T00:00:00Z".len());
    assert_eq!(given.as_object().unwrap().len(), 4, "{given}");
    let nobody = As::bearer(apus, given["token"].as_str().unwrap());
    nobody.ask("GET", "/v2/").await.expect(200);
    nobody.ask("GET", "/v2/public/app/manifests/latest").await.expect(200);
    let asked = nobody.ask("POST", "/v2/public/app/blobs/uploads/").await.expect(401);
    let scope = ",scope=\"repository:public/app:pull,push\"";
    let wanted = challenge(apus, &format!("{scope},error=\"insufficient_scope\""));
    assert_eq!(asked.header("www-authenticate"), wanted);

    for rita in [As::user(apus, RITA), As::bearer(apus, &token_of(apus, Some(RITA)).await)] {
        for (method, rest) in KINDS {
            let answer = rita.ask(method, &format!("/v2/public/app/{rest}")).await;
            assert!(![401, 403, 503].contains(&answer.status.as_u16()), "{method} {rest}: {answer:?}");
        }
        rita.ask("GET", "/v2/_catalog").await.expect(200);
        let layer = rita.push("team/app", "layer").await;
        rita.put("team/app", "latest", &layer).await.expect(201);
        let read = rita.ask("GET", &format!("/v2/team/app/blobs/{layer}")).await.expect(200);
        assert_eq!(read.body, "layer");
    }
    let bob = As::bearer(apus, &token_of(apus, Some(BOB)).await);
    assert_eq!(bob.ask("GET", "/v2/team/app/manifests/latest").await.expect(403).code(), "DENIED");
    apus.until_it_logs("\"action\":\"give token\",\"auth.user.name\":\"bob\"").await;
}

/// Promise: a wrong password gets no token, by either way of asking, and what is asked for then is a password. Nothing of a
/// password or a token is in the log.
#[tokio::test]
async fn a_token_costs_a_password() {
    let closed = Closed::start(POLICY);
    let apus = &closed.apus;
    for header in [basic("alice:hunter3"), basic("eve:hunter3"), "Basic !".into(), "Bearer a.b.c".into()] {
        let answer = get_token(apus, Some(&header)).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Apus\"", "{header}");
        assert_eq!(answer.code(), "UNAUTHORIZED");
    }
    let form = "grant_type=password&service=Apus&client_id=containerd-client&username=alice\
                &scope=repository%3Ateam%2Fapp%3Apull%2Cpush%2Cdelete+registry:catalog:*&password=";
    for wrong in ["hunter3", ""] {
        let answer = post_token(apus, &format!("{form}{wrong}")).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Apus\"");
    }
    let given = told(&post_token(apus, &format!("{form}open+sesame")).await.expect(200));
    assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(300)));
    assert_eq!(given["scope"], "repository:team/app:pull,push", "what the policy lets alice have of it");
    let token = given["access_token"].as_str().unwrap();
    As::bearer(apus, token).push("team/app", "layer").await;
    // There are none here, but whoever has one from elsewhere is told to log in.
    post_token(apus, "grant_type=refresh_token&refresh_token=hunter3&service=Apus").await.expect(401);
    post_token(apus, "grant_type=client_credentials").await.expect(400);
    post_token(apus, &format!("{form}{}", "x".repeat(10_000))).await.expect(400);
    As::nobody(apus).ask("PUT", "/v2/token").await.expect(405);
    apus.until_it_logs("\"action\":\"give token\",\"auth.user.name\":\"alice\"").await;
    let log = apus.log().join("\n");
    for secret in ["hunter3", "sesame", token] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

/// Promise: where nobody may do anything without a password, a password is what is asked for, as registry:2 does, and there are no
/// tokens; and a key says otherwise in either case.
#[tokio::test]
async fn without_anybody_anonymous_nothing_is_new() {
    let signed_in = "access: {rules: [{who: [signedin], may: [pull], repositories: ['**']}]}";
    let protected = "access: {protectedtags: [{repositories: ['**'], tags: ['v*']}]}";
    for more in ["", signed_in, protected] {
        let closed = Closed::start(more);
        let asked = As::nobody(&closed.apus).ask("GET", "/v2/").await.expect(401);
        assert_eq!(asked.header("www-authenticate"), "Basic realm=\"Apus\"", "{more}");
        for method in ["GET", "POST"] {
            let answer = As::user(&closed.apus, ALICE).ask(method, "/v2/token").await.expect(404);
            assert_eq!(answer.body, "404 page not found\n");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("htpasswd");
    std::fs::write(&users, USERS).unwrap();
    let start = |tokens: bool, more: &str| {
        let auth = format!(
            "auth: {{htpasswd: {{realm: Apus, path: {}, tokens: {tokens}}}}}\n{more}",
            users.display()
        );
        Apus::start_with(Backend::memory().storage(), &auth)
    };
    let forbidden = start(false, POLICY);
    let asked = As::nobody(&forbidden).ask("GET", "/v2/").await.expect(401);
    assert_eq!(asked.header("www-authenticate"), "Basic realm=\"Apus\"");
    get_token(&forbidden, Some(&basic(ALICE))).await.expect(404);
    let forced = start(true, "");
    let asked = As::nobody(&forced).ask("GET", "/v2/").await.expect(401);
    assert_eq!(asked.header("www-authenticate"), challenge(&forced, ""));
    get_token(&forced, None).await.expect(401);
    As::bearer(&forced, &token_of(&forced, Some(ALICE)).await).push("a", "layer").await;
}

/// Promise: replicas take each other's tokens, whether they share a secret or nothing but the storage.
#[tokio::test]
async fn replicas_take_each_others_tokens() {
    for (backend, more) in
        [(Backend::swift_v1(), POLICY.to_owned()), (Backend::filesystem(), format!("{SECRET}{POLICY}"))]
    {
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("htpasswd");
        std::fs::write(&users, USERS).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: Apus, path: {}}}}}\n", users.display());
        let more = match more.strip_prefix(SECRET) {
            Some(policy) => format!("{SECRET}{auth}{policy}"),
            None => format!("{auth}{more}"),
        };
        let replicas = [(); 2].map(|()| Apus::start_with(backend.storage(), &more));
        for (gives, takes) in [(0, 1), (1, 0)] {
            let alice = As::bearer(&replicas[takes], &token_of(&replicas[gives], Some(ALICE)).await);
            alice.push("team/app", "layer").await;
            let nobody = As::bearer(&replicas[takes], &token_of(&replicas[gives], None).await);
            nobody.ask("GET", "/v2/public/app/manifests/latest").await.expect(404);
        }
        // Over another storage, or by another secret, a token is worth nothing.
        let other = Closed::start(POLICY);
        let token = token_of(&replicas[0], Some(ALICE)).await;
        As::bearer(&other.apus, &token).ask("GET", "/v2/").await.expect(401);
    }
}

/// A token that a registry over this directory could have made, but that it begins and ends when we say.
fn made(backend: &Backend, user: &str, begins: i64, ends: i64) -> String {
    let mac = |key: &[u8], message: &[u8]| {
        Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes()
    };
    let secret = std::fs::read(backend.directory().unwrap().join("apus/upload-secret")).unwrap();
    let key = mac(&secret, b"tokens of users\0");
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
    let part = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let message =
        format!("{header}.{}", part(&json!({ "sub": user, "iat": now + begins, "exp": now + ends })));
    format!("{message}.{}", BASE64URL_NOPAD.encode(&mac(&key, message.as_bytes())))
}

/// Promise (threat A2): a token whose time is over, that is forged, or cut, is refused with a challenge that says what is wrong.
#[tokio::test]
async fn a2_a_token_that_is_over_forged_or_cut_is_refused() {
    let backend = Backend::filesystem();
    let closed = Closed::start_on(&backend, POLICY);
    let apus = &closed.apus;
    let good = token_of(apus, Some(ALICE)).await;
    let made = |user, begins, ends| made(&backend, user, begins, ends);
    // Made as ours are, so that the others fail for what is said of them.
    As::bearer(apus, &made("alice", 0, 300)).ask("GET", "/v2/").await.expect(200);
    let (message, _) = good.rsplit_once('.').unwrap();
    let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    let claims = message.split_once('.').unwrap().1;
    let (ours, theirs) = (made("alice", 0, 300), made("rita", 0, 300));
    let exchanged = format!("{}.{}", theirs.rsplit_once('.').unwrap().0, ours.rsplit_once('.').unwrap().1);
    for (what, token) in [
        ("over", made("alice", -1000, -100)),
        ("too long", made("alice", 0, 100_000)),
        ("of a stranger", made("eve", 0, 300)),
        ("cut", good[..good.len() - 1].to_owned()),
        ("cut short", good[..20].to_owned()),
        ("unsigned", format!("{message}.")),
        ("by no algorithm", format!("{none}.{claims}.")),
        ("another's signature", exchanged),
        ("nonsense", "a.b.c".to_owned()),
    ] {
        for (path, scope) in
            [("/v2/", ""), ("/v2/public/app/manifests/latest", ",scope=\"repository:public/app:pull\"")]
        {
            let answer = As::bearer(apus, &token).ask("GET", path).await.expect(401);
            let expected = challenge(apus, &format!("{scope},error=\"invalid_token\""));
            assert_eq!(answer.header("www-authenticate"), expected, "{what}");
            assert_eq!(answer.code(), "UNAUTHORIZED", "{what}");
        }
    }
    apus.until_it_logs("the token has expired").await;
}

/// Promise (threat A6): a user who is taken out of the file is out, and a right that is taken out of the policy is gone, though
/// their token has not expired.
#[tokio::test]
async fn a6_what_is_taken_away_is_gone_before_the_token_is() {
    let closed = Closed::start(POLICY);
    let apus = &closed.apus;
    let alice = As::bearer(apus, &token_of(apus, Some(ALICE)).await);
    let nobody = As::bearer(apus, &token_of(apus, None).await);
    alice.push("team/app", "layer").await;
    nobody.ask("GET", "/v2/public/app/manifests/latest").await.expect(404);

    apus.reconfigure(
        "may: [pull, push], repositories: ['team/**']",
        "may: [pull], repositories: ['team/**']",
    );
    apus.until_it_logs("is in force").await;
    alice.ask("POST", "/v2/team/app/blobs/uploads/").await.expect(403);
    alice.ask("GET", "/v2/team/app/manifests/latest").await.expect(404);

    let (_alice, without_alice) = USERS.split_once('\n').unwrap();
    std::fs::write(&closed.users, without_alice).unwrap();
    let begun = std::time::Instant::now();
    let answer = loop {
        let answer = alice.ask("GET", "/v2/team/app/manifests/latest").await;
        if answer.status == 401 {
            break answer;
        }
        assert!(begun.elapsed().as_secs() < 60, "alice is never out: {answer:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let expected = challenge(apus, ",scope=\"repository:team/app:pull\",error=\"invalid_token\"");
    assert_eq!(answer.header("www-authenticate"), expected);
    alice.ask("GET", "/v2/public/app/manifests/latest").await.expect(401);
    nobody.ask("GET", "/v2/public/app/manifests/latest").await.expect(404);

    // Now nobody may do anything without a password: so a password is asked for.
    apus.reconfigure("{who: [everyone], may: [pull]", "{who: [signedin], may: [pull]");
    let begun = std::time::Instant::now();
    while nobody.ask("GET", "/v2/public/app/manifests/latest").await.status != 401 {
        assert!(begun.elapsed().as_secs() < 60, "the old policy holds");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let asked = nobody.ask("GET", "/v2/").await.expect(401);
    assert_eq!(asked.header("www-authenticate"), "Basic realm=\"Apus\"");
    get_token(apus, None).await.expect(404);
    As::user(apus, RITA).ask("GET", "/v2/").await.expect(200);
}

/// Promise: tokens are to be had where the client finds the registry: by the host that it asked, by what trusted proxies say, under the
/// prefix, or where the operator says.
#[tokio::test]
async fn clients_are_sent_where_they_find_the_registry() {
    async fn realm(apus: &Apus, path: &str, headers: &[(&str, &str)]) -> String {
        let answer = apus.client().get_here(path, headers).await.expect(401);
        answer.header("www-authenticate").split('"').nth(1).unwrap().to_owned()
    }
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("htpasswd");
    std::fs::write(&users, USERS).unwrap();
    let start = |http: &str| {
        let auth = format!("{http}auth: {{htpasswd: {{realm: Apus, path: {}}}}}\n{POLICY}", users.display());
        Apus::start_with(Backend::memory().storage(), &auth)
    };
    let apus = start("");
    let forwarded = [("x-forwarded-proto", "https"), ("x-forwarded-host", "registry.example:8443")];
    assert_eq!(realm(&apus, "/v2/", &forwarded).await, "https://registry.example:8443/v2/token");
    // A proxy that does not say that it speaks TLS loses nobody's password.
    let host = [("x-forwarded-host", "registry.example")];
    assert_eq!(realm(&apus, "/v2/", &host).await, "https://registry.example/v2/token");

    let apus = start("  prefix: /some/where\n  trustedproxies: [192.0.2.0/24]\n");
    let here = format!("http://{}/some/where/v2/token", apus.address());
    assert_eq!(realm(&apus, "/some/where/v2/", &forwarded).await, here, "not from this proxy");
    let path = here.strip_prefix(&format!("http://{}", apus.address())).unwrap();
    apus.client().get(path).await.expect(200);

    let apus = start("  host: https://registry.example\n  prefix: /some/where\n");
    let named = "https://registry.example/some/where/v2/token";
    assert_eq!(realm(&apus, "/some/where/v2/", &host).await, named);

    let authority = Authority::new();
    let auth = format!("auth: {{htpasswd: {{realm: Apus, path: {}}}}}\n{POLICY}", users.display());
    let apus = Apus::start_with(Backend::memory().storage(), &authority.http(&auth));
    let mut curl = authority.curl(false);
    let output = curl.arg("--include").arg(format!("https://{}/v2/", apus.address())).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("realm=\"https://{}/v2/token\"", apus.address())), "{said}");
}

/// Promise: a registry that is read-only gives tokens too; without a secret in storage or in the configuration they hold in the process
/// that gave them, which is told, and nothing is written.
#[tokio::test]
async fn read_only_without_a_secret() {
    let backend = Backend::filesystem();
    let read_only = format!("{}\n  maintenance: {{readonly: {{enabled: true}}}}", backend.storage());
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("htpasswd");
    std::fs::write(&users, USERS).unwrap();
    let start = |storage: &str, secret: &str| {
        let auth =
            format!("{secret}auth: {{htpasswd: {{realm: Apus, path: {}}}}}\n{POLICY}", users.display());
        Apus::start_with(storage, &auth)
    };
    let takes = async |gives: &Apus, takes: &Apus| {
        let token = token_of(gives, Some(ALICE)).await;
        As::bearer(takes, &token).ask("GET", "/v2/").await.status == 200
    };
    let (one, other) = (start(&read_only, ""), start(&read_only, ""));
    assert!(takes(&one, &one).await && takes(&other, &other).await);
    assert!(!takes(&one, &other).await);
    one.until_it_logs("tokens hold in this process alone").await;
    assert!(!backend.directory().unwrap().join("apus").exists(), "a secret was written");
    // One that can be guessed does not do.
    let (weak, also_weak) = (start(&read_only, "  secret: short\n"), start(&read_only, "  secret: short\n"));
    assert!(takes(&weak, &weak).await && !takes(&weak, &also_weak).await);
    let (with, also_with) = (start(&read_only, SECRET), start(&read_only, SECRET));
    assert!(takes(&with, &also_with).await);
    // As soon as there is a secret in storage, it counts.
    let writes = start(backend.storage(), "");
    assert!(takes(&writes, &one).await && takes(&one, &other).await);
}

/// Promise: beside version 1, and where its images are shown in version 2, version 2 asks for tokens, which all replicas take, and
/// version 1 for passwords, as ever.
#[tokio::test]
async fn version_1_asks_for_passwords() {
    for version_2 in [false, true] {
        let backend = Backend::filesystem();
        let closed =
            Closed::start_on(&backend, &format!("{POLICY}v1: {{enabled: true, version2: {version_2}}}\n"));
        let apus = &closed.apus;
        let asked = As::nobody(apus).ask("GET", "/v2/").await.expect(401);
        assert_eq!(asked.header("www-authenticate"), challenge(apus, ""));
        for given in [
            get_token(apus, Some(&basic(ALICE))).await,
            post_token(apus, "grant_type=password&username=alice&password=open+sesame").await,
        ] {
            let given = told(&given.expect(200));
            As::bearer(apus, given["token"].as_str().unwrap()).ask("GET", "/v2/").await.expect(200);
        }
        assert!(backend.directory().unwrap().join("apus/upload-secret").exists());
        for (method, path) in [("GET", "/v1/users/"), ("PUT", "/v1/repositories/team/app/")] {
            let asked = As::nobody(apus).ask(method, path).await.expect(401);
            assert_eq!(asked.header("www-authenticate"), "Basic realm=\"Apus\"", "{method} {path}");
        }
        As::user(apus, ALICE).ask("GET", "/v1/users/").await.expect(200);
    }
}

/// Promise: asking for tokens counts among a client's requests, and so does a user from anywhere.
#[tokio::test]
async fn asking_for_tokens_is_limited() {
    let closed = Closed::start(&format!("{POLICY}limits: {{client: {{requestspersecond: 1, burst: 5}}}}\n"));
    let mut refused = None;
    for _ in 0..50 {
        let answer = get_token(&closed.apus, None).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("it gives tokens without end").expect(429);
    assert_eq!(refused.code(), "TOOMANYREQUESTS");
}
