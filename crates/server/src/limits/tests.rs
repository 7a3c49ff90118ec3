use governor::clock::FakeRelativeClock;

use super::*;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn client(address: &str) -> Client {
    Client::of(address.parse().unwrap())
}

fn at_a_rate(per_second: u32, burst: u32) -> (Limits<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    let requests = Some(RequestRate { per_second: number(per_second), burst: number(burst) });
    (Limits::by_clock(ClientLimits { requests, ..ClientLimits::default() }, clock.clone()), clock)
}

#[test]
fn a_client_is_an_address_or_a_network_of_ipv6() {
    assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.1"));
    assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
}

#[test]
fn requests_are_counted_for_each_client() {
    let (limits, clock) = at_a_rate(2, 5);
    for _ in 0..5 {
        assert_eq!(limits.request(client("192.0.2.1")), Ok(()));
    }
    let half = Duration::from_millis(500);
    assert_eq!(limits.request(client("192.0.2.1")), Err(TooMuch::Requests { wait: half }));
    assert_eq!(limits.request(client("192.0.2.2")), Ok(()));
    clock.advance(half);
    assert_eq!(limits.request(client("192.0.2.1")), Ok(()));
    assert!(limits.request(client("192.0.2.1")).is_err());
    // Who was silent for long has all of it again, and no more.
    clock.advance(Duration::from_hours(1));
    let allowed = (0..20).filter(|_| limits.request(client("192.0.2.1")).is_ok()).count();
    assert_eq!(allowed, 5);
}

/// However many there are, and wherever they come from, only so many are remembered.
#[test]
fn memory_is_bounded_whatever_clients_there_are() {
    let (limits, _) = at_a_rate(1, 1);
    for number in 0..2_u16 {
        for other in 0..=u16::MAX {
            limits.request(Client::V6([0x2001, 0xdb8, number, other])).unwrap();
        }
    }
    let counters = &limits.requests.as_ref().unwrap().counters;
    assert!(counters.len() <= COUNTED, "{}", counters.len());
}

#[tokio::test(start_paused = true)]
async fn uploads_have_places() {
    let options =
        ClientLimits { uploads: Some(number(2)), all_uploads: Some(number(3)), ..ClientLimits::default() };
    let limits = Limits::new(options);
    let (one, other) = (client("192.0.2.1"), client("192.0.2.2"));
    let first = limits.upload(one).await.unwrap();
    let second = limits.upload(one).await.unwrap();
    assert_eq!(limits.upload(one).await.unwrap_err(), TooMuch::Uploads);
    let third = limits.upload(other).await.unwrap();
    assert_eq!(limits.upload(other).await.unwrap_err(), TooMuch::AllUploads);
    // Who waits comes in turn.
    let (waited, ()) = tokio::join!(limits.upload(one), async { drop(first) });
    drop((waited.unwrap(), second, third));
    assert!(limits.uploads.as_ref().unwrap().lock().is_empty());
    // Nobody is kept in mind who was refused, or went away while waiting.
    let places = [limits.upload(one).await.unwrap(), limits.upload(one).await.unwrap()];
    assert!(tokio::time::timeout(Duration::from_secs(1), limits.upload(one)).await.is_err());
    drop(places);
    assert!(limits.uploads.as_ref().unwrap().lock().is_empty());
}

#[tokio::test]
async fn without_limits_nothing_is_counted() {
    let limits = Limits::new(ClientLimits::default());
    let mut places = Vec::new();
    for _ in 0..1000 {
        assert_eq!(limits.request(client("192.0.2.1")), Ok(()));
        places.push(limits.upload(client("192.0.2.1")).await.unwrap());
    }
}
