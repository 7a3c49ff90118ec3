//! Letting connections end: all are asked at once, and given a time.

use tokio::sync::watch;

/// The side that asks.
#[derive(Debug)]
pub(crate) struct Drain(watch::Sender<bool>);

/// The side that is asked: held by a connection for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Draining(watch::Receiver<bool>);

impl Drain {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// For one connection.
    pub(crate) fn watched(&self) -> Draining {
        Draining(self.0.subscribe())
    }

    /// Asks all connections to end, and waits until they have. When it is dropped, time is over.
    pub(crate) async fn ended(&self) {
        self.0.send_replace(true);
        self.0.closed().await;
    }
}

impl Draining {
    /// Until the connection is asked to end.
    pub(crate) async fn asked(&mut self) {
        // An error says that time is over already.
        let _ = self.0.wait_for(|asked| *asked).await;
    }

    /// Until time is over.
    pub(crate) async fn over(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
