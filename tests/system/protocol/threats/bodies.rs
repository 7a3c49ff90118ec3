//! Bodies that are made to fill the memory of who takes them in, or to keep it busy.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::Method;

use crate::protocol::manifests::{OCI_IMAGE, image, put};
use crate::protocol::{Site, over_every_backend};
use crate::support::client::{RequestBody, streamed};
use crate::support::content::{digest, random};
use crate::support::{Answer, Apus, Client};

/// KiB by which the memory may grow for one manifest of 4 MiB and what it takes to receive it.
const ONE_MANIFEST: u64 = 48 << 10;

/// How many come before the memory is looked at: until then it grows as it does for any work.
const FIRST: usize = 12;

/// A body that never ends.
fn endless() -> RequestBody {
    streamed(stream::repeat(Bytes::from(vec![b' '; 64 << 10])))
}

async fn put_body(client: Client, length: Option<&str>, body: RequestBody) -> Answer {
    let mut headers = vec![("content-type", OCI_IMAGE)];
    headers.extend(length.map(|length| ("content-length", length)));
    client.try_request(Method::PUT, "/v2/a/manifests/endless", &headers, body).await.unwrap()
}

/// A manifest that never ends, or says that it is huge, is refused at the limit, and no more of it is held than that, however
/// many come one after the other.
async fn a13_a_manifest_without_bound_is_refused_and_not_kept_in_memory(site: &Site) {
    let client = site.client();
    let before = site.holds().await;
    let refuse = async |times| {
        for _ in 0..times {
            site.refused(put_body(client, None, endless()).await, 413, "MANIFEST_INVALID");
            let declared = put_body(client, Some("1099511627776"), streamed(stream::pending())).await;
            site.refused(declared, 413, "MANIFEST_INVALID");
        }
        site.apus.peak_memory()
    };
    let start = refuse(FIRST).await;
    let grown = refuse(4 * FIRST).await.saturating_sub(start);
    assert!(grown < ONE_MANIFEST, "one after the other took {grown} KiB");

    let answers: Vec<_> =
        stream::iter(0..16).map(|_| put_body(client, None, endless())).buffer_unordered(16).collect().await;
    for answer in answers {
        site.refused(answer, 413, "MANIFEST_INVALID");
    }
    let grown = site.apus.peak_memory().saturating_sub(start);
    assert!(grown < 16 * ONE_MANIFEST, "16 at once took {grown} KiB");
    client.head("/v2/a/manifests/endless").await.expect(404);
    site.holds_again(before.as_ref()).await;
}

/// A manifest within the limit that is nested as deeply as it can be is refused, or is only text, and the memory stays flat.
async fn a13_a_manifest_that_is_only_depth_is_refused(site: &Site) {
    let client = site.client();
    let before = site.holds().await;
    let deep = "[".repeat(2 << 20);
    let documents = [
        deep.clone(),
        format!("{deep}{}", "]".repeat(deep.len() - 10)),
        format!(r#"{{"annotations":{deep}"#),
        format!(r#"{{"manifests":{deep}"#),
        r#"{"config":"#.repeat(300_000),
        r#"{"a":"#.repeat(700_000),
    ];
    let refuse = async |times| {
        for document in documents.iter().cycle().take(times) {
            let answer = put(client, "/v2/a/manifests/deep", OCI_IMAGE, &document.clone().into()).await;
            site.refused(answer, 400, "MANIFEST_INVALID");
        }
        site.apus.peak_memory()
    };
    let start = refuse(FIRST).await;
    let grown = refuse(2 * FIRST).await.saturating_sub(start);
    assert!(grown < ONE_MANIFEST, "they took {grown} KiB");
    client.head("/v2/a/manifests/deep").await.expect(404);
    site.holds_again(before.as_ref()).await;
}

/// A gzip file whose content is about 160 times as long: one zero byte, and then nothing but "once more the last 258 bytes",
/// which takes 13 bits (RFC 1951, section 3.2.6). So it repeats itself every 13 bytes.
fn gzip_bomb(length: usize) -> Bytes {
    const HEAD: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";
    const LAST_BLOCK_OF_FIXED_CODES: &str = "110";
    const ZERO: &str = "00110000";
    const ONCE_MORE: &str = "1100010100000";
    let bits = [LAST_BLOCK_OF_FIXED_CODES, ZERO, &ONCE_MORE.repeat(10)].concat();
    let bytes = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|bits| bits.iter().enumerate().fold(0, |byte, (place, bit)| byte | ((bit - b'0') << place)));
    let bytes: Vec<u8> = bytes.collect();
    let (first, repeated) = (&bytes[..2], &bytes[2..15]);
    [HEAD, first, &repeated.repeat(length / repeated.len())].concat().into()
}

/// A layer is stored and served byte for byte, whatever it would become when it is unpacked, and takes no more time and memory
/// than noise of the same length.
async fn a20_a_layer_is_never_opened(site: &Site) {
    const LENGTH: usize = 12 << 20;
    let noise = cost(site, &random(LENGTH)).await;
    let start = site.apus.peak_memory();
    let bomb = gzip_bomb(LENGTH);
    let took = cost(site, &bomb).await;
    // Two gigabytes would take some seconds at least.
    assert!(took < 3 * noise + 100, "{took} ticks of the processor, and {noise} for noise");
    let grown = site.apus.peak_memory().saturating_sub(start);
    // Storage in memory keeps what is stored.
    let kept = if site.backend.name == "memory" { (3 * LENGTH) as u64 >> 10 } else { 0 };
    assert!(grown < kept + ONE_MANIFEST, "it took {grown} KiB");

    let broken_tar = [b"../../../etc/passwd".repeat(27).as_slice(), &[0xff; 1000]].concat();
    for content in [Bytes::from(broken_tar), bomb.slice(..100), Bytes::from_static(b"\x1f\x8b")] {
        cost(site, &content).await;
    }
}

/// Pushes a layer in two ways, and an image that names it; reads it back. Gives the time that it took of the processor.
async fn cost(site: &Site, layer: &Bytes) -> u64 {
    let client = site.client();
    let begun = ticks(&site.apus);
    client.push("a", layer.clone()).await;
    let blob = client.push_by_patch("b", layer.clone()).await;
    for media_type in ["tar", "tar+gzip", "tar+zstd"] {
        let manifest = image(OCI_IMAGE, &blob);
        let manifest = String::from_utf8_lossy(&manifest)
            .replace("application/octet-stream", &format!("application/vnd.oci.image.layer.v1.{media_type}"));
        put(client, "/v2/a/manifests/latest", OCI_IMAGE, &manifest.into()).await.expect(201);
    }
    for repository in ["a", "b"] {
        let answer = client.get(&format!("/v2/{repository}/blobs/{}", digest(layer))).await.expect(200);
        assert!(answer.body == *layer);
    }
    ticks(&site.apus) - begun
}

/// The time that a process has had of the processor, in hundredths of a second (proc(5), utime and stime).
fn ticks(apus: &Apus) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", apus.pid())).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

over_every_backend!(
    a13_a_manifest_without_bound_is_refused_and_not_kept_in_memory,
    a13_a_manifest_that_is_only_depth_is_refused,
    a20_a_layer_is_never_opened,
);
