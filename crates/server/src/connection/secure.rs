//! TLS at the beginning of a connection: its handshake, in a bounded time and a bounded number, and a word for clients that
//! speak HTTP without it.

use std::io;

use rustls::server::Acceptor;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Protocol;
use crate::answer::chain;
use crate::listener::Peer;
use crate::tls::{self, Tls};

/// How every connection of TLS begins: with the type of the record that holds the client's first message (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// Bytes that are read ahead: a record, and more. By itself rustls asks for 4 KiB at a time.
const READ_BUFFER: usize = 32 << 10;

/// A stream within TLS.
pub(super) type Secure<S> = TlsStream<BufReader<S>>;

/// What a client hears who speaks HTTP/1.1 to us: what Go's servers say.
const HTTPS_ONLY: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 48\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Why a connection ends before anything was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSecure {
    #[error("the client does not speak TLS")]
    Plain,
    #[error("the TLS handshake has lasted too long")]
    TooSlow,
    #[error("the TLS handshake made room for newer ones")]
    MadeRoom,
    #[error("an authority has looked whose this host is")]
    Challenged,
    #[error("the TLS handshake failed")]
    Failed(#[from] io::Error),
}

/// Speaks TLS with a client. Answers the protocol that both have chosen, too (RFC 7301).
pub(super) async fn accept<S>(tls: &Tls, stream: S) -> Result<(Protocol, Secure<S>), NotSecure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut handshake = tls.handshakes().begin();
    let stream = tokio::select! {
        shaken = shake(tls, stream) => shaken?,
        () = tokio::time::sleep(tls.handshake_timeout()) => return Err(NotSecure::TooSlow),
        () = handshake.room_needed() => return Err(NotSecure::MadeRoom),
    };
    let chosen = stream.get_ref().1.alpn_protocol();
    if chosen == Some(tls::CHALLENGE) {
        return Err(NotSecure::Challenged);
    }
    Ok((if chosen == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 }, stream))
}

/// Counts a handshake that came to nothing, and tells the operator of one on which both sides could not agree: one of them has
/// to be set up otherwise. What comes by itself in the internet is no news.
pub(super) fn tell(error: &NotSecure, peer: Peer) {
    let reason = match error {
        NotSecure::Plain => "plain",
        NotSecure::TooSlow => "slow",
        NotSecure::MadeRoom => "crowded",
        NotSecure::Challenged => return,
        NotSecure::Failed(_) => "failed",
    };
    metrics::counter!("apus_tls_handshake_failures_total", "reason" => reason).increment(1);
    if let NotSecure::Failed(cause) = error
        && cause.kind() == io::ErrorKind::InvalidData
    {
        tracing::info!(%peer, error = %chain(error), "no connection");
    }
}

async fn shake<S>(tls: &Tls, stream: S) -> Result<Secure<S>, NotSecure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::with_capacity(READ_BUFFER, stream);
    let first = stream.fill_buf().await?.first().copied();
    if first != Some(HANDSHAKE) {
        // As every method of HTTP begins.
        if first.is_some_and(|byte| byte.is_ascii_uppercase()) {
            stream.write_all(HTTPS_ONLY).await?;
            stream.shutdown().await?;
        }
        return Err(NotSecure::Plain);
    }
    let mut beginning = LazyConfigAcceptor::new(Acceptor::default(), stream);
    let hello = match (&mut beginning).await {
        Ok(hello) => hello,
        Err(error) => {
            if let Some(mut stream) = beginning.take_io() {
                let _ = stream.shutdown().await;
            }
            return Err(error.into());
        }
    };
    let configuration = tls.configuration(&hello.client_hello());
    match hello.into_stream(configuration).into_fallible().await {
        Ok(stream) => Ok(stream),
        Err((error, mut stream)) => {
            // The client is to read the alert that tells it why; it may be gone, too.
            let _ = stream.shutdown().await;
            Err(error.into())
        }
    }
}
