use super::*;

#[test]
fn all_show_the_present_unless_told_otherwise() {
    let clock = Clock::new();
    assert_eq!(Replicas::new(Duration::ZERO).next(None, &clock), Timestamp::LATEST);
    let now = clock.now();
    let behind = Replicas::new(Duration::from_mins(1)).next(None, &clock);
    assert!(behind < now && behind >= now.before(Duration::from_mins(1)));
}

#[test]
fn replicas_take_turns_until_they_are_joined() {
    let mut clock = Clock::new();
    let mut replicas = Replicas::new(Duration::ZERO);
    replicas.split(&[Replica::Stale, Replica::Fresh, Replica::Fresh], &mut clock);
    let after = clock.tick();
    let stale: Vec<_> = (0..5).map(|_| replicas.next(None, &clock) < after).collect();
    assert_eq!(stale, [true, false, false, true, false]);
    assert_eq!(replicas.next(Some(Replica::Stale), &clock), replicas.oldest(&clock), "whosever turn it is");
    assert!(replicas.oldest(&clock) < after);
    replicas.join();
    assert_eq!(replicas.next(None, &clock), Timestamp::LATEST);
    assert!(replicas.oldest(&clock) >= after);
}

#[test]
fn another_split_keeps_the_moment_of_the_first() {
    let mut clock = Clock::new();
    let mut replicas = Replicas::new(Duration::ZERO);
    replicas.split(&[Replica::Stale], &mut clock);
    let first = replicas.next(None, &clock);
    replicas.split(&[Replica::Fresh, Replica::Stale], &mut clock);
    assert_eq!((replicas.next(None, &clock), replicas.next(None, &clock)), (Timestamp::LATEST, first));
    replicas.split(&[], &mut clock);
    assert_eq!(replicas.next(None, &clock), Timestamp::LATEST);
}
