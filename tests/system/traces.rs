//! Traces, at a collector of OpenTelemetry's protocol (OTLP/HTTP in protobuf): what is in them, who may name one, and that there are
//! none unless they are asked for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::net::TcpListener;

use crate::command::Running;
use crate::support::apus::command;
use crate::support::content::random;
use crate::support::{Backend, Client};

/// How long a span may take to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes spans.
struct Collector {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<_>>> = Arc::default();
        let taken = Arc::clone(&requests);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let taken = Arc::clone(&taken);
                let service = service_fn(move |request| take(request, Arc::clone(&taken)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, requests }
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|of_one| &of_one.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Waits for a span with this name, and answers all that are there then.
    async fn until(&self, name: &str) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let spans = self.spans();
            if spans.iter().any(|span| span.name == name) {
                return spans;
            }
            assert!(begun.elapsed() < PATIENCE, "no {name}: {spans:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn take(
    request: Request<Incoming>,
    taken: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/v1/traces"));
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    taken.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    Ok(Response::new(Full::default()))
}

/// A registry with variables in its environment, and with more lines below `http`.
fn start(variables: &[(&str, &str)], storage: &str, http: &str) -> Running {
    let config = format!(
        "version: 0.1\nlog: {{formatter: json}}\nstorage:\n{storage}\nhttp:\n  addr: 127.0.0.1:0\n{http}"
    );
    let mut command = command();
    command.envs(variables.iter().copied());
    Running::start_as(command, &["serve", "config.yml"], Some(&config))
}

/// The one span with this name.
#[track_caller]
fn named<'spans>(spans: &'spans [Span], name: &str) -> &'spans Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    let [span] = found[..] else { panic!("{name}: {found:#?}") };
    span
}

/// The value of an attribute, as text.
fn attribute(span: &Span, name: &str) -> String {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name);
    format!("{:?}", attribute.unwrap_or_else(|| panic!("no {name}: {span:#?}")).value)
}

/// Promise: a push to a real Swift is one trace for each request: of the server, below it what storage was asked, below that the requests
/// to Swift. What is left at the end of the process goes out before it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_push() {
    let collector = Collector::start().await;
    let endpoint = format!("http://{}", collector.address);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_SERVICE_NAME", "registry-of-tests"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let running = start(&variables, Backend::swift_v1().storage(), "");
    let client = Client::new(running.address());
    let blob = client.push("a/b", random(2_000_000)).await;
    client.push_manifest("a/b", "latest", &[blob]).await;

    let spans = collector.until("put manifest").await;
    let server = named(&spans, "put manifest");
    assert_eq!((server.kind(), &*server.parent_span_id), (SpanKind::Server, &[][..]));
    for (name, value) in
        [("http.request.method", "PUT"), ("vars.name", "a/b"), ("http.response.status_code", "201")]
    {
        assert!(attribute(server, name).contains(value), "{name}: {server:#?}");
    }
    let below = |parent: &Span, kind: SpanKind| -> Vec<Span> {
        let of_it = |span: &&Span| span.parent_span_id == parent.span_id && span.kind() == kind;
        spans.iter().filter(of_it).cloned().collect()
    };
    let storage = below(server, SpanKind::Internal);
    assert!(storage.iter().any(|span| span.name == "PutContent"), "{storage:#?}");
    let swift: Vec<_> = storage.iter().flat_map(|span| below(span, SpanKind::Client)).collect();
    assert!(swift.iter().any(|span| span.name == "Swift PUT"), "{swift:#?}");
    for span in storage.iter().chain(&swift) {
        assert_eq!(span.trace_id, server.trace_id);
        assert!(server.start_time_unix_nano <= span.start_time_unix_nano, "{span:#?}");
        assert!(span.end_time_unix_nano <= server.end_time_unix_nano, "{span:#?}");
    }
    let resource = format!("{:?}", collector.requests.lock().unwrap()[0].resource_spans[0].resource);
    assert!(resource.contains("registry-of-tests") && resource.contains("service.instance.id"), "{resource}");

    client.get("/v2/a/b/tags/list").await.expect(200);
    running.terminate();
    assert_eq!(running.end().0, 0);
    named(&collector.spans(), "list tags");
}

/// Promise: a proxy that is trusted may name the trace that a request belongs to, and nobody else; Swift is told which it is.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_name_a_trace() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    for (trusted, joined) in [
        ("", false),
        ("  trustedproxies: [10.0.0.0/8]\n", false),
        ("  trustedproxies: [127.0.0.0/8]\n", true),
    ] {
        let collector = Collector::start().await;
        let fake = FakeSwift::start(Options::default()).await.unwrap();
        let endpoint = format!("http://{}/v1/traces", collector.address);
        let variables =
            [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "20")];
        let running = start(&variables, Backend::fake_v1(&fake).storage(), trusted);
        let client = Client::new(running.address());
        let sent = [("traceparent", &*format!("00-{TRACE}-b7ad6b7169203331-01"))];
        client.request(Method::GET, "/v2/a/manifests/latest", &sent, "").await.expect(404);
        let spans = collector.until("get manifest").await;
        let trace = data_encoding::HEXLOWER.encode(&named(&spans, "get manifest").trace_id);
        assert_eq!(trace == TRACE, joined, "{trusted}");
        let told: Vec<_> = fake
            .requests()
            .iter()
            .filter_map(|request| request.headers.get("traceparent").cloned())
            .collect();
        let about = |told: &hyper::header::HeaderValue| told.to_str().unwrap().contains(&trace);
        assert!(told.iter().any(about), "{told:?}");
    }
}

/// Promise: there are no traces unless they are asked for; and where they are and nobody takes them, nothing else suffers.
#[tokio::test(flavor = "multi_thread")]
async fn none_unless_asked_for() {
    let collector = Collector::start().await;
    let endpoint = format!("http://{}", collector.address);
    let off: [&[(&str, &str)]; 3] = [
        &[],
        &[("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)],
        &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)],
    ];
    for variables in off {
        let fake = FakeSwift::start(Options::default()).await.unwrap();
        let running = start(variables, Backend::fake_v1(&fake).storage(), "");
        Client::new(running.address()).push("a", random(1000)).await;
        let complains = running.stderr().contains("there are no traces");
        assert_eq!(complains, variables.first().is_some_and(|(name, _)| name.ends_with("PROTOCOL")));
        running.terminate();
        assert_eq!(running.end().0, 0);
        assert!(fake.requests().iter().all(|request| !request.headers.contains_key("traceparent")));
    }
    assert!(collector.requests.lock().unwrap().is_empty());

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = format!("http://{nobody}");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*away), ("OTEL_BSP_SCHEDULE_DELAY", "20")];
    let running = start(&variables, Backend::memory().storage(), "");
    let client = Client::new(running.address());
    let begun = Instant::now();
    while !running.stderr().contains("the collector does not take traces") {
        assert!(begun.elapsed() < PATIENCE, "{}", running.stderr());
        client.push("a", random(10)).await;
    }
    running.terminate();
    assert_eq!(running.end().0, 0);
}
