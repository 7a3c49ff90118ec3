use std::num::NonZeroU32;

use apus_metrics::Recorder;
use tempfile::TempDir;

use super::*;
use crate::QueueOptions;
use crate::testing::{Endpoint, event, events_for, options, status, tags, until};

fn in_directory(directory: &TempDir, endpoints: Vec<EndpointOptions>) -> EventsOptions {
    let queue = QueueOptions { directory: Some(directory.path().join("events")), limit: 1 << 20 };
    EventsOptions { queue, ..events_for(endpoints) }
}

async fn tell(events: &Events, tags: impl IntoIterator<Item = usize>) {
    for tag in tags {
        events.tell(event(&tag.to_string())).written().await;
    }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn id_of(received: &crate::testing::Received) -> String {
    let envelope: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    envelope["events"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_endpoints_nobody_is_told() {
    let events = Events::open(events_for(Vec::new())).unwrap();
    assert!(!events.are_wanted() && !events.include_references());
    events.tell(event("t")).written().await;
    events.close(Duration::ZERO).await;
}

#[tokio::test]
async fn everyone_is_told_what_they_want_to_know() {
    let [all, no_pulls, no_manifests] =
        [Endpoint::start().await, Endpoint::start().await, Endpoint::start().await];
    let mut configured = [all.options("/"), no_pulls.options("/"), no_manifests.options("/")];
    configured[1].ignored_actions = vec![Action::Pull, Action::Mount];
    configured[2].ignored_media_types = vec!["application/vnd.oci.image.manifest.v1+json".to_owned()];
    let events = Events::open(events_for(configured.into())).unwrap();
    assert!(events.are_wanted());
    let mut pushed = event("push");
    pushed.action = Action::Push;
    let mut deleted = event("delete");
    deleted.action = Action::Delete;
    deleted.target.media_type.clear();
    for event in [event("pull"), pushed, deleted] {
        events.tell(event).written().await;
    }
    assert_eq!(tags(&all.until(3).await), ["pull", "push", "delete"]);
    assert_eq!(tags(&no_pulls.until(2).await), ["push", "delete"]);
    assert_eq!(tags(&no_manifests.until(1).await), ["delete"]);
    events.close(Duration::from_mins(1)).await;
    assert_eq!([&all, &no_pulls, &no_manifests].map(|endpoint| endpoint.received().len()), [3, 2, 1]);
    let envelope: serde_json::Value = serde_json::from_slice(&all.received()[0].body).unwrap();
    assert_eq!(envelope["events"][0]["source"]["addr"], "machine:5000");
}

#[tokio::test]
async fn an_endpoint_that_fails_gets_all_in_order_when_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    for in_files in [false, true] {
        let endpoint = Endpoint::start().await;
        endpoint.answer(|_| status(503));
        let configured = vec![endpoint.options("/")];
        let configured = if in_files { in_directory(&directory, configured) } else { events_for(configured) };
        let events = Events::open(configured).unwrap();
        tell(&events, 0..20).await;
        let before = endpoint.until(3).await;
        assert!(tags(&before).iter().all(|tag| tag == "0"), "the first is tried until it is taken");
        let ids: std::collections::HashSet<_> = before.iter().map(id_of).collect();
        assert_eq!(ids.len(), 1, "it is the same each time");
        endpoint.answer(|_| status(200));
        until(|| tags(&endpoint.received()).last().is_some_and(|tag| tag == "19")).await;
        let mut all = tags(&endpoint.received());
        all.dedup();
        assert_eq!(all, numbers(0..20));
        events.close(Duration::from_mins(1)).await;
    }
}

#[tokio::test]
async fn what_was_not_delivered_is_there_for_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start().await;
    let away = || vec![EndpointOptions { backoff: Duration::from_mins(10), ..endpoint.options("/") }];
    endpoint.answer(|_| status(503));
    let events = Events::open(in_directory(&directory, away())).unwrap();
    tell(&events, 0..5).await;
    let first = id_of(&endpoint.until(1).await[0]);
    // It is in a pause now, which the end cuts short for one more try.
    events.close(Duration::from_mins(1)).await;
    assert_eq!(endpoint.received().len(), 2);
    // The next one is dropped without a word, as one that is killed.
    let events = Events::open(in_directory(&directory, away())).unwrap();
    tell(&events, 5..8).await;
    endpoint.until(3).await;
    drop(events);
    until(|| Events::open(in_directory(&directory, away())).is_ok()).await;
    endpoint.answer(|_| status(200));
    let before = endpoint.received().len();
    let events = loop {
        // The one that was just opened gives the directory back when it is dropped.
        match Events::open(in_directory(&directory, away())) {
            Ok(events) => break events,
            Err(EventsError::Taken { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error:?}"),
        }
    };
    until(|| tags(&endpoint.received()).last().is_some_and(|tag| tag == "7")).await;
    let mut delivered = tags(&endpoint.received()[before..]);
    delivered.dedup();
    let from = delivered.iter().position(|tag| tag == "0").map_or(0, |at| at);
    assert_eq!(delivered[from..], numbers(0..8)[..]);
    assert!(
        endpoint
            .received()
            .iter()
            .filter(|request| tags(&[(*request).clone()]) == ["0"])
            .all(|request| id_of(request) == first)
    );
    events.close(Duration::from_mins(1)).await;
}

#[tokio::test]
async fn at_the_end_what_waits_is_tried_within_the_limit() {
    let endpoint = Endpoint::start().await;
    let events = Events::open(events_for(vec![endpoint.options("/")])).unwrap();
    for number in 0..50 {
        drop(events.tell(event(&number.to_string())));
    }
    events.close(Duration::from_mins(1)).await;
    assert_eq!(tags(&endpoint.received()), numbers(0..50));

    // One that never answers does not keep the process.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut silent = options(&format!("http://{}", listener.local_addr().unwrap()));
    silent.timeout = Duration::from_hours(1);
    let events = Events::open(events_for(vec![silent])).unwrap();
    tell(&events, 0..3).await;
    tokio::time::timeout(Duration::from_mins(1), events.close(Duration::from_millis(20))).await.unwrap();
}

fn named(name: &str, options: EndpointOptions) -> EndpointOptions {
    EndpointOptions { name: name.to_owned(), ..options }
}

/// Where the first of several endpoints fails, and its pauses are long.
fn in_a_pause(options: EndpointOptions) -> EndpointOptions {
    EndpointOptions { backoff: Duration::from_hours(1), ..options }
}

#[tokio::test]
async fn an_endpoint_that_stays_keeps_its_queue() {
    let directory = tempfile::tempdir().unwrap();
    for in_files in [false, true] {
        let configured =
            |options| if in_files { in_directory(&directory, options) } else { events_for(options) };
        let [old, new] = [Endpoint::start().await, Endpoint::start().await];
        old.answer(|_| status(503));
        let events = Events::open(configured(vec![in_a_pause(old.options("/"))])).unwrap();
        tell(&events, 0..5).await;
        old.until(1).await;
        // Where it fails, nothing has changed.
        let unusable = vec![named("other", options("ftp://a")), new.options("/")];
        assert!(matches!(events.change(configured(unusable)), Err(EventsError::Url { .. })));
        let mut elsewhere = configured(vec![new.options("/")]);
        elsewhere.queue.limit += 1;
        assert!(matches!(events.change(elsewhere), Err(EventsError::OtherQueue)));
        tell(&events, 5..6).await;
        assert!(new.received().is_empty());

        let mut changed = configured(vec![new.options("/"), named("second", new.options("/second"))]);
        changed.include_references = true;
        events.change(changed).unwrap();
        assert!(events.include_references());
        tell(&events, 6..8).await;
        let received = new.until(10).await;
        let (second, first): (Vec<_>, Vec<_>) =
            received.into_iter().partition(|received| received.path == "/second");
        assert_eq!((tags(&first), tags(&second)), (numbers(0..8), numbers(6..8)));
        assert_eq!(tags(&old.received()), ["0"], "it is sent nowhere twice");
        events.close(Duration::from_mins(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_being_sent_is_not_sent_again() {
    let [old, new] = [Endpoint::start().await, Endpoint::start().await];
    let ((came, comes), (release, released)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    old.answer(move |_| {
        came.send(()).unwrap();
        released.recv().unwrap();
        status(200)
    });
    let events = Events::open(events_for(vec![old.options("/")])).unwrap();
    tell(&events, 0..1).await;
    tokio::task::spawn_blocking(move || comes.recv().unwrap()).await.unwrap();
    events.change(events_for(vec![new.options("/")])).unwrap();
    tell(&events, 1..3).await;
    release.send(()).unwrap();
    assert_eq!(tags(&new.until(2).await), ["1", "2"]);
    assert_eq!(tags(&old.received()), ["0"]);
    events.close(Duration::from_mins(1)).await;
}

#[tokio::test]
async fn an_endpoint_that_goes_is_told_what_waits() {
    let directory = tempfile::tempdir().unwrap();
    for in_files in [false, true] {
        let recorder = Recorder::new();
        let configured =
            |options| if in_files { in_directory(&directory, options) } else { events_for(options) };
        let [leaving, failing, staying] =
            [Endpoint::start().await, Endpoint::start().await, Endpoint::start().await];
        for away in [&leaving, &failing] {
            away.answer(|_| status(503));
        }
        let all = || {
            vec![
                in_a_pause(named("leaving", leaving.options("/"))),
                in_a_pause(named("failing", failing.options("/"))),
                named("staying", staying.options("/")),
            ]
        };
        let events = metrics::with_local_recorder(&recorder, || Events::open(configured(all()))).unwrap();
        tell(&events, 0..3).await;
        leaving.until(1).await;
        failing.until(1).await;
        leaving.answer(|_| status(200));
        let [_, _, stays] = all().try_into().unwrap();
        events.change(configured(vec![stays])).unwrap();
        tell(&events, 3..4).await;
        assert_eq!(tags(&staying.until(4).await), numbers(0..4));
        assert_eq!(tags(&leaving.until(4).await)[1..], numbers(0..3));
        assert_eq!(tags(&failing.until(2).await), ["0", "0"], "it is tried once more");

        // What is lost with memory is counted; what is in files is there when it comes back.
        let lost = || recorder.render().contains("apus_notifications_lost_total{endpoint=\"failing\"} 3");
        if in_files {
            assert!(!lost());
        } else {
            until(lost).await;
        }
        failing.answer(|_| status(200));
        events.change(configured(all())).unwrap();
        tell(&events, 4..5).await;
        let expected = if in_files { ["0", "1", "2", "4"].as_slice() } else { &["4"] };
        assert_eq!(tags(&failing.until(2 + expected.len()).await)[2..], *expected);
        assert_eq!(tags(&leaving.until(5).await)[4..], ["4"]);
        assert_eq!(tags(&staying.until(5).await), numbers(0..5));

        events.change(configured(Vec::new())).unwrap();
        assert!(!events.are_wanted());
        events.close(Duration::from_mins(1)).await;
    }
}

#[tokio::test]
async fn whoever_told_nobody_comes_to_tell() {
    let endpoint = Endpoint::start().await;
    let directory = tempfile::tempdir().unwrap();
    let events = Events::open(events_for(Vec::new())).unwrap();
    tell(&events, 0..1).await;
    events.change(in_directory(&directory, vec![endpoint.options("/")])).unwrap();
    tell(&events, 1..2).await;
    assert_eq!(tags(&endpoint.until(1).await), ["1"]);
    events.close(Duration::from_mins(1)).await;
    // The directory is free again.
    Events::open(in_directory(&directory, vec![endpoint.options("/")])).unwrap().close(Duration::ZERO).await;
}

#[tokio::test]
async fn memory_is_bounded_and_what_is_lost_is_counted() {
    let recorder = Recorder::new();
    let directory = tempfile::tempdir().unwrap();
    for in_files in [false, true] {
        let away = EndpointOptions {
            threshold: NonZeroU32::MIN,
            backoff: Duration::from_hours(1),
            name: format!("away-{in_files}"),
            ..options("http://127.0.0.1:9")
        };
        let mut configured =
            if in_files { in_directory(&directory, vec![away]) } else { events_for(vec![away]) };
        configured.queue.limit = 10_000;
        let events = metrics::with_local_recorder(&recorder, || Events::open(configured)).unwrap();
        tell(&events, 0..1000).await;
        let metric = |name: &str| {
            let line = recorder
                .render()
                .lines()
                .find(|line| line.starts_with(name) && line.contains(&format!("away-{in_files}")))
                .map(str::to_owned);
            line.unwrap().rsplit_once(' ').unwrap().1.parse::<usize>().unwrap()
        };
        let (lost, pending) =
            (metric("apus_notifications_lost_total"), metric("registry_notifications_pending_total"));
        assert_eq!(lost + pending, 1000);
        assert!((10..100).contains(&pending), "{pending}");
        assert_eq!(metric("registry_notifications_events_total"), 1000);
        events.close(Duration::ZERO).await;
        assert_eq!(metric("apus_notifications_lost_total"), if in_files { lost } else { 1000 });
    }
}

#[tokio::test]
async fn a_directory_is_one_process_s_own() {
    let directory = tempfile::tempdir().unwrap();
    let configured = |name: &str| EndpointOptions { name: name.to_owned(), ..options("http://127.0.0.1:9") };
    let first = Events::open(in_directory(&directory, vec![configured("a")])).unwrap();
    let second = Events::open(in_directory(&directory, vec![configured("a")]));
    assert!(matches!(second, Err(EventsError::Taken { .. })), "{second:?}");
    first.close(Duration::ZERO).await;
    let twice = Events::open(in_directory(&directory, vec![configured("a"), configured("a")]));
    assert!(matches!(&twice, Err(EventsError::SameName { name }) if name == "a"), "{twice:?}");
    // Names that would lead out of the directory stay in it.
    let names = ["..", ".", "a/b", "a%2Fb", "../up", "ü", ".hidden"];
    let strange = in_directory(&directory, names.map(configured).into());
    Events::open(strange).unwrap().close(Duration::ZERO).await;
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    let made = directory
        .path()
        .join("events")
        .read_dir()
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(made.count(), names.len() + 1);

    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut unusable = in_directory(&directory, vec![configured("a")]);
    unusable.queue.directory = Some(file);
    assert!(matches!(Events::open(unusable), Err(EventsError::Directory { .. })));
}
