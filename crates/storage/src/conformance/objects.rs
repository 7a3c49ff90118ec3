//! Small objects: their contents, their names, and what is said of them.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::content::{random_bytes, random_text};
use super::testbed::{Case, assert_published, at_once};
use crate::{ByteRange, Freshness, ListRequest, ObjectName, Outcome, Publication, WriteMode};

/// More than the second in which times may be counted.
const NEXT_SECOND: Duration = Duration::from_millis(1100);

/// Carries over docker-registry-core `testDriverIsAvailable`, `testFetchingDriver`: a backend says by a name what it is.
#[expect(clippy::unused_async, reason = "a case like the others")]
pub async fn the_backend_has_a_name(case: &Case) {
    let name = case.storage().backend();
    assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name:?}");
    assert_eq!(case.other().backend(), name);
    assert!(!format!("{:?}", case.storage()).is_empty());
}

/// Carries over docker-registry-core `exists_non_existent`, `read_inexistent`, `get_size_inexistent`,
/// `stream_read_inexistent`; distribution `TestReadNonexistent`, `TestReadNonexistentStream` and the missing file of
/// `TestStatCall`. Absence is an answer here, and no error.
pub async fn what_was_never_written_is_absent(case: &Case) {
    let name = case.new_name();
    for freshness in [Freshness::Any, Freshness::Newest] {
        assert_eq!(case.storage().stat(&name, freshness).await.unwrap(), None);
        for range in [ByteRange::Full, ByteRange::From(64), ByteRange::Last(1)] {
            assert!(case.storage().read(&name, range, freshness).await.unwrap().is_none());
        }
    }
    assert_eq!(case.storage().touch(&name).await.unwrap(), Outcome::Absent);
    case.assert_absent(&name).await;
}

/// Carries over docker-registry-core `exists_existent`, which puts an empty object; and distribution's missing test of a
/// writer that is committed without a byte.
pub async fn an_empty_object_is_there(case: &Case) {
    let name = case.new_name();
    let info = case.put(&name, Bytes::new()).await;
    assert_eq!(info.size, 0);
    case.assert_content(&name, &Bytes::new()).await;
    assert_eq!(case.delete(&name).await, Outcome::Done);
    case.assert_absent(&name).await;
}

/// Carries over docker-registry-core `write_read_1` to `write_read_6`; distribution `TestWriteRead1` to `TestWriteRead4`
/// and `TestWriteReadNonUTF8`. Each is read twice.
pub async fn contents_come_back_as_they_were(case: &Case) {
    let contents = [
        Bytes::from_static(b"a"),
        Bytes::from_static(b"\xc3\x9f"),
        Bytes::from("ß"),
        Bytes::from_static(&[0x80; 4]),
        Bytes::from_static(b"\0\r\n\0"),
        random_bytes(16),
        random_bytes(32),
        random_bytes(1 << 20),
    ];
    for content in contents {
        let name = case.new_name();
        case.put(&name, content.clone()).await;
        case.assert_content(&name, &content).await;
        case.assert_content(&name, &content).await;
    }
}

/// Carries over docker-registry-core `unicode_1` to `unicode_6` and `json`: a text is its UTF-8, and nothing translates it.
pub async fn texts_come_back_byte_for_byte(case: &Case) {
    let many = "aß日\u{1f426}".chars().cycle().take(1 << 20).collect();
    let texts = [
        "a".to_owned(),
        "ß".to_owned(),
        "s\u{323}\u{307}".to_owned(),
        r#"{"ß":"ß"}"#.to_owned(),
        random_text(16),
        many,
    ];
    for text in texts {
        let name = case.new_name();
        case.put(&name, text.clone()).await;
        case.assert_content(&name, &text.into()).await;
    }
}

/// Carries over distribution `TestValidPaths` and docker-registry-core `paths`: names as the registries make them, absent at
/// first, then each with its own content.
pub async fn names_of_registries_can_be_used(case: &Case) {
    let blob =
        "docker/registry/v2/blobs/sha256/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let repository = "docker/registry/v2/repositories/Some_Where/a.b--c";
    let names = [
        "a",
        "2",
        "aa",
        "a.a",
        "0-9/abcdefg",
        "abcdefg/z.75",
        "abc/1.2.3.4.5-6_zyx/123.z/4",
        "docker/docker-registry",
        "123.abc",
        "abc./abc",
        ".abc",
        "a--b",
        "a-.b",
        "_.abc",
        "Docker/docker-registry",
        "Abc/Cba",
        &format!("{blob}/data"),
        &format!("{repository}/_manifests/tags/latest/current/link"),
        &format!("{repository}/_uploads/1a8d1ef8/hashstates/sha256/1048576"),
        "images/0a1b/json",
        "images/0a1b/layer",
        "images/0a1b/ancestry",
        "images/0a1b/_checksum",
        "images/0a1b/_inprogress",
        "images/0a1b/_files",
        "images/0a1b/_diff",
        "repositories/%252E%252E/a%252Fb+c/tag_latest",
        "repositories/ns/repo/taglatest_json",
        "repositories/ns/repo/json",
        "repositories/ns/repo/_index_images",
        "repositories/ns/repo/_images_list",
        "repositories/ns/repo/_private",
    ]
    .map(|name| case.name(name));
    for name in &names {
        case.assert_absent(name).await;
    }
    for name in &names {
        case.put(name, name.to_string()).await;
    }
    for name in &names {
        case.assert_content(name, &name.to_string().into()).await;
    }
}

/// Closes a hole of distribution's suite: names that a URL must escape, or that a backend may take for something else. They
/// are written, read, listed and deleted, and each is itself only.
pub async fn every_character_of_a_name_is_kept(case: &Case) {
    let printable = (' '..='~').filter(|character| !['/', '\\'].contains(character));
    let mut rests: BTreeSet<String> =
        printable.map(|character| format!("odd/{character}x{character}")).collect();
    let whole = [
        "%",
        "%2F",
        "%2f",
        "%25",
        "%00",
        "+",
        " ",
        "a b",
        "a+b",
        "a%20b",
        "?",
        "a?b=c&d",
        "#",
        "a#b",
        ";",
        "a;b",
        ":",
        "a:b",
        "@",
        "~",
        "*",
        "...",
        ".hidden",
        "trailing ",
        "trailing.",
        "-",
        "--help",
        "\"",
        "'",
        "<>",
        "|",
        "$HOME",
        "ß",
        "日本",
        "\u{1f426}",
        "\u{e9}",
        "e\u{301}",
        "A",
        "\u{a0}",
    ];
    for component in whole {
        rests.insert(format!("odd/{component}"));
        rests.insert(format!("odd/folder {component}/{component}"));
    }
    let names: Vec<ObjectName> = rests.iter().map(|rest| case.name(rest)).collect();
    at_once(&names, async |name| drop(case.put(name, name.to_string()).await)).await;
    at_once(&names, async |name| case.assert_content(name, &name.to_string().into()).await).await;
    let expected: Vec<&str> = rests.iter().map(String::as_str).collect();
    case.assert_keys(&ListRequest::under(case.prefix()), &expected).await;
    let half = |first| names.iter().skip(first).step_by(2).cloned().collect::<Vec<_>>();
    let (one, other) = (half(0), half(1));
    for (going, staying) in [(&one, &other[..]), (&other, &[])] {
        at_once(going, async |name| assert_eq!(case.delete(name).await, Outcome::Done, "{name}")).await;
        case.assert_gone(going).await;
        let is_there = async |name: &ObjectName| assert!(case.stat(name).await.is_some(), "{name} went too");
        at_once(staying, is_there).await;
    }
}

/// The longest component and the longest name that [`ObjectName`] lets through, in letters of one and of two bytes.
pub async fn the_longest_names_can_be_used(case: &Case) {
    let longest = ObjectName::MAX_COMPONENT_BYTES;
    let room = ObjectName::MAX_BYTES - case.prefix().as_str().len() - 1;
    let mut rests = vec!["a".repeat(longest), format!("{}/x", "b".repeat(longest))];
    for letter in ["c", "é"] {
        let of_length = |length: usize| letter.repeat(length / letter.len());
        let mut rest = String::new();
        while room - rest.len() > longest {
            rest = rest + &of_length(longest - 1) + "/";
        }
        rest = rest.clone() + &of_length(room - rest.len());
        rests.push(rest);
    }
    for rest in &rests {
        let name = case.name(rest);
        case.put(&name, rest.clone()).await;
        case.assert_content(&name, &rest.clone().into()).await;
    }
    rests.sort();
    let expected: Vec<&str> = rests.iter().map(String::as_str).collect();
    case.assert_keys(&ListRequest::under(case.prefix()), &expected).await;
}

/// Carries over distribution `TestTruncate` and `TestPutContentMultipleTimes`.
pub async fn replacing_leaves_nothing_of_the_old_content(case: &Case) {
    let name = case.new_name();
    for length in [1 << 20, 1024, 4096, 2048, 0, 1] {
        let content = random_bytes(length);
        case.put(&name, content.clone()).await;
        case.assert_content(&name, &content).await;
    }
}

/// What [`WriteMode::IfAbsent`] is for.
pub async fn what_is_there_stays_unless_it_is_to_be_replaced(case: &Case) {
    let name = case.new_name();
    let content = random_bytes(100);
    let first = case.storage().write(&name, content.clone().into(), WriteMode::IfAbsent).await.unwrap();
    assert_published(&first, 100);
    let second = case.storage().write(&name, random_bytes(50).into(), WriteMode::IfAbsent).await.unwrap();
    assert!(matches!(&second, Publication::Existing(info) if info.size == 100), "{second:?}");
    case.assert_content(&name, &content).await;
}

/// Carries over distribution `TestStatCall`: an object that is written again is newer, and has the new size.
pub async fn replacing_moves_the_time(case: &Case) {
    let name = case.new_name();
    case.put(&name, "before").await;
    let before = case.stat(&name).await.unwrap();
    tokio::time::sleep(NEXT_SECOND).await;
    case.put(&name, "and after").await;
    let after = case.stat(&name).await.unwrap();
    assert_eq!((before.size, after.size), (6, 9));
    assert!(after.modified > before.modified, "{before:?} {after:?}");
}

/// A touch moves the time, and nothing else. That holds for an object that was staged too, where it may be made of parts.
pub async fn touching_moves_the_time_and_keeps_the_content(case: &Case) {
    let content = random_bytes(70_000);
    let (written, published) = (case.new_name(), case.new_name());
    case.put(&written, content.clone()).await;
    let (stage, state) = case.staged(&content).await;
    let publication =
        case.storage().stage_publish(&stage, &state.revision, &published, WriteMode::IfAbsent).await.unwrap();
    assert_published(&publication, 70_000);
    let names = [written, published];
    let before = [case.stat(&names[0]).await.unwrap(), case.stat(&names[1]).await.unwrap()];
    tokio::time::sleep(NEXT_SECOND).await;
    for (name, before) in names.iter().zip(before) {
        assert_eq!(case.storage().touch(name).await.unwrap(), Outcome::Done);
        let after = case.stat(name).await.unwrap();
        assert!(after.modified > before.modified, "{before:?} {after:?}");
        case.assert_content(name, &content).await;
    }
}

/// What a write answers, what is said of the object, and what comes with its content are the same; and the entity tag, where
/// there is one, tells two contents of one length apart.
pub async fn all_that_is_said_of_an_object_agrees(case: &Case) {
    let name = case.new_name();
    let mut tags = Vec::new();
    for content in [random_bytes(1000), random_bytes(1000), random_bytes(1000)] {
        let written = case.put(&name, content).await;
        let stated = case.stat(&name).await.unwrap();
        let read = case.read(&name, ByteRange::FromTo { first: 5, last: 9 }).await.info;
        assert_eq!(stated, read);
        assert_eq!((written.size, stated.size), (1000, 1000));
        if let (Some(written), Some(stated)) = (&written.entity_tag, &stated.entity_tag) {
            assert_eq!(written, stated);
        }
        tags.push(stated.entity_tag);
    }
    let known: Vec<String> = tags.into_iter().flatten().collect();
    assert!(known.is_empty() || known.len() == 3, "a tag now and then: {known:?}");
    assert_eq!(
        known.iter().collect::<BTreeSet<_>>().len(),
        known.len(),
        "one tag for two contents: {known:?}"
    );
}

/// Carries over the directories of distribution `TestStatCall`: in this contract they are nothing.
pub async fn a_name_that_is_only_a_prefix_is_no_object(case: &Case) {
    let name = case.name("folder/folder/object");
    case.put(&name, "content").await;
    for prefix in ["folder", "folder/folder"] {
        let prefix = case.name(prefix);
        case.assert_absent(&prefix).await;
        assert_eq!(case.storage().touch(&prefix).await.unwrap(), Outcome::Absent);
        assert_eq!(case.delete(&prefix).await, Outcome::Absent);
    }
    case.assert_content(&name, &Bytes::from_static(b"content")).await;
}

/// Carries over distribution `TestMoveInvalid`, where a file is used as a directory. No layout does that, and a backend may
/// refuse it or allow it; but what was there stays whole, and what is said to be written is.
pub async fn an_object_used_as_a_folder_stays_whole(case: &Case) {
    let object = case.name("object");
    let content = random_bytes(100);
    case.put(&object, content.clone()).await;
    let below = case.name("object/below");
    case.assert_absent(&below).await;
    assert_eq!(case.storage().touch(&below).await.unwrap(), Outcome::Absent);
    assert_eq!(case.delete(&below).await, Outcome::Absent);
    for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
        let written = case.storage().write(&below, Bytes::from_static(b"below").into(), mode).await;
        match written {
            Ok(_) => case.assert_content(&below, &Bytes::from_static(b"below")).await,
            Err(_) => case.assert_absent(&below).await,
        }
        case.assert_content(&object, &content).await;
    }
    let (stage, state) = case.staged(&content).await;
    let published = case.storage().stage_publish(&stage, &state.revision, &below, WriteMode::Replace).await;
    if published.is_ok() {
        case.assert_content(&below, &content).await;
    } else {
        case.assert_absent(&below).await;
        case.assert_stage(&stage, &state, &content).await;
    }
    case.assert_content(&object, &content).await;
}
