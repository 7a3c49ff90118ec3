use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt;
use tempfile::TempDir;

use super::*;
use crate::body::{collect, once};
use crate::{ErrorKind, ListEntry, StorageError};

pub(super) fn store() -> (TempDir, FilesystemStorage) {
    let root = tempfile::tempdir().unwrap();
    let storage = FilesystemStorage::open(root.path().to_owned()).unwrap();
    (root, storage)
}

pub(super) fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

pub(super) async fn put(storage: &FilesystemStorage, at: &str, content: &'static [u8]) -> Publication {
    storage.write(&name(at), Bytes::from_static(content).into(), WriteMode::Replace).await.unwrap()
}

pub(super) async fn get(storage: &FilesystemStorage, at: &str) -> Option<Bytes> {
    let reader = storage.read(&name(at), ByteRange::Full, Freshness::Any).await.unwrap()?;
    Some(collect(reader.stream, usize::MAX).await.unwrap())
}

async fn keys(storage: &FilesystemStorage, request: ListRequest) -> Vec<String> {
    storage.list(&request).await.unwrap().entries.iter().map(ListEntry::key).collect()
}

/// The names of the files in a directory.
pub(super) fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn age(path: &Path, by: Duration) {
    File::open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
}

#[tokio::test]
async fn an_object_is_a_file_of_its_name() {
    let (root, storage) = store();
    put(&storage, "docker/registry/v2/x y/data", b"content").await;
    assert_eq!(fs::read(root.path().join("docker/registry/v2/x y/data")).unwrap(), b"content");
    fs::write(root.path().join("docker/by hand"), "more").unwrap();
    assert_eq!(get(&storage, "docker/by hand").await.unwrap(), "more");
    assert_eq!(files(&root.path().join(".apus/tmp")), [""; 0]);
}

#[test]
fn a_root_that_is_not_there_is_made_and_one_that_cannot_be_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let deep = root.path().join("not/yet/there");
    FilesystemStorage::open(deep.clone()).unwrap();
    assert!(deep.is_dir());

    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for bad in [file.clone(), file.join("below"), Path::new("/proc/no-such-place").to_owned()] {
        let error = FilesystemStorage::open(bad.clone()).unwrap_err();
        assert!(error.to_string().contains("the root must be a directory"), "{bad:?}: {error}");
        assert_eq!((error.operation(), error.object()), ("open", bad.to_str().unwrap()));
    }
}

#[tokio::test]
async fn what_is_ours_cannot_be_named() {
    let (_root, storage) = store();
    for reserved in [".apus", ".apus/tmp/x", ".apus/stages/x.data"] {
        let reserved = name(reserved);
        let body = || Bytes::from_static(b"x").into();
        let stage = StageId::parse("x").unwrap();
        let revision = StageRevision::random();
        for refused in [
            storage.stat(&reserved, Freshness::Any).await.unwrap_err(),
            storage.read(&reserved, ByteRange::Full, Freshness::Any).await.unwrap_err(),
            storage.write(&reserved, body(), WriteMode::Replace).await.unwrap_err(),
            storage.touch(&reserved).await.unwrap_err(),
            storage.delete(std::slice::from_ref(&reserved)).await.remove(0).unwrap_err(),
            storage.list(&ListRequest::under(reserved.clone())).await.unwrap_err(),
            storage.stage_publish(&stage, &revision, &reserved, WriteMode::Replace).await.unwrap_err(),
        ] {
            assert_eq!(refused.kind(), ErrorKind::InvalidName, "{refused}");
            assert!(refused.to_string().contains(".apus"), "{refused}");
        }
    }
    put(&storage, "a/.apus", b"allowed").await;
    put(&storage, ".apus-2", b"allowed").await;
    let all = [".apus-2", "a/.apus"];
    assert_eq!(keys(&storage, ListRequest::everything()).await, all);
    assert_eq!(keys(&storage, ListRequest::everything().one_level()).await, [".apus-2", "a/"]);
}

#[tokio::test]
async fn leftovers_of_dead_writers_go_after_a_day() {
    let (root, storage) = store();
    let temporary = root.path().join(".apus/tmp");
    for (file, hours) in [("young", 23), ("old", 25)] {
        fs::write(temporary.join(file), "half").unwrap();
        age(&temporary.join(file), Duration::from_hours(hours));
    }
    put(&storage, "object", b"content").await;
    age(&root.path().join("object"), Duration::from_hours(1000));
    FilesystemStorage::open(root.path().to_owned()).unwrap();
    assert_eq!(files(&temporary), ["young"]);
    assert_eq!(get(&storage, "object").await.unwrap(), "content");
}

#[tokio::test]
async fn a_dropped_write_leaves_no_file() {
    let (root, storage) = store();
    let temporary = root.path().join(".apus/tmp");
    let body =
        Body::stream(10, Box::pin(once(Bytes::from_static(b"12345")).chain(futures_util::stream::pending())));
    let write = tokio::spawn(async move { storage.write(&name("object"), body, WriteMode::Replace).await });
    for _ in 0..1000 {
        if !files(&temporary).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(files(&temporary).len(), 1);
    write.abort();
    for _ in 0..1000 {
        if files(&temporary).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the temporary file is still there");
}

#[tokio::test]
async fn a_failed_write_leaves_no_file() {
    let (root, storage) = store();
    put(&storage, "file", b"content").await;
    let below =
        storage.write(&name("file/below"), Bytes::from_static(b"x").into(), WriteMode::IfAbsent).await;
    let error = below.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    assert!(error.to_string().contains("a prefix of another"), "{error}");

    put(&storage, "folder/file", b"content").await;
    for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
        let over = storage.write(&name("folder"), Bytes::from_static(b"x").into(), mode).await;
        assert_eq!(over.unwrap_err().kind(), ErrorKind::InvalidName);
    }
    assert_eq!(get(&storage, "folder/file").await.unwrap(), "content");
    assert_eq!(files(&root.path().join(".apus/tmp")), [""; 0]);
}

#[tokio::test]
async fn folders_go_with_their_last_object() {
    let (root, storage) = store();
    put(&storage, "a/b/c/d", b"1").await;
    put(&storage, "a/x", b"2").await;
    storage.delete(&[name("a/b/c/d")]).await.remove(0).unwrap();
    assert_eq!(files(&root.path().join("a")), ["x"]);
    storage.delete(&[name("a/x")]).await.remove(0).unwrap();
    assert_eq!(files(root.path()), [".apus"]);
}

#[tokio::test]
async fn only_what_can_be_named_is_listed() {
    use std::os::unix::ffi::OsStrExt;
    let (root, storage) = store();
    put(&storage, "a/object", b"1").await;
    fs::create_dir_all(root.path().join("a/empty/and/empty")).unwrap();
    fs::write(root.path().join("a/back\\slash"), "").unwrap();
    fs::write(root.path().join("a").join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    fs::create_dir(root.path().join("a/new\nline")).unwrap();
    fs::write(root.path().join("a/new\nline/x"), "").unwrap();
    symlink("nowhere", root.path().join("a/dangling")).unwrap();
    assert_eq!(keys(&storage, ListRequest::everything()).await, ["a/object"]);
    assert_eq!(keys(&storage, ListRequest::under(name("a")).one_level()).await, ["a/object"]);
    assert_eq!(keys(&storage, ListRequest::under(name("a/empty")).one_level()).await, [""; 0]);
}

#[tokio::test]
async fn a_page_is_filled_across_more_empty_folders_than_are_held() {
    let (root, storage) = store();
    for number in 1000..2200 {
        fs::create_dir_all(root.path().join(format!("many/{number}"))).unwrap();
    }
    // One of them is the last name of the first batch.
    for number in [1499, 2050, 2199] {
        put(&storage, &format!("many/{number}/_uploads/link"), b"x").await;
    }
    let folders = ["many/1499/", "many/2050/", "many/2199/"];
    assert_eq!(keys(&storage, ListRequest::under(name("many")).one_level().limit(3)).await, folders);
    let page = storage.list(&ListRequest::under(name("many")).limit(2)).await.unwrap();
    assert_eq!(page.entries.len(), 2);
    assert_eq!(page.next.as_deref(), Some("many/2050/_uploads/link"));
    let rest = ListRequest::under(name("many")).after(page.next.unwrap());
    assert_eq!(keys(&storage, rest).await, ["many/2199/_uploads/link"]);
}

#[tokio::test]
async fn a_folder_of_more_objects_than_are_held_is_listed_in_order() {
    let (root, storage) = store();
    let mut expected: Vec<String> =
        (0..3000).map(|number| format!("many/{}", number * 7919 % 3001)).collect();
    fs::create_dir(root.path().join("many")).unwrap();
    for object in &expected {
        fs::write(root.path().join(object), "").unwrap();
    }
    expected.sort();
    let mut request = ListRequest::everything().limit(700);
    let mut found = Vec::new();
    loop {
        let page = storage.list(&request).await.unwrap();
        found.extend(page.entries.iter().map(ListEntry::key));
        match page.next {
            Some(next) => request = request.after(next),
            None => break,
        }
    }
    assert_eq!(found, expected);
    assert_eq!(keys(&storage, ListRequest::everything()).await, expected);
}

#[tokio::test]
async fn links_of_the_operator_are_followed() {
    let (root, storage) = store();
    let elsewhere = tempfile::tempdir_in(root.path().parent().unwrap()).unwrap();
    fs::write(elsewhere.path().join("object"), "content").unwrap();
    symlink(elsewhere.path(), root.path().join("folder")).unwrap();
    symlink(elsewhere.path().join("object"), root.path().join("file")).unwrap();
    assert_eq!(get(&storage, "folder/object").await.unwrap(), "content");
    assert_eq!(get(&storage, "file").await.unwrap(), "content");
    put(&storage, "folder/new", b"written").await;
    assert_eq!(fs::read(elsewhere.path().join("new")).unwrap(), b"written");
    assert_eq!(keys(&storage, ListRequest::everything()).await, ["file", "folder/new", "folder/object"]);
    assert_eq!(keys(&storage, ListRequest::everything().one_level()).await, ["file", "folder/"]);
    for object in ["folder/new", "folder/object"] {
        assert_eq!(storage.delete(&[name(object)]).await.remove(0).unwrap(), Outcome::Done);
    }
    assert!(root.path().join("folder").is_symlink(), "the link is the operator's");
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let (root, storage) = store();
    let size = 4 << 20;
    fs::write(root.path().join("object"), vec![1; size]).unwrap();
    let reader = storage.read(&name("object"), ByteRange::Full, Freshness::Any).await.unwrap().unwrap();
    assert_eq!(reader.range, 0..size as u64);
    File::options().write(true).open(root.path().join("object")).unwrap().set_len(1 << 20).unwrap();
    let error = collect(reader.stream, usize::MAX).await.unwrap_err();
    let error = error.downcast::<StorageError>().unwrap();
    assert_eq!((error.kind(), error.operation(), error.object()), (ErrorKind::Damaged, "read", "object"));
}

#[tokio::test]
async fn errors_of_the_system_are_told_apart() {
    use std::io::ErrorKind as Io;
    let kinds = [
        (Io::PermissionDenied, ErrorKind::Denied),
        (Io::ReadOnlyFilesystem, ErrorKind::Denied),
        (Io::StorageFull, ErrorKind::Full),
        (Io::QuotaExceeded, ErrorKind::Full),
        (Io::FileTooLarge, ErrorKind::TooLarge),
        (Io::InvalidFilename, ErrorKind::InvalidName),
        (Io::NotADirectory, ErrorKind::InvalidName),
        (Io::StaleNetworkFileHandle, ErrorKind::UNAVAILABLE),
        (Io::Other, ErrorKind::Unexpected),
        // Whoever takes absence for an answer has looked for it before: here it is none.
        (Io::NotFound, ErrorKind::UNAVAILABLE),
    ];
    let (root, storage) = store();
    let subject = storage.subject("stat", "x");
    for (given, expected) in kinds {
        assert_eq!(subject.io(given.into()).kind(), expected, "{given:?}");
    }
    for (number, expected) in
        [(5, ErrorKind::UNAVAILABLE), (24, ErrorKind::UNAVAILABLE), (28, ErrorKind::Full)]
    {
        let error = subject.io(io::Error::from_raw_os_error(number));
        assert_eq!(error.kind(), expected, "{error:?}");
    }
    // A loop of links: what lies behind it is unknown, and not absent.
    symlink("loop", root.path().join("loop")).unwrap();
    for looping in ["loop", "loop/below"] {
        let error = storage.stat(&name(looping), Freshness::Any).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{error:?}");
    }
    storage.list(&ListRequest::everything()).await.unwrap_err();
}

#[tokio::test]
async fn a_store_that_is_gone_is_no_empty_store() {
    let (root, storage) = store();
    put(&storage, "object", b"content").await;
    let stage = StageId::parse("x").unwrap();
    // As it looks when the volume is not mounted any more.
    let away = tempfile::tempdir().unwrap();
    for directory in [".apus", "object"] {
        fs::rename(root.path().join(directory), away.path().join(directory)).unwrap();
    }
    let (object, revision, start) = (name("object"), StageRevision::random(), StagePosition::Start);
    let body = Bytes::from_static(b"x").into();
    for unknown in [
        storage.stat(&object, Freshness::Any).await.map(drop),
        storage.read(&object, ByteRange::Full, Freshness::Any).await.map(drop),
        storage.write(&object, body, WriteMode::Replace).await.map(drop),
        storage.touch(&object).await.map(drop),
        storage.delete(std::slice::from_ref(&object)).await.remove(0).map(drop),
        storage.list(&ListRequest::everything()).await.map(drop),
        storage.stage_state(&stage, None).await.map(drop),
        storage.stage_append(&stage, start, once(Bytes::new()), Box::new(Bytes::new)).await.map(drop),
        storage.stage_read(&stage, &revision).await.map(drop),
        storage.stage_publish(&stage, &revision, &object, WriteMode::IfAbsent).await.map(drop),
        storage.stage_drop(&stage).await.map(drop),
        storage.stage_list(None, 10).await.map(drop),
    ] {
        let error = unknown.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UNAVAILABLE, "{error:?}");
        assert!(error.to_string().contains("mounted"), "{error}");
    }
    fs::rename(away.path().join(".apus"), root.path().join(".apus")).unwrap();
    assert_eq!(get(&storage, "object").await, None);
}

/// Whoever only reads has no directory of its own by which to tell; the root has to be the one that was opened.
#[tokio::test]
async fn for_one_who_only_reads_absence_is_an_answer_too() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), "content").unwrap();
    let storage = FilesystemStorage::open_to_read(root.clone()).unwrap();
    assert_eq!(get(&storage, "a").await.as_deref(), Some(&b"content"[..]));
    assert_eq!(storage.stat(&name("b"), Freshness::Newest).await.unwrap(), None);
    assert_eq!(keys(&storage, ListRequest::under(name("b"))).await, Vec::<String>::new());
    assert_eq!(files(&root), ["a"], "nothing is made");

    fs::rename(&root, directory.path().join("away")).unwrap();
    assert!(
        storage
            .stat(&name("a"), Freshness::Newest)
            .await
            .is_err_and(|error| error.kind() == ErrorKind::UNAVAILABLE)
    );
    fs::create_dir(&root).unwrap();
    assert!(
        storage
            .stat(&name("a"), Freshness::Newest)
            .await
            .is_err_and(|error| error.kind() == ErrorKind::UNAVAILABLE)
    );
    assert!(
        storage
            .list(&ListRequest::under(name("b")))
            .await
            .is_err_and(|error| error.kind() == ErrorKind::UNAVAILABLE)
    );
    FilesystemStorage::open_to_read(directory.path().join("nowhere")).unwrap_err();
}
