//! A small collector: it takes traces by OTLP, and keeps them for the test to look at.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use muster_integration::certificates::Issued;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// A span that has arrived, with its ids in hexadecimal digits.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first of a trace.
    pub(crate) parent: String,
    fields: BTreeMap<String, String>,
}

impl Span {
    /// A field's value as text; empty if there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// What has arrived.
#[derive(Clone, Debug, Default)]
struct Desk {
    spans: Arc<Mutex<Vec<Span>>>,
    connections: Arc<AtomicUsize>,
}

/// The collector. It ends when it is dropped.
pub(crate) struct Collector {
    desk: Desk,
    scheme: &'static str,
    port: u16,
    _runtime: Runtime,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::serve("http", Server::builder())
    }

    /// One that speaks TLS, with this certificate and key.
    pub(crate) fn start_with_tls(issued: &Issued) -> Self {
        let identity = Identity::from_pem(&issued.certificate_pem, &issued.key_pem);
        let tls = ServerTlsConfig::new().identity(identity);
        Self::serve("https", Server::builder().tls_config(tls).expect("a certificate and its key"))
    }

    fn serve(scheme: &'static str, mut server: Server) -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let desk = Desk::default();
        let (service, connections) = (desk.clone(), Arc::clone(&desk.connections));
        let accepted = TcpListenerStream::new(listener).map(move |connection| {
            connections.fetch_add(1, Ordering::Relaxed);
            connection
        });
        runtime.spawn(
            server.add_service(TraceServiceServer::new(service)).serve_with_incoming(accepted),
        );
        Self { desk, scheme, port, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// How often somebody has connected.
    pub(crate) fn connections(&self) -> usize {
        self.desk.connections.load(Ordering::Relaxed)
    }

    /// All that has arrived.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.desk.spans.lock().expect("nobody panicked with it").clone()
    }
}

#[tonic::async_trait]
impl TraceService for Desk {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.spans.lock().expect("nobody panicked with it");
        spans.extend(request.into_inner().resource_spans.into_iter().flat_map(read));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The spans of one program.
fn read(program: ResourceSpans) -> impl Iterator<Item = Span> {
    let resource = fields(program.resource.unwrap_or_default().attributes);
    for what in ["service.version", "host.name"] {
        assert!(resource.contains_key(what), "{what} is missing in {resource:?}");
    }
    let spans = program.scope_spans.into_iter().flat_map(|scope| scope.spans);
    spans.map(move |span| Span {
        service: resource["service.name"].clone(),
        name: span.name,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        fields: fields(span.attributes),
    })
}

fn fields(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|field| (field.key, text(field.value))).collect()
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
