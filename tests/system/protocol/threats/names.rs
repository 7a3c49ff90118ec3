//! Names and identifiers that lead elsewhere: out of the storage, into what is not theirs, to what storage keeps for itself.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use hyper::Method;

use crate::protocol::broken::Framing;
use crate::protocol::manifests::{OCI_IMAGE, image, put};
use crate::protocol::{Site, over_every_backend};
use crate::support::client::with_digest;
use crate::support::content::digest;
use crate::support::{Apus, Client};

/// What no repository, tag, upload or digest is called.
const BAD: [&str; 36] = [
    "..",
    "../..",
    "../../secret",
    "..%2f..%2fsecret",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fsecret",
    "%252e%252e%252fsecret",
    "%252f",
    "a%252fb",
    "a/../../../../secret",
    "a/%2e%2e/b",
    "a%2f%2e%2e%2fb",
    "..%5c..%5csecret",
    "a%5cb",
    "%5c",
    "a%00",
    "%00",
    "a%00/../secret",
    "%2fsecret",
    "%2fetc%2fpasswd",
    "a//secret",
    "./secret",
    "a/.",
    ".apus",
    ".apus/stages",
    "_layers",
    "_manifests",
    "_uploads",
    "a/_layers/b",
    "a/_manifests/tags",
    "a/_manifests/revisions/sha256",
    "library/_uploads",
    "%5flayers",
    "a%ff",
    "a%c0%ae%c0%ae%c0%afb",
    "a%0d%0aSet-Cookie:x",
];

/// Every request that can be made with such a name in a place of the path or of the query. Each says how it is refused;
/// without a code, by any 4xx.
fn attacks(bad: &str, upload: &str) -> Vec<(Method, String, Option<&'static str>)> {
    let good = digest(b"");
    let (name, state) = upload.split_once("?_state=").unwrap();
    let mut attacks = Vec::new();
    // As a repository. A path that is encoded wrongly, or is cut elsewhere, is none at all.
    for (method, rest) in [
        (Method::GET, "tags/list"),
        (Method::GET, "manifests/latest"),
        (Method::PUT, "manifests/latest"),
        (Method::DELETE, "manifests/latest"),
        (Method::GET, &format!("manifests/{good}")),
        (Method::GET, &format!("blobs/{good}")),
        (Method::DELETE, &format!("blobs/{good}")),
        (Method::GET, &format!("referrers/{good}")),
        (Method::POST, "blobs/uploads/"),
        (Method::POST, &format!("blobs/uploads/?digest={good}")),
        (Method::PATCH, &format!("blobs/uploads/x?_state={state}")),
    ] {
        attacks.push((method, format!("/v2/{bad}/{rest}"), None));
    }
    // As a tag, a digest, an upload.
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        attacks.push((method, format!("/v2/a/manifests/{bad}"), None));
    }
    for method in [Method::GET, Method::DELETE] {
        attacks.push((method, format!("/v2/a/blobs/sha256:{bad}"), None));
    }
    attacks.push((Method::GET, format!("/v2/a/referrers/{bad}"), None));
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        for path in [
            format!("/v2/a/blobs/uploads/{bad}?digest={good}"),
            format!("/v2/a/blobs/uploads/{bad}?_state={state}&digest={good}"),
            format!("{name}?_state={bad}&digest={good}"),
        ] {
            attacks.push((method.clone(), path, None));
        }
    }
    // As a parameter.
    attacks.extend([
        (Method::POST, format!("/v2/a/blobs/uploads/?mount={good}&from={bad}"), Some("NAME_INVALID")),
        (Method::POST, format!("/v2/a/blobs/uploads/?mount={bad}&from=b"), Some("DIGEST_INVALID")),
        (Method::POST, format!("/v2/a/blobs/uploads/?digest={bad}"), Some("DIGEST_INVALID")),
        (Method::POST, format!("/v2/a/blobs/uploads/?digest-algorithm={bad}"), Some("DIGEST_INVALID")),
        (Method::PUT, with_digest(upload, bad), Some("DIGEST_INVALID")),
        (Method::GET, format!("/v2/a/referrers/{good}?last={bad}"), Some("DIGEST_INVALID")),
        (Method::GET, format!("/v2/a/tags/list?n={bad}"), Some("PAGINATION_NUMBER_INVALID")),
    ]);
    attacks
}

/// What is sent along; nobody will ever find it in storage.
const CONTENT: &str = "attack";

async fn refuses(client: Client, upload: &str) {
    for bad in BAD {
        for (method, path, code) in attacks(bad, upload) {
            let answer = client.request(method.clone(), &path, &[("content-type", OCI_IMAGE)], CONTENT).await;
            assert!(answer.status.is_client_error(), "{method} {path}: {answer:?}");
            // What is no UTF-8 is no parameter, and then there is none.
            if let Some(code) = code.filter(|_| !bad.contains("%ff") && !bad.contains("%c0")) {
                assert_eq!(answer.code(), code, "{method} {path}: {answer:?}");
            }
        }
    }
}

/// A name that leads elsewhere is refused wherever one may stand; nothing is written, and nothing is served.
async fn a16_a_name_that_leads_elsewhere_is_refused(site: &Site) {
    let client = site.client();
    let manifest = image(OCI_IMAGE, &client.push("a", "layer").await);
    put(client, "/v2/a/manifests/latest", OCI_IMAGE, &manifest).await.expect(201);
    let upload = site.begin("a").await;
    let before = site.holds().await;
    refuses(client, &upload).await;
    site.holds_again(before.as_ref()).await;
    client.put(&with_digest(&upload, &digest(b"")), "").await.expect(201);
}

/// The same with bytes as they are, which no client library sends.
async fn a16_a_raw_name_that_leads_elsewhere_is_refused(site: &Site) {
    let before = site.holds().await;
    for bad in ["..", "..\\..", "a\\b", "a\0", "\0", "/secret", "//", "a/../../secret", ".//./", "\u{7f}"] {
        for (method, path) in [
            ("GET", format!("/v2/{bad}/tags/list")),
            ("PUT", format!("/v2/a/manifests/{bad}")),
            ("POST", format!("/v2/{bad}/blobs/uploads/?digest={}", digest(b""))),
            ("GET", format!("/v2/{bad}")),
            ("GET", format!("/{bad}")),
        ] {
            let answer = site.send_part_and_stop(&format!("{method} {path}"), Framing::Length(0), b"");
            assert!(answer.status.is_client_error(), "{method} {path:?}: {answer:?}");
            site.keeps_to_itself(&answer);
        }
    }
    site.holds_again(before.as_ref()).await;
}

/// Where a list begins is only a text to compare with: one that leads elsewhere lists nothing from there.
async fn a16_a_list_begins_nowhere_else(site: &Site) {
    let client = site.client();
    for repository in ["a", "b"] {
        let manifest = image(OCI_IMAGE, &client.push(repository, "layer").await);
        put(client, &format!("/v2/{repository}/manifests/of-{repository}"), OCI_IMAGE, &manifest)
            .await
            .expect(201);
    }
    for bad in BAD {
        for (list, own) in [("a/tags/list", "of-a"), ("_catalog", "b")] {
            let answer = client.get(&format!("/v2/{list}?last={bad}")).await;
            site.keeps_to_itself(&answer);
            if answer.status == 200 {
                let listed: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                let listed = listed.get("tags").or(listed.get("repositories")).unwrap();
                let known = ["a", own];
                assert!(
                    listed.as_array().unwrap().iter().all(|name| known.contains(&name.as_str().unwrap())),
                    "{bad}: {listed}"
                );
            } else {
                assert!(answer.status.is_client_error(), "{bad}: {answer:?}");
            }
        }
    }
}

/// Names of repositories that read like places of the protocol are names like any other, and nothing of theirs is anybody
/// else's.
async fn a16_names_that_read_like_places_stay_apart(site: &Site) {
    let client = site.client();
    let names = [
        "a",
        "blobs",
        "blobs/uploads",
        "a/blobs",
        "a/blobs/uploads",
        "a/blobs/uploads/b",
        "a/manifests",
        "a/manifests/latest",
        "a/tags",
        "a/tags/list",
        "a/referrers",
        "v2",
        "v2/a",
        "link",
        "a/link",
        "data",
        "a/current/link",
        "tags/list",
        "a/sha256",
        "a/revisions/sha256",
    ];
    for name in names {
        let content = Bytes::from(format!("content of {name}"));
        let blob = client.push(name, content).await;
        let manifest = image(OCI_IMAGE, &blob);
        put(client, &format!("/v2/{name}/manifests/latest"), OCI_IMAGE, &manifest).await.expect(201);
    }
    for name in names {
        let tags = client.get(&format!("/v2/{name}/tags/list")).await.expect(200);
        let tags: serde_json::Value = serde_json::from_slice(&tags.body).unwrap();
        assert_eq!(tags, serde_json::json!({ "name": name, "tags": ["latest"] }));
        for other in names {
            let blob = digest(format!("content of {other}").as_bytes());
            let there = client.head(&format!("/v2/{name}/blobs/{blob}")).await;
            assert_eq!(there.status == 200, name == other, "{name} has what is in {other}");
        }
    }
    let catalog = client.get("/v2/_catalog").await.expect(200);
    let catalog: serde_json::Value = serde_json::from_slice(&catalog.body).unwrap();
    let mut names = names.to_vec();
    names.sort_unstable();
    assert_eq!(catalog["repositories"], serde_json::json!(names));
}

over_every_backend!(
    a16_a_name_that_leads_elsewhere_is_refused,
    a16_a_raw_name_that_leads_elsewhere_is_refused,
    a16_a_list_begins_nowhere_else,
    a16_names_that_read_like_places_stay_apart,
);

/// In directories, where such names have done harm: what lies beside the storage is neither shown nor touched, nor is there
/// anything new beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a16_nothing_beside_the_directory_is_read_or_written() {
    const SECRET: &str = "nobody is to read this";
    let around = tempfile::tempdir().unwrap();
    let root = around.path().join("storage/of/apus");
    std::fs::create_dir_all(&root).unwrap();
    for place in ["secret", "storage/secret", "storage/link", "storage/of/data", "storage/of/secret"] {
        std::fs::write(around.path().join(place), SECRET).unwrap();
    }
    let storage = format!("  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}", root.display());
    let apus = Apus::start(&storage);
    let client = apus.client();
    client.push("a", "layer").await;
    let upload = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
    let before = tree(around.path());
    refuses(client, &upload).await;
    for up in 1..12 {
        for place in ["secret", "link", "data"] {
            let out = format!("{}{place}", "../".repeat(up));
            for path in [
                format!("/v2/{out}"),
                format!("/v2/a/blobs/{out}"),
                format!("/v2/a/manifests/{out}"),
                format!("/v2/a/blobs/sha256:{}", out.replace('/', "%2f")),
                format!("/{out}"),
            ] {
                let answer = client.get(&path).await;
                assert!(answer.status.is_client_error(), "{path}: {answer:?}");
                assert!(!String::from_utf8_lossy(&answer.body).contains(SECRET), "{path}");
            }
        }
    }
    assert_eq!(tree(around.path()), before);
}

/// Every file below a directory, with its content.
fn tree(directory: &Path) -> BTreeMap<String, Bytes> {
    let paths = crate::protocol::files(directory);
    let read = |path: &str| std::fs::read(directory.join(path)).unwrap();
    paths.into_iter().map(|path| (path.clone(), read(&path).into())).collect()
}
