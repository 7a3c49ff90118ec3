//! The debug address: which pages there are, by what the configuration says. What stands on a page is the matter of the room
//! that knows it.

use apus_config::{DebugConfig, HttpConfig};
use apus_health::Health;
use apus_metrics::Recorder;
use apus_server::{DebugPages, serve_debug};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tokio::task::AbortHandle;

use crate::health::with_health;
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

/// All pages.
pub(crate) fn pages(debug: &DebugConfig, health: &Health, recorder: Option<Recorder>) -> DebugPages {
    with_metrics(with_profiling(with_health(DebugPages::new(), health)), debug, recorder)
}

/// For who looks for Go's profiles.
fn with_profiling(pages: DebugPages) -> DebugPages {
    ["/debug/pprof", "/debug/pprof/"]
        .into_iter()
        .fold(pages, |pages, path| pages.with(path, |_| std::future::ready(text(StatusCode::OK, PROFILING))))
}

/// What `/debug/pprof/` says: what answers the questions that Go's profiles answer. docs/operate.md says the same, with examples.
const PROFILING: &str = concat!(
    "Apus has no profiles of Go's kind: it is not written in Go. Its binary has the names that a profiler wants, and needs\n\
     no restart for it. On the machine where it runs, as root:\n\n",
    "  where the time goes      perf record -g -p PID -- sleep 30; perf report\n",
    "  what each thread does    gdb -p PID -batch -ex 'thread apply all bt'\n",
    "  memory, files, time      the metrics process_*\n\n",
    "docs/operate.md, \"Health, logs, traces\", says more.\n",
);

/// The page of the metrics, beside others.
fn with_metrics(pages: DebugPages, debug: &DebugConfig, recorder: Option<Recorder>) -> DebugPages {
    let (Some(path), Some(recorder)) = (&debug.metrics_path, recorder) else { return pages };
    pages.with(path, move |_| {
        std::future::ready(page(StatusCode::OK, apus_metrics::CONTENT_TYPE, recorder.render()))
    })
}

/// A page for people.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    page(status, "text/plain; charset=utf-8", text)
}

/// A page of this media type.
pub(crate) fn page(
    status: StatusCode,
    media_type: &'static str,
    content: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut page = Response::new(content.into());
    *page.status_mut() = status;
    page.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    page
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
