//! The store as a test holds it: its log, its comings and goings.

use std::time::Duration;

use apus_fake_swift::{FakeSwift, Interface, Options, RequestKind};
use http::Method;
use tokio::io::AsyncReadExt;

use crate::client::{Client, bench, split};

#[tokio::test]
async fn the_log_is_a_budget() {
    let bench = bench().await;
    let client = Client::signed_in(&bench.fake).await;
    client.ask(Method::GET, "/info", &[], "").await;
    client.put("dir/d%C3%A9", "hello").await;
    client.list("prefix=dir/").await;
    client.delete("dir/none").await;
    let mut stranger = client.clone();
    stranger.token = None;
    stranger.ask(Method::HEAD, &client.account, &[], "").await;

    assert_eq!(bench.fake.count(|request| request.kind.is_storage()), 4);
    let log = bench.fake.take_requests();
    let seen: Vec<_> = log
        .iter()
        .map(|request| {
            let path = request.path.replace(&client.account, "");
            (request.kind, request.method.clone(), path, request.status.unwrap().as_u16())
        })
        .collect();
    let expected = [
        (RequestKind::SignIn, Method::GET, "/auth/v1.0", 200),
        (RequestKind::Info, Method::GET, "/info", 200),
        (RequestKind::Object, Method::PUT, "/box/dir/dé", 201),
        (RequestKind::Container, Method::GET, "/box", 200),
        (RequestKind::Object, Method::DELETE, "/box/dir/none", 404),
        (RequestKind::Account, Method::HEAD, "", 401),
    ];
    assert_eq!(seen, expected.map(|(kind, method, path, status)| (kind, method, path.to_owned(), status)));
    assert_eq!(log[2].body_bytes, 5);
    assert_eq!(log[3].query, "format=json&prefix=dir/");
    assert!(log[2].authenticated && !log[5].authenticated);
    assert_eq!(log[2].interface, Interface::Public);
    assert!(bench.fake.requests().is_empty());

    let text = format!("{log:?}");
    assert!(!text.contains("testing") && !text.contains(client.token.as_deref().unwrap()), "no secrets");
    assert_eq!(log[0].headers["x-auth-key"], "testing", "but they can be asked for");
}

#[tokio::test]
async fn each_interface_has_its_port() {
    let bench = bench().await;
    let mut client = bench.client.clone();
    (client.address, _) = split(&bench.fake.storage_url(Interface::Internal));
    assert_eq!(client.put("o", "data").await.status, 201);
    assert_eq!(bench.fake.requests()[0].interface, Interface::Internal);
    assert_eq!(bench.client.get("o").await.text(), "data");
}

#[tokio::test]
async fn it_goes_away_and_comes_back_with_its_data() {
    let mut bench = bench().await;
    bench.client.put("o", "data").await;
    for _ in 0..3 {
        let mut open = bench.client.begin_put("p", "Content-Length: 10\r\n", b"half").await;
        bench.fake.go_away().await.unwrap();
        bench.fake.go_away().await.unwrap();
        let mut buffer = [0];
        let read = open.read(&mut buffer).await;
        assert!(matches!(read, Ok(0) | Err(_)), "open connections are closed");
        assert!(bench.client.try_ask(Method::GET, &bench.client.path("o"), &[], "").await.is_err());
        bench.fake.come_back().await.unwrap();
        bench.fake.come_back().await.unwrap();
        assert_eq!(bench.client.get("o").await.text(), "data", "the token is good still");
    }
    assert_eq!(bench.fake.object_names("box"), ["o"]);
}

#[tokio::test]
async fn it_ends_when_dropped_or_stopped() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let client = Client::stranger(&fake);
    fake.stop().await.unwrap();
    assert!(client.try_ask(Method::GET, "/info", &[], "").await.is_err());

    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let client = Client::stranger(&fake);
    assert_eq!(client.ask(Method::GET, "/info", &[], "").await.status, 200);
    drop(fake);
    let mut left = 100;
    while client.try_ask(Method::GET, "/info", &[], "").await.is_ok() {
        assert!(left > 0, "still there");
        left -= 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn stores_are_apart_from_each_other() {
    let (one, other) = (bench().await, bench().await);
    one.client.put("o", "data").await;
    assert!(other.fake.object_names("box").is_empty());
    let mut client = one.client.clone();
    client.token.clone_from(&other.client.token);
    assert_eq!(client.get("o").await.status, 401);
}
