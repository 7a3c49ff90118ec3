//! A real Swift of the test's own, which can be treated otherwise than the one that all tests share: tokens that live for
//! three seconds, objects of 1 MiB at most, short pages, full disks.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use apus_storage::{
    Body, BoxError, ByteRange, Freshness, Outcome, Publication, StagePosition, Storage, WriteMode, body,
};
use apus_swift::{Password, SwiftConfig};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::dynamic::{more_segments_than_a_page, raw};
use crate::support::{
    MEBIBYTE, assert_content, name, part, random, stage, staged, storage, streamed, streamed_body,
};

/// A Swift that ends with the test.
pub(crate) struct OwnSwift(PathBuf);

impl OwnSwift {
    pub(crate) fn start(options: &[&str]) -> Self {
        let id = u64::from_le_bytes(random(8)[..].try_into().unwrap());
        let swift = Self(std::env::temp_dir().join(format!("apus-own-swift-{id:x}")));
        let started = script("swift-up")
            .arg(&swift.0)
            .args(["--port", "0", "--no-install"])
            .args(options)
            .stdout(Stdio::null())
            .status();
        assert!(started.unwrap().success(), "scripts/swift-up did not start a Swift");
        swift
    }

    pub(crate) fn config(&self, container: &str) -> SwiftConfig {
        let user = Password::new(self.variable("ST_USER"), self.variable("ST_KEY"));
        SwiftConfig::new(self.variable("ST_AUTH"), user, container)
    }

    /// How many requests the proxy has answered so.
    fn answered(&self, status: u16) -> usize {
        let log = std::fs::read_to_string(self.variable("SWIFT_ACCESS_LOG")).unwrap();
        log.lines().filter(|line| line.contains(&format!(" {status} "))).count()
    }

    /// How much of its disks, of which nothing may be written. The proxy forgets that they were full.
    pub(crate) fn reserve_on_disks(&self, share: &str) {
        let file = self.0.join("etc/swift/object-server.conf");
        let lines = std::fs::read_to_string(&file).unwrap();
        let lines = lines.lines().map(|line| match line.split_once(" = ") {
            Some(("fallocate_reserve", _)) => format!("fallocate_reserve = {share}\n"),
            _ => format!("{line}\n"),
        });
        std::fs::write(&file, lines.collect::<String>()).unwrap();
        for server in ["object", "proxy"] {
            for verb in ["stop", "start"] {
                let done = script("swift-ctl").arg(&self.0).args([verb, server]).status();
                assert!(done.unwrap().success(), "{verb} {server}");
            }
        }
    }

    fn variable(&self, wanted: &str) -> String {
        let variables = std::fs::read_to_string(self.0.join("env.sh")).unwrap();
        let mut all = variables.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let (_, value) = all.find(|(name, _)| *name == wanted).unwrap();
        value.to_owned()
    }
}

impl Drop for OwnSwift {
    fn drop(&mut self) {
        let _ = script("swift-down").arg(&self.0).arg("--wipe").status();
    }
}

fn script(name: &str) -> Command {
    Command::new(format!("{}/../../scripts/{name}", env!("CARGO_MANIFEST_DIR")))
}

const MINUTE: Duration = Duration::from_mins(1);

/// The bytes, a piece now and then, so that they take so long.
fn slowly(bytes: &Bytes, length: Duration) -> body::ByteStream {
    const PIECES: u32 = 120;
    let size = bytes.len().div_ceil(PIECES as usize);
    let pieces: Vec<Bytes> = bytes.chunks(size).map(|piece| bytes.slice_ref(piece)).collect();
    Box::pin(stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(length / PIECES).await;
        Ok::<_, BoxError>(piece)
    }))
}

/// TempAuth gives out the same token until it ends, so it cannot be renewed early: each end of it is a 401 somewhere. A body
/// in one piece, one in segments, one in chunks, a download and small requests, all at once and for a minute.
#[tokio::test]
async fn a_token_that_lives_three_seconds_does_not_break_a_push_of_a_minute() {
    let swift = OwnSwift::start(&["--token-life", "3"]);
    let mut config = swift.config("short-lived");
    config.segment_size = 1 << 20;
    let storage = storage(&config);
    storage.check().await.unwrap();
    let bytes = random(12 * MEBIBYTE);
    let begun = Instant::now();

    let whole = async {
        let body = Body::stream(bytes.len() as u64, slowly(&bytes, MINUTE));
        storage.write(&name("whole"), body, WriteMode::IfAbsent).await.unwrap()
    };
    let segmented = async {
        let (stage, stream) = (stage("one"), slowly(&bytes, MINUTE));
        let appended = storage.stage_append(&stage, StagePosition::Start, stream, Box::new(Bytes::new)).await;
        let revision = appended.unwrap().revision;
        storage.stage_publish(&stage, &revision, &name("segmented"), WriteMode::IfAbsent).await.unwrap()
    };
    let chunked = async {
        let (stage, mut revision) = (stage("many"), None);
        for chunk in bytes.chunks(2 * MEBIBYTE) {
            let stream = slowly(&bytes.slice_ref(chunk), MINUTE / 6);
            let position = revision.as_ref().map_or(StagePosition::Start, StagePosition::At);
            let appended = storage.stage_append(&stage, position, stream, Box::new(Bytes::new)).await;
            revision = Some(appended.unwrap().revision);
        }
        storage
            .stage_publish(&stage, &revision.unwrap(), &name("chunked"), WriteMode::IfAbsent)
            .await
            .unwrap()
    };
    let small = async {
        let link = name("link");
        while begun.elapsed() < MINUTE {
            storage.write(&link, random(71).into(), WriteMode::Replace).await.unwrap();
            assert!(storage.stat(&link, Freshness::Newest).await.unwrap().is_some());
            assert!(storage.stat(&name("absent"), Freshness::Any).await.unwrap().is_none());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let published = tokio::join!(whole, segmented, chunked, small);
    for published in [published.0, published.1, published.2] {
        assert!(matches!(published, Publication::Published(info) if info.size == bytes.len() as u64));
    }
    assert!(begun.elapsed() >= MINUTE, "{:?}", begun.elapsed());
    assert!(swift.answered(401) >= 5, "{} tokens were refused", swift.answered(401));

    // A download outlives its token too.
    let reader = storage.read(&name("segmented"), ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
    let slow = reader.stream.and_then(|piece| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(piece)
    });
    assert!(body::collect(Box::pin(slow), 1 << 30).await.unwrap() == bytes);
    for object in ["whole", "chunked"] {
        assert_content(&storage, object, &bytes).await;
    }
    let names = ["whole", "segmented", "chunked", "link"].map(name);
    for outcome in storage.delete(&names).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
    assert!(raw(&config).entries("", false).try_collect::<Vec<_>>().await.unwrap().is_empty());
}

/// Of 64 MiB none fits into one object, and what consists of many segments has more than a page of the listing.
#[tokio::test]
async fn a_swift_of_small_objects_and_short_pages() {
    let swift =
        OwnSwift::start(&["--max-file-size", "1048576", "--listing-limit", "12", "--max-segments", "100"]);
    let config = swift.config("small");
    let (storage, raw) = (storage(&config), raw(&config));
    let checked = storage.check().await.unwrap().to_string();
    assert!(
        checked.contains("objects to 1048576 B, large ones of 100 segments, 12 names a page"),
        "{checked}"
    );
    let left = async || -> Vec<_> { raw.entries("", false).try_collect().await.unwrap() };

    let bytes = random(64 * MEBIBYTE);
    storage.write(&name("whole"), streamed_body(&bytes), WriteMode::IfAbsent).await.unwrap();
    let (stage, state) = staged(&storage, "s", &bytes.slice(..=20 * MEBIBYTE)).await;
    let rest = streamed(&bytes.slice(20 * MEBIBYTE + 1..));
    let position = StagePosition::At(&state.revision);
    let state = storage.stage_append(&stage, position, rest, Box::new(Bytes::new)).await.unwrap();
    storage.stage_publish(&stage, &state.revision, &name("staged"), WriteMode::IfAbsent).await.unwrap();
    // 64 segments each, or one more; a manifest and a record.
    assert!((132..=134).contains(&left().await.len()), "{}", left().await.len());
    for object in ["whole", "staged"] {
        assert_content(&storage, object, &bytes).await;
        let ranges = [
            ByteRange::FromTo { first: MEBIBYTE as u64 - 1, last: MEBIBYTE as u64 },
            ByteRange::FromTo { first: 5, last: 33 << 20 },
            ByteRange::From(63 << 20),
            ByteRange::Last(3),
        ];
        for range in ranges {
            let reader = storage.read(&name(object), range, Freshness::Any).await.unwrap().unwrap();
            let read = body::collect(reader.stream, 1 << 30).await.unwrap();
            assert!(read == part(&bytes, range), "{object} {range:?}");
        }
    }
    for outcome in storage.delete(&[name("whole"), name("staged")]).await {
        assert_eq!(outcome.unwrap(), Outcome::Done);
    }
    assert_eq!(left().await, []);

    more_segments_than_a_page(&storage, &raw, 12).await;
    assert_eq!(left().await, []);
}
