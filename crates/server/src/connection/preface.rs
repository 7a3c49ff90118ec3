//! What a connection speaks, by its first bytes: HTTP/2 begins with a preface that is no request of HTTP/1.1 (RFC 9113,
//! section 3.4).

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::Protocol;

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads until the protocol is clear: to the first byte that differs from the preface, or to its end. Answers the bytes too,
/// for whoever speaks the protocol has to read them.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Protocol, Bytes)> {
    let mut read = BytesMut::with_capacity(PREFACE.len());
    while read.len() < PREFACE.len() && PREFACE.starts_with(&read) {
        let missing = PREFACE.len() - read.len();
        if (&mut *stream).take(missing as u64).read_buf(&mut read).await? == 0 {
            break;
        }
    }
    let protocol = if read == PREFACE[..] { Protocol::Http2 } else { Protocol::Http1 };
    Ok((protocol, read.freeze()))
}

#[cfg(test)]
mod tests;
