//! Whom credentials are shown to, and where an upstream may send to.

use apus_proxy::Credentials;
use apus_storage::ByteRange;
use bytes::Bytes;
use data_encoding::BASE64;

use super::*;
use crate::upstream::{Answer, Asked, blob, digest, image, manifest, status, with};

const PASSWORD: &str = "hunter2";

fn login() -> Credentials {
    Credentials::Password { username: "me".to_owned(), password: PASSWORD.to_owned().into() }
}

fn basic() -> String {
    format!("Basic {}", BASE64.encode(format!("me:{PASSWORD}").as_bytes()))
}

fn here_as(options: UpstreamOptions) -> Here {
    here_with(vec![options], Arc::new(MemoryStorage::new()), RegistryOptions::default())
}

/// A registry that wants a token of its own server, at `realm`.
fn wants_token(asked: &Asked, realm: &str) -> Answer {
    if asked.header("authorization") == "Bearer good" {
        return manifest(&image(1));
    }
    let challenge = format!(r#"Bearer realm="{realm}",service="s v""#);
    with(401, &[("www-authenticate", &challenge)], "")
}

fn gives_token(asked: &Asked, wanted: &str) -> Answer {
    let is_wanted = asked.header("authorization") == wanted
        && asked.path == "/token?service=s%20v&scope=repository%3Alibrary%2Fa%3Apull";
    if is_wanted { with(200, &[], r#"{"token":"good","expires_in":300}"#) } else { status(401) }
}

async fn pull(here: &Here) -> Result<(), Error> {
    here.cache.manifest(&name("library/a"), &reference("latest")).await.map(|_| ())
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_again() {
    let tokens = Upstream::start(|asked| gives_token(asked, &basic())).await;
    let realm = format!("{}/token", tokens.url());
    let upstream = Upstream::start(move |asked| wants_token(asked, &realm)).await;
    let here = here_as(UpstreamOptions { credentials: Some(login()), ..options(&upstream.url()) });
    pull(&here).await.unwrap();
    pull(&here).await.unwrap();
    assert_eq!(tokens.take().len(), 1);
    // The first question had no token, none after it lacked it.
    assert_eq!(upstream.asked().iter().filter(|asked| asked.header("authorization").is_empty()).count(), 1);
    assert!(upstream.asked().iter().all(|asked| !asked.header("authorization").starts_with("Basic")));
}

#[tokio::test]
async fn anyone_gets_a_token_from_anywhere() {
    let tokens = Upstream::start_at("127.0.0.2", |asked| gives_token(asked, "")).await;
    let realm = format!("{}/token", tokens.url());
    let upstream = Upstream::start(move |asked| wants_token(asked, &realm)).await;
    pull(&here(&upstream)).await.unwrap();
}

/// A9: a realm on another host is not shown the credentials, is not even asked, unless the operator names it.
#[tokio::test]
async fn a9_a_token_server_elsewhere_does_not_get_the_credentials() {
    let thief = Upstream::start_at("127.0.0.2", |asked| gives_token(asked, &basic())).await;
    let realm = format!("{}/token", thief.url());
    let upstream = Upstream::start(move |asked| wants_token(asked, &realm)).await;
    let careful = UpstreamOptions { credentials: Some(login()), ..options(&upstream.url()) };
    let error = pull(&here_as(careful.clone())).await.unwrap_err();
    assert_eq!(kind(&error), UpstreamErrorKind::Denied);
    assert!(error.to_string().contains("127.0.0.2") && error.to_string().contains("tokenservers"), "{error}");
    assert!(thief.asked().is_empty());

    let told = UpstreamOptions { token_servers: vec!["127.0.0.2".to_owned()], ..careful };
    pull(&here_as(told)).await.unwrap();
    assert_eq!(thief.asked().len(), 1);
}

/// A9: nor is a token server followed to where it redirects.
#[tokio::test]
async fn a9_a_token_server_that_redirects_is_not_followed() {
    let thief = Upstream::start_at("127.0.0.2", |_| with(200, &[], r#"{"token":"good"}"#)).await;
    let to = format!("{}/token", thief.url());
    let tokens = Upstream::start(move |_| with(307, &[("location", &to)], "")).await;
    let realm = format!("{}/token", tokens.url());
    let upstream = Upstream::start(move |asked| wants_token(asked, &realm)).await;
    let here = here_as(UpstreamOptions { credentials: Some(login()), ..options(&upstream.url()) });
    assert!(pull(&here).await.is_err());
    assert!(thief.asked().is_empty());
}

/// A10: who is redirected to by the upstream sees neither its token nor its password; and no error shows them.
#[tokio::test]
async fn a10_credentials_do_not_follow_a_redirect_to_another_host() {
    let content = Bytes::from_static(b"a layer");
    let served = content.clone();
    let storage = Upstream::start_at("127.0.0.2", move |asked| blob(asked, &served)).await;
    // Another port of the same host is another server too.
    let served = content.clone();
    let neighbour = Upstream::start(move |asked| blob(asked, &served)).await;
    for elsewhere in [&storage, &neighbour] {
        let to = format!("{}/signed?sig=secret", elsewhere.url());
        let upstream = Upstream::start(move |asked| {
            if asked.header("authorization") == basic() {
                with(307, &[("location", &to)], "")
            } else {
                with(401, &[("www-authenticate", "Basic realm=\"r\"")], "")
            }
        })
        .await;
        let here = here_as(UpstreamOptions { credentials: Some(login()), ..options(&upstream.url()) });
        let opened = here.cache.open_blob(&name("a"), &digest(&content), ByteRange::Full).await.unwrap();
        let got = apus_storage::body::collect(opened.stream, 100).await.unwrap();
        assert_eq!(got, content);
        assert_eq!(elsewhere.asked().len(), 1);
        assert_eq!(elsewhere.asked()[0].header("authorization"), "");
        assert!(!format!("{:?}", here.cache).contains(PASSWORD));

        elsewhere.now_plays(|_| status(403));
        let error = here.cache.open_blob(&name("a"), &digest(b"other"), ByteRange::Full).await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("secret") && !told.contains(PASSWORD), "{told}");
    }
}

/// A8: an upstream cannot send Apus to a cloud's secrets, by whatever name; the answer says what to do.
#[tokio::test]
async fn a8_a_redirect_to_a_link_local_address_is_not_followed() {
    for to in ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[fe80::1]", "0.0.0.0"] {
        let location = format!("http://{to}/latest/meta-data/");
        let upstream = Upstream::start(move |_| with(302, &[("location", &location)], "")).await;
        let here = here(&upstream);
        let error = here.cache.open_blob(&name("a"), &digest(b"x"), ByteRange::Full).await.unwrap_err();
        assert_eq!(kind(&error), UpstreamErrorKind::Wrong, "{to}: {error}");
        assert!(error.to_string().contains("allowednetworks"), "{error}");
    }
}

/// A8: nor by a second redirect, nor by that of a token server.
#[tokio::test]
async fn a8_every_step_is_judged() {
    let second =
        Upstream::start_at("127.0.0.2", |_| with(302, &[("location", "http://169.254.169.254/")], "")).await;
    let to = second.url();
    let first = Upstream::start(move |_| with(302, &[("location", &to)], "")).await;
    let error = here(&first).cache.open_blob(&name("a"), &digest(b"x"), ByteRange::Full).await.unwrap_err();
    assert_eq!(kind(&error), UpstreamErrorKind::Wrong, "{error}");
    assert_eq!(second.asked().len(), 1);

    let upstream = Upstream::start(|asked| wants_token(asked, "http://169.254.169.254/token")).await;
    assert_eq!(kind(&pull(&here(&upstream)).await.unwrap_err()), UpstreamErrorKind::Wrong);
}

#[tokio::test]
async fn redirects_without_end_end() {
    let upstream = Upstream::start(|asked| with(302, &[("location", &asked.path)], "")).await;
    let error =
        here(&upstream).cache.open_blob(&name("a"), &digest(b"x"), ByteRange::Full).await.unwrap_err();
    assert_eq!(kind(&error), UpstreamErrorKind::Wrong);
    assert_eq!(upstream.asked().len(), 6);
}
