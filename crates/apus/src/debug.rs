//! The debug address: which pages there are, by what the configuration says. What stands on a page is the matter of the room
//! that knows it.

use apus_config::{DebugConfig, HttpConfig};
use apus_metrics::Recorder;
use apus_server::{DebugPages, serve_debug};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use tokio::task::AbortHandle;

use crate::serve::{ServeError, listen_on_port};

/// Begins to keep metrics, if they are to be shown. What happened before is not counted; without it recording costs nothing.
pub(crate) fn keep_metrics(http: &HttpConfig) -> Option<Recorder> {
    http.debug.as_ref()?.metrics_path.as_ref()?;
    let recorder = Recorder::new();
    if let Err(error) = recorder.install() {
        tracing::error!(%error, "there are no metrics");
        return None;
    }
    metrics::gauge!("apus_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Some(recorder)
}

/// The page of the metrics, beside others.
pub(crate) fn with_metrics(pages: DebugPages, debug: &DebugConfig, recorder: Option<Recorder>) -> DebugPages {
    let (Some(path), Some(recorder)) = (&debug.metrics_path, recorder) else { return pages };
    pages.with(path, move |_| {
        let mut page = Response::new(Bytes::from(recorder.render()));
        let text = HeaderValue::from_static(apus_metrics::CONTENT_TYPE);
        page.headers_mut().insert(header::CONTENT_TYPE, text);
        std::future::ready(page)
    })
}

/// Shows pages on the debug address while this lives.
#[derive(Debug)]
pub(crate) struct Showing(AbortHandle);

impl Showing {
    /// Listens there.
    pub(crate) async fn begin(debug: &DebugConfig, pages: DebugPages) -> Result<Self, ServeError> {
        let listener = listen_on_port("http.debug.addr", &debug.addr).await?;
        tracing::info!(address = %listener.local_addr()?, ?pages, "the debug address");
        Ok(Self(tokio::spawn(serve_debug(listener, pages)).abort_handle()))
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
