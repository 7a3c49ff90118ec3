//! Listings that are behind, and copies that disagree.

use std::time::Duration;

use apus_fake_swift::{Options, Replica};
use http::Method;
use serde_json::json;

use crate::client::{Bench, Client, Reply, bench, bench_with};

/// Longer than any test runs.
const LONG: Duration = Duration::from_hours(1);

async fn account(client: &Client, method: Method) -> Reply {
    client.ask(method, &format!("{}?format=json", client.account), &[], "").await
}

async fn head_container(client: &Client) -> Reply {
    client.ask(Method::HEAD, &format!("{}/box", client.account), &[], "").await
}

/// Deletes every object of these names in one request.
async fn bulk_delete(bench: &Bench, names: &[&str]) {
    let lines: String = names.iter().flat_map(|name| ["/box/", name, "\n"]).collect();
    let path = format!("{}?bulk-delete", bench.client.account);
    let reply = bench.client.ask(Method::POST, &path, &[("accept", "application/json")], lines).await;
    assert_eq!(reply.json()["Number Deleted"], names.len(), "each is there, whatever the listing says");
}

#[tokio::test]
async fn listings_lag_and_objects_do_not() {
    let bench = bench_with(Options { listing_lag: LONG, ..Options::default() }).await;
    let client = &bench.client;
    for name in ["a", "b"] {
        assert_eq!(client.put(name, "data").await.status, 201);
    }
    assert_eq!(
        client.put_large("large", &["a", "b"]).await.status,
        201,
        "segments are looked at, not listed"
    );
    assert_eq!(client.get("large").await.text(), "datadata");
    assert_eq!((client.head("a").await.status, client.names("").await.len()), (200, 0));
    let text = client.ask(Method::GET, &format!("{}/box", client.account), &[], "").await;
    assert_eq!((text.status, text.text()), (204, ""));
    let head = head_container(client).await;
    assert_eq!((head.status, head.header("x-container-object-count")), (204, "0"));
    assert_eq!(head.header("x-container-bytes-used"), "0");
    assert_eq!(account(client, Method::HEAD).await.header("x-account-object-count"), "0");
    client.ask(Method::PUT, &format!("{}/more", client.account), &[], "").await;
    let listed = account(client, Method::GET).await.json();
    assert_eq!((&listed[0]["name"], &listed[0]["count"], listed.get(1)), (&json!("box"), &json!(0), None));
    assert_eq!(bench.fake.object_names("box"), ["a", "b", "large"]);
    bulk_delete(&bench, &["a", "b"]).await;
}

#[tokio::test]
async fn a_listing_catches_up() {
    let bench = bench_with(Options { listing_lag: Duration::from_millis(400), ..Options::default() }).await;
    let listed = async |expected: &[&str]| {
        for _ in 0..500 {
            if bench.client.names("").await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the listing never showed {expected:?}");
    };
    bench.client.put("a", "data").await;
    listed(&["a"]).await;
    assert_eq!(head_container(&bench.client).await.header("x-container-object-count"), "1");
    bench.client.delete("a").await;
    listed(&[]).await;
}

#[tokio::test]
async fn a_frozen_listing_shows_what_was() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("changed", "old").await;
    client.put("deleted", "data").await;
    client.put("purged", "data").await;
    client.put("segment", "data").await;
    client.put_large("large", &["segment"]).await;
    let before = client.list("").await.json();
    bench.fake.freeze_listings();
    client.put("changed", "newer").await;
    client.put("new", "data").await;
    client.delete("deleted").await;
    bulk_delete(&bench, &["purged"]).await;
    client.delete("large?multipart-manifest=delete").await;
    client.ask(Method::PUT, &format!("{}/more", client.account), &[], "").await;
    assert_eq!(client.list("").await.json(), before);
    assert_eq!(client.names("prefix=d").await, ["deleted"]);
    assert_eq!((client.get("deleted").await.status, client.get("new").await.text()), (404, "data"));
    assert_eq!(head_container(client).await.header("x-container-object-count"), "5");
    let listed = account(client, Method::GET).await.json();
    assert_eq!((&listed[0]["name"], &listed[0]["count"], listed.get(1)), (&json!("box"), &json!(5), None));

    bench.fake.thaw_listings();
    assert_eq!(client.names("").await, ["changed", "new"]);
    assert_eq!(client.list("prefix=changed").await.json()[0]["bytes"], 5);
    assert_eq!(head_container(client).await.header("x-container-object-count"), "2");
    assert_eq!(account(client, Method::GET).await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_dynamic_large_object_is_what_the_listing_shows() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("s/1", "one").await;
    bench.fake.freeze_listings();
    client.put("s/2", "two").await;
    client.put_with("o", &[("x-object-manifest", "box/s/")], "").await;
    assert_eq!((client.get("o").await.text(), client.head("o").await.header("content-length")), ("one", "3"));
    client.delete("s/1").await;
    assert_eq!(client.get("o").await.status, 409, "listed, but gone");
    bench.fake.thaw_listings();
    assert_eq!(client.get("o").await.text(), "two");
}

#[tokio::test]
async fn a_container_is_empty_when_its_listing_is() {
    let bench = bench().await;
    let client = &bench.client;
    let path = format!("{}/box", client.account);
    client.put("a", "data").await;
    bench.fake.freeze_listings();
    client.delete("a").await;
    assert_eq!(client.ask(Method::DELETE, &path, &[], "").await.status, 409);
    bench.fake.thaw_listings();
    assert_eq!(client.ask(Method::DELETE, &path, &[], "").await.status, 204);
    assert_eq!(account(client, Method::GET).await.text(), "[]");
}

#[tokio::test]
async fn two_copies_of_a_listing_take_turns() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("a", "data").await;
    bench.fake.split_listings(&[Replica::Fresh, Replica::Stale, Replica::Stale]);
    client.delete("a").await;
    client.put("b", "data").await;
    for expected in ["b", "a", "a", "b", "a"] {
        assert_eq!(client.names("").await, [expected]);
    }
    bench.fake.join_listings();
    assert_eq!(
        (client.names("").await, client.names("").await),
        (vec!["b".to_owned()], vec!["b".to_owned()])
    );
}

#[tokio::test]
async fn reads_lag_unless_the_truth_is_asked_for() {
    let bench = bench_with(Options { read_lag: LONG, ..Options::default() }).await;
    let client = &bench.client;
    assert_eq!(client.put("a", "data").await.status, 201);
    assert_eq!((client.get("a").await.status, client.head("a").await.status), (404, 404));
    assert_eq!(client.get_with("a", &[("x-newest", "true")]).await.text(), "data");
    assert_eq!(client.get_with("a", &[("x-newest", "false")]).await.status, 404);
    assert_eq!(client.names("").await, ["a"]);
    assert_eq!(client.put_with("a", &[("if-none-match", "*")], "more").await.status, 412);
    assert_eq!(client.put_large("large", &["a"]).await.status, 201);
    assert_eq!(client.get_with("large", &[("x-newest", "True")]).await.text(), "data");
    assert_eq!((client.post("a", &[]).await.status, client.delete("a").await.status), (202, 204));
}

#[tokio::test]
async fn two_copies_of_an_object_take_turns() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("changed", "old").await;
    client.put("deleted", "data").await;
    bench.fake.split_reads(&[Replica::Stale, Replica::Fresh]);
    client.put("changed", "newer").await;
    client.delete("deleted").await;
    client.put("new", "data").await;
    let lengths = [client.head("changed").await, client.head("changed").await];
    assert_eq!(lengths.each_ref().map(|reply| reply.header("content-length")), ["3", "5"]);
    assert_eq!(client.get_with("changed", &[("x-newest", "true")]).await.text(), "newer");
    assert_eq!([client.get("deleted").await.status, client.get("deleted").await.status], [200, 404]);
    assert_eq!([client.get("new").await.status, client.get("new").await.status], [404, 200]);
    assert_eq!([client.get("changed").await.text(), client.get("changed").await.text()], ["old", "newer"]);
    bench.fake.join_reads();
    assert_eq!([client.get("new").await.status, client.get("new").await.status], [200, 200]);
}

#[tokio::test]
async fn a_ghost_is_listed_and_not_there() {
    let bench = bench().await;
    let client = &bench.client;
    client.put("dead", "data").await;
    bench.fake.add_ghost("box", "dead");
    bench.fake.add_ghost("box", "never");
    assert_eq!(client.names("").await, ["dead", "never"]);
    assert_eq!(client.list("prefix=dead").await.json()[0]["bytes"], 4);
    for name in ["dead", "never"] {
        assert_eq!((client.get(name).await.status, client.head(name).await.status), (404, 404));
    }
    assert!(bench.fake.object_names("box").is_empty());
    assert_eq!(client.delete("dead").await.status, 404);
    assert_eq!(client.names("").await, ["never"], "the delete was told to the listing");
    client.put("never", "data").await;
    assert_eq!((client.names("").await.len(), client.get("never").await.text()), (1, "data"));
}
