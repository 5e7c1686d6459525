//! Spans on their way to a collector, by OTLP over gRPC.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use tokio::runtime::Runtime;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::{Layer as _, Registry};

use crate::daemon::Failure;
use crate::logging::{Layer, is_ours};

/// How many spans may wait to be sent. More are dropped: nobody waits for a collector.
const WAITING_MAX: usize = 8192;
/// How many spans are sent at once.
const SENT_MAX: usize = 512;
/// How often what has come is sent.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long the collector may take to connect, to answer, and, at the end, for all that is left.
const PATIENCE: Duration = Duration::from_secs(2);

/// The variable of OpenTelemetry that names a file with the authorities to trust, as PEM.
const AUTHORITIES: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";

/// What sends a program's spans, beside the program, until it is dropped.
#[derive(Debug)]
pub(super) struct Export {
    provider: SdkTracerProvider,
    /// The connection's own: what is left is sent when the program's has ended. Taken at the end.
    runtime: Option<Runtime>,
}

impl Export {
    /// Starts to send the spans of the program of this name, as many of the traces that begin in
    /// it as `ratio` says.
    pub(super) fn start(program: &str, url: &str, ratio: f64) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()?;
        let collector = Collector {
            exporter: exporter(url, &runtime)?,
            url: url.to_owned(),
            is_away: AtomicBool::new(false),
        };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING_MAX)
            .with_max_export_batch_size(SENT_MAX)
            .with_scheduled_delay(INTERVAL)
            .build();
        let sending = BatchSpanProcessor::builder(collector).with_batch_config(batches).build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(sending)
            .with_sampler(sampler)
            .with_resource(resource(program))
            .build();
        Ok(Self { provider, runtime: Some(runtime) })
    }

    /// What hands the spans of our own crates over. What the log shows has no say in it.
    pub(super) fn layer(&self) -> Layer {
        let ours = filter_fn(|metadata| {
            metadata.is_span() && *metadata.level() <= Level::DEBUG && is_ours(metadata)
        });
        tracing_opentelemetry::layer::<Registry>()
            .with_tracer(self.provider.tracer("muster"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::DEBUG))
            .boxed()
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // What goes wrong is in the log by then, or was too slow.
        let _ = self.provider.shutdown_with_timeout(PATIENCE);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn exporter(url: &str, runtime: &Runtime) -> Result<opentelemetry_otlp::SpanExporter, Failure> {
    let mut endpoint =
        Endpoint::from_shared(url.to_owned())?.connect_timeout(PATIENCE).timeout(PATIENCE);
    if endpoint.uri().scheme_str() == Some("https") {
        endpoint = endpoint.tls_config(trust()?)?;
    }
    // The connection is driven by the runtime that it is made in.
    let _runtime = runtime.enter();
    Ok(opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_channel(endpoint.connect_lazy())
        .with_timeout(PATIENCE)
        .build()?)
}

/// The authorities to trust: those of the file that the environment names, or those of the system.
fn trust() -> Result<ClientTlsConfig, Failure> {
    let file = std::env::var_os(AUTHORITIES).filter(|file| !file.is_empty()).map(PathBuf::from);
    let Some(file) = file else {
        return Ok(ClientTlsConfig::new().with_native_roots());
    };
    let authorities = std::fs::read(&file)
        .map_err(|error| format!("cannot read {} ({AUTHORITIES}): {error}", file.display()))?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities)))
}

/// What all spans of the program share.
fn resource(program: &str) -> Resource {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    Resource::builder()
        .with_service_name(program.to_owned())
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("host.name", host),
        ])
        .build()
}

/// The collector, whose absence is said once.
#[derive(Debug)]
struct Collector {
    exporter: opentelemetry_otlp::SpanExporter,
    url: String,
    is_away: AtomicBool,
}

impl SpanExporter for Collector {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(spans).await;
        let was_away = self.is_away.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_away => {
                tracing::warn!(collector = self.url, %error, "traces are lost until the collector takes them");
            }
            Ok(()) if was_away => {
                tracing::info!(collector = self.url, "the collector takes traces")
            }
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
