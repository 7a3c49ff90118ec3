//! Batches, and what becomes of spans that nobody takes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use super::{Worker, bounded};

/// Notes how large each batch was; takes the first `works` of them.
#[derive(Debug, Clone, Default)]
struct Collector {
    batches: Arc<Mutex<Vec<usize>>>,
    works: usize,
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut batches = self.batches.lock().unwrap();
        batches.push(batch.len());
        if batches.len() <= self.works { Ok(()) } else { Err(OTelSdkError::AlreadyShutdown) }
    }
}

fn end_spans(provider: &SdkTracerProvider, spans: usize) {
    let tracer = provider.tracer("test");
    for _ in 0..spans {
        tracer.start("span").end();
    }
}

/// Spans go out when a batch is full, when the first has waited long enough, and at the end; what finds no place in the queue is
/// lost, and nobody waits for it.
#[tokio::test(start_paused = true)]
async fn in_batches() {
    let (queue, spans) = bounded(10);
    let collector = Collector { works: usize::MAX, ..Collector::default() };
    let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
    end_spans(&provider, 12);
    let running = Worker::new(spans, collector.clone(), 4, Duration::from_secs(5)).begin();
    let batches = || collector.batches.lock().unwrap().clone();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(batches(), [4, 4]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(batches(), [4, 4, 2]);
    end_spans(&provider, 7);
    running.end(Duration::from_secs(5)).await;
    assert_eq!(batches(), [4, 4, 2, 4, 3]);
    end_spans(&provider, 1);
    assert_eq!(batches().len(), 5);
}

/// A collector that takes nothing is asked again with the next batch.
#[tokio::test(start_paused = true)]
async fn a_collector_that_is_away() {
    let (queue, spans) = bounded(10);
    let collector = Collector::default();
    let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
    let running = Worker::new(spans, collector.clone(), 4, Duration::from_secs(5)).begin();
    for _ in 0..2 {
        end_spans(&provider, 4);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    running.end(Duration::from_secs(5)).await;
    assert_eq!(*collector.batches.lock().unwrap(), [4, 4]);
}
