//! The store on Redis or Valkey.
use crate::{
    Appended, Batch, BatchId, BatchOptions, Chunk, Committed, DeadLetter, Lease, NewChunk, Outcome,
    Queue, Result, ResultChunk, Work, WorkerId,
};
use std::time::Duration;
/// stub
#[derive(Debug)]
pub struct RedisQueue;
impl RedisQueue {
    /// stub
    pub async fn connect(_url: &str) -> Result<Self> {
        unreachable!()
    }
}

#[async_trait::async_trait]
impl Queue for RedisQueue {
    async fn open(&self, _: &BatchId, _: &BatchOptions) -> Result<Batch> {
        unreachable!()
    }
    async fn append(&self, _: &BatchId, _: &NewChunk) -> Result<Appended> {
        unreachable!()
    }
    async fn seal(&self, _: &BatchId, _: Option<u64>) -> Result<Batch> {
        unreachable!()
    }
    async fn seal_overdue(&self, _: usize) -> Result<usize> {
        unreachable!()
    }
    async fn lease(&self, _: &WorkerId, _: usize, _: Duration) -> Result<Vec<Work>> {
        unreachable!()
    }
    async fn take_over(&self, _: &WorkerId, _: Duration, _: usize) -> Result<Vec<Work>> {
        unreachable!()
    }
    async fn extend(&self, _: &[Lease]) -> Result<()> {
        unreachable!()
    }
    async fn release(&self, _: &[Lease]) -> Result<()> {
        unreachable!()
    }
    async fn commit(&self, _: &Chunk, _: &Outcome) -> Result<Committed> {
        unreachable!()
    }
    async fn next_complete(&self) -> Result<Option<Batch>> {
        unreachable!()
    }
    async fn results(&self, _: &BatchId, _: u64, _: usize) -> Result<Vec<ResultChunk>> {
        unreachable!()
    }
    async fn mark_written(&self, _: &BatchId, _: &str) -> Result<bool> {
        unreachable!()
    }
    async fn batch(&self, _: &BatchId) -> Result<Option<Batch>> {
        unreachable!()
    }
    async fn dead_letters(&self, _: &BatchId, _: u64, _: usize) -> Result<Vec<DeadLetter>> {
        unreachable!()
    }
    async fn ping(&self) -> Result<()> {
        unreachable!()
    }
    async fn forget(&self, _: &WorkerId) -> Result<()> {
        unreachable!()
    }
}
