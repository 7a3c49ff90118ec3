//! Bulk deletes.

use apus_fake_swift::{Action, Fault, Options};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Bench, bench, bench_with};

async fn delete(bench: &Bench, method: Method, lines: &str) -> Value {
    let headers = [("content-type", "text/plain"), ("accept", "application/json")];
    let path = format!("{}?bulk-delete", bench.client.account);
    let reply = bench.client.ask(method, &path, &headers, lines.to_owned()).await;
    assert_eq!(reply.status, 200);
    reply.json()
}

#[tokio::test]
async fn it_tells_what_came_of_each() {
    let bench = bench().await;
    for name in ["a b", "é", "c", "d"] {
        bench.fake.put_object("box", name, "");
    }
    let done = delete(&bench, Method::POST, "/box/a%20b\n/box/%C3%A9\n\nbox/c\n/box/none\n").await;
    let expected = json!({
        "Response Status": "200 OK",
        "Response Body": "",
        "Number Deleted": 3,
        "Number Not Found": 1,
        "Errors": [],
    });
    assert_eq!(done, expected);
    assert_eq!(delete(&bench, Method::DELETE, "/box/d\n/box").await["Number Deleted"], 2, "container last");
    assert!(bench.fake.object_names("box").is_empty());
}

#[tokio::test]
async fn it_tells_what_could_not_be_deleted() {
    let bench = bench().await;
    bench.fake.put_object("box", "o", "");
    let done = delete(&bench, Method::POST, "/box\n/box/%ff").await;
    assert_eq!(done["Response Status"], "400 Bad Request");
    assert_eq!(done["Errors"], json!([["/box/%FF", "412 Precondition Failed"], ["/box", "409 Conflict"]]));
    let nothing = delete(&bench, Method::POST, "").await;
    assert_eq!(nothing["Response Status"], "400 Bad Request");
    assert_eq!(nothing["Response Body"], "Invalid bulk delete.");
}

#[tokio::test]
async fn it_has_a_longest_length() {
    let bench = bench_with(Options { max_deletes_per_request: 2, ..Options::default() }).await;
    bench.fake.put_object("box", "o", "");
    let refused = delete(&bench, Method::POST, "/box/o\n/box/p\n/box/q").await;
    assert_eq!(refused["Response Status"], "413 Request Entity Too Large");
    assert_eq!(refused["Response Body"], "Maximum Bulk Deletes: 2 per request");
    assert_eq!(bench.fake.object_names("box"), ["o"]);
    assert_eq!(delete(&bench, Method::POST, "/box/o\n/box/p\n").await["Response Status"], "200 OK");
}

#[tokio::test]
async fn one_of_its_deletes_may_fail() {
    let bench = bench().await;
    for name in ["a", "b", "c"] {
        bench.fake.put_object("box", name, "");
    }
    bench.fake.fault(Fault {
        method: Some(Method::DELETE),
        path_contains: "/box/b".into(),
        ..Fault::once(Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new()))
    });
    let done = delete(&bench, Method::POST, "/box/a\n/box/b\n/box/c").await;
    assert_eq!(done["Response Status"], "502 Bad Gateway");
    assert_eq!(done["Number Deleted"], 2);
    assert_eq!(done["Errors"], json!([["/box/b", "503 Service Unavailable"]]));
    assert_eq!(bench.fake.object_names("box"), ["b"]);
}
