//! `muster-server`: takes records in over gRPC and queues them durably.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use muster_program::daemon::{self, ConfigFlags};
use muster_server::Server;
use muster_server::config::Config;
use serde::Serialize;

/// Takes user records in over gRPC and queues them durably.
#[derive(Parser)]
#[command(name = "muster-server", version)]
struct Cli {
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(clap::Args, Serialize)]
struct Flags {
    /// Where gRPC is served [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// Where /livez and /readyz are served [default: 127.0.0.1:9181]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
    /// The store: redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER,
    /// redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…) or file:PATH [default:
    /// redis://127.0.0.1:6379]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// What "ok" means: accepted by the store, synced to its disk, or replicated [default: accepted]
    #[arg(long, value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<String>,
    /// How many replicas have what is replicated [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u8>,
    /// The log's level, or a filter such as info,muster_queue=trace [default: info]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    daemon::main("muster-server", &cli.config, &cli.settings, async |config: Config, shutdown| {
        let server = Server::bind(&config).await?;
        let queue = config.store.open(&config.store_options()).await?;
        tracing::info!(store = %config.store, "starting");
        server.serve(queue, &shutdown).await
    })
}
