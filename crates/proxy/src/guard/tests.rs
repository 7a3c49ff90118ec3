use super::*;

fn allows(guard: &Guard, host: &str, address: &str) -> bool {
    guard.allows(host, address.parse().unwrap())
}

const SPECIAL: [&str; 9] = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fd00:ec2::254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
];

/// A8: what a public upstream may send to is public.
#[test]
fn a8_a_public_upstream_sends_nobody_inside() {
    let guard = Guard::new("registry.example", Vec::new());
    assert!(allows(&guard, "registry.example", "192.0.2.1"));
    assert!(allows(&guard, "cdn.example", "198.51.100.1") && allows(&guard, "cdn.example", "2001:db8::1"));
    for inside in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "::1", "fd12::1"] {
        assert!(!allows(&guard, "cdn.example", inside), "{inside}");
    }
    for special in SPECIAL {
        assert!(!allows(&guard, "cdn.example", special), "{special}");
        assert!(!allows(&guard, "registry.example", special), "{special}: by a changed DNS answer");
    }
}

/// A8: an upstream in a private network may send to private networks, and neither to this machine nor to a cloud's secrets.
#[test]
fn a8_a_private_upstream_sends_nobody_to_this_machine() {
    let guard = Guard::new("registry.corp", Vec::new());
    assert!(!allows(&guard, "storage.corp", "10.0.0.2"), "before it is known where the upstream lies");
    assert!(allows(&guard, "registry.corp", "10.0.0.1"));
    assert!(allows(&guard, "storage.corp", "10.0.0.2"));
    assert!(!allows(&guard, "storage.corp", "127.0.0.1"));
    for special in SPECIAL {
        assert!(!allows(&guard, "storage.corp", special), "{special}");
    }
    let here = Guard::new("127.0.0.1", Vec::new());
    assert!(allows(&here, "127.0.0.1", "127.0.0.1") && allows(&here, "127.0.0.2", "127.0.0.2"));
    assert!(!allows(&here, "169.254.169.254", "169.254.169.254"));
}

/// A8: what an operator names is allowed.
#[test]
fn a8_an_operators_word_counts() {
    let guard = Guard::new("registry.example", vec!["10.0.0.0/8".parse().unwrap()]);
    assert!(allows(&guard, "storage.corp", "10.9.9.9") && !allows(&guard, "storage.corp", "192.168.0.1"));
    assert!(allows(&Guard::new("169.254.1.1", Vec::new()), "169.254.1.1", "169.254.1.1"));
}
