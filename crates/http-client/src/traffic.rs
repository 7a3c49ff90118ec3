//! What is recorded of a client: how long its requests wait for their turn, and how many bytes go each way. An addition for
//! each piece of a body, nothing for each byte.

use std::time::Duration;

use metrics::{Counter, counter, histogram};

/// The bytes of one body.
pub(crate) struct Traffic(Counter);

impl Traffic {
    /// Of a request.
    pub(crate) fn sent(client: &'static str) -> Self {
        Self(counter!("apus_client_sent_bytes_total", "client" => client))
    }

    /// Of an answer.
    pub(crate) fn received(client: &'static str) -> Self {
        Self(counter!("apus_client_received_bytes_total", "client" => client))
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.increment(bytes as u64);
    }
}

/// A request has waited for others to end.
pub(crate) fn waited(client: &'static str, time: Duration) {
    histogram!("apus_client_wait_seconds", "client" => client).record(time);
}
