//! Records out of a stream of Redis, and results into a list.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use muster_proto::users::UserRequest;
use prost::Message as _;
use tokio::task::JoinSet;

use super::resp::{self, Connection};
use super::{GROUP, RESULTS, STREAM};
use crate::runtime;

/// How long to wait for a server to make the stream.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where and how the workers run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where Redis is: HOST:PORT
    #[arg(long, value_name = "ADDR")]
    redis: String,
    /// How many workers there are, each with a connection
    #[arg(long, value_name = "N", default_value_t = 5)]
    workers: usize,
    /// How many entries a worker takes at once
    #[arg(long, value_name = "N", default_value_t = 256)]
    count: usize,
    /// How many threads the runtime has
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
}

/// Works until the process is ended.
///
/// # Errors
///
/// Redis is not there, or goes.
pub fn run(options: &Options) -> anyhow::Result<()> {
    runtime::of(options.threads)?.block_on(async {
        wait_for_stream(&options.redis).await?;
        let mut workers = JoinSet::new();
        for worker in 0..options.workers {
            workers.spawn(work(options.redis.clone(), worker.to_string(), options.count));
        }
        writeln!(std::io::stdout(), "ready")?;
        // None of them ends by itself.
        workers.join_next().await.context("there are no workers")??
    })
}

async fn wait_for_stream(redis: &str) -> anyhow::Result<()> {
    let mut redis = Connection::open(redis).await?;
    let mut out = Vec::new();
    let made = async {
        loop {
            resp::command(&mut out, &[b"EXISTS", STREAM]);
            if redis.ask(&mut out, 1).await?.text()? == "1" {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, made).await.context("there is no server")?
}

async fn work(redis: String, name: String, count: usize) -> anyhow::Result<()> {
    let mut redis = Connection::open(&redis).await?;
    let count = count.to_string();
    let mut out = Vec::new();
    let mut results: Vec<Vec<u8>> = Vec::new();
    loop {
        let read: [&[u8]; 11] = [
            b"XREADGROUP",
            b"GROUP",
            GROUP,
            name.as_bytes(),
            b"COUNT",
            count.as_bytes(),
            b"BLOCK",
            b"0",
            b"STREAMS",
            STREAM,
            b">",
        ];
        resp::command(&mut out, &read);
        let reply = redis.ask(&mut out, 1).await?;
        let Some(stream) = reply.array()?.first() else { continue };
        let entries = stream.array()?[1].array()?;

        results.clear();
        for entry in entries {
            for field in entry.array()?[1].array()?.chunks_exact(2) {
                let record = UserRequest::decode(field[1].text()?.clone())?;
                let mut json = Vec::with_capacity(512);
                serde_json::to_writer(&mut json, &record)?;
                results.push(json);
            }
        }
        resp::list(&mut out, &[b"RPUSH", RESULTS.as_bytes()], results.iter().map(Vec::as_slice));
        let mut ids = Vec::with_capacity(entries.len());
        for entry in entries {
            ids.push(entry.array()?[0].text()?.as_ref());
        }
        resp::list(&mut out, &[b"XACK", STREAM, GROUP], ids.iter().copied());
        resp::list(&mut out, &[b"XDEL", STREAM], ids.iter().copied());
        redis.ask(&mut out, 3).await?;
    }
}
