//! `muster-server`: takes records in over gRPC and queues them durably.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use muster_program::daemon;
use muster_program::flags::{self, StoreFlags};
use muster_queue::CurrentAccess;
use muster_server::Server;
use muster_server::config::Config;
use muster_server::flags::EntranceFlags;
use serde::Serialize;

#[derive(clap::Args, Serialize)]
struct Flags {
    /// Where gRPC is served [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR", value_parser = flags::address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// Where the dashboard, /livez, /readyz and /metrics are served [default: 127.0.0.1:9181]
    #[arg(long, value_name = "ADDR", value_parser = flags::address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
    /// The folder of the roll, for the dashboard and for downloads [default: none]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    roll: Option<PathBuf>,
    /// Let the dashboard show, and change nothing
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[command(flatten)]
    #[serde(flatten)]
    entrance: EntranceFlags,
    #[command(flatten)]
    #[serde(flatten)]
    store: StoreFlags,
}

fn main() -> ExitCode {
    let program = Command::new("muster-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Takes user records in over gRPC and queues them durably");
    daemon::main::<Flags, Config>(program, async |config, loader, readiness, shutdown| {
        let server = Server::bind(&config).await?;
        let access = CurrentAccess::new(config.store_access());
        let queue = access.open_in_background(&config.store_options()).await?;
        let replace = move |config: Config| access.replace(config.store_access());
        loader.watch_secrets(replace, &shutdown)?;
        tracing::info!(store = %config.store, "starting");
        server.serve(queue, &readiness, &shutdown).await
    })
}
