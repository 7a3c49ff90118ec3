//! The ways in which a blob goes out (OCI distribution specification, "Pulling blobs"; RFC 9110 for ranges and conditions).

use bytes::Bytes;
use hyper::Method;

use super::{Site, over_every_backend};
use crate::support::content::{digest, random};
use crate::support::{Answer, Client};

/// The headers by which `HEAD` may differ from `GET`: when, and under which identifier.
const OF_ONE_ANSWER: [&str; 2] = ["date", "x-request-id"];

/// HEAD answers what GET does, but for the content.
pub(super) async fn head_is_get_without_content(
    client: Client,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let get = client.request(Method::GET, path, headers, "").await;
    let head = client.request(Method::HEAD, path, headers, "").await;
    assert_eq!(head.status, get.status, "{path}");
    assert!(head.body.is_empty());
    let (mut of_head, mut of_get) = (head.headers, get.headers.clone());
    for header in OF_ONE_ANSWER {
        of_head.remove(header);
        of_get.remove(header);
    }
    assert_eq!(of_head, of_get, "{path}");
    get
}

/// One blob that storage holds in one piece, one that it may hold in several.
async fn two_blobs(site: &Site) -> [(Bytes, String); 2] {
    let client = site.client();
    let small = random(1000);
    client.push("a", small.clone()).await;
    let chunks = [random(1_500_000), random(1_200_000), random(300_000)];
    let mut location = site.begin("a").await;
    for chunk in &chunks {
        location = client.patch(&location, chunk.clone()).await.expect(202).location();
    }
    let large = Bytes::from(chunks.concat());
    client.put(&crate::support::client::with_digest(&location, &digest(&large)), "").await.expect(201);
    [small, large].map(|content| (content.clone(), format!("/v2/a/blobs/{}", digest(&content))))
}

/// A blob comes whole, with its length, its digest, and what lets a cache keep it; HEAD says the same.
async fn a_blob_comes_whole(site: &Site) {
    for (content, path) in two_blobs(site).await {
        let get = head_is_get_without_content(site.client(), &path, &[]).await.expect(200);
        assert!(get.body == content);
        for (name, value) in [
            ("content-length", content.len().to_string()),
            ("content-type", "application/octet-stream".into()),
            ("docker-content-digest", digest(&content)),
            ("etag", format!("\"{}\"", digest(&content))),
            ("accept-ranges", "bytes".into()),
            ("cache-control", "max-age=31536000".into()),
        ] {
            assert_eq!(get.header(name), value, "{name}");
        }
    }
}

/// A part of a blob can be asked for, within one piece of storage and across several.
async fn a_part_of_a_blob(site: &Site) {
    for (content, path) in two_blobs(site).await {
        let end = content.len();
        let (middle, last) = (end / 2, end - 1);
        for (asked, first, end) in [
            ("bytes=0-0".to_owned(), 0, 1),
            (format!("bytes={}-{middle}", middle - 100), middle - 100, middle + 1),
            (format!("bytes=1-{}", end - 2), 1, end - 1),
            (format!("bytes={middle}-"), middle, end),
            ("bytes=-7".to_owned(), end - 7, end),
            (format!("bytes={last}-{}", end + 1000), last, end),
            (format!("bytes=-{}", end + 1000), 0, end),
        ] {
            let answer =
                site.client().request(Method::GET, &path, &[("range", &asked)], "").await.expect(206);
            let range = format!("bytes {first}-{}/{}", end - 1, content.len());
            assert_eq!(answer.header("content-range"), range, "{asked}");
            assert_eq!(answer.header("content-length"), (end - first).to_string(), "{asked}");
            assert_eq!(answer.header("docker-content-digest"), digest(&content));
            assert!(answer.body == content[first..end], "{asked}");
        }
    }
}

/// Several parts come in one answer, each with its place (RFC 9110, section 14.6); those that there are none of are left out.
async fn several_parts_of_a_blob(site: &Site) {
    for (content, path) in two_blobs(site).await {
        let (end, middle) = (content.len(), content.len() / 2);
        let asked = format!("bytes=0-0, {middle}-{}, {end}-, -3", middle + 9);
        let answer = site.client().request(Method::GET, &path, &[("range", &asked)], "").await.expect(206);
        let boundary = answer.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
        let mut expected = Vec::new();
        for range in [0..1, middle..middle + 10, end - 3..end] {
            let place = format!("bytes {}-{}/{end}", range.start, range.end - 1);
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: {place}\r\n\r\n"
            );
            expected.extend_from_slice(head.as_bytes());
            expected.extend_from_slice(&content[range]);
        }
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert!(answer.body == expected);
        assert_eq!(answer.header("content-length"), expected.len().to_string());

        let none = format!("bytes={end}-, {}-", end + 5);
        let answer = site.client().request(Method::GET, &path, &[("range", &none)], "").await;
        assert_eq!(answer.header("content-range"), format!("bytes */{end}"));
        site.refused(answer, 416, "SIZE_INVALID");

        let (part, etag) = (("range", "bytes=0-0"), format!("\"{}\"", digest(&content)));
        site.client().request(Method::GET, &path, &[part, ("if-range", &etag)], "").await.expect(206);
        site.client().request(Method::GET, &path, &[part, ("if-range", "\"other\"")], "").await.expect(200);
    }
}

/// A part that there is none of is refused with the size, and one that ends before it begins is such a part (RFC 9110, section
/// 14.2, lets a server choose); a range that is none is no range.
async fn a_part_that_there_is_none_of(site: &Site) {
    for (content, path) in two_blobs(site).await {
        for asked in [
            format!("bytes={}-", content.len()),
            format!("bytes={0}-{0}", content.len() + 5),
            "bytes=-0".into(),
            "bytes=5-2".into(),
        ] {
            let answer = site.client().request(Method::GET, &path, &[("range", &asked)], "").await;
            assert_eq!(answer.header("content-range"), format!("bytes */{}", content.len()), "{asked}");
            site.refused(answer, 416, "SIZE_INVALID");
        }
        for asked in ["lines=1-2", "bytes=a-b", "bytes=0-1,"] {
            let answer = site.client().request(Method::GET, &path, &[("range", asked)], "").await.expect(200);
            assert!(answer.body == content, "{asked}");
        }
    }
}

/// Who has a blob already is not sent it again.
async fn a_blob_that_the_client_has(site: &Site) {
    for (content, path) in two_blobs(site).await {
        let digest = digest(&content);
        for condition in
            [format!("\"{digest}\""), digest.clone(), format!("\"x\", W/\"{digest}\""), "*".into()]
        {
            let headers = [("if-none-match", &*condition)];
            let answer = head_is_get_without_content(site.client(), &path, &headers).await.expect(304);
            assert!(answer.body.is_empty());
            assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        }
        let other = [("if-none-match", "\"sha256:other\"")];
        site.client().request(Method::GET, &path, &other, "").await.expect(200);
    }
}

/// A blob is only there for a repository that was given it, whoever else has it.
async fn a_blob_of_another_repository_is_unknown(site: &Site) {
    for (content, _) in two_blobs(site).await {
        let digest = digest(&content);
        for repository in ["b", "a/b", "never/heard/of"] {
            let path = format!("/v2/{repository}/blobs/{digest}");
            let answer = head_is_get_without_content(site.client(), &path, &[]).await;
            let told = site.refused(answer, 404, "BLOB_UNKNOWN");
            assert!(told.contains(&digest), "{told}");
            let condition = [("if-none-match", "*")];
            site.client().request(Method::GET, &path, &condition, "").await.expect(404);
        }
    }
}

over_every_backend!(
    a_blob_comes_whole,
    a_part_of_a_blob,
    several_parts_of_a_blob,
    a_part_that_there_is_none_of,
    a_blob_that_the_client_has,
    a_blob_of_another_repository_is_unknown,
);
