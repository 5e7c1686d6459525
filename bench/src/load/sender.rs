//! One connection, and what is sent by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use muster_proto::metadata::{BATCH, PLACE};
use muster_proto::users::UserResponse;
use prost::Message as _;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response};

use super::codec::Encoded;
use super::{Plan, histogram, pace};
use crate::records::Records;

/// How many streams the servers let a connection have at once, and so how many calls are begun
/// together where their number does not matter.
const CALLS_AT_ONCE: usize = 100;

/// A connection to a server, with the records that go there.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    channel: Channel,
    records: Arc<Records>,
}

impl Sender {
    pub(super) async fn connect(server: &str, records: Arc<Records>) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(server.to_owned())?.tcp_nodelay(true);
        let channel = endpoint.connect().await.with_context(|| format!("no server at {server}"))?;
        Ok(Self { channel, records })
    }

    /// Sends what the plan says. How long each call took, if they were unary.
    pub(super) async fn carry_out(&self, plan: &Plan) -> anyhow::Result<Option<Histogram<u64>>> {
        if let Some(rate) = plan.rate {
            return pace::send(self, plan.records, rate).await.map(Some);
        }
        if let Some(in_flight) = plan.in_flight {
            return self.send_unary(plan.records, in_flight).await.map(Some);
        }
        let batch = plan.batch.unwrap_or(plan.records).max(1);
        for first in (0..plan.records).step_by(batch) {
            self.send_stream(first, (first + batch).min(plan.records)).await?;
        }
        Ok(None)
    }

    async fn send_stream(&self, first: usize, end: usize) -> anyhow::Result<()> {
        let records = Arc::clone(&self.records);
        let stream = futures::stream::iter((first..end).map(move |number| records.get(number)));
        let path = PathAndQuery::from_static("/Users/SendUserInfoClientStream");
        let mut grpc = self.ready().await?;
        check(&grpc.client_streaming(Request::new(stream), path, Encoded).await?)
    }

    async fn send_unary(&self, records: usize, in_flight: usize) -> anyhow::Result<Histogram<u64>> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for _ in 0..in_flight {
            let (sender, next) = (self.clone(), Arc::clone(&next));
            senders.spawn(async move {
                let mut took = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= records {
                        break Ok(took);
                    }
                    let began = Instant::now();
                    sender.send_one(number).await?;
                    took.push(nanos_since(began));
                }
            });
        }
        let mut histogram = histogram();
        while let Some(sender) = senders.join_next().await {
            let took: anyhow::Result<Vec<u64>> = sender?;
            took?.into_iter().for_each(|nanos| histogram.saturating_record(nanos));
        }
        Ok(histogram)
    }

    /// Sends the record of this number by a call of its own.
    pub(super) async fn send_one(&self, number: usize) -> anyhow::Result<()> {
        self.call(Request::new(self.records.get(number))).await
    }

    /// Begins so many batches with a record each, and leaves them open.
    pub(super) async fn open_batches(&self, count: usize) -> anyhow::Result<()> {
        for first in (0..count).step_by(CALLS_AT_ONCE) {
            let numbers = first..(first + CALLS_AT_ONCE).min(count);
            futures::future::try_join_all(numbers.map(|number| self.open_batch(number))).await?;
        }
        Ok(())
    }

    async fn open_batch(&self, number: usize) -> anyhow::Result<()> {
        let mut request = Request::new(self.records.get(number));
        request.metadata_mut().insert(BATCH, format!("open-{number}").parse()?);
        request.metadata_mut().insert(PLACE, "0".parse()?);
        self.call(request).await
    }

    async fn call(&self, request: Request<Bytes>) -> anyhow::Result<()> {
        let path = PathAndQuery::from_static("/Users/SendUserInfo");
        check(&self.ready().await?.unary(request, path, Encoded).await?)
    }

    async fn ready(&self) -> anyhow::Result<Grpc<Channel>> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await?;
        Ok(grpc)
    }
}

pub(super) fn nanos_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn check(response: &Response<Bytes>) -> anyhow::Result<()> {
    let UserResponse { status, message } = UserResponse::decode(response.get_ref().as_ref())?;
    ensure!(status, "the server refused: {message}");
    Ok(())
}
