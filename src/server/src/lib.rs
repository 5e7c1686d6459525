//! The server: takes records in over gRPC and queues them durably.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`config`] | its settings |
//! | [`flags`] | those that are flags, for each program with a server |
//! | `users` | the service `Users`: one record, or a stream of them |
//! | [`services`](fn@services) | all services, apart from where they are served |
//! | `operations` | the services below, for gRPC and for the dashboard |
//! | `batches` | the service `muster.v1.Batches`: list, resume, end, wait for a batch |
//! | `dead_letters` | the service `muster.v1.DeadLetters`: list, replay, drop |
//! | `queue` | the service `muster.v1.Queue`: what waits; pause and resume |
//! | `workers` | the service `muster.v1.Workers`: which there are |
//! | `roll` | the service `muster.v1.Roll`: its manifest, and the file |
//! | `reflection` | the services, described for tools |
//! | `router` | which of them a call goes to |
//! | `messages` | how many messages a call brings |
//! | `compression` | which compressions of requests are accepted |
//! | `entrance` | the doors, and what is asked of those who come to them |
//! | `admission` | who may make which call |
//! | `deadline` | when a call must be answered |
//! | `sampler` | what the queue is like, looked at once a second |
//! | `caller` | who asks for a change, for the log |
//! | [`metadata`] | what travels beside the messages, read |
//! | `status` | the one place where errors become gRPC statuses |
//! | `calls` | every call, measured |
//! | `metrics` | what is measured |
//! | `health` | whether the store is there, by gRPC |

mod admission;
mod batches;
mod caller;
mod calls;
mod compression;
pub mod config;
mod dead_letters;
mod deadline;
mod entrance;
pub mod flags;
mod health;
mod messages;
pub mod metadata;
mod metrics;
mod operations;
mod protocol;
mod queue;
mod reflection;
mod roll;
mod router;
mod sampler;
mod services;
mod status;
mod users;
mod workers;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use muster_access::{Door, Seats};
use muster_dashboard::{Options, SignIn};
use muster_program::daemon::Failure;
use muster_program::http::{self, listen};
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::calls::MeasureCalls;
use crate::compression::accept_compressed;
use crate::config::Config;
use crate::entrance::Entrance;
use crate::operations::Operations;
use crate::roll::Roll;
use crate::router::Router;
use crate::sampler::Sampler;
pub use crate::services::services;

/// How many bytes of a call may wait to be read (RFC 9113, 5.2). This slows down a stream when the queue
/// is full or the store is slow. In memory, each frame that waits takes about 256 bytes more: 64 MiB for a
/// call whose frames have one byte.
const CALL_WINDOW_BYTES: u32 = 256 << 10;
/// The same for all calls of a connection together: the largest there is. Streams that wait must not take
/// it up, or no other call would get through. h2 0.4.20 also ends a connection with ENHANCE_YOUR_CALM
/// when so many small frames wait that 256 bytes less their length add up to half of it. With this size,
/// records of 10 bytes cannot reach that in 240 streams.
const CONNECTION_WINDOW_BYTES: u32 = i32::MAX as u32;
/// How long a frame may be, in bytes: what a sender writes, and the server reads, at once.
const FRAME_BYTES: u32 = 128 << 10;
/// How often a silent connection is asked whether its other end is still there.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// A server that has its ports, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    grpc: TcpListener,
    http: TcpListener,
    entrance: Entrance,
    config: Config,
}

impl Server {
    /// Reads the certificates and the access list, and takes the ports.
    ///
    /// # Errors
    ///
    /// A file cannot be used, or an address not be listened on; the message names it.
    pub async fn bind(config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            entrance: Entrance::open(config)?,
            grpc: listen("listen", config.listen).await?,
            http: listen("http", config.http).await?,
            config: config.clone(),
        })
    }

    /// Where gRPC is served: as asked for, with the port that the system chose for port 0.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn grpc_addr(&self) -> std::io::Result<SocketAddr> {
        self.grpc.local_addr()
    }

    /// Where the dashboard, `/livez`, `/readyz` and `/metrics` are served, as
    /// [`grpc_addr`](Self::grpc_addr).
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn http_addr(&self) -> std::io::Result<SocketAddr> {
        self.http.local_addr()
    }

    /// Serves until the shutdown begins and the calls under way have ended.
    ///
    /// Streams that have not ended by half of the grace period are broken off: their senders
    /// resume them elsewhere. Connections are left after three quarters of it.
    ///
    /// # Errors
    ///
    /// A listener fails; or the store turns out to be misconfigured at its first answer.
    pub async fn serve(
        self,
        queue: Arc<dyn muster_queue::Queue>,
        readiness: &Readiness,
        shutdown: &Shutdown,
    ) -> Result<(), Failure> {
        tracing::info!(grpc = %self.grpc.local_addr()?, http = %self.http.local_addr()?, "listening");
        let (reporter, health_service) = tonic_health::server::health_reporter();
        health::follow(readiness.subscribe(), reporter, shutdown);
        let sampler = Arc::new(Sampler::new(Arc::clone(&queue), &self.config));
        let looked = Arc::clone(&sampler);
        readiness.watch(move || look(Arc::clone(&looked)), shutdown);
        metrics::declare();

        let Self { grpc, http, entrance, config } = self;
        entrance.watch(shutdown);
        let break_off = CancellationToken::new();
        let streams = Seats::new(config.streams_max.get(), config.streams_per_address_max.get());
        let roll = Roll::new(&config, streams.clone(), break_off.clone(), shutdown);
        let operations = Operations::new(&queue, sampler, &config, roll);
        let options = Options {
            read_only: config.read_only,
            sign_in: entrance.access.clone().map(|access| {
                SignIn::new(access, entrance.is_secure(), config.dashboard_url.as_ref())
            }),
            url: config.dashboard_url.clone(),
            // Who has to sign in is found by no name of another site: cookies go with names.
            hosts: entrance.access.is_none().then(|| config.hosts.clone()),
            shutdown: shutdown.token(),
            ..Options::default()
        };
        let dashboard = muster_dashboard::router(operations.services(), options);
        let web = http::probes(readiness.subscribe())
            .merge(entrance.guard_metrics(http::metrics(), &config))
            .merge(dashboard);
        let web = Box::pin(muster_access::serve(
            entrance.web_door(http, &config).connections(),
            web,
            config.idle_max,
            config.header_bytes_max.get() as usize,
            shutdown.token(),
        ));
        let users = services::users(&queue, &config, streams, break_off.clone(), shutdown);
        let others = operations.routes().add_service(accept_compressed!(health_service));
        let others = reflection::add_to(others)?;
        let services = Router { users, others: others.prepare() };
        let door = entrance.grpc_door(grpc, &config);
        let admission = entrance.admission(&config);
        let grpc = Box::pin(serve_grpc(door, admission, services, &config, shutdown.token()));
        let patience = async {
            shutdown.begun().await;
            tokio::time::sleep(config.grace / 2).await;
            break_off.cancel();
            // For the answers. A connection whose other end is silent, or which only watches,
            // does not end by itself: it is not waited for.
            tokio::time::sleep(config.grace / 4).await;
        };
        tokio::select! {
            result = async { tokio::join!(grpc, web).0 } => result,
            error = muster_queue::unfit(queue.as_ref()) => Err(error.into()),
            () = patience => Ok(()),
        }
    }
}

fn serve_grpc(
    door: Door,
    admission: Admission,
    services: Router,
    config: &Config,
    end: CancellationToken,
) -> impl Future<Output = Result<(), Failure>> + use<> {
    let server = tonic::transport::Server::builder()
        .initial_stream_window_size(CALL_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES)
        .max_concurrent_streams(config.calls_per_connection_max.get())
        .http2_max_header_list_size(config.header_bytes_max.get())
        .max_connection_age(config.age_max)
        .max_connection_age_grace(config.stream_idle_max)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .layer(MeasureCalls)
        .layer(admission)
        .serve_with_incoming_shutdown(services, door.connections(), end.cancelled_owned());
    async { Ok(server.await?) }
}

async fn look(sampler: Arc<Sampler>) -> muster_queue::Result<()> {
    sampler.look().await
}
