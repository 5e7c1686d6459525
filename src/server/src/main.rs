//! `muster-server`: takes records in over gRPC and queues them durably.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use muster_program::daemon;
use muster_program::flags::{ConfigFlags, StoreFlags};
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
    #[command(flatten)]
    #[serde(flatten)]
    store: StoreFlags,
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
