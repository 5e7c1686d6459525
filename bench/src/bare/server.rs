//! Records in by gRPC, out to a stream of Redis.

use std::net::SocketAddr;

use anyhow::Context as _;
use bytes::Bytes;
use futures::StreamExt as _;
use muster_proto::users::users_server::Users;
use muster_proto::users::{UserRequest, UserResponse};
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tonic::{Request, Response, Status, Streaming};

use super::resp::{self, Replies};
use super::{GROUP, STREAM};
use crate::grpc::{self, ok};
use crate::runtime;

/// How many records may wait for the writer.
const WAITING_MAX: usize = 4096;
/// How many the writer takes at once.
const WRITE_MAX: usize = 512;
/// How many writes may be under way, beside the one that is being answered.
const WRITES_MAX: usize = 3;

/// Where and how the server runs.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where gRPC is served
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Where Redis is: HOST:PORT
    #[arg(long, value_name = "ADDR")]
    redis: String,
    /// How many records an entry of the stream has
    #[arg(long, value_name = "N", default_value_t = 1)]
    pack: usize,
    /// How many threads the runtime has
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
}

/// Serves until the process is ended.
///
/// # Errors
///
/// The port is taken, or Redis is not there, or goes.
pub fn run(options: &Options) -> anyhow::Result<()> {
    runtime::of(options.threads)?.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let (replies, writer) = resp::connect(&options.redis).await?;
    let (records, waiting) = mpsc::channel(WAITING_MAX);
    let (written, unanswered) = mpsc::channel(WRITES_MAX);
    let mut tasks = JoinSet::new();
    tasks.spawn(answer(replies, unanswered));
    tasks.spawn(write(writer, waiting, written, options.pack.max(1)));
    tasks.spawn(grpc::serve(options.listen, Bare { records }));
    // None of them ends by itself.
    tasks.join_next().await.context("nothing runs")??
}

/// A record on its way to Redis, and whom to tell when it is there.
struct Record {
    message: Bytes,
    answer: Option<oneshot::Sender<()>>,
}

/// A write whose replies are to come.
struct Written {
    commands: usize,
    answers: Vec<oneshot::Sender<()>>,
}

struct Bare {
    records: mpsc::Sender<Record>,
}

impl Bare {
    async fn put(&self, record: Record) -> Result<(), Status> {
        self.records.send(record).await.map_err(|_| Status::unavailable("no Redis"))
    }

    /// Puts this record, and waits until it and all before it are in Redis.
    async fn put_and_wait(&self, message: Bytes) -> Result<(), Status> {
        let (answer, answered) = oneshot::channel();
        self.put(Record { message, answer: Some(answer) }).await?;
        answered.await.map_err(|_| Status::unavailable("no Redis"))
    }
}

#[tonic::async_trait]
impl Users for Bare {
    async fn send_user_info(
        &self,
        request: Request<UserRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        self.put_and_wait(request.get_ref().encode_to_vec().into()).await?;
        Ok(Response::new(ok()))
    }

    async fn send_user_info_client_stream(
        &self,
        request: Request<Streaming<UserRequest>>,
    ) -> Result<Response<UserResponse>, Status> {
        let mut records = request.into_inner();
        // The last one is the one to wait for.
        let mut last: Option<Bytes> = None;
        while let Some(record) = records.next().await {
            if let Some(message) = last.replace(record?.encode_to_vec().into()) {
                self.put(Record { message, answer: None }).await?;
            }
        }
        if let Some(message) = last {
            self.put_and_wait(message).await?;
        }
        Ok(Response::new(ok()))
    }
}

/// Writes what waits. What comes meanwhile goes with the next write.
async fn write(
    mut redis: OwnedWriteHalf,
    mut waiting: mpsc::Receiver<Record>,
    written: mpsc::Sender<Written>,
    pack: usize,
) -> anyhow::Result<()> {
    let mut out = Vec::new();
    resp::command(&mut out, &[b"XGROUP", b"CREATE", STREAM, GROUP, b"0", b"MKSTREAM"]);
    written.send(Written { commands: 1, answers: Vec::new() }).await?;
    redis.write_all(&out).await?;
    let mut records: Vec<Record> = Vec::with_capacity(WRITE_MAX);
    loop {
        let write = written.reserve().await?;
        records.clear();
        if waiting.recv_many(&mut records, WRITE_MAX).await == 0 {
            return Ok(());
        }
        out.clear();
        let entries = records.chunks(pack);
        let commands = entries.len();
        for entry in entries {
            let fields: Vec<&[u8]> =
                entry.iter().flat_map(|record| [b"r".as_slice(), &record.message]).collect();
            resp::list(&mut out, &[b"XADD", STREAM, b"*"], fields.into_iter());
        }
        redis.write_all(&out).await?;
        let answers = records.iter_mut().filter_map(|record| record.answer.take()).collect();
        write.send(Written { commands, answers });
    }
}

/// Reads the replies, and tells those that wait for them.
async fn answer(
    mut replies: Replies,
    mut unanswered: mpsc::Receiver<Written>,
) -> anyhow::Result<()> {
    while let Some(Written { commands, answers }) = unanswered.recv().await {
        for _ in 0..commands {
            replies.next().await?;
        }
        for answer in answers {
            // A caller who has gone away needs no answer.
            let _ = answer.send(());
        }
    }
    Ok(())
}
