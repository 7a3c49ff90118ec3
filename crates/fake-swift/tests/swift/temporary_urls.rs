//! Temporary URLs.

use std::time::{SystemTime, UNIX_EPOCH};

use apus_fake_swift::{Dialect, Digest, Feature, Options};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::json;
use sha2::{Sha256, Sha512};

use crate::client::{Bench, Reply, bench, bench_with};

fn in_ten_minutes() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600
}

fn message(bench: &Bench, method: &str, object: &str, expires: u64) -> Vec<u8> {
    format!("{method}\n{expires}\n{}/{object}", bench.client.account).into_bytes()
}

fn sha256(key: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn sha512(key: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// The query of a URL to `container/object`, decoded, for a method and ten minutes.
fn signed(bench: &Bench, method: &str, object: &str, key: &str) -> String {
    let expires = in_ten_minutes();
    let signature = HEXLOWER.encode(&sha256(key, &message(bench, method, object, expires)));
    format!("temp_url_sig={signature}&temp_url_expires={expires}")
}

/// Asks without a token.
async fn ask(bench: &Bench, method: Method, object: &str, query: &str, headers: &[(&str, &str)]) -> Reply {
    let mut stranger = bench.client.clone();
    stranger.token = None;
    let path = format!("{}/{object}?{query}", stranger.account);
    let body = if method == Method::PUT { "new" } else { "" };
    stranger.ask(method, &path, headers, body).await
}

async fn get(bench: &Bench, object: &str, query: &str) -> Reply {
    ask(bench, Method::GET, object, query, &[]).await
}

/// A store whose account has the key `all`, whose container has the keys `one` and `two`.
async fn keyed(options: Options) -> Bench {
    let bench = bench_with(options).await;
    let client = &bench.client;
    let headers = [("x-container-meta-temp-url-key", "one"), ("x-container-meta-temp-url-key-2", "two")];
    assert_eq!(client.ask(Method::POST, &format!("{}/box", client.account), &headers, "").await.status, 204);
    let headers = [("x-account-meta-temp-url-key", "all")];
    assert_eq!(client.ask(Method::POST, &client.account, &headers, "").await.status, 204);
    client.put_with("dir/o", &[("x-object-meta-mine", "1"), ("x-object-meta-public-all", "2")], "data").await;
    bench
}

#[tokio::test]
async fn a_url_is_good_for_its_object_and_its_method() {
    let bench = keyed(Options::default()).await;
    for key in ["one", "two", "all"] {
        let reply = get(&bench, "box/dir/o", &signed(&bench, "GET", "box/dir/o", key)).await;
        assert_eq!((reply.status, reply.text()), (200, "data"), "{key}");
        assert_eq!(reply.header("content-disposition"), "attachment; filename=\"o\"; filename*=UTF-8''o");
        assert!(reply.headers.contains_key("expires"));
        assert_eq!((reply.header("x-object-meta-mine"), reply.header("x-object-meta-public-all")), ("", "2"));
    }
    let query = signed(&bench, "GET", "box/dir/o", "one");
    for refused in [
        get(&bench, "box/dir/p", &query).await,
        get(&bench, "box/dir", &query).await,
        get(&bench, "box", &query).await,
        ask(&bench, Method::PUT, "box/dir/o", &query, &[]).await,
        get(&bench, "box/dir/o", &signed(&bench, "GET", "box/dir/o", "guess")).await,
        get(&bench, "box/dir/o", &query.replace("temp_url_sig=", "temp_url_sig=00")).await,
        get(&bench, "box/dir/o", query.split_once('&').unwrap().0).await,
        get(&bench, "box/dir/o", query.split_once('&').unwrap().1).await,
    ] {
        assert_eq!((refused.status, refused.text()), (401, "401 Unauthorized: Temp URL invalid\n"));
        assert_eq!(refused.header("www-authenticate"), "Swift realm=\"unknown\"");
    }
    let path = format!("{}?{query}0", bench.client.path("dir/o"));
    assert_eq!(bench.client.ask(Method::GET, &path, &[], "").await.status, 401, "a token is no help");
}

#[tokio::test]
async fn who_may_read_or_write_may_look() {
    let bench = keyed(Options::default()).await;
    for (method, status) in [("HEAD", 200), ("GET", 200), ("PUT", 200), ("POST", 200), ("DELETE", 401)] {
        let query = signed(&bench, method, "box/dir/o", "one");
        let reply = ask(&bench, Method::HEAD, "box/dir/o", &query, &[]).await;
        assert_eq!(reply.status, status, "{method}");
    }
}

#[tokio::test]
async fn a_url_may_be_for_writing() {
    let bench = keyed(Options::default()).await;
    let query = signed(&bench, "PUT", "box/p", "one");
    let ask = async |method, headers: &[(&str, &str)], query: &str| {
        ask(&bench, method, "box/p", query, headers).await
    };
    assert_eq!(ask(Method::PUT, &[], &format!("{query}&multipart-manifest=put")).await.status, 201);
    assert_eq!(bench.client.get("p").await.text(), "new", "nothing else in the query is heard");
    assert_eq!(ask(Method::PUT, &[("if-none-match", "*")], &query).await.status, 412);
    let reply = ask(Method::PUT, &[("x-object-manifest", "box/dir")], &query).await;
    assert_eq!(
        (reply.status, reply.text()),
        (400, "The header 'X-Object-Manifest' is not allowed in this tempurl")
    );
    let query = signed(&bench, "POST", "box/p", "one");
    assert_eq!(ask(Method::POST, &[("x-object-meta-a", "1")], &query).await.status, 202);
    let query = signed(&bench, "DELETE", "box/p", "one");
    assert_eq!(ask(Method::DELETE, &[], &query).await.status, 204);
    assert_eq!(ask(Method::DELETE, &[], &query).await.status, 404);
}

#[tokio::test]
async fn signatures_and_ends_have_several_forms() {
    let bench = keyed(Options::default()).await;
    let expires = in_ten_minutes();
    let signature = sha512("one", &message(&bench, "GET", "box/dir/o", expires));
    let base64 = BASE64.encode(&signature).replace('+', "%2B").replace('/', "%2F");
    let forms = [
        HEXLOWER.encode(&signature),
        format!("sha512:{base64}"),
        format!("sha512:{}", BASE64URL_NOPAD.encode(&signature)),
    ];
    let date = jiff::Timestamp::from_second(expires.try_into().unwrap())
        .unwrap()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    for form in forms {
        for end in [expires.to_string(), date.clone()] {
            let query = format!("temp_url_sig={form}&temp_url_expires={end}");
            assert_eq!(get(&bench, "box/dir/o", &query).await.status, 200, "{query}");
        }
    }
    for past in [0, in_ten_minutes() - 1200] {
        let signature = HEXLOWER.encode(&sha256("one", &message(&bench, "GET", "box/dir/o", past)));
        let query = format!("temp_url_sig={signature}&temp_url_expires={past}");
        assert_eq!(get(&bench, "box/dir/o", &query).await.status, 401, "{query}");
    }
}

/// A key of a container opens that container only, and so not what a large object has elsewhere.
#[tokio::test]
async fn a_large_object_is_read_where_the_key_is_good() {
    let bench = keyed(Options::default()).await;
    bench.fake.put_object("elsewhere", "s", "far");
    let manifest = |path: &str| json!([{ "path": path }]);
    bench.client.put_manifest("near", manifest("/box/dir/o")).await;
    bench.client.put_manifest("far", manifest("/elsewhere/s")).await;
    bench.client.put_with("dynamic", &[("x-object-manifest", "elsewhere/s")], "").await;
    let status =
        async |object: &str, key: &str| get(&bench, object, &signed(&bench, "GET", object, key)).await.status;
    assert_eq!((status("box/near", "one").await, status("box/near", "all").await), (200, 200));
    assert_eq!((status("box/far", "one").await, status("box/far", "all").await), (409, 200));
    assert_eq!((status("box/dynamic", "one").await, status("box/dynamic", "all").await), (401, 200));
    assert_eq!((status("elsewhere/s", "one").await, status("elsewhere/s", "all").await), (401, 200));
    let range = [("range", "bytes=1-2")];
    let query = signed(&bench, "GET", "box/near", "one");
    let reply = ask(&bench, Method::GET, "box/near", &query, &range).await;
    assert_eq!((reply.status, reply.text()), (206, "at"));
}

#[tokio::test]
async fn a_store_says_what_it_takes() {
    let bench = bench().await;
    let info = bench.client.ask(Method::GET, "/info", &[], "").await.json();
    assert_eq!(info["tempurl"]["methods"], json!(["GET", "HEAD", "PUT", "POST", "DELETE"]));
    assert_eq!(info["tempurl"]["allowed_digests"], json!(["sha1", "sha256", "sha512"]));
    assert_eq!(info["tempurl"]["deprecated_digests"], json!(["sha1"]));

    let options = Options {
        tempurl_methods: vec![Method::HEAD],
        tempurl_digests: vec![Digest::Sha512],
        ..Options::default()
    };
    let bench = keyed(options).await;
    let info = bench.client.ask(Method::GET, "/info", &[], "").await.json();
    assert_eq!(info["tempurl"]["allowed_digests"], json!(["sha512"]));
    assert_eq!(info["tempurl"].get("deprecated_digests"), None);
    let expires = in_ten_minutes();
    let signature = HEXLOWER.encode(&sha512("one", &message(&bench, "GET", "box/dir/o", expires)));
    let query = format!("temp_url_sig={signature}&temp_url_expires={expires}");
    assert_eq!(ask(&bench, Method::HEAD, "box/dir/o", &query, &[]).await.status, 200);
    assert_eq!(get(&bench, "box/dir/o", &query).await.status, 401, "not that method");
    let query = signed(&bench, "HEAD", "box/dir/o", "one");
    assert_eq!(ask(&bench, Method::HEAD, "box/dir/o", &query, &[]).await.status, 401, "not that digest");
}

#[tokio::test]
async fn a_store_may_be_without() {
    let bench = keyed(Options { without: vec![Feature::TemporaryUrls], ..Options::default() }).await;
    let info = bench.client.ask(Method::GET, "/info", &[], "").await.json();
    assert_eq!(info.get("tempurl"), None);
    let query = signed(&bench, "GET", "box/dir/o", "one");
    let refused = get(&bench, "box/dir/o", &query).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").contains(bench.client.account.trim_start_matches("/v1/")));
    let path = format!("{}?{query}", bench.client.path("dir/o"));
    assert_eq!(bench.client.ask(Method::GET, &path, &[], "").await.text(), "data", "a token is what counts");
}

/// Ceph's gateway has keys for the account only, and takes a path without the part before its version as well.
#[tokio::test]
async fn a_gateway_of_ceph_has_rules_of_its_own() {
    for account_in_url in [true, false] {
        let dialect = Dialect::Ceph { account_in_url };
        let mut bench = keyed(Options { dialect, ..Options::default() }).await;
        let long = signed(&bench, "GET", "box/dir/o", "all");
        let account = bench.client.account.clone();
        bench.client.account = account.trim_start_matches("/swift").to_owned();
        let short = signed(&bench, "GET", "box/dir/o", "all");
        bench.client.account = account;
        for query in [long, short] {
            let reply = get(&bench, "box/dir/o", &query).await;
            assert_eq!((reply.status, reply.text()), (200, "data"));
            assert_eq!(reply.header("content-disposition"), "attachment; filename=\"dir%2Fo\"");
            assert_eq!((reply.header("x-object-meta-mine"), reply.header("expires")), ("1", ""));
            assert_eq!(ask(&bench, Method::HEAD, "box/dir/o", &query, &[]).await.status, 200);
        }
        let query = signed(&bench, "POST", "box/dir/o", "all");
        assert_eq!(ask(&bench, Method::HEAD, "box/dir/o", &query, &[]).await.status, 403);
        let refused = get(&bench, "box/dir/o", &signed(&bench, "GET", "box/dir/o", "one")).await;
        assert_eq!((refused.status, refused.text()), (403, "AccessDenied"));
        let signature = HEXLOWER.encode(&sha256("all", &message(&bench, "GET", "box/dir/o", 1)));
        let query = format!("temp_url_sig={signature}&temp_url_expires=1");
        assert_eq!(get(&bench, "box/dir/o", &query).await.status, 401, "too old");
    }
}
