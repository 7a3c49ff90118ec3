//! Which addresses an upstream may send Apus to, by redirects, token servers or DNS. An upstream is another's machine: it must
//! not be able to make Apus ask what only Apus can reach.
//!
//! The configured host itself may lie in a private network or on this machine. Other hosts may only where that one does too, or
//! an operator has allowed the network. Link-local addresses, where clouds keep the secrets of their machines, are asked only
//! where the configuration names the very address or its network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::IpNet;

/// Where an address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Public,
    Private,
    ThisMachine,
    /// Link-local, multicast, unspecified, reserved.
    Special,
}

/// The rule for one upstream.
#[derive(Debug)]
pub(crate) struct Guard {
    home: String,
    allowed: Vec<IpNet>,
    home_is_private: AtomicBool,
    home_is_this_machine: AtomicBool,
}

impl Guard {
    /// For the host of a configured URL, without the brackets of IPv6.
    pub(crate) fn new(home: &str, allowed: Vec<IpNet>) -> Self {
        let (home_is_private, home_is_this_machine) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { home: home.to_owned(), allowed, home_is_private, home_is_this_machine }
    }

    /// Whether a connection to this address of a host may be made. What the upstream's own host resolves to is remembered.
    pub(crate) fn allows(&self, host: &str, address: IpAddr) -> bool {
        let is_home = host.eq_ignore_ascii_case(&self.home);
        let place = place(address);
        if is_home && place == Place::Private {
            self.home_is_private.store(true, Ordering::Relaxed);
        }
        if is_home && place == Place::ThisMachine {
            self.home_is_this_machine.store(true, Ordering::Relaxed);
        }
        let on_this_machine = self.home_is_this_machine.load(Ordering::Relaxed);
        self.allowed.iter().any(|network| network.contains(&address))
            || match place {
                Place::Public => true,
                Place::Private => self.home_is_private.load(Ordering::Relaxed) || on_this_machine,
                Place::ThisMachine => on_this_machine,
                Place::Special => is_home && host.parse::<IpAddr>().is_ok(),
            }
    }
}

fn place(address: IpAddr) -> Place {
    match address.to_canonical() {
        IpAddr::V4(address) => place_of_v4(address),
        IpAddr::V6(address) => place_of_v6(address),
    }
}

/// RFC 6890 and its registry of special addresses.
fn place_of_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [127, ..] => Place::ThisMachine,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
            Place::Private
        }
        [0 | 224..=255, ..] | [169, 254, ..] | [192, 0, 0, _] => Place::Special,
        _ => Place::Public,
    }
}

fn place_of_v6(address: Ipv6Addr) -> Place {
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        place_of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::ThisMachine,
        // The first is where Amazon keeps the secrets of its machines: a private address that is none.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] | [0xfe80..=0xfebf | 0xff00..=0xffff, ..] => Place::Special,
        // An IPv4 address by another name: NAT64 (RFC 6052), 6to4 (RFC 3056), IPv4-compatible (RFC 4291).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] | [0, 0, 0, 0, 0, 0, high, low] => {
            inner(high, low)
        }
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Place::Private,
        _ => Place::Public,
    }
}

#[cfg(test)]
mod tests;
