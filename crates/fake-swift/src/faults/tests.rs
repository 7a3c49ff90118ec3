use super::*;

fn script(fault: Fault) -> Script {
    let script = Script::default();
    script.add(fault);
    script
}

#[test]
fn a_fault_skips_then_strikes_so_many_times() {
    let script = script(Fault {
        method: Some(Method::PUT),
        path_contains: "/c/".into(),
        skip: 1,
        times: 2,
        action: Action::Reset,
    });
    let strikes: Vec<bool> = [
        (Method::GET, "/c/a"),
        (Method::PUT, "/d/a"),
        (Method::PUT, "/c/a"),
        (Method::PUT, "/c/b"),
        (Method::PUT, "/c/c?x"),
        (Method::PUT, "/c/d"),
    ]
    .iter()
    .map(|(method, path)| script.strike(method, path).is_some())
    .collect();
    assert_eq!(strikes, [false, false, false, true, true, false]);
    assert_eq!(script.left(), 0);
}

#[test]
fn a_fault_for_ever_is_left_until_cleared() {
    let script = script(Fault::always(Action::Reset));
    assert!((0..3).all(|_| script.strike(&Method::GET, "/").is_some()));
    assert_eq!(script.left(), 1);
    script.clear();
    assert!(script.strike(&Method::GET, "/").is_none());
}

#[test]
fn inner_requests_fail_by_status_only() {
    let script = script(Fault::once(Action::Reset));
    script.add(Fault::once(Action::Status(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new())));
    assert_eq!(script.strike_inner(&Method::DELETE, "/v1/a/c/o"), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(script.left(), 1);
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, matches) in [
        ("", true),
        ("/c/", true),
        ("/c/*/data", true),
        ("a*o", true),
        ("*", true),
        ("?*=get", true),
        ("/data*/c/", false),
        ("/c/*/date", false),
    ] {
        assert_eq!(contains("/v1/a/c/blobs/00/data?multipart-manifest=get", pattern), matches, "{pattern}");
    }
}
