use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::loss::Losses;

const LIMIT: u64 = 100 << 20;

fn open(directory: &TempDir) -> Journal {
    with_limit(directory, LIMIT)
}

fn with_limit(directory: &TempDir, limit: u64) -> Journal {
    let reports = Reports::of("hook", std::sync::Arc::new(Losses::of("hook")));
    Journal::open(directory.path().to_owned(), limit, reports).unwrap()
}

fn text(number: usize) -> String {
    format!("{{\"number\":{number}}}")
}

fn append(journal: &mut Journal, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        journal.append(text(number).as_bytes()).unwrap();
    }
}

/// Takes all that waits.
fn take_all(journal: &mut Journal) -> Vec<String> {
    let mut taken = Vec::new();
    while let Some(event) = journal.first() {
        taken.push(String::from_utf8(event.to_vec()).unwrap());
        journal.take();
    }
    taken
}

fn files(directory: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = directory
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn events_come_out_as_they_went_in() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    assert!(journal.first().is_none());
    append(&mut journal, 0..3);
    assert_eq!(journal.first(), journal.first(), "it stays the first until it is taken");
    assert_eq!(journal.first().unwrap(), text(0));
    journal.take();
    append(&mut journal, 3..5);
    assert_eq!(journal.events(), 4);
    assert_eq!(take_all(&mut journal), [1, 2, 3, 4].map(text));
    assert_eq!((journal.events(), journal.bytes()), (0, 0));
    assert!(files(&directory).is_empty(), "where nothing waits there is no file");
    append(&mut journal, [5]);
    assert_eq!(take_all(&mut journal), [text(5)]);
}

#[test]
fn whoever_comes_next_goes_on_where_it_was_left() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected: Vec<usize> = Vec::new();
    for round in 0..5 {
        // Each is dropped in the middle, as a process that is killed.
        let mut journal = open(&directory);
        assert_eq!(journal.events(), expected.len() as u64);
        append(&mut journal, round * 10..round * 10 + 10);
        expected.extend(round * 10..round * 10 + 10);
        for _ in 0..7 {
            assert_eq!(journal.first().unwrap(), text(expected.remove(0)));
            journal.take();
        }
        // Seen, but not known to be delivered: it comes again.
        journal.first();
    }
    let mut journal = open(&directory);
    assert_eq!(take_all(&mut journal), expected.iter().map(|number| text(*number)).collect::<Vec<_>>());
    assert!(files(&directory).is_empty());
}

#[test]
fn many_files_in_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    let event = |number: usize| format!("{number:0>60000}").repeat(16);
    for number in 0..20 {
        journal.append(event(number).as_bytes()).unwrap();
    }
    assert!(files(&directory).len() > 3);
    for number in 0..9 {
        assert_eq!(journal.first().unwrap(), event(number));
        journal.take();
    }
    drop(journal);
    let mut journal = open(&directory);
    journal.append(event(20).as_bytes()).unwrap();
    assert_eq!(take_all(&mut journal), (9..21).map(event).collect::<Vec<_>>());
}

#[test]
fn what_is_too_much_is_refused_and_what_waits_stays() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = with_limit(&directory, 5 * 31);
    append(&mut journal, 0..5);
    assert!(matches!(journal.append(text(5).as_bytes()), Err(Refused::Full)));
    journal.first();
    journal.take();
    append(&mut journal, [6]);
    assert!(matches!(journal.append(text(7).as_bytes()), Err(Refused::Full)));
    // The measure is what waits, also for the next process.
    let mut journal = with_limit(&directory, 5 * 31);
    assert!(matches!(journal.append(text(8).as_bytes()), Err(Refused::Full)));
    assert_eq!(take_all(&mut journal), [1, 2, 3, 4, 6].map(text));
    append(&mut journal, 0..5);
}

#[test]
fn a_line_that_is_damaged_is_passed_over_and_its_file_set_aside() {
    let whole = tempfile::tempdir().unwrap();
    append(&mut open(&whole), 0..5);
    let [name] = &files(&whole)[..] else { panic!() };
    let content = fs::read(whole.path().join(name)).unwrap();
    let length = content.len() / 5;
    let flipped = |at: usize| {
        let mut content = content.clone();
        content[at] ^= 1;
        content
    };
    let cut = |length: usize| content[..length].to_vec();
    let zeroed = [&content[..2 * length], &vec![0; length][..], &content[3 * length..]].concat();
    for (damaged, expected) in [
        (flipped(2 * length), &[0, 1, 3, 4][..]),
        (flipped(2 * length + 3), &[0, 1, 3, 4]),
        (flipped(2 * length + 20), &[0, 1, 3, 4]),
        // The end of a line: it and the next are one.
        (flipped(3 * length - 1), &[0, 1, 4]),
        (cut(5 * length - 1), &[0, 1, 2, 3]),
        (cut(4 * length + 1), &[0, 1, 2, 3]),
        // What has no end of its own takes the next with it.
        (zeroed, &[0, 1, 4]),
        (b"\n\n".to_vec(), &[]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(name), damaged).unwrap();
        let mut journal = open(&directory);
        append(&mut journal, [9]);
        let expected: Vec<String> = expected.iter().chain(&[9]).map(|number| text(*number)).collect();
        assert_eq!(take_all(&mut journal), expected);
        assert_eq!((journal.events(), journal.files.len()), (0, 0));
        assert_eq!(files(&directory), [format!("{name}.damaged")]);
        // Its number is not used again, and it disturbs nobody.
        let mut journal = open(&directory);
        assert_eq!(journal.events(), 0);
        append(&mut journal, [10]);
        assert_eq!(take_all(&mut journal), [text(10)]);
    }
}

#[test]
fn a_file_that_cannot_be_read_or_is_none_of_ours_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    append(&mut open(&directory), 0..2);
    append(&mut open(&directory), 2..4);
    let name = |number: u64| path(directory.path(), number);
    // One that is too large for ours, in front of the others.
    File::create(name(0)).unwrap().set_len(LARGEST_FILE + 1).unwrap();
    for other in ["notes.txt", "x.events", "00000000000000000009.backup"] {
        fs::write(directory.path().join(other), "+mine").unwrap();
    }
    let mut journal = open(&directory);
    assert_eq!(journal.events(), 4);
    // And one that goes away while it waits.
    fs::remove_file(name(1)).unwrap();
    assert_eq!(take_all(&mut journal), [2, 3].map(text));
    assert!(name(0).with_extension("events.damaged").exists());
    assert!(directory.path().join("notes.txt").exists());
    append(&mut journal, [4]);
    assert_eq!(take_all(&mut journal), [text(4)]);
}

#[test]
fn a_disk_that_takes_nothing_loses_the_event_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    append(&mut journal, 0..2);
    // What is written now fails, as where the disk is full.
    let healthy = journal.writing.replace(File::open("/dev/full").unwrap());
    assert!(matches!(journal.append(text(2).as_bytes()), Err(Refused::Disk(_))));
    journal.writing = healthy;
    append(&mut journal, [3]);
    assert_eq!(take_all(&mut journal), [0, 1, 3].map(text));
}

#[test]
fn nobody_else_reads_the_files() {
    let directory = tempfile::tempdir().unwrap();
    append(&mut open(&directory), [0]);
    let [name] = &files(&directory)[..] else { panic!() };
    let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
