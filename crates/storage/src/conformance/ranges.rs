//! Parts of objects.

use bytes::Bytes;

use super::content::{random_below, random_bytes};
use super::testbed::{Case, assert_published, assert_same, drain};
use crate::{ByteRange, ObjectName, StagePosition, WriteMode};

async fn assert_range(case: &Case, name: &ObjectName, content: &Bytes, range: ByteRange) {
    let size = content.len() as u64;
    let expected = range.of(size);
    let reader = case.read(name, range).await;
    assert_eq!(reader.info.size, size, "{range:?}: the size is that of the whole object");
    assert_eq!(reader.range, expected, "{range:?}");
    let part = drain(reader.stream).await.unwrap();
    let within = |offset: u64| usize::try_from(offset).unwrap();
    assert_same(&format!("{range:?}"), &part, &content.slice(within(expected.start)..within(expected.end)));
}

/// Carries over distribution `TestReaderWithOffset` and the range of docker-registry-core `stream`: every edge of an object of
/// three times 32 bytes. A range at or past the end is empty and no error; an offset cannot be negative here.
pub async fn every_edge_of_an_object(case: &Case) {
    let name = case.new_name();
    let content = random_bytes(96);
    case.put(&name, content.clone()).await;
    let edges = [0, 1, 31, 32, 63, 64, 94, 95, 96, 97, 1000, u64::MAX - 1, u64::MAX];
    assert_range(case, &name, &content, ByteRange::Full).await;
    for first in edges {
        assert_range(case, &name, &content, ByteRange::From(first)).await;
        assert_range(case, &name, &content, ByteRange::Last(first)).await;
        for last in edges {
            assert_range(case, &name, &content, ByteRange::FromTo { first, last }).await;
        }
    }
}

/// No range of nothing is an error.
pub async fn every_range_of_an_empty_object(case: &Case) {
    let name = case.new_name();
    case.put(&name, Bytes::new()).await;
    let ranges = [
        ByteRange::Full,
        ByteRange::From(0),
        ByteRange::From(1),
        ByteRange::FromTo { first: 0, last: 0 },
        ByteRange::FromTo { first: 5, last: 2 },
        ByteRange::Last(0),
        ByteRange::Last(1),
    ];
    for range in ranges {
        assert_range(case, &name, &Bytes::new(), range).await;
    }
}

/// A part of an object of 3 MiB, larger than the pieces in which a backend reads, from anywhere to anywhere.
pub async fn parts_of_a_large_object(case: &Case) {
    let name = case.new_name();
    let content = random_bytes(3 << 20);
    case.put(&name, content.clone()).await;
    let size = content.len() as u64;
    for edge in [64 << 10, 512 << 10, 1 << 20, 2 << 20] {
        for first in [edge - 1, edge, edge + 1] {
            assert_range(case, &name, &content, ByteRange::From(first)).await;
            assert_range(case, &name, &content, ByteRange::Last(first)).await;
            for last in [first, edge + edge, size - 1] {
                assert_range(case, &name, &content, ByteRange::FromTo { first, last }).await;
            }
        }
    }
    for _ in 0..20 {
        let range = ByteRange::FromTo { first: random_below(size), last: random_below(size) };
        assert_range(case, &name, &content, range).await;
    }
}

/// A part of an object that was staged by several appends, across every joint of them.
pub async fn parts_across_the_joints_of_a_staged_object(case: &Case) {
    let parts = [1, 1000, 70_000, 32, 300_000].map(random_bytes);
    let content = Bytes::from(parts.concat());
    let (stage, name) = (case.stage(), case.new_name());
    let mut joints = vec![0];
    let mut state = case.append(&stage, StagePosition::Start, &parts[0]).await;
    for part in &parts[1..] {
        joints.push(state.offset);
        state = case.append(&stage, StagePosition::At(&state.revision), part).await;
    }
    let published =
        case.storage().stage_publish(&stage, &state.revision, &name, WriteMode::IfAbsent).await.unwrap();
    assert_published(&published, content.len() as u64);
    for first in &joints {
        for last in &joints {
            for (first, last) in [(*first, *last), (first.saturating_sub(1), last + 1)] {
                assert_range(case, &name, &content, ByteRange::FromTo { first, last }).await;
            }
        }
        assert_range(case, &name, &content, ByteRange::From(*first)).await;
        assert_range(case, &name, &content, ByteRange::Last(*first + 1)).await;
    }
}
