//! Spans that have ended wait here, in a bounded queue, and go out in batches. A collector that is slow or away costs spans, which
//! are counted, and nothing else.

use std::time::Duration;

use metrics::counter;
use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

/// The end into which spans go.
#[derive(Debug)]
pub(super) struct Queue(mpsc::Sender<SpanData>);

/// A queue for so many spans.
pub(super) fn bounded(spans: usize) -> (Queue, mpsc::Receiver<SpanData>) {
    let (queue, spans) = mpsc::channel(spans);
    (Queue(queue), spans)
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            dropped("queue", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn dropped(reason: &'static str, spans: usize) {
    counter!("apus_trace_spans_dropped_total", "reason" => reason).increment(spans as u64);
}

/// The other end.
#[derive(Debug)]
pub(super) struct Worker<E = opentelemetry_otlp::SpanExporter> {
    spans: mpsc::Receiver<SpanData>,
    exporter: E,
    batch: usize,
    delay: Duration,
    /// Whether the last batch did not go out.
    away: bool,
}

impl<E: SpanExporter + 'static> Worker<E> {
    pub(super) fn new(spans: mpsc::Receiver<SpanData>, exporter: E, batch: usize, delay: Duration) -> Self {
        Self { spans, exporter, batch, delay, away: false }
    }

    pub(super) fn begin(self) -> Running {
        let (stop, stopped) = oneshot::channel();
        Running { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut batch = Vec::new();
        let mut due = Instant::now();
        loop {
            let (begun, room) = (!batch.is_empty(), self.batch - batch.len());
            tokio::select! {
                came = self.spans.recv_many(&mut batch, room) => match came {
                    0 => break,
                    _ if batch.len() < self.batch => {
                        if !begun {
                            due = Instant::now() + self.delay;
                        }
                        continue;
                    }
                    _ => {}
                },
                () = sleep_until(due), if begun => {}
                _ = &mut stopped => break,
            }
            self.export(std::mem::take(&mut batch)).await;
        }
        // What waits can still be taken; nothing more comes.
        self.spans.close();
        loop {
            let room = self.batch - batch.len();
            let came = self.spans.recv_many(&mut batch, room).await;
            if batch.is_empty() {
                return;
            }
            if came == 0 || batch.len() == self.batch {
                self.export(std::mem::take(&mut batch)).await;
            }
        }
    }

    async fn export(&mut self, batch: Vec<SpanData>) {
        let spans = batch.len();
        match self.exporter.export(batch).await {
            Ok(()) if self.away => {
                tracing::info!("the collector takes traces again");
                self.away = false;
            }
            Ok(()) => {}
            Err(error) => {
                dropped("export", spans);
                if !self.away {
                    tracing::warn!(%error, spans, "the collector does not take traces; spans are dropped until it does");
                }
                self.away = true;
            }
        }
    }
}

/// A worker at work.
#[derive(Debug)]
pub(super) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Lets what waits go out, for so long.
    pub(super) async fn end(self, limit: Duration) {
        // It is gone already where this fails.
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if timeout(limit, self.task).await.is_err() {
            abort.abort();
            tracing::warn!("the last traces did not go out in time");
        }
    }
}

#[cfg(test)]
mod tests;
