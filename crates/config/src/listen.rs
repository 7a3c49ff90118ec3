//! The address to listen on, as Go writes it: `host:port` with an optional host. No name is resolved here.

use std::fmt;
use std::net::Ipv6Addr;

/// A host and a port to listen on. Displays as it is written in a file, such as `:5000` or `[::1]:5000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// A name, an IPv4 address, or an IPv6 address without brackets; empty for every address of the machine.
    pub host: String,
    /// The port; 0 for any free one.
    pub port: u16,
}

impl ListenAddress {
    /// Reads `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000` or `:5000`. `None` when the text is nothing of the kind.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(bracketed) => {
                let address = bracketed.strip_suffix(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                address
            }
            None if host.bytes().all(is_host_byte) => host,
            None => return None,
        };
        let port =
            if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse().ok()? } else { return None };
        Some(Self { host: host.to_owned(), port })
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests;
