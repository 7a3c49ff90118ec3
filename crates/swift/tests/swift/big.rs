//! An object that is larger than any Swift takes in one piece. It takes minutes and as much room, so it runs only when it is
//! asked for: `scripts/test --big`.

use apus_storage::{Body, ByteRange, Freshness, Outcome, Publication, Storage, WriteMode};
use apus_swift::ObjectKind;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::dynamic::raw;
use crate::support::{name, real_v1, storage};

/// Names the environment variable that says of how many GiB; 6 without it.
const BIG: &str = "APUS_TEST_BIG";
const PIECE: u64 = 1 << 20;

/// The piece of so many: no two are alike, and each says where it belongs.
fn piece(number: u64) -> Bytes {
    number.to_le_bytes().repeat(usize::try_from(PIECE / 8).unwrap()).into()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "moves 12 GiB: scripts/test --big"]
async fn a_blob_larger_than_one_object_may_be() {
    let gibibytes = std::env::var(BIG).map_or(6, |text| text.parse::<u64>().unwrap());
    let pieces = gibibytes << 10;
    let config = real_v1("apus-big");
    let (storage, raw, object) = (storage(&config), raw(&config), name("big"));
    storage.check().await.unwrap();
    let body =
        Body::stream(pieces * PIECE, Box::pin(stream::iter((0..pieces).map(|number| Ok(piece(number))))));
    let published = storage.write(&object, body, WriteMode::Replace).await.unwrap();
    assert!(matches!(published, Publication::Published(info) if info.size == pieces * PIECE));
    let metadata = raw.head("files/big", Freshness::Newest).await.unwrap().unwrap();
    assert_eq!(metadata.kind == ObjectKind::Static, pieces * PIECE > 5 << 30);

    for first in [0, (pieces - 2) * PIECE + 5] {
        let range = ByteRange::From(first);
        let reader = storage.read(&object, range, Freshness::Any).await.unwrap().unwrap();
        let mut position = first;
        let mut stream = reader.stream;
        while let Some(read) = stream.try_next().await.unwrap() {
            for byte in [0, read.len() - 1] {
                let at = position + byte as u64;
                let expected = (at / PIECE).to_le_bytes()[usize::try_from(at % 8).unwrap()];
                assert_eq!(read[byte], expected, "at {at}");
            }
            position += read.len() as u64;
        }
        assert_eq!(position, pieces * PIECE);
    }
    assert_eq!(storage.delete(&[object]).await.remove(0).unwrap(), Outcome::Done);
    assert_eq!(raw.entries("", false).count().await, 0);
}
