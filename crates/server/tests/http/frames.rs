//! HTTP/2 frame by frame (RFC 9113), for what no client library would do.

use crate::support::Socket;

/// What a client begins with.
pub(crate) const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GO_AWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// A GET of a path, as the whole of a stream's request.
    pub(crate) fn get(stream: u32, path: &str) -> Self {
        // Of HPACK's static table (RFC 7541): `:method: GET`, `:scheme: http`, and the names `:path` and `:authority` each with
        // a literal value of less than 127 bytes.
        let literal = |index: u8, value: &str| {
            let length =
                u8::try_from(value.len()).ok().filter(|length| *length < 127).expect("a short value");
            [&[index, length], value.as_bytes()].concat()
        };
        let block = [vec![0x82, 0x86], literal(0x04, path), literal(0x01, "apus")].concat();
        Self::new(HEADERS, END_STREAM | END_HEADERS, stream, block)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[self.kind, self.flags], &self.stream.to_be_bytes(), &self.payload].concat()
    }
}

impl Socket {
    pub(crate) async fn send_frame(&mut self, frame: Frame) {
        self.send(frame.bytes()).await;
    }

    /// The next frame that is none of these kinds.
    pub(crate) async fn frame_but(&mut self, others: &[u8]) -> Frame {
        loop {
            let head = self.bytes(9).await;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let payload = self.bytes(length as usize).await;
            if !others.contains(&head[3]) {
                return Frame::new(head[3], head[4], stream, payload);
            }
        }
    }
}
