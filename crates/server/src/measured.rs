//! What registry:2 measures of a request, under its names and with its labels, and the time to the head of the answer. It is
//! recorded when the last byte of the answer is sent or the connection breaks, whatever was answered and by whom. Labels are of
//! a small and fixed set: nothing of them is a client's own word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{Method, StatusCode};
use metrics::{counter, gauge, histogram};

use crate::Route;
use crate::answer::Answer;

/// What is recorded of a request whose client went away before the answer, as registry:2 does.
pub(crate) const CLIENT_WENT_AWAY: u16 = 499;

/// A request under way. Recorded when it is dropped.
#[derive(Debug)]
pub(crate) struct Measured {
    handler: &'static str,
    method: &'static str,
    begun: Instant,
    read: Arc<AtomicU64>,
    answered: Option<StatusCode>,
    sent: u64,
}

impl Measured {
    /// A request begins; without a route where its path names nothing.
    pub(crate) fn begin(method: &Method, route: Option<&Route>) -> Self {
        Self::begin_as(route.map_or("unknown", handler), method)
    }

    /// The same under a word for the route that is of a small and fixed set.
    pub(crate) fn begin_as(handler: &'static str, method: &Method) -> Self {
        gauge!("registry_http_in_flight_requests", "handler" => handler).increment(1);
        Self {
            handler,
            method: label(method),
            begun: Instant::now(),
            read: Arc::default(),
            answered: None,
            sent: 0,
        }
    }

    /// Where to count the bytes of its content.
    pub(crate) fn read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// It is answered, and over when the answer is sent.
    pub(crate) fn until_sent(mut self, mut answer: Answer) -> Answer {
        self.answered = Some(answer.status());
        histogram!("apus_http_answer_seconds", "handler" => self.handler, "method" => self.method)
            .record(self.begun.elapsed());
        answer.body_mut().when_ended(move |bytes| self.over(bytes));
        answer
    }

    fn over(mut self, sent: u64) {
        self.sent = sent;
    }
}

impl Drop for Measured {
    #[expect(clippy::cast_precision_loss, reason = "bytes of one request, for a histogram")]
    fn drop(&mut self) {
        let Self { handler, method, begun, read, answered, sent } = self;
        let code = answered.map_or(CLIENT_WENT_AWAY, |status| status.as_u16()).to_string();
        gauge!("registry_http_in_flight_requests", "handler" => *handler).decrement(1);
        counter!("registry_http_requests_total", "code" => code, "handler" => *handler, "method" => *method)
            .increment(1);
        histogram!("registry_http_request_duration_seconds", "handler" => *handler, "method" => *method)
            .record(begun.elapsed());
        histogram!("registry_http_request_size_bytes", "handler" => *handler)
            .record(read.load(Ordering::Relaxed) as f64);
        histogram!("registry_http_response_size_bytes", "handler" => *handler).record(*sent as f64);
    }
}

/// registry:2's word for a route; ours for what it does not have.
fn handler(route: &Route) -> &'static str {
    match route {
        Route::Root => "root",
        Route::Base => "base",
        Route::Token => "token",
        Route::Catalog => "catalog",
        Route::Tags(_) => "tags",
        Route::Manifest(..) => "manifest",
        Route::Referrers(..) => "referrers",
        Route::Blob(..) => "blob",
        Route::Uploads(_) => "blob_upload",
        Route::Upload(..) => "blob_upload_chunk",
    }
}

fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::HEAD => "head",
        Method::POST => "post",
        Method::PUT => "put",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        Method::OPTIONS => "options",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests;
